"""Events that are no news, events that cannot be, and what a person sees of them."""

import pytest
from scheduler_examples import LINE, bad, begin, ok, ref, wide

from headway.schedule import (
    AttemptCancelled,
    AttemptStarted,
    AttemptSucceeded,
    RetriesDue,
    RetryDue,
    StepCounts,
    StepPolicy,
    UnexpectedEventError,
)
from headway.store.records import (
    USER,
)

# Events that are no news, and events that cannot be


def test_late_events_of_superseded_attempts_change_nothing() -> None:
    scheduler = begin(LINE, StepPolicy({USER: 1}))
    scheduler.handle(bad("start/1"))
    assert scheduler.handle(ok("start/1", "end")) == [], "declared failed: its record says so"
    scheduler.handle(RetryDue(ref("start/1", 1)))
    for late in (
        ok("start/1", "end"),
        bad("start/1"),
        AttemptStarted(ref("start/1")),
        RetryDue(ref("start/1")),
    ):
        assert scheduler.handle(late) == []
    assert scheduler.counts()["start"] == StepCounts(waiting=1)


@pytest.mark.parametrize(
    "event",
    [
        ok("start/9", "end"),
        ok("end/1"),
        ok("start/1", "end", attempt=1),
        ok("start/1", "end", attempt=-1),
        bad("start/9"),
        AttemptStarted(ref("start/9")),
        AttemptCancelled(ref("start/9")),
        AttemptCancelled(ref("start/1")),
        RetryDue(ref("start/1", 1)),
        RetriesDue((ref("start/1", 1),)),
    ],
)
def test_events_that_cannot_have_happened_are_refused(event: AttemptSucceeded) -> None:
    scheduler = begin(LINE)
    with pytest.raises(UnexpectedEventError):
        scheduler.handle(event)
    assert scheduler.counts()["start"] == StepCounts(waiting=1), "and leave the state as it was"
    assert scheduler.handle(ok("start/1", "end"))


def test_an_attempt_cannot_end_before_its_wait_is_over() -> None:
    scheduler = begin(LINE, StepPolicy({USER: 1}))
    scheduler.handle(bad("start/1"))
    with pytest.raises(UnexpectedEventError, match="not started yet"):
        scheduler.handle(ok("start/1", "end", attempt=1))


def test_one_unknown_ref_among_retries_starts_none_of_them() -> None:
    scheduler = wide(2, StepPolicy({USER: 1}))
    scheduler.handle(bad("body/2"))
    with pytest.raises(UnexpectedEventError):
        scheduler.handle(RetriesDue((ref("body/2", 1), ref("body/99", 1))))
    assert scheduler.retrying() == (ref("body/2", 1),)


# What a person sees


def test_counts_follow_a_task_through_its_states() -> None:
    scheduler = wide(3, StepPolicy({USER: 1}))
    assert scheduler.counts()["body"] == StepCounts(waiting=3)
    scheduler.handle(AttemptStarted(ref("body/2")))
    assert scheduler.counts()["body"] == StepCounts(waiting=2, running=1)
    scheduler.handle(bad("body/2"))
    assert scheduler.counts()["body"] == StepCounts(waiting=2, retrying=1)
    scheduler.handle(ok("body/3", "join"))
    assert scheduler.counts() == {
        "start": StepCounts(succeeded=1),
        "body": StepCounts(waiting=1, retrying=1, succeeded=1),
        "join": StepCounts(),
        "end": StepCounts(),
    }
