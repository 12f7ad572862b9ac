"""How a run goes from step to step: lines, splits, joins, switches, by example."""

import pytest
from msgspec.structs import replace
from scheduler_examples import CHAIN, FORK, LINE, PARAMETERS, WIDE, bad, begin, ok, plan, ref, wide

from headway.schedule import (
    AttemptSucceeded,
    Plan,
    RetryDue,
    RunEnded,
    RunStarted,
    Scheduler,
    StartBatch,
    StepPolicy,
)
from headway.schedule.joins import JoinGroups
from headway.schedule.transitions import Arrival
from headway.store.batch import TaskSpec
from headway.store.records import USER, Transition

# Starting and ending


def test_the_start_task_reads_the_parameters() -> None:
    scheduler = Scheduler(LINE, {})
    assert scheduler.handle(RunStarted()) == [
        StartBatch("start", (), (PARAMETERS,), (TaskSpec("1", 0, 0),), False, "start-1")
    ]


def test_a_line_ends_with_the_end_task() -> None:
    scheduler = begin(LINE)
    assert scheduler.handle(ok("start/1", "end")) == [
        StartBatch("end", (), (ref("start/1"),), (TaskSpec("2", 0, 0),), False, "end-2")
    ]
    assert scheduler.outcome is None
    assert scheduler.handle(ok("end/2")) == [RunEnded("succeeded", ref("end/2"))]
    assert scheduler.outcome == "succeeded"
    assert scheduler.winners() == {"start/1": 0, "end/2": 0}


def test_a_plan_of_one_step_can_be_its_own_end() -> None:
    scheduler = begin(plan("only"))
    assert scheduler.handle(ok("only/1")) == [RunEnded("succeeded", ref("only/1"))]


# Splits and joins


def test_a_foreach_is_one_batch_and_its_join_reads_in_split_order() -> None:
    scheduler = begin(WIDE)
    frames = (("start", "1", 0, 3, "xs"),)
    tasks = (TaskSpec("2", 0, 0), TaskSpec("3", 0, 1), TaskSpec("4", 0, 2))
    assert scheduler.handle(ok("start/1", "body", splits=3)) == [
        StartBatch("body", frames, (ref("start/1"),), tasks, False, "body-2")
    ]
    assert scheduler.handle(ok("body/4", "join")) == []
    assert scheduler.handle(ok("body/2", "join")) == []
    inputs = (ref("body/2"), ref("body/3"), ref("body/4"))
    assert scheduler.handle(ok("body/3", "join")) == [
        StartBatch("join", (), inputs, (TaskSpec("5", 0, 0),), True, "join-3")
    ]


def test_each_branch_is_a_batch_and_the_join_reads_in_branch_order() -> None:
    scheduler = begin(FORK)
    left, right = scheduler.handle(ok("start/1", "left", "right"))
    assert left == StartBatch(
        "left", (("start", "1", 0, 2, None),), (ref("start/1"),), (TaskSpec("2", 0, 0),), False, "left-2"
    )
    assert right == StartBatch(
        "right", (("start", "1", 1, 2, None),), (ref("start/1"),), (TaskSpec("3", 0, 1),), False, "right-3"
    )
    scheduler.handle(ok("right/3", "join"))
    (join,) = scheduler.handle(ok("left/2", "join"))
    assert isinstance(join, StartBatch)
    assert join.inputs == (ref("left/2"), ref("right/3"))


def test_a_slow_split_never_delays_another_splits_next_step() -> None:
    scheduler = begin(CHAIN)
    scheduler.handle(ok("start/1", "a", splits=3))
    (next_step,) = scheduler.handle(ok("a/3", "b"))
    assert next_step == StartBatch(
        "b", (("start", "1", 1, 3, "xs"),), (ref("a/3"),), (TaskSpec("5", 0, 1),), False, "b-3"
    )


def test_nested_splits_keep_their_outer_frames() -> None:
    nested = plan("start > mid", "mid > leaf", "leaf > inner", "inner* > outer", "outer* > end", "end")
    scheduler = begin(nested)
    scheduler.handle(ok("start/1", "mid", splits=2))
    (leaves,) = scheduler.handle(ok("mid/3", "leaf", splits=2))
    assert isinstance(leaves, StartBatch)
    assert leaves.frames == (("start", "1", 1, 2, "xs"), ("mid", "3", 0, 2, "xs"))
    scheduler.handle(ok("leaf/5", "inner"))
    (inner,) = scheduler.handle(ok("leaf/4", "inner"))
    assert isinstance(inner, StartBatch)
    assert inner.frames == (("start", "1", 1, 2, "xs"),)
    assert inner.tasks == (TaskSpec("6", 0, 1),)
    assert inner.inputs == (ref("leaf/4"), ref("leaf/5"))
    assert scheduler.handle(ok("inner/6", "outer")) == []


def test_a_join_reads_the_attempts_that_count() -> None:
    scheduler = wide(2, StepPolicy({USER: 1}))
    scheduler.handle(bad("body/2"))
    scheduler.handle(RetryDue(ref("body/2", 1)))
    scheduler.handle(ok("body/2", "join", attempt=1))
    (join,) = scheduler.handle(ok("body/3", "join"))
    assert isinstance(join, StartBatch)
    assert join.inputs == (ref("body/2", 1), ref("body/3"))
    assert scheduler.winners() == {"start/1": 0, "body/2": 1, "body/3": 0}


# Switches


def test_a_switch_goes_one_way_and_ways_merge_without_a_join() -> None:
    switch = plan("start > fast slow", "fast > merge", "slow > merge", "merge > end", "end")
    scheduler = begin(switch)
    (slow,) = scheduler.handle(ok("start/1", "slow"))
    assert isinstance(slow, StartBatch)
    assert slow.step == "slow"
    (merge,) = scheduler.handle(ok("slow/2", "merge"))
    assert merge == StartBatch("merge", (), (ref("slow/2"),), (TaskSpec("3", 0, 0),), False, "merge-3")


def test_a_self_loop_makes_another_task_of_the_step() -> None:
    loop = plan("start > start end", "end")
    scheduler = begin(loop)
    assert scheduler.handle(ok("start/1", "start")) == [
        StartBatch("start", (), (ref("start/1"),), (TaskSpec("2", 0, 0),), False, "start-2")
    ]
    scheduler.handle(ok("start/2", "end"))
    scheduler.handle(ok("end/3"))
    assert scheduler.winners() == {"start/1": 0, "start/2": 0, "end/3": 0}


# Transitions that the plan does not have


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (ok("start/1"), "without saying which step comes next"),
        (ok("start/1", "elsewhere"), "leads to elsewhere, where the flow's graph has body"),
        (ok("start/1", "body", splits=0), "nothing to go over"),
        (AttemptSucceeded(ref("start/1"), Transition(("body",), "xs")), "how many splits"),
        (AttemptSucceeded(ref("start/1"), Transition(("body", "body"))), "names a step twice"),
    ],
)
def test_a_transition_that_the_plan_does_not_have_fails_the_run(event: AttemptSucceeded, words: str) -> None:
    scheduler = begin(WIDE, StepPolicy({USER: 5}))
    (end,) = scheduler.handle(event)
    assert isinstance(end, RunEnded)
    assert end.outcome == "failed"
    assert words in end.message
    assert end.message.startswith("start/1 failed: ")
    assert end.hint
    assert scheduler.winners() == {}


@pytest.mark.parametrize(
    ("graph", "event", "words"),
    [
        (plan("start > end", "end*"), ok("start/1", "end"), "no split is open"),
        (plan("start > a join", "a > join", "join*"), ok("start/1", "a", "join"), "straight to the join"),
        (plan("start > join", "join*"), ok("start/1", "join", splits=2), "straight to the join"),
        (plan("start > a b", "a > b", "b"), ok("start/1", "a", "b", splits=2), "leads to one step"),
    ],
)
def test_a_graph_that_splits_and_joins_unevenly_fails_the_run(
    graph: Plan, event: AttemptSucceeded, words: str
) -> None:
    (end,) = begin(graph).handle(event)
    assert isinstance(end, RunEnded)
    assert words in end.message


def test_a_join_that_can_never_be_complete_ends_the_run_instead_of_hanging_it() -> None:
    uneven = plan("start > a b", "a > one", "b > two", "one* > end", "two* > end", "end")
    scheduler = begin(uneven)
    scheduler.handle(ok("start/1", "a", "b"))
    scheduler.handle(ok("a/2", "one"))
    (end,) = scheduler.handle(ok("b/3", "two"))
    assert isinstance(end, RunEnded)
    assert end.outcome == "failed"
    assert "one (has 1 of 2 inputs), two (has 1 of 2 inputs)" in end.message


def test_an_end_step_reached_too_early_does_not_hide_a_failure() -> None:
    scheduler = begin(plan("start > a end", "a > end", "end"))
    scheduler.handle(ok("start/1", "a", "end"))
    assert scheduler.handle(ok("end/3")) == []
    (end,) = scheduler.handle(bad("a/2"))
    assert isinstance(end, RunEnded)
    assert (end.outcome, end.failed_ref) == ("failed", ref("a/2"))


def test_a_complete_join_waits_no_longer() -> None:
    joins = JoinGroups()
    arrival = Arrival("join", ("start", "1"), 1, 2, ())
    assert joins.arrive(arrival, ref("a/3")) is None
    assert joins.waiting() == [("join", 1, 2)]
    assert joins.arrive(replace(arrival, index=0), ref("a/2")) == (ref("a/2"), ref("a/3"))
    assert joins.waiting() == []
