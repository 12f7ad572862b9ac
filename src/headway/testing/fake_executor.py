"""An executor that runs nothing: attempts end as a script says, and what was asked for is written down."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from headway.executors.base import Adoption, Broken, Ended, Output, Sink, Started, StopAsked, Waiting
from headway.runtime.channel import Report
from headway.runtime.commit import commit, lost, record_of
from headway.store.base import ObjectStore
from headway.store.batch import Batch, TaskSpec
from headway.store.records import INFRASTRUCTURE, ArtifactRef, AttemptRef, Failure, Record, Transition


@dataclass(frozen=True, slots=True)
class Act:
    """What one attempt does, in this order.

    Attributes:
        prints: Lines, as (stream, text).
        seconds: How long it takes, by the event loop's clock.
        held: Whether it then waits until :meth:`FakeExecutor.release` lets it go on.
        outcome: The failure it ends with, else what its ``self.next`` said; None is the end step's success.
        artifacts: What it leaves where it succeeds.
        metadata: What its record says of the attempt itself, like ``peak-memory``.
        deaf: Whether being asked to stop does not end it, so that only its grace, or haste, does.
    """

    prints: tuple[tuple[str, str], ...] = ()
    seconds: float = 0.0
    held: bool = False
    outcome: Transition | Failure | None = None
    artifacts: dict[str, ArtifactRef] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    deaf: bool = False


@dataclass(frozen=True, slots=True)
class Cancelled:
    """One call of ``cancel``."""

    refs: tuple[AttemptRef, ...]
    failure: Failure
    now: bool


class FakeExecutor:
    """An :class:`~headway.executors.base.Executor` for tests of what drives executors.

    It lives on the event loop alone and takes no time that the script does not give it, so it can be used
    with virtual time. Records are written to the store as a real executor's attempts write them.

    Args:
        store: Where records go.
        limit: Attempts at a time.
        clock: Seconds since the epoch.
        outlive: Whether attempts go on when their launcher dies, as pods do; else they are lost with it.

    Attributes:
        batches: What was to be started, in order.
        started: The attempts that began, in order.
        cancelled: Every call of ``cancel``.
        opened: Whether ``open`` was called.
        closed: The ``now`` of every call of ``close``.
        gone: Whether ``let_go`` was called.
        adopted: What it was to go on with.
    """

    def __init__(
        self,
        store: ObjectStore,
        limit: int = 1_000_000,
        clock: Callable[[], float] = time.time,
        outlive: bool = True,
    ) -> None:
        self.batches: list[Batch] = []
        self.started: list[AttemptRef] = []
        self.cancelled: list[Cancelled] = []
        self.opened = False
        self.closed: list[bool] = []
        self.gone = False
        self.adopted: list[Adoption] = []
        self._store = store
        self._limit = limit
        self._clock = clock
        self._outlive = outlive
        self._script: dict[tuple[str, str | None, int | None], Act] = {}
        self._queue: deque[_Attempt] = deque()
        self._running: dict[AttemptRef, _Attempt] = {}
        self._released: set[AttemptRef] = set()
        self._sink: Sink = lambda _: None

    def script(self, act: Act, step: str, task: str | None = None, attempt: int | None = None) -> None:
        """Say what attempts of a step do; what is said of a task or an attempt alone goes before.

        Attempts that nothing is said of succeed at once, with no transition.
        """
        self._script[(step, task, attempt)] = act

    def release(self, *refs: AttemptRef) -> None:
        """Let these attempts go on that were, or will be, held; all that are held now where none is named."""
        named = refs or tuple(self._running)
        self._released.update(named)
        for ref in named:
            if ref in self._running:
                self._running[ref].released.set()

    def wait_for(self, reason: str, message: str, step: str = "", ref: AttemptRef | None = None) -> None:
        """Say that something stands still, or, without a reason, that it goes on."""
        self._sink(Waiting(step, ref, reason, message))

    def ask_to_stop(self, who: str) -> None:
        """Say that somebody asks, where attempts run, for the run to stop."""
        self._sink(StopAsked(who))

    def break_down(self, error: BaseException) -> None:
        """Say that this executor cannot go on."""
        self._sink(Broken(error))

    @property
    def running(self) -> tuple[AttemptRef, ...]:
        """The attempts that have begun and not ended."""
        return tuple(self._running)

    async def open(self, sink: Sink) -> None:
        self._sink = sink
        self.opened = True

    async def start(self, batch: Batch) -> None:
        self.batches.append(batch)
        self._queue.extend(_Attempt(batch, task) for task in batch.tasks)
        self._fill()

    async def adopt(self, adoptions: Sequence[Adoption]) -> None:
        """What has a record ends with it; the rest begins anew, or is lost."""
        self.adopted += adoptions
        gone = Failure(INFRASTRUCTURE, "LauncherGone", "The launcher is gone.")
        for each in adoptions:
            for task in each.batch.tasks:
                attempt = _Attempt(each.batch, task)
                if attempt.ref not in each.refs:
                    continue
                if attempt.ref in each.recorded or not self._outlive:
                    self._end(attempt, lost(each.batch, task, gone, {}, self._clock()))
                else:
                    self._queue.append(attempt)
        self._fill()

    async def cancel(self, refs: tuple[AttemptRef, ...], failure: Failure, *, now: bool = False) -> None:
        self.cancelled.append(Cancelled(refs, failure, now))
        waiting = [attempt for attempt in self._queue if attempt.ref in refs]
        self._queue = deque(attempt for attempt in self._queue if attempt.ref not in refs)
        for attempt in waiting:
            self._end(attempt, lost(attempt.batch, attempt.task, failure, {}, self._clock()))
        for ref in refs:
            if ref in self._running:
                self._running[ref].stop(failure, now)

    async def close(self, *, now: bool = False) -> None:
        self.closed.append(now)
        await self._end_work()

    async def let_go(self) -> None:
        self.gone = True
        await self._end_work()

    async def _end_work(self) -> None:
        self._queue.clear()
        tasks = [attempt.work for attempt in self._running.values() if attempt.work is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._running.clear()

    def _fill(self) -> None:
        while self._queue and len(self._running) < self._limit:
            attempt = self._queue.popleft()
            self._running[attempt.ref] = attempt
            attempt.work = asyncio.ensure_future(self._run(attempt))

    async def _run(self, attempt: "_Attempt") -> None:
        act = self._act(attempt.ref)
        attempt.deaf = act.deaf
        self.started.append(attempt.ref)
        self._sink(Started(attempt.ref, "nowhere"))
        if act.prints:
            lines = tuple((stream, self._clock(), text) for stream, text in act.prints)
            self._sink(Output(attempt.ref, lines))
        if attempt.ref in self._released:
            attempt.released.set()
        stopped = await attempt.waited_out(act)
        failure = stopped or (act.outcome if isinstance(act.outcome, Failure) else None)
        transition = act.outcome if isinstance(act.outcome, Transition) else None
        report = Report(artifacts=act.artifacts, transition=transition)
        now = self._clock()
        record = record_of(attempt.batch, attempt.task, report, failure, act.metadata, now, now, {})
        self._end(attempt, record)
        self._fill()

    def _act(self, ref: AttemptRef) -> Act:
        step, task, attempt = ref
        for key in ((step, task, attempt), (step, task, None), (step, None, attempt), (step, None, None)):
            if key in self._script:
                return self._script[key]
        return Act()

    def _end(self, attempt: "_Attempt", record: Record) -> None:
        truth = commit(self._store, attempt.batch.flow, attempt.batch.run, record)
        self._running.pop(attempt.ref, None)
        self._sink(Ended(attempt.ref, truth))


class _Attempt:
    """One attempt in hand; ``failure`` is set once it is to stop."""

    def __init__(self, batch: Batch, task: TaskSpec) -> None:
        self.batch = batch
        self.task = task
        self.ref = AttemptRef(batch.step, task.task, task.attempt)
        self.deaf = False
        self.failure: Failure | None = None
        self.work: asyncio.Future[None] | None = None
        self.released = asyncio.Event()
        self._stopped = asyncio.Event()

    def stop(self, failure: Failure, now: bool) -> None:
        """End it: at once, or where it is deaf once its grace is over."""
        self.failure = self.failure or failure
        if self.deaf and not now:
            asyncio.get_running_loop().call_later(self.batch.grace, self._stopped.set)
        else:
            self._stopped.set()

    async def waited_out(self, act: Act) -> Failure | None:
        """Let the act's time pass; why the attempt was stopped meanwhile, None if it was not."""
        if not self._stopped.is_set() and (act.seconds or act.held):
            passing = asyncio.ensure_future(self._pass(act))
            stopping = asyncio.ensure_future(self._stopped.wait())
            try:
                await asyncio.wait({passing, stopping}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                passing.cancel()
                stopping.cancel()
        return self.failure if self._stopped.is_set() else None

    async def _pass(self, act: Act) -> None:
        await asyncio.sleep(act.seconds)
        if act.held:
            await self.released.wait()
