"""Gangs by example: started together, over together, tried again together."""

import pytest
from scheduler_examples import bad, begin, ok, ref

from headway.flow.graph import PARALLEL_VARIABLE
from headway.schedule import (
    AttemptCancelled,
    AttemptFailed,
    AttemptSucceeded,
    CancelAttempts,
    Instruction,
    Plan,
    PlanNode,
    RetryDue,
    RunEnded,
    Scheduler,
    ScheduleRetry,
    StartBatch,
    StepPolicy,
    StopRequested,
    UnexpectedEventError,
)
from headway.store.batch import TaskSpec
from headway.store.records import INFRASTRUCTURE, USER, Transition

SPREAD = Plan.of(
    "start",
    (
        PlanNode("start", ("train",)),
        PlanNode("train", ("join",), gang=True, least=2, worker="{control}-worker-{worker}"),
        PlanNode("join", ("end",), join=True),
        PlanNode("end", end=True),
    ),
)
RANKED = Plan.of(
    "start",
    (
        PlanNode("start", ("train",)),
        PlanNode("train", ("end",), gang=True, nodes=2),
        PlanNode("end", end=True),
    ),
)


def spread(nodes: int) -> AttemptSucceeded:
    return AttemptSucceeded(ref("start/1"), Transition(("train",), PARALLEL_VARIABLE, nodes))


def gang(plan: Plan = RANKED, policy: StepPolicy | None = None) -> Scheduler:
    """A gang of two, both ranks under way."""
    scheduler = begin(plan, policy)
    scheduler.handle(spread(2) if plan is SPREAD else ok("start/1", "train"))
    return scheduler


def failed(name: str, at: float, kind: str = USER, attempt: int = 0) -> AttemptFailed:
    return AttemptFailed(ref(name, attempt), bad(name, kind).failure, at)


def started(instructions: list[Instruction]) -> StartBatch:
    (batch,) = instructions
    assert isinstance(batch, StartBatch)
    return batch


def test_num_parallel_starts_one_gang_whose_workers_are_named_after_rank_0() -> None:
    batch = started(begin(SPREAD).handle(spread(3)))
    assert batch.gang
    assert batch.tasks == (TaskSpec("2", 0, 0), TaskSpec("2-worker-0", 0, 1), TaskSpec("2-worker-1", 0, 2))
    assert batch.frames == (("start", "1", 0, 3, PARALLEL_VARIABLE),)


def test_the_join_reads_the_ranks_in_order_once_the_last_is_done() -> None:
    scheduler = gang(SPREAD)
    assert scheduler.handle(ok("train/2-worker-0", "join")) == []
    assert scheduler.active() == (ref("train/2"),)
    batch = started(scheduler.handle(ok("train/2", "join")))
    assert batch.inputs == (ref("train/2"), ref("train/2-worker-0"))


def test_a_gang_reached_by_a_plain_next_is_one_task_and_rank_0_speaks_for_it() -> None:
    scheduler = gang()
    scheduler.handle(ok("train/2", "end"))
    batch = started(scheduler.handle(AttemptSucceeded(ref("train/2_node_1"), None)))
    assert batch == StartBatch("end", (), (ref("train/2"),), (TaskSpec("3", 0, 0),), False, "end-3")


def test_each_split_of_a_foreach_over_a_gang_is_a_gang_of_its_own() -> None:
    plan = Plan.of(
        "start",
        (
            PlanNode("start", ("train",)),
            PlanNode("train", ("join",), gang=True, nodes=2),
            PlanNode("join", ("end",), join=True),
            PlanNode("end", end=True),
        ),
    )
    scheduler = begin(plan)
    batches = scheduler.handle(ok("start/1", "train", splits=2))
    assert [batch.tasks for batch in batches if isinstance(batch, StartBatch)] == [
        (TaskSpec("2", 0, 0), TaskSpec("2_node_1", 0, 0)),
        (TaskSpec("3", 0, 1), TaskSpec("3_node_1", 0, 1)),
    ]


def test_the_first_failure_ends_the_others_and_all_are_tried_again() -> None:
    scheduler = gang(policy=StepPolicy({USER: 1}, delay=120))
    assert scheduler.handle(failed("train/2_node_1", 5.0)) == [
        CancelAttempts((ref("train/2"),), "train/2_node_1 of the same gang failed")
    ]
    assert scheduler.undecided(ref("train/2_node_1"))
    assert scheduler.handle(AttemptCancelled(ref("train/2"))) == [ScheduleRetry(ref("train/2", 1), 120)]
    assert scheduler.retrying() == (ref("train/2", 1),)
    batch = started(scheduler.handle(RetryDue(ref("train/2", 1))))
    assert batch.tasks == (TaskSpec("2", 1, 0), TaskSpec("2_node_1", 1, 0))
    assert batch.gang


def test_the_rank_that_failed_first_by_its_own_clock_is_named_and_spends_the_budget() -> None:
    scheduler = gang(policy=StepPolicy({USER: 0, INFRASTRUCTURE: 1}))
    scheduler.handle(failed("train/2", 7.5))
    (retry,) = scheduler.handle(failed("train/2_node_1", 7.25, INFRASTRUCTURE))
    assert retry == ScheduleRetry(ref("train/2", 1), 1.0)
    scheduler.handle(RetryDue(ref("train/2", 1)))
    scheduler.handle(failed("train/2", 9.0, attempt=1))
    (end,) = scheduler.handle(failed("train/2_node_1", 8.0, INFRASTRUCTURE, attempt=1))
    assert isinstance(end, RunEnded)
    assert end.failed_ref == ref("train/2_node_1", 1)
    assert end.message == "train/2_node_1 failed after 2 attempts, the first of 2 ranks: it broke"
    assert "train/2" not in scheduler.winners()


def test_a_rank_that_succeeds_all_the_same_counts_for_nothing() -> None:
    scheduler = gang(policy=StepPolicy({USER: 1}))
    scheduler.handle(failed("train/2", 1.0))
    assert scheduler.handle(ok("train/2_node_1", "end")) == [ScheduleRetry(ref("train/2", 1), 0)]
    assert scheduler.handle(ok("train/2_node_1", "end")) == []


def test_a_stop_ends_a_gang_whatever_its_ranks_did() -> None:
    scheduler = gang()
    scheduler.handle(ok("train/2", "end"))
    assert scheduler.handle(StopRequested("Ctrl-C")) == [
        CancelAttempts((ref("train/2_node_1"),), "Ctrl-C"),
    ]
    (end,) = scheduler.handle(AttemptCancelled(ref("train/2_node_1")))
    assert isinstance(end, RunEnded)
    assert end.outcome == "interrupted"
    assert scheduler.winners() == {"start/1": 0}


def test_a_rank_is_not_cancelled_unasked() -> None:
    scheduler = gang()
    with pytest.raises(UnexpectedEventError, match="nobody asked"):
        scheduler.handle(AttemptCancelled(ref("train/2")))


@pytest.mark.parametrize(
    ("plan", "transition", "said"),
    [
        (SPREAD, Transition(("train",), PARALLEL_VARIABLE, 1), "a gang of pods has at least 2"),
        (SPREAD, Transition(("train",)), "without saying on how many nodes"),
        (SPREAD, Transition(("train",), "xs", 3), "without saying on how many nodes"),
    ],
)
def test_what_does_not_lead_to_a_gang(plan: Plan, transition: Transition, said: str) -> None:
    (end,) = begin(plan).handle(AttemptSucceeded(ref("start/1"), transition))
    assert isinstance(end, RunEnded)
    assert said in end.message


def test_a_gang_that_failed_for_good_is_caught_as_a_whole() -> None:
    scheduler = gang(policy=StepPolicy({USER: 1, INFRASTRUCTURE: 0}, delay=120, fallback=True))
    scheduler.handle(failed("train/2", 1.0))
    assert scheduler.handle(AttemptCancelled(ref("train/2_node_1"))) == [
        ScheduleRetry(ref("train/2", 1), 120)
    ]
    batch = started(scheduler.handle(RetryDue(ref("train/2", 1))))
    assert not batch.fallback
    assert [task.last for task in batch.tasks] == [False, False], "no rank catches what the others wait for"
    scheduler.handle(failed("train/2_node_1", 2.0, attempt=1))
    assert scheduler.handle(AttemptCancelled(ref("train/2", 1))) == [
        ScheduleRetry(ref("train/2", 2), 0.0, True)
    ]
    batch = started(scheduler.handle(RetryDue(ref("train/2", 2))))
    assert (batch.fallback, batch.gang) == (True, True)
    assert [(task.attempt, task.last) for task in batch.tasks] == [(2, True), (2, True)]
    # What fails by now is what is around it: it is tried as the fallback that it is.
    scheduler.handle(failed("train/2", 3.0, INFRASTRUCTURE, attempt=2))
    (again,) = scheduler.handle(ok("train/2_node_1", "end", attempt=2))
    assert again == ScheduleRetry(ref("train/2", 3), 1.0, True)
    assert started(scheduler.handle(RetryDue(ref("train/2", 3)))).fallback
    scheduler.handle(ok("train/2", "end", attempt=3))
    batch = started(scheduler.handle(AttemptSucceeded(ref("train/2_node_1", 3), None)))
    assert (batch.step, batch.inputs) == ("end", (ref("train/2", 3),))


def test_a_fallback_of_a_gang_that_fails_three_times_ends_the_run() -> None:
    scheduler = gang(policy=StepPolicy(fallback=True))
    for attempt in range(4):
        scheduler.handle(failed("train/2", 1.0, attempt=attempt))
        (answer,) = scheduler.handle(AttemptCancelled(ref("train/2_node_1", attempt)))
        if attempt < 3:
            assert isinstance(answer, ScheduleRetry)
            scheduler.handle(RetryDue(answer.ref))
    assert isinstance(answer, RunEnded)
    assert answer.outcome == "failed"


def test_a_gang_that_is_stopped_is_not_caught() -> None:
    scheduler = gang(policy=StepPolicy(fallback=True))
    scheduler.handle(StopRequested("Ctrl-C"))
    scheduler.handle(failed("train/2", 1.0))
    (end,) = scheduler.handle(AttemptCancelled(ref("train/2_node_1")))
    assert isinstance(end, RunEnded)
