"""``@retry(on_oom=…)``: the sizes that follow, and what it may not say."""

from pathlib import Path
from typing import Any

import pytest

from headway.config.sources import Configuration
from headway.errors import HeadwayError
from headway.flow.catalogue import check_spec
from headway.flow.decorators import DecoratorSpec
from headway.flow.graph import Graph, Node
from headway.launch.batches import BatchFactory, StepRun
from headway.launch.steps import PlannedStep, plan_steps
from headway.schedule.instructions import StartBatch
from headway.store.batch import Code, TaskSpec


def plan(tmp_path: Path, on_oom: object, **pod: Any) -> PlannedStep:
    retry = DecoratorSpec("retry", {"on_oom": on_oom}, "flow.py:2")
    check_spec(retry, "step 'start'")
    node = Node("start", "end", decorators=(retry, DecoratorSpec("kubernetes", pod, "flow.py:3")))
    return plan_steps(Graph("Sample", [node], "start", "start"), Configuration.load({}, tmp_path))["start"]


@pytest.mark.parametrize(
    ("on_oom", "sizes"),
    [
        (2, (2000, 4000, 8000)),
        (1.5, (1500, 2250, 3375)),
        ("2", (2000, 4000, 8000)),
        ({"factor": 3, "times": 1}, (3000,)),
        ({"factor": 2, "max_memory": 5000}, (2000, 4000, 5000)),
        ({"max_memory": 2000}, (2000,)),
        ({"times": 2.0, "max_memory": 5000.0}, (2000, 4000)),
        ({"factor": 10, "max_memory": 1001, "times": 8}, (1001,)),
    ],
)
def test_memory_grows_up_to_a_cap(tmp_path: Path, on_oom: object, sizes: tuple[int, ...]) -> None:
    step = plan(tmp_path, on_oom, memory=1000)
    assert step.memory_steps == sizes
    assert step.policy.memory_retries == len(sizes)


def test_without_it_memory_stays(tmp_path: Path) -> None:
    assert plan(tmp_path, None, memory=1000).memory_steps == ()


@pytest.mark.parametrize(
    ("on_oom", "words"),
    [
        (1, "a factor above 1"),
        (0.5, "a factor above 1"),
        ("much", "a factor above 1"),
        (1000, "at most 100"),
        ({"factor": 2, "limit": 5}, "without 'limit'"),
        ({"times": 0}, "at least 1"),
        ({"times": 9}, "at most 8"),
        ({"max_memory": "lots"}, "whole number"),
        ({"max_memory": 900}, "more than the step's memory of 1000 MB"),
    ],
)
def test_what_it_may_not_say(tmp_path: Path, on_oom: object, words: str) -> None:
    with pytest.raises(HeadwayError) as caught:
        plan(tmp_path, on_oom, memory=1000)
    assert words in str(caught.value)
    assert "on_oom" in str(caught.value)


def test_resources_that_fix_the_memory_cannot_grow(tmp_path: Path) -> None:
    with pytest.raises(HeadwayError, match="fixes the step's memory"):
        plan(tmp_path, 2, resources={"limits": {"memory": "1Gi"}})


@pytest.mark.parametrize(
    ("grown", "fallback", "memory"), [(0, False, None), (1, False, 200), (2, False, 400), (3, True, None)]
)
def test_a_batch_says_how_much_its_tasks_get(grown: int, fallback: bool, memory: int | None) -> None:
    run = StepRun(Code("path", "flow.py", ("__main__", "F")), memory_steps=(200, 400))
    factory = BatchFactory("F", "1", "ann", "user:ann", (), {"start": run})
    start = StartBatch(
        "start", (), (), (TaskSpec("1", grown, 0),), False, "start-1", fallback=fallback, grown=grown
    )
    assert factory.make(start).memory == memory
