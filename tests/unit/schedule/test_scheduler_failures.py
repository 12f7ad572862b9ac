"""What a failure or a stop leads to, by example."""

import pytest
from msgspec.structs import replace
from scheduler_examples import CHAIN, LINE, PARAMETERS, bad, begin, ok, ref, wide

from headway.schedule import (
    AttemptCancelled,
    AttemptFailed,
    CancelAttempts,
    RetriesDue,
    RetryDue,
    RunEnded,
    RunStarted,
    Scheduler,
    ScheduleRetry,
    StartBatch,
    StepCounts,
    StepPolicy,
    StopRequested,
)
from headway.store.batch import TaskSpec
from headway.store.records import (
    CONFIGURATION,
    FOR_GOOD,
    INFRASTRUCTURE,
    NOT_BEGUN,
    OUT_OF_MEMORY,
    RESOURCES,
    USER,
    Failure,
)

# Retries


def test_a_retry_waits_as_the_user_asked_and_has_the_next_number() -> None:
    scheduler = begin(LINE, StepPolicy({USER: 1}, delay=120))
    assert scheduler.handle(bad("start/1")) == [ScheduleRetry(ref("start/1", 1), 120)]
    assert scheduler.counts()["start"] == StepCounts(retrying=1)
    assert scheduler.handle(RetryDue(ref("start/1", 1))) == [
        StartBatch("start", (), (PARAMETERS,), (TaskSpec("1", 1, 0),), False, "start-2")
    ]


def test_a_spent_budget_ends_the_run_and_names_the_task() -> None:
    scheduler = begin(LINE, StepPolicy({USER: 1}))
    scheduler.handle(bad("start/1"))
    scheduler.handle(RetryDue(ref("start/1", 1)))
    assert scheduler.handle(bad("start/1", attempt=1)) == [
        RunEnded("failed", None, "start/1 failed after 2 attempts: it broke", ref("start/1", 1), "mend it")
    ]


def attempts_until_the_end(policy: StepPolicy, *kinds: str) -> int:
    """How many attempts are made if they fail in turn for these reasons."""
    scheduler = begin(LINE, policy)
    for attempt, kind in enumerate(kinds):
        scheduler.handle(bad("start/1", kind, attempt))
        if scheduler.outcome:
            return attempt + 1
        scheduler.handle(RetryDue(ref("start/1", attempt + 1)))
    raise AssertionError("the budgets are not spent")


@pytest.mark.parametrize(
    ("retries", "kinds", "attempts"),
    [
        ({}, [USER], 1),
        ({}, [RESOURCES], 1),
        ({}, [CONFIGURATION], 1),
        ({}, ["something new"], 1),
        ({}, [INFRASTRUCTURE] * 6, 6),
        ({INFRASTRUCTURE: 1}, [INFRASTRUCTURE] * 2, 2),
        ({USER: 2}, [USER, RESOURCES, USER, RESOURCES, USER], 5),
        ({USER: 1}, [RESOURCES, USER, RESOURCES], 3),
        ({USER: 2}, [RESOURCES, RESOURCES, RESOURCES], 3),
        ({USER: 1, RESOURCES: 1}, [RESOURCES, USER, RESOURCES], 3),
        ({USER: 1, RESOURCES: 0}, [RESOURCES], 1),
        ({USER: 1}, [INFRASTRUCTURE, USER, INFRASTRUCTURE, USER], 4),
        ({USER: 3}, [USER, CONFIGURATION], 2),
        ({CONFIGURATION: 1}, [CONFIGURATION] * 2, 2),
    ],
)
def test_each_class_of_failure_spends_its_own_budget(
    retries: dict[str, int], kinds: list[str], attempts: int
) -> None:
    assert attempts_until_the_end(StepPolicy(retries), *kinds) == attempts


def test_a_task_that_had_no_turn_is_tried_again_at_once_and_spends_nothing() -> None:
    scheduler = begin(LINE, StepPolicy({INFRASTRUCTURE: 0}))
    for attempt in range(20):
        event = AttemptFailed(ref("start/1", attempt), Failure(INFRASTRUCTURE, NOT_BEGUN, "its pod ended"))
        assert scheduler.handle(event) == [ScheduleRetry(ref("start/1", attempt + 1), 0.0)]
        scheduler.handle(RetryDue(ref("start/1", attempt + 1)))
    scheduler.handle(bad("start/1", INFRASTRUCTURE, 20))
    assert scheduler.outcome == "failed"


def test_an_attempt_that_ran_for_an_hour_begins_the_count_of_infrastructure_failures_anew() -> None:
    """A task with checkpoints on spot machines may be taken from one after the other for days."""
    scheduler = begin(LINE, StepPolicy({INFRASTRUCTURE: 2}))
    for attempt, (ran, delay) in enumerate([(60.0, 1), (60.0, 2), (3600.0, 1), (9999.0, 1), (60.0, 2)]):
        event = replace(bad("start/1", INFRASTRUCTURE, attempt), ran=ran)
        assert scheduler.handle(event) == [ScheduleRetry(ref("start/1", attempt + 1), delay)]
        scheduler.handle(RetryDue(ref("start/1", attempt + 1)))
    scheduler.handle(replace(bad("start/1", INFRASTRUCTURE, 5), ran=60.0))
    assert scheduler.outcome == "failed"


def test_a_long_attempt_gives_nothing_back_of_the_codes_own_tries() -> None:
    scheduler = begin(LINE, StepPolicy({USER: 1}))
    scheduler.handle(replace(bad("start/1"), ran=9999.0))
    scheduler.handle(RetryDue(ref("start/1", 1)))
    scheduler.handle(replace(bad("start/1", attempt=1), ran=9999.0))
    assert scheduler.outcome == "failed"


def test_infrastructure_retries_back_off_up_to_a_minute_whatever_the_user_asked() -> None:
    scheduler = begin(LINE, StepPolicy({INFRASTRUCTURE: 9, USER: 1}, delay=7))
    delays = []
    for attempt, kind in enumerate([INFRASTRUCTURE, USER, *[INFRASTRUCTURE] * 7]):
        (retry,) = scheduler.handle(bad("start/1", kind, attempt))
        assert isinstance(retry, ScheduleRetry)
        delays.append(retry.delay)
        scheduler.handle(RetryDue(retry.ref))
    assert delays == [1, 7, 2, 4, 8, 16, 32, 60, 60]


def test_retries_due_together_are_one_batch_for_each_fan_out() -> None:
    scheduler = begin(CHAIN, StepPolicy({USER: 1}))
    scheduler.handle(ok("start/1", "a", splits=4))
    scheduler.handle(ok("a/2", "b"))
    for name in ("a/5", "a/3", "b/6"):
        scheduler.handle(bad(name))
    siblings, other = scheduler.handle(RetriesDue((ref("a/5", 1), ref("b/6", 1), ref("a/3", 1))))
    assert siblings == StartBatch(
        "a",
        (("start", "1", 0, 4, "xs"),),
        (ref("start/1"),),
        (TaskSpec("3", 1, 1), TaskSpec("5", 1, 3)),
        False,
        "a-4",
    )
    assert other == StartBatch(
        "b", (("start", "1", 0, 4, "xs"),), (ref("a/2"),), (TaskSpec("6", 1, 0),), False, "b-5"
    )


def test_a_retry_told_as_due_twice_starts_once() -> None:
    scheduler = wide(2, StepPolicy({USER: 1}))
    scheduler.handle(bad("body/2"))
    (batch,) = scheduler.handle(RetriesDue((ref("body/2", 1), ref("body/2", 1))))
    assert isinstance(batch, StartBatch)
    assert len(batch.tasks) == 1
    assert scheduler.handle(RetryDue(ref("body/2", 1))) == []


# Failing and stopping


def test_a_failure_for_good_cancels_the_others_and_waits_for_them() -> None:
    scheduler = wide(4, StepPolicy({INFRASTRUCTURE: 1}))
    scheduler.handle(ok("body/2", "join"))
    scheduler.handle(bad("body/3", INFRASTRUCTURE))
    assert scheduler.handle(bad("body/4")) == [CancelAttempts((ref("body/5"),), "body/4 failed")]
    assert scheduler.stopping
    assert scheduler.handle(RetryDue(ref("body/3", 1))) == [], "waits are given up"
    assert scheduler.counts()["body"] == StepCounts(waiting=1, succeeded=1, failed=2)
    assert scheduler.handle(AttemptCancelled(ref("body/5"))) == [
        RunEnded("failed", None, "body/4 failed: it broke", ref("body/4"), "mend it")
    ]
    assert scheduler.counts()["body"] == StepCounts(succeeded=1, failed=2, cancelled=1)


def test_while_failing_a_success_counts_and_leads_nowhere() -> None:
    scheduler = wide(2)
    scheduler.handle(bad("body/2"))
    (end,) = scheduler.handle(ok("body/3", "join"))
    assert isinstance(end, RunEnded)
    assert end.outcome == "failed"
    assert scheduler.winners() == {"start/1": 0, "body/3": 0}


def test_the_first_failure_is_the_one_that_is_told() -> None:
    scheduler = wide(2)
    scheduler.handle(bad("body/3"))
    assert scheduler.handle(StopRequested("Ctrl-C")) == []
    (end,) = scheduler.handle(bad("body/2"))
    assert isinstance(end, RunEnded)
    assert (end.outcome, end.failed_ref) == ("failed", ref("body/3"))


def test_a_stop_cancels_what_runs_and_what_waits() -> None:
    scheduler = wide(3, StepPolicy({USER: 1}))
    scheduler.handle(bad("body/2"))
    active = (ref("body/3"), ref("body/4"))
    assert scheduler.active() == active
    assert scheduler.retrying() == (ref("body/2", 1),)
    assert scheduler.handle(StopRequested("Ctrl-C")) == [CancelAttempts(active, "Ctrl-C")]
    assert scheduler.handle(bad("body/3")) == []
    assert scheduler.handle(AttemptCancelled(ref("body/4"))) == [RunEnded("interrupted", None, "Ctrl-C")]


def test_a_stop_before_the_start_or_between_attempts_ends_at_once() -> None:
    scheduler = Scheduler(LINE, {})
    assert scheduler.handle(StopRequested("Ctrl-C")) == [RunEnded("interrupted", None, "Ctrl-C")]
    assert scheduler.handle(RunStarted()) == []
    scheduler = begin(LINE, StepPolicy({USER: 1}))
    scheduler.handle(bad("start/1"))
    assert scheduler.handle(StopRequested("Ctrl-C")) == [RunEnded("interrupted", None, "Ctrl-C")]


def test_a_stop_that_comes_too_late_for_the_end_step_takes_nothing_away() -> None:
    scheduler = begin(LINE)
    scheduler.handle(ok("start/1", "end"))
    scheduler.handle(StopRequested("Ctrl-C"))
    assert scheduler.handle(ok("end/2")) == [RunEnded("succeeded", ref("end/2"))]


def test_nothing_happens_before_the_start() -> None:
    scheduler = Scheduler(LINE, {})
    assert scheduler.handle(RetriesDue(())) == []
    assert scheduler.outcome is None


def test_nothing_follows_the_end() -> None:
    scheduler = begin(LINE)
    scheduler.handle(bad("start/1"))
    for event in (StopRequested("Ctrl-C"), RunStarted(), bad("start/1"), ok("start/1", "end")):
        assert scheduler.handle(event) == []
    assert scheduler.outcome == "failed"


# Fallbacks


CAUGHT = StepPolicy({USER: 1}, delay=120, fallback=True)


def test_the_attempt_whose_failure_is_final_is_told_so() -> None:
    scheduler = Scheduler(LINE, {"start": CAUGHT})
    (batch,) = scheduler.handle(RunStarted())
    assert isinstance(batch, StartBatch)
    assert not batch.tasks[0].last
    scheduler.handle(bad("start/1"))
    (batch,) = scheduler.handle(RetryDue(ref("start/1", 1)))
    assert isinstance(batch, StartBatch)
    assert batch.tasks == (TaskSpec("1", 1, 0, last=True),)
    assert not batch.fallback


@pytest.mark.parametrize("kind", [USER, RESOURCES, CONFIGURATION])
def test_a_fallback_takes_over_at_once_whatever_spent_the_budget(kind: str) -> None:
    scheduler = begin(LINE, StepPolicy(fallback=True))
    assert scheduler.handle(bad("start/1", kind)) == [ScheduleRetry(ref("start/1", 1), 0.0, fallback=True)]
    assert scheduler.handle(RetryDue(ref("start/1", 1))) == [
        StartBatch(
            "start", (), (PARAMETERS,), (TaskSpec("1", 1, 0, last=True),), False, "start-2", fallback=True
        )
    ]
    scheduler.handle(ok("start/1", "end", attempt=1))
    assert scheduler.winners() == {"start/1": 1}


def test_a_fallback_that_fails_three_times_ends_the_run() -> None:
    scheduler = begin(LINE, StepPolicy(fallback=True))
    delays = []
    for attempt in range(3):
        (again,) = scheduler.handle(bad("start/1", attempt=attempt))
        assert isinstance(again, ScheduleRetry)
        delays.append(again.delay)
        scheduler.handle(RetryDue(again.ref))
    assert delays == [0.0, 1.0, 2.0]
    (end,) = scheduler.handle(bad("start/1", attempt=3))
    assert isinstance(end, RunEnded)
    assert end.message == "start/1 failed after 4 attempts: it broke"


def test_nothing_falls_back_once_the_run_stops() -> None:
    scheduler = begin(LINE, StepPolicy(fallback=True))
    scheduler.handle(StopRequested("Ctrl-C"))
    (end,) = scheduler.handle(bad("start/1"))
    assert isinstance(end, RunEnded)


def test_a_retry_and_a_fallback_of_one_foreach_start_in_batches_of_their_own() -> None:
    scheduler = wide(2, CAUGHT)
    scheduler.handle(bad("body/2", CONFIGURATION))
    scheduler.handle(bad("body/3"))
    batches = scheduler.handle(RetriesDue((ref("body/2", 1), ref("body/3", 1))))
    assert [
        (batch.fallback, [task.task for task in batch.tasks])
        for batch in batches
        if isinstance(batch, StartBatch)
    ] == [(True, ["2"]), (False, ["3"])]


# Memory that grows


def test_siblings_that_ran_out_of_memory_equally_often_start_together() -> None:
    scheduler = wide(3, StepPolicy({USER: 1}, memory_retries=2))
    for name in ("body/2", "body/3"):
        assert scheduler.handle(bad(name, RESOURCES, reason=OUT_OF_MEMORY)) == [
            ScheduleRetry(ref(name, 1), 0)
        ]
    scheduler.handle(bad("body/4"))
    small, large = scheduler.handle(RetriesDue((ref("body/2", 1), ref("body/3", 1), ref("body/4", 1))))
    assert isinstance(small, StartBatch)
    assert isinstance(large, StartBatch)
    by_size = {batch.grown: [task.task for task in batch.tasks] for batch in (small, large)}
    assert by_size == {1: ["2", "3"], 0: ["4"]}


def test_a_task_keeps_its_memory_when_something_else_fails_and_ends_when_it_cannot_grow_more() -> None:
    scheduler = begin(LINE, StepPolicy(memory_retries=2))
    grown = []
    for attempt, (kind, reason) in enumerate(
        [(RESOURCES, OUT_OF_MEMORY), (INFRASTRUCTURE, "Evicted"), (RESOURCES, OUT_OF_MEMORY)]
    ):
        scheduler.handle(bad("start/1", kind, attempt, reason))
        (batch,) = scheduler.handle(RetryDue(ref("start/1", attempt + 1)))
        assert isinstance(batch, StartBatch)
        grown.append(batch.grown)
    assert grown == [1, 1, 2]
    (end,) = scheduler.handle(bad("start/1", RESOURCES, 3, OUT_OF_MEMORY))
    assert isinstance(end, RunEnded)
    assert end.message == "start/1 failed after 4 attempts: it broke"


def test_a_step_that_exits_for_good_is_not_tried_again() -> None:
    scheduler = begin(LINE, StepPolicy({USER: 4}))
    assert scheduler.handle(bad("start/1", reason=FOR_GOOD)) == [
        RunEnded("failed", None, "start/1 failed: it broke", ref("start/1"), "mend it")
    ]
    caught = begin(LINE, StepPolicy({USER: 4}, fallback=True))
    assert caught.handle(bad("start/1", reason=FOR_GOOD)) == [
        ScheduleRetry(ref("start/1", 1), 0.0, fallback=True)
    ]
