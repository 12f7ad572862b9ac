"""A pipeline's calls: each starts once all that it needs has succeeded, and waits for nothing else."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scheduler_examples import PARAMETERS, bad, ref

from headway.schedule import (
    AttemptCancelled,
    AttemptSucceeded,
    CancelAttempts,
    Plan,
    PlanNode,
    RetryDue,
    RunEnded,
    RunStarted,
    Scheduler,
    ScheduleRetry,
    StartBatch,
    StepPolicy,
    StopRequested,
)
from headway.store.records import USER, AttemptRef


def calls(needs: dict[str, tuple[str, ...]], gangs: int = 0) -> Plan:
    """A plan from what each call needs."""
    nodes = [
        PlanNode(
            name,
            tuple(other for other in needs if name in needs[other]),
            needs=needs[name],
            end=at == len(needs) - 1,
            gang=at < gangs,
            nodes=2 if at < gangs else None,
        )
        for at, name in enumerate(needs)
    ]
    return Plan.of(next(iter(needs)), nodes, calls=True)


DIAMOND = {"load": (), "left": ("load",), "right": ("load",), "both": ("right", "left")}


def started(instructions: list[object]) -> list[tuple[str, tuple[AttemptRef, ...]]]:
    return [(each.step, each.inputs) for each in instructions if isinstance(each, StartBatch)]


def begin(needs: dict[str, tuple[str, ...]], policy: StepPolicy | None = None) -> Scheduler:
    return Scheduler(calls(needs), dict.fromkeys(needs, policy or StepPolicy()))


def ok(name: str, attempt: int = 0) -> AttemptSucceeded:
    return AttemptSucceeded(ref(name, attempt))


def test_a_diamond_reads_its_inputs_in_the_order_of_its_needs() -> None:
    scheduler = begin(DIAMOND)
    assert started([*scheduler.handle(RunStarted())]) == [("load", (PARAMETERS,))]
    both = started([*scheduler.handle(ok("load/1"))])
    assert both == [("left", (ref("load/1"),)), ("right", (ref("load/1"),))]
    assert scheduler.handle(ok("left/2")) == []
    assert started([*scheduler.handle(ok("right/3"))]) == [("both", (ref("right/3"), ref("left/2")))]
    assert scheduler.handle(ok("both/4")) == [RunEnded("succeeded", ref("both/4"))]


def test_a_quick_call_does_not_wait_for_a_slow_one_that_it_needs_nothing_of() -> None:
    scheduler = begin({"a": (), "b": (), "after_a": ("a",)})
    assert [step for step, _ in started([*scheduler.handle(RunStarted())])] == ["a", "b"]
    assert started([*scheduler.handle(ok("a/1"))]) == [("after_a", (ref("a/1"),))]


def test_the_run_ends_when_all_calls_have_whichever_is_last() -> None:
    scheduler = begin({"a": (), "b": ()})
    scheduler.handle(RunStarted())
    assert scheduler.handle(ok("b/2")) == []
    assert scheduler.handle(ok("a/1")) == [RunEnded("succeeded", ref("b/2"))]


def test_a_failed_call_is_tried_again_and_what_needs_it_waits() -> None:
    scheduler = begin(DIAMOND, StepPolicy({USER: 1}))
    scheduler.handle(RunStarted())
    assert scheduler.handle(bad("load/1")) == [ScheduleRetry(ref("load/1", 1), 0.0)]
    scheduler.handle(RetryDue(ref("load/1", 1)))
    follow = started([*scheduler.handle(ok("load/1", 1))])
    assert follow == [("left", (ref("load/1", 1),)), ("right", (ref("load/1", 1),))]


def test_a_call_that_fails_for_good_stops_the_others() -> None:
    scheduler = begin(DIAMOND)
    scheduler.handle(RunStarted())
    scheduler.handle(ok("load/1"))
    (cancel,) = scheduler.handle(bad("left/2"))
    assert isinstance(cancel, CancelAttempts)
    (end,) = scheduler.handle(AttemptCancelled(ref("right/3")))
    assert isinstance(end, RunEnded)
    assert (end.outcome, end.failed_ref) == ("failed", ref("left/2"))


def test_a_stop_that_comes_too_late_takes_nothing_away() -> None:
    scheduler = begin({"a": ()})
    scheduler.handle(RunStarted())
    scheduler.handle(StopRequested("Ctrl-C"))
    assert scheduler.handle(ok("a/1")) == [RunEnded("succeeded", ref("a/1"))]


def test_a_stop_starts_nothing_more() -> None:
    scheduler = begin(DIAMOND)
    scheduler.handle(RunStarted())
    scheduler.handle(StopRequested("Ctrl-C"))
    (end,) = scheduler.handle(ok("load/1"))
    assert isinstance(end, RunEnded)
    assert end.outcome == "interrupted"


def test_a_gang_counts_once_all_its_ranks_have_succeeded() -> None:
    needs: dict[str, tuple[str, ...]] = {"train": (), "report": ("train",)}
    scheduler = Scheduler(calls(needs, gangs=1), dict.fromkeys(needs, StepPolicy()))
    (batch,) = scheduler.handle(RunStarted())
    assert isinstance(batch, StartBatch)
    assert (batch.gang, [task.task for task in batch.tasks]) == (True, ["1", "1_node_1"])
    assert scheduler.handle(ok("train/1_node_1")) == []
    assert started([*scheduler.handle(ok("train/1"))]) == [("report", (ref("train/1"),))]


def test_what_a_stalled_run_waits_for_is_told() -> None:
    scheduler = begin({"a": ("b",), "b": ("a",)})
    (end,) = scheduler.handle(RunStarted())
    assert isinstance(end, RunEnded)
    assert end.message == "Not all calls have succeeded; still waiting: a (for b), b (for a)."


def test_a_plan_refuses_needs_that_it_does_not_hold() -> None:
    with pytest.raises(ValueError, match="does not hold: gone"):
        calls({"a": ("gone",)})


graphs = st.integers(1, 12).flatmap(
    lambda count: st.tuples(
        *(
            st.sets(st.integers(0, max(0, at - 1)), max_size=min(at, 3)) if at else st.just(set())
            for at in range(count)
        )
    )
)


@pytest.mark.budget(5)
@settings(derandomize=True, deadline=None, max_examples=150)
@given(graphs, st.integers(0, 2**32))
def test_in_whatever_order_calls_end_each_starts_once_and_with_what_it_needs(
    graph: tuple[set[int], ...], seed: int
) -> None:
    needs = {f"c{at}": tuple(f"c{other}" for other in sorted(each)) for at, each in enumerate(graph)}
    scheduler, random = begin(needs), Random(seed)
    running: list[AttemptRef] = []
    done: dict[str, AttemptRef] = {}
    instructions = scheduler.handle(RunStarted())
    while True:
        for each in instructions:
            if isinstance(each, RunEnded):
                assert (each.outcome, set(done)) == ("succeeded", set(needs))
                assert len(done) == len(needs)
                return
            assert isinstance(each, StartBatch)
            assert each.step not in done
            assert each.step not in {ref.step for ref in running}
            # All that it needs is there, in its order, and nothing of it had to wait longer than that.
            expected = tuple(done[name] for name in needs[each.step])
            assert each.inputs == (expected or (PARAMETERS,))
            running.append(AttemptRef(each.step, each.tasks[0].task, 0))
        ready = {name for name in needs if all(need in done for need in needs[name])}
        assert ready == {*done, *(ref.step for ref in running)}
        chosen = running.pop(random.randrange(len(running)))
        done[chosen.step] = chosen
        instructions = scheduler.handle(AttemptSucceeded(chosen))
