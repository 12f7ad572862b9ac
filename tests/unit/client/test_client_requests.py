"""What the client asks of a datastore elsewhere: nothing twice, and much at once where much is wanted."""

from collections import Counter

import pytest
from recorded_runs import BOOM, RecordedRun, digits

from headway.client import Flow, Run, Step, Task
from headway.client.siblings import Window
from headway.errors import StoreError
from headway.flow.decorators import DecoratorSpec
from headway.flow.graph import Graph, Node
from headway.testing.memory_store import MemoryStore


def reads(store: MemoryStore) -> Counter[tuple[str, str]]:
    """The calls since this was asked last."""
    seen = Counter(store.calls)
    store.calls.clear()
    return seen


def test_no_request_is_repeated_however_often_a_finished_task_is_asked(only_far: MemoryStore) -> None:
    digits(only_far)
    task = Task("Digits/1/train/3")
    reads(only_far)
    for _ in range(3):
        assert (task.successful, task.finished, task.index) == (True, True, 1)
        assert task.data.score == task["score"].data == 10
        assert task.metadata_dict["attempt"] == "0"
        assert task.stdout == "model 1\ndone\n"
        assert (task.parent.parent.tags, task.created_at) == ({"user:ann", "runtime:dev"}, task.created_at)
    assert set(reads(only_far).values()) == {1}
    assert task.data.alpha == 0.5
    assert sum(reads(only_far).values()) == 1


def test_a_run_that_succeeded_is_not_listed(only_far: MemoryStore) -> None:
    digits(only_far)
    run = Run("Digits/1")
    for _ in range(3):
        assert len(list(run)) == 4
        assert len(list(run["train"])) == 3
        assert "nope" not in run
        assert run.data is not None
        assert run.data.best == 20
    counted = reads(only_far)
    assert counted["list", "v1/Digits/run/1/task/"] == 0, "the end of a run that succeeded names its tasks"
    assert counted["get", "v1/Digits/run/1/end.json"] == 1
    assert [key for (call, key), _ in counted.items() if call == "get_range"] != []
    assert max(number for (call, _), number in counted.items() if call == "get_range") == 1


def test_a_run_that_failed_is_listed_once(only_far: MemoryStore) -> None:
    recorded = RecordedRun(only_far)
    winner = recorded.attempt("start", "1", values={"x": 1})
    recorded.attempt("train", "2", failure=BOOM)
    recorded.end([winner])
    run = Run("Digits/1")
    for _ in range(3):
        assert [step.id for step in run] == ["train", "start"]
        assert [task.successful for task in run["train"]] == [False]
    assert reads(only_far)["list", "v1/Digits/run/1/task/"] == 1


def test_the_ranks_of_a_gang_are_listed_as_no_end_names_them(only_far: MemoryStore) -> None:
    gang = Graph(
        "Digits",
        [
            Node("start", "linear", ("train",)),
            Node("train", "linear", ("end",), decorators=(DecoratorSpec("parallel", {}),)),
            Node("end", "end"),
        ],
        "start",
        "end",
    )
    recorded = RecordedRun(only_far, graph=gang)
    won = [recorded.attempt(step, str(number + 1)) for number, step in enumerate(("start", "train"))]
    recorded.attempt("train", "4")
    last = recorded.attempt("end", "3")
    recorded.end([*won, last], last)
    assert [task.id for task in Run("Digits/1")["train"]] == ["4", "2"]


def test_the_latest_of_many_runs_costs_one_record(only_far: MemoryStore) -> None:
    for number in range(40):
        RecordedRun(only_far, str(1000 + number))
    reads(only_far)
    assert Flow("Digits", _namespace_check=False).latest_run == Run("Digits/1039")
    counted = reads(only_far)
    assert counted["get", "v1/Digits/runs/1038.json"] == 0
    assert counted["list", "v1/Digits/runs/"] == 1
    assert [run.id for run in Flow("Digits")] == [str(1039 - number) for number in range(40)]


def test_ids_that_are_not_times_are_sorted_by_when_they_began(only_far: MemoryStore) -> None:
    for name in ("argo-b", "7", "argo-a"):
        RecordedRun(only_far, name)
    assert {run.id for run in Flow("Digits")} == {"argo-a", "argo-b", "7"}


def test_one_task_after_another_reads_ahead_and_nothing_twice(only_far: MemoryStore) -> None:
    digits(only_far, models=60)
    reads(only_far)
    assert [task.data.score for task in Step("Digits/1/train")] == [
        number * 10 for number in range(59, -1, -1)
    ]
    counted = reads(only_far)
    records = {key: number for (call, key), number in counted.items() if call == "get" and "/train/" in key}
    assert len(records) == 60
    assert set(records.values()) == {1}
    assert {number for (call, _), number in counted.items() if call == "get_range"} == {1}


def test_small_values_come_with_the_records(only_far: MemoryStore) -> None:
    digits(only_far, models=60, within=True)
    reads(only_far)
    assert [task.data.score for task in Step("Digits/1/train")] == [
        number * 10 for number in range(59, -1, -1)
    ]
    counted = reads(only_far)
    assert [key for (call, key) in counted if call == "get_range"] == []
    assert sum(counted.values()) <= 60 + 3, "the run's record, its end, a list perhaps"


def test_the_first_of_many_tasks_is_read_alone(only_far: MemoryStore) -> None:
    digits(only_far, models=30)
    reads(only_far)
    step = Step("Digits/1/train")
    assert step.task is not None
    assert step.task.data.score == 290
    keys = [key for call, key in reads(only_far) if call in ("get", "get_range") and "end.json" not in key]
    assert len(keys) == 3, "the run's record, the task's, the value"


def test_a_damaged_neighbour_is_no_business_of_ours(only_far: MemoryStore) -> None:
    digits(only_far, models=30)
    steps = iter(Step("Digits/1/train"))
    tasks = [next(steps) for _ in range(30)]
    damaged = next(key for key in sorted(only_far._objects) if tasks[3]["score"].sha in key)
    only_far.delete([damaged])
    assert [task.data.score for task in tasks[:3]] == [290, 280, 270]
    with pytest.raises(StoreError, match=r"no longer in memory://far.*artifact of Digits/1/train/28"):
        _ = tasks[3].data.score
    assert tasks[4].data.score == 250


def test_the_window_grows_with_steady_questions_only() -> None:
    window = Window(100, most=16)
    asked = [
        window.take(0),
        window.take(1),
        window.take(5),
        window.take(21),
        window.take(60),
        window.take(61),
    ]
    assert asked == [range(1), range(1, 5), range(5, 21), range(21, 37), range(60, 61), range(61, 65)]
    assert window.take(99) == range(99, 100)
    near = Window(100, most=1)
    assert [near.take(place) for place in (0, 1, 2)] == [range(1), range(1, 2), range(2, 3)]
