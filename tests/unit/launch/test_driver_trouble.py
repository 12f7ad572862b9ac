"""The driver where something goes wrong: executors, the journal, another launcher."""

import asyncio
from typing import Any

import pytest
from driven_runs import BROKEN_CODE, FLOW, FOREACH, LINEAR, RUN, DrivenRun, ref, to, until

from headway.errors import HeadwayError, StoreError, StoreUnavailableError
from headway.executors.base import Sink
from headway.launch.journal import Decision, Journal, read_journal
from headway.launch.lease import LeaseLostError
from headway.schedule.events import AttemptFailed, AttemptStarted, AttemptSucceeded, RunStarted, StopRequested
from headway.schedule.instructions import INTERRUPTED
from headway.schedule.plan import StepPolicy
from headway.store.batch import Batch
from headway.store.records import (
    CONFIGURATION,
    FAILED,
    SUCCEEDED,
    USER,
    Failure,
    Record,
    Transition,
)
from headway.testing.fake_executor import Act, FakeExecutor
from headway.testing.memory_store import MemoryStore

# Executors


async def test_an_executor_that_breaks_ends_the_run_and_all_executors_are_closed() -> None:
    store = MemoryStore()
    other = FakeExecutor(store)
    run = DrivenRun(LINEAR, store=store, executors={"end": other}).linear(middle=Act(held=True))
    driving = asyncio.ensure_future(run.drive())
    await until(lambda: run.executor.running)
    run.executor.break_down(HeadwayError("The cluster is gone."))
    with pytest.raises(HeadwayError, match=r"The cluster is gone\."):
        await driving
    assert (run.executor.closed, other.closed) == ([True], [True])


async def test_a_foreign_error_is_told_as_internal() -> None:
    run = DrivenRun(LINEAR).linear(middle=Act(held=True))
    driving = asyncio.ensure_future(run.drive())
    await until(lambda: run.executor.running)
    run.executor.break_down(KeyError("x"))
    with pytest.raises(HeadwayError, match="Internal error: KeyError: 'x'") as caught:
        await driving
    assert isinstance(caught.value.__cause__, KeyError)


async def test_a_run_that_is_taken_over_is_given_up() -> None:
    run = DrivenRun(LINEAR).linear(middle=Act(held=True))
    driving = asyncio.ensure_future(run.drive())
    await until(lambda: run.executor.running)
    run.driver.fail(HeadwayError("Another launcher drives it."))
    with pytest.raises(HeadwayError, match="Another launcher"):
        await driving


async def test_who_asks_where_attempts_run_is_heard_and_never_taken_for_haste() -> None:
    """``kubernetes kill`` without the run's datastore leaves its mark on every Job."""
    run = DrivenRun(LINEAR).linear(middle=Act(held=True))
    driving = asyncio.ensure_future(run.drive())
    await until(lambda: run.executor.running)
    for _ in range(3):
        run.executor.ask_to_stop("ann")
    ended = await driving
    assert (ended.outcome, ended.message) == (INTERRUPTED, "stopped by ann")
    assert [call.now for call in run.executor.cancelled] == [False]


class StubbornExecutor(FakeExecutor):
    """One that cannot be closed."""

    async def close(self, *, now: bool = False) -> None:
        await super().close(now=now)
        raise HeadwayError("It cannot be closed.")


async def test_one_executor_that_cannot_be_closed_does_not_keep_the_others_open() -> None:
    store = MemoryStore()
    other = FakeExecutor(store)
    other.script(Act(outcome=to("end")), "middle")
    executor = StubbornExecutor(store)
    third = StubbornExecutor(store)
    run = DrivenRun(
        LINEAR, store=store, executor=executor, executors={"middle": other, "end": third}
    ).linear()
    with pytest.raises(HeadwayError, match="cannot be closed"):
        await run.drive()
    assert [each.closed for each in (executor, other, third)] == [[False]] * 3


class BadExecutor(FakeExecutor):
    """One that cannot be opened."""

    async def open(self, sink: Sink) -> None:
        raise HeadwayError("No permission.")


async def test_an_executor_that_cannot_be_opened_ends_the_run_before_it_begins() -> None:
    store = MemoryStore()
    run = DrivenRun(LINEAR, store=store, executors={"end": BadExecutor(store)}).linear()
    with pytest.raises(HeadwayError, match="No permission"):
        await run.drive()
    assert run.executor.started == []
    assert run.executor.closed == [True]


async def test_too_many_splits_are_refused_with_what_to_type() -> None:
    run = DrivenRun(FOREACH, max_splits=10).foreach(11)
    ended = await run.drive()
    words = "The foreach of step start yields 11 tasks, and at most 10 are allowed."
    assert (ended.outcome, ended.message) == (FAILED, f"start/1 failed: {words}")
    ((record, retry_in),) = run.told.of("attempt_ended")
    assert retry_in is None
    assert record.failure == Failure(
        CONFIGURATION, "TooManySplits", words, "Allow them with --max-num-splits=11."
    )
    assert [batch.step for batch in run.executor.batches] == ["start"]


async def test_as_many_splits_as_are_allowed() -> None:
    assert (await DrivenRun(FOREACH, max_splits=10).foreach(10).drive()).outcome == SUCCEEDED


async def test_a_failure_without_a_reason_has_failed() -> None:
    class Silent(FakeExecutor):
        def _end(self, attempt: Any, record: Record) -> None:
            super()._end(attempt, record._replace(outcome=FAILED, failure=None, transition=None))

    store = MemoryStore()
    run = DrivenRun(LINEAR, store=store, executor=Silent(store)).linear()
    end = await run.drive()
    assert "left no reason" in end.message
    assert [each.failure.reason for each in run.journal() if isinstance(each, AttemptFailed)] == ["Unknown"]


async def test_what_stands_still_is_told() -> None:
    run = DrivenRun(LINEAR).linear(middle=Act(held=True, outcome=to("end")))
    driving = asyncio.ensure_future(run.drive())
    await until(lambda: ref("middle", 2) in run.executor.running)
    run.executor.wait_for("Unschedulable", "no node takes it", "middle")
    run.executor.release()
    await driving
    assert run.told.of("waiting") == [("middle", "Unschedulable", "no node takes it")]


# The journal


async def test_everything_is_written_down() -> None:
    run = DrivenRun(LINEAR, {"middle": StepPolicy({USER: 1})}).linear()
    run.executor.script(Act(outcome=BROKEN_CODE), "middle", attempt=0)
    await run.drive()
    events = [event for event in run.journal() if not isinstance(event, AttemptStarted)]
    assert events[0] == RunStarted()
    assert AttemptSucceeded(ref("start", 1), Transition(("middle",))) in events
    (failed,) = (event for event in events if isinstance(event, AttemptFailed))
    assert (failed.ref, failed.failure) == (ref("middle", 2), BROKEN_CODE)
    assert failed.at == run.told.of("attempt_ended")[1][0].ended
    assert events[-1] == AttemptSucceeded(ref("end", 3), None)


class ReadingExecutor(FakeExecutor):
    """One that looks into the journal whenever it is asked for something."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store)
        self.read: list[list[Any]] = []
        self.datastore = store

    async def start(self, batch: Batch) -> None:
        self.read.append(read_journal(self.datastore, FLOW, RUN))
        await super().start(batch)

    async def cancel(self, refs: Any, failure: Failure, *, now: bool = False) -> None:
        self.read.append(read_journal(self.datastore, FLOW, RUN))
        await super().cancel(refs, failure, now=now)


async def test_what_a_decision_rests_on_is_written_before_it_is_carried_out() -> None:
    store = MemoryStore()
    executor = ReadingExecutor(store)
    run = DrivenRun(LINEAR, store=store, executor=executor).linear(middle=Act(held=True))
    driving = asyncio.ensure_future(run.drive())
    await until(lambda: ref("middle", 2) in executor.running)
    run.driver.stop("interrupted by Ctrl-C")
    await driving
    at_start, at_middle, at_stop = executor.read
    assert at_start == [RunStarted()]
    assert at_middle[-1] == AttemptSucceeded(ref("start", 1), Transition(("middle",)))
    assert at_stop[-1] == StopRequested("interrupted by Ctrl-C")


async def test_a_datastore_in_trouble_is_waited_for() -> None:
    store = MemoryStore()
    run = DrivenRun(LINEAR, store=store).linear()
    journal_only = [StoreUnavailableError("no answer") for _ in range(3)]
    driving = asyncio.ensure_future(run.drive())
    for error in journal_only:
        fail_journal(store, error)
    assert (await driving).outcome == SUCCEEDED
    assert ("", "Datastore", "no answer") in run.told.of("waiting")
    assert run.told.of("waiting")[-1] == ("", "", "")
    assert run.journal()[-1] == AttemptSucceeded(ref("end", 3), None)


async def test_a_datastore_that_refuses_the_journal_ends_the_run() -> None:
    store = MemoryStore()
    run = DrivenRun(LINEAR, store=store).linear()
    fail_journal(store, StoreError("Forbidden."))
    with pytest.raises(StoreError, match="Forbidden"):
        await run.drive()
    assert run.executor.closed == [True]
    assert run.executor.started == []


def fail_journal(store: MemoryStore, error: Exception) -> None:
    """Make the next conditional write fail, which before anything has ended is the journal's."""
    store.fail_next(error, "put_if_absent")


# Another launcher


@pytest.mark.parametrize("how", ["told", "found"])
async def test_a_run_that_another_launcher_drives_is_let_go_of(how: str) -> None:
    run = DrivenRun(LINEAR).linear(middle=Act(held=True, outcome=to("end")))
    driving = asyncio.ensure_future(run.drive())
    await until(lambda: run.executor.running == (ref("middle", 2),))
    if how == "told":
        run.driver.fail(LeaseLostError("bob took it over"))
    else:
        other = Journal.reopen(run.store, FLOW, RUN, "bob")[0]
        other.append(Decision("attached"))
        other.flush()
        run.executor.release()
    with pytest.raises(LeaseLostError):
        await driving
    assert run.executor.gone
    assert run.executor.closed == []
    assert run.executor.cancelled == []


# Threads


@pytest.mark.usefixtures("busy_threads")
async def test_the_journal_waits_for_nobody_elses_calls() -> None:
    run = DrivenRun(LINEAR).linear()
    end = await asyncio.wait_for(run.drive(), 60.0)
    assert end.outcome == SUCCEEDED
    assert read_journal(run.store, FLOW, RUN)
