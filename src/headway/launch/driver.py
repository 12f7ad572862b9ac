"""Drives one run: carries events from the executors to the scheduler and its instructions back."""

import asyncio
import contextlib
import random
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from functools import partial
from typing import NoReturn, TypeVar

from msgspec.structs import replace

from headway.errors import HeadwayError, RunInterruptedError, StoreUnavailableError
from headway.executors.base import (
    Adoption,
    Broken,
    Ended,
    Executor,
    ExecutorEvent,
    Output,
    Started,
    StopAsked,
    Waiting,
    datastore_away,
)
from headway.launch.batches import BatchFactory
from headway.launch.clones import Clones
from headway.launch.crew import Crew
from headway.launch.journal import Journal
from headway.launch.lease import LeaseLostError
from headway.launch.own_thread import OwnThread
from headway.launch.reporter import Reporter
from headway.launch.retries import Retries
from headway.launch.standing import NotTakenOverError, Standing
from headway.launch.verdicts import Verdicts
from headway.schedule.events import (
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    Event,
    RunStarted,
    StopRequested,
)
from headway.schedule.instructions import (
    INTERRUPTED,
    CancelAttempts,
    Instruction,
    RunEnded,
    ScheduleRetry,
    StartBatch,
)
from headway.schedule.scheduler import Scheduler
from headway.store.batch import Batch
from headway.store.records import (
    CANCELLED,
    INFRASTRUCTURE,
    USER,
    AttemptRef,
    Failure,
    Record,
)

T = TypeVar("T")

#: What was taken over of batches that start, by their names.
Cloned = Mapping[str, Sequence[Record]]

#: How a run ends that was to take over results and no more.
CLONED = "only what was there was taken over, as --clone-only asks"

#: Seconds between two tries to write the journal while the datastore is in trouble.
_STORE_PAUSE = 5.0
#: Seconds for which the ends of attempts are waited for that were told a second time to stop.
_LAST_PATIENCE = 30.0
#: Seconds from one word on how far a run is to the next: a short run needs none.
PROGRESS_SECONDS = 300.0


class Driver:
    """One run from its first event to its end.

    Args:
        scheduler: The state machine.
        executors: By step.
        batches: Makes the batches that the scheduler asks for.
        journal: Where what happened is written down before anything follows from it.
        reporter: Hears of everything.
        max_splits: The most tasks that one foreach may yield, None for any number.
        clones: What an earlier run has done already, where this one resumes it.
        clone_only: Whether nothing is to be done but to take that over.
        jitter: Between 0 and 1; asked once, spreads the run's retries after infrastructure failures, so that
            launchers that failed together do not come back together, and yet its own tasks do.
        fallbacks: The executor of steps' fallbacks, None where it is the step's own.
        heard: Called with the record of every attempt that ended.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        executors: Mapping[str, Executor],
        batches: BatchFactory,
        journal: Journal,
        reporter: Reporter,
        max_splits: int | None = None,
        jitter: Callable[[], float] = random.random,
        fallbacks: Executor | None = None,
        clones: Clones | None = None,
        clone_only: bool = False,
        heard: Callable[[Record], None] = lambda _: None,
    ) -> None:
        self._scheduler = scheduler
        self._crew = Crew(executors, fallbacks)
        self._batches = batches
        self._journal = journal
        self._thread = OwnThread("headway-journal")
        self._reporter = reporter
        self._verdicts = Verdicts(scheduler, reporter, max_splits, heard)
        self._spread = 1 + 0.25 * jitter()
        self._clones = clones
        self._clone_only = clone_only
        self._events: asyncio.Queue[ExecutorEvent | Event] = asyncio.Queue()
        self._retries = Retries(self._events.put_nowait)
        self._stops = 0
        self._hurry: asyncio.Task[None] | None = None
        self._patience: asyncio.TimerHandle | None = None
        self._pulse: asyncio.TimerHandle | None = None
        self._ended: RunEnded | None = None

    async def run(self, standing: Standing | None = None, recorded: Container[AttemptRef] = ()) -> RunEnded:
        """Until the scheduler says that the run has ended.

        Args:
            standing: Where the run stands, if another launcher drove it before.
            recorded: The attempts that have a record, as far as known.

        Raises:
            LeaseLostError: Another launcher drives the run; what runs is left to it.
            NotTakenOverError: What the other launcher left could not be found out; it is left as it is.
            HeadwayError: An executor cannot go on; nothing is left running.
        """
        hands_off = standing is not None
        self._tell_later()
        try:
            await self._crew.open(self._events.put_nowait)
            if standing is not None:
                await self._take_over(standing, recorded)
                hands_off = False
            if standing is None or not standing.begun:
                await self._handle([RunStarted()])
            while self._ended is None:
                if self._clone_only and self._events.empty():
                    return RunEnded(INTERRUPTED, message=CLONED)
                await self._window()
            return self._ended
        except LeaseLostError:
            # Whatever runs by now is the other launcher's.
            hands_off = True
            raise
        except Exception as error:
            if hands_off:
                raise NotTakenOverError(error) from error
            raise
        finally:
            self._retries.forget()
            for timer in (self._patience, self._pulse):
                if timer is not None:
                    timer.cancel()
            if self._hurry is not None:
                self._hurry.cancel()
            async with contextlib.AsyncExitStack() as stack:
                stack.enter_context(self._thread)
                for executor in self._crew.every:
                    if hands_off:
                        stack.push_async_callback(executor.let_go)
                    else:
                        stack.push_async_callback(executor.close, now=self._stops > 1 or self._ended is None)

    async def _take_over(self, standing: Standing, recorded: Container[AttemptRef]) -> None:
        """Go on where another launcher died."""
        self._ended = standing.ended
        by_executor: dict[Executor, list[Adoption]] = {}
        dones = [frozenset(ref for ref in each.refs if ref in recorded) for each in standing.unfinished]
        open_yet = [each.without(done) for each, done in zip(standing.unfinished, dones, strict=True)]
        cloned = await self._clone(open_yet)
        for each, rest, done in zip(standing.unfinished, open_yet, dones, strict=True):
            # What a run that it resumes has of it, taken over by now or not yet.
            refs = each.refs - self._told_as_cloned(each.refs) - self._tell_cloned(rest, cloned)
            if refs:
                batch = self._batches.make(self._left(each.batch))
                by_executor.setdefault(self._crew.of(each.batch), []).append(
                    Adoption(batch, refs, done & refs)
                )
        for executor, adoptions in by_executor.items():
            await executor.adopt(adoptions)
        for ref, delay in standing.waits.items():
            self._retries.wait(ref, delay)
        for ref, reason in standing.cancelled.items():
            await self._cancel([ref], reason, now=False)

    def _told_as_cloned(self, refs: Iterable[AttemptRef]) -> frozenset[AttemptRef]:
        """Tell the end of what the other launcher had taken over and not come to tell."""
        records = self._clones.recalled(refs) if self._clones is not None else []
        for record in records:
            self._events.put_nowait(AttemptSucceeded(record.ref, record.transition))
        return frozenset(record.ref for record in records)

    def fail(self, error: HeadwayError) -> None:
        """Give the run up: it cannot be driven from here any more."""
        self._events.put_nowait(Broken(error))

    def stop(self, reason: str) -> bool:
        """Stop cleanly; asked again, without the grace that steps were promised, and before long in any case.

        Returns:
            Whether this was asked for the first time.
        """
        self._stops += 1
        if self._stops == 1:
            self._events.put_nowait(StopRequested(reason))
        elif self._hurry is None:
            self._hurry = asyncio.ensure_future(self._cancel(self._scheduler.active(), reason, now=True))
            self._patience = asyncio.get_running_loop().call_later(_LAST_PATIENCE, self._leave, reason)
        return self._stops == 1

    def _leave(self, reason: str) -> None:
        names = ", ".join(f"{ref.step}/{ref.task}" for ref in self._scheduler.active()[:5])
        self.fail(
            RunInterruptedError(
                f"The run was {reason}, and not all of it is known to have ended: {names}.",
                "What could not be stopped ends by itself, at the latest at its deadline; its result is kept.",
            )
        )

    def _tell_later(self) -> None:
        self._pulse = asyncio.get_running_loop().call_later(PROGRESS_SECONDS, self._tell_progress)

    def _tell_progress(self) -> None:
        self._reporter.progress(self._scheduler.counts())
        self._tell_later()

    @property
    def stopping(self) -> bool:
        """Whether the run has failed or was asked to stop."""
        return self._scheduler.stopping

    async def _window(self) -> None:
        """Take everything that has happened by now, and decide on it at once."""
        happened = [await self._events.get()]
        with contextlib.suppress(asyncio.QueueEmpty):
            while True:
                happened.append(self._events.get_nowait())
        await self._handle([event for item in happened if (event := self._translate(item)) is not None])

    def _translate(self, item: ExecutorEvent | Event) -> Event | None:
        match item:
            case Started():
                self._reporter.attempt_started(item)
                return AttemptStarted(item.ref)
            case Output():
                self._reporter.output(item)
            case Waiting():
                self._reporter.waiting(item)
            case StopAsked():
                if not self._stops:
                    self.stop(f"stopped by {item.who}")
            case Broken():
                _raise(item.error)
            case Ended():
                return self._verdicts.of(item.record)
            case _:
                return item
        return None

    async def _handle(self, events: Sequence[Event]) -> None:
        """Decide, write down what it was decided on, carry it out."""
        instructions: list[Instruction] = []
        for event in events:
            answer = self._scheduler.handle(event)
            if isinstance(event, AttemptFailed) and event.failure.kind == INFRASTRUCTURE:
                answer = [self._spread_out(item) for item in answer]
            self._verdicts.decided(event, answer)
            if not isinstance(event, AttemptStarted):
                # That an attempt began decides nothing.
                self._journal.append(event)
            instructions += answer
        if instructions:
            await self._insist(self._journal.flush)
        cloned = await self._clone([item for item in instructions if isinstance(item, StartBatch)])
        for instruction in instructions:
            await self._carry_out(instruction, cloned)

    async def _insist(self, call: Callable[[], T]) -> T:
        """Make a call to the datastore, however long that is in trouble: until then nothing may follow."""
        troubled = False
        while True:
            try:
                answer = await self._thread.call(call)
                break
            except StoreUnavailableError as error:
                if self._stops > 1:
                    raise
                troubled = True
                self._reporter.waiting(datastore_away("", None, error))
                await asyncio.sleep(_STORE_PAUSE)
        if troubled:
            self._reporter.waiting(Waiting("", None, "", ""))
        return answer

    def _spread_out(self, instruction: Instruction) -> Instruction:
        if not isinstance(instruction, ScheduleRetry):
            return instruction
        return replace(instruction, delay=round(instruction.delay * self._spread, 1))

    async def _carry_out(self, instruction: Instruction, cloned: Cloned) -> None:
        match instruction:
            case StartBatch():
                await self._start(instruction, cloned)
            case ScheduleRetry(ref, delay):
                self._retries.wait(ref, delay)
            case CancelAttempts(refs, reason):
                await self._cancel(refs, reason, now=self._stops > 1)
            case RunEnded():
                self._ended = instruction

    async def _start(self, batch: StartBatch, cloned: Cloned) -> None:
        if len(batch.tasks) > 1 and not batch.tasks[0].attempt and not batch.gang:
            self._reporter.fan_out(batch.step, len(batch.tasks))
        self._tell_cloned(batch, cloned)
        rest = self._left(batch)
        if rest.tasks and not self._clone_only:
            made = self._batches.make(rest)
            if made.memory is not None:
                self._reporter.note(f"{_tasks(made)} with {made.memory} MB of memory.")
            await self._crew.of(rest).start(made)

    def _left(self, batch: StartBatch) -> StartBatch:
        """What of a batch is to be run."""
        return batch if self._clones is None else self._clones.left(batch)

    async def _clone(self, batches: Sequence[StartBatch]) -> Cloned:
        """Take over what the resumed run has of these batches, of all at once; what that is."""
        wanted = [batch for batch in batches if batch.tasks]
        if self._clones is None or not wanted:
            return {}
        taken = await self._insist(partial(self._clones.take, wanted))
        return {batch.name: records for batch, records in zip(wanted, taken, strict=True) if records}

    def _tell_cloned(self, batch: StartBatch, cloned: Cloned) -> frozenset[AttemptRef]:
        """Tell the end of what was taken over of a batch; what that is."""
        records = cloned.get(batch.name, ())
        if self._clones is not None and records:
            self._reporter.cloned(self._clones.origin, records, len(batch.tasks))
        for record in records:
            self._events.put_nowait(AttemptSucceeded(record.ref, record.transition))
        return frozenset(record.ref for record in records)

    async def _cancel(self, refs: Sequence[AttemptRef], reason: str, *, now: bool) -> None:
        await self._crew.cancel(refs, Failure(USER, CANCELLED, f"Stopped: {reason}"), now=now)


def _tasks(batch: Batch) -> str:
    """Whom a batch starts again, in words."""
    tasks = [f"{batch.step}/{task.task}" for task in batch.tasks]
    return (
        f"{tasks[0]} starts again" if len(tasks) == 1 else f"{len(tasks)} tasks of {batch.step} start again"
    )


def _raise(error: BaseException) -> NoReturn:
    if isinstance(error, HeadwayError):
        raise error
    raise HeadwayError(f"Internal error: {type(error).__name__}: {error}") from error
