"""What pods used, in one line, and advice where it is worth something."""

from typing import Any

import pytest

from headway.config.kubernetes import KubernetesSettings
from headway.config.resolve import Layer, resolve_kubernetes
from headway.launch.usage import Usage
from headway.store.records import FAILED, OUT_OF_MEMORY, RESOURCES, SUCCEEDED, AttemptRef, Failure, Record


def settings(**said: Any) -> KubernetesSettings:
    return resolve_kubernetes("train", decorator=Layer(said, "@kubernetes")).settings


def ended(task: int, megabytes: float, cpu: float, seconds: float, step: str = "train") -> Record:
    metadata = {
        "peak-memory": str(int(megabytes * 1e6)),
        "cpu-seconds": f"{cpu:.3f}",
        "kubernetes-pod-name": f"sample-{step}-{task}",
    }
    return Record(
        AttemptRef(step, str(task), 0), SUCCEEDED, metadata=metadata, started=100.0, ended=100.0 + seconds
    )


def said(asked: KubernetesSettings, *records: Record) -> list[str]:
    usage = Usage({"train": asked})
    for record in records:
        usage.add(record)
    return list(usage.lines())


def test_the_most_of_all_tasks_is_told() -> None:
    asked = settings(cpu=2, memory=400)
    assert said(asked, ended(1, 200, 12, 20), ended(2, 310, 30, 20), ended(3, 150, 5, 60)) == [
        "Used by pods, at most: train 310 MB (asked for 400), 1.5 cores (asked for 2) in 3 tasks."
    ]


def test_of_little_hundredths_are_told() -> None:
    (line,) = said(settings(cpu=0.25, memory=100), ended(1, 60, 0.8, 20))
    assert line == "Used by pods, at most: train 60 MB (asked for 100), 0.04 cores (asked for 0.25)."


def killed(record: Record) -> Record:
    failure = Failure(RESOURCES, OUT_OF_MEMORY, "Step train ran out of memory.")
    return record._replace(outcome=FAILED, failure=failure)


def test_what_a_killed_task_held_says_nothing_of_what_it_wanted() -> None:
    assert said(settings(cpu=1, memory=64), killed(ended(1, 65.2, 1, 2))) == [
        "Used by pods, at most: train 64 MB (asked for 64).",
        "Step train ran out of memory at 64 MB: memory=100 is the next to try, as nothing tells how much it wanted.",
    ]
    (_, advice) = said(settings(cpu=1, memory=4096), killed(ended(1, 900, 1, 2)))
    assert "at 4096 MB: memory=6250 is" in advice, "killed between two looks at what it held"


def test_a_task_that_grew_tells_how_much_it_wanted() -> None:
    (_, advice) = said(settings(cpu=1, memory=100), killed(ended(1, 200, 1, 2)), ended(1, 226, 1, 2))
    assert advice == "Step train used 226 of the 100 MB it asks for: memory=300 would be safer."


def test_cores_of_a_short_task_say_nothing() -> None:
    assert said(settings(cpu=8, memory=400), ended(1, 310, 0.1, 2)) == [
        "Used by pods, at most: train 310 MB (asked for 400)."
    ]


@pytest.mark.parametrize(
    ("asked", "record", "advice"),
    [
        (
            {"memory": 8000, "cpu": 1},
            ended(1, 312, 1, 2),
            "Step train asks for 8000 MB and used 312: memory=400 would do.",
        ),
        (
            {"memory": 8000, "cpu": 1},
            ended(1, 2900, 1, 2),
            "Step train asks for 8000 MB and used 2900: memory=3750 would do.",
        ),
        (
            {"memory": 1000, "cpu": 1},
            ended(1, 950, 1, 2),
            "Step train used 950 of the 1000 MB it asks for: memory=1250 would be safer.",
        ),
        (
            {"memory": 300, "cpu": 8},
            ended(1, 250, 30, 30),
            "Step train asks for 8 cores and used 1.0: cpu=2 would do.",
        ),
    ],
)
def test_advice(asked: dict[str, Any], record: Record, advice: str) -> None:
    assert said(settings(**asked), record)[1:] == [advice]


@pytest.mark.parametrize(
    ("asked", "record"),
    [
        ({"memory": 600, "cpu": 1}, ended(1, 100, 1, 2)),
        ({"memory": 4000, "cpu": 1}, ended(1, 2500, 1, 2)),
        ({"memory": 300, "cpu": 2}, ended(1, 250, 40, 30)),
    ],
)
def test_no_advice_where_little_is_to_be_gained(asked: dict[str, Any], record: Record) -> None:
    assert len(said(settings(**asked), record)) == 1


def test_a_step_of_this_machine_and_an_attempt_without_figures_count_for_nothing() -> None:
    lost = Record(AttemptRef("train", "1", 0), "lost")
    assert said(settings(), ended(1, 10, 1, 1, step="start"), lost) == []


def test_what_took_a_steps_place_here_and_a_tasks_next_attempt_are_no_more_tasks() -> None:
    """``@catch`` of a step whose process died is an attempt of this machine, with figures of this machine."""
    pod, grown = killed(ended(1, 64, 1, 2)), ended(1, 90, 1, 2)
    here = ended(2, 900, 1, 2)
    fallback = here._replace(metadata={key: here.metadata[key] for key in ("peak-memory", "cpu-seconds")})
    asked = settings(memory=100)
    assert said(asked, fallback) == []
    assert said(asked, pod, fallback)[0] == "Used by pods, at most: train 64 MB (asked for 100)."
    assert said(asked, pod, grown)[0].endswith("90 MB (asked for 100).")
    assert said(asked, pod, grown, ended(2, 10, 1, 2))[0].endswith("(asked for 100) in 2 tasks.")


def test_of_many_steps_the_first_are_named() -> None:
    steps = {f"s{number}": settings(memory=100) for number in range(10)}
    usage = Usage(steps)
    for step in steps:
        usage.add(ended(1, 60, 0, 1, step=step))
    (line,) = usage.lines()
    assert line.endswith("s7 60 MB (asked for 100); and 2 more steps.")


def test_steps_that_ask_for_the_same_get_one_line() -> None:
    usage = Usage(dict.fromkeys(("fit", "test", "tune"), settings(memory=4096)))
    for step, used in (("fit", 18), ("test", 700), ("tune", 3000)):
        usage.add(ended(1, used, 0, 1, step=step))
    assert list(usage.lines())[1:] == [
        "Steps fit, test ask for 4096 MB each and used 700: memory=900 would do."
    ]


def test_what_resources_says_is_what_the_container_has() -> None:
    asked = settings(resources={"limits": {"memory": "1Gi"}, "requests": {"cpu": "8"}})
    assert said(asked, killed(ended(1, 1075, 1, 2))) == [
        "Used by pods, at most: train 1073 MB (asked for 1073).",
        (
            'Step train ran out of memory at 1073 MB: "memory": "1750M" in resources= is the next to try, as '
            "nothing tells how much it wanted."
        ),
    ]
    assert said(asked, ended(1, 1050, 30, 30))[1:] == [
        'Step train used 1050 of the 1073 MB it asks for: "memory": "1500M" in resources= would be safer.',
        'Step train asks for 8 cores and used 1.0: "cpu": "2" in resources= would do.',
    ]


def test_a_step_is_stopped_at_its_limit_and_not_at_what_it_asks_for() -> None:
    asked = settings(resources={"requests": {"memory": "500M"}, "limits": {"memory": "2000M"}})
    figures, advice = said(asked, killed(ended(1, 900, 1, 2)))
    assert figures.endswith("train 900 MB (asked for 500).")
    assert advice.startswith('Step train ran out of memory at 2000 MB: "memory": "3000M" in resources= is')
    _, advice = said(settings(resources={"limits": {"memory": "1Gi"}}, cpu=1), killed(ended(1, 300, 1, 2)))
    assert "at 1073 MB" in advice


def test_steps_that_are_to_be_changed_in_the_same_way_get_one_line() -> None:
    by_resources = settings(resources={"requests": {"memory": "4096M"}})
    usage = Usage({"fit": settings(memory=4096), "test": by_resources, "tune": by_resources})
    for step in ("fit", "test", "tune"):
        usage.add(ended(1, 100, 0, 1, step=step))
    assert list(usage.lines())[1:] == [
        "Step fit asks for 4096 MB and used 100: memory=150 would do.",
        'Steps test, tune ask for 4096 MB each and used 100: "memory": "150M" in resources= would do.',
    ]
