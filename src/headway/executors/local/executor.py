"""Attempts as processes on this machine: forked from a warm parent where that is safe, else started afresh."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from msgspec import Struct, field

from headway.errors import HeadwayError, StoreUnavailableError
from headway.executors.base import Adoption, Broken, Ended, Output, Sink, Started, datastore_away
from headway.executors.guarded import guarded
from headway.executors.local.command import python_command
from headway.executors.local.known import make_known
from headway.executors.local.process import Pipes, as_file, start_fresh
from headway.executors.local.zygote import ChildExit, Zygote
from headway.runtime.attempt import unreported
from headway.runtime.channel import Report, exit_status
from headway.runtime.commit import commit, lost, note_end, record_of, store_logs
from headway.runtime.logbook import Logbook, StampedLine
from headway.store.base import ObjectStore
from headway.store.batch import Batch, Gang, TaskSpec
from headway.store.folder import FolderStore
from headway.store.records import INFRASTRUCTURE, USER, AttemptRef, Failure, Record

_LOOPBACK = "127.0.0.1"

#: Seconds between two tries to settle an attempt while the datastore is in trouble.
_STORE_PAUSE = 5.0


class _Attempt(Struct, eq=False):
    """One attempt in hand; ``signal`` is set once it runs, ``cancelled`` once it is to end.

    ``gone`` waits for the end of a process of its own; forked ones are the zygote's to wait for.
    A quick process may print before its start is told of: such lines are ``early``, and wait.
    """

    batch: Batch
    index: int
    cancelled: Failure | None = None
    signal: Callable[[int], None] | None = None
    gone: Callable[[], Coroutine[Any, Any, None]] | None = None
    timers: list[asyncio.TimerHandle] = field(default_factory=list)
    watchdog: asyncio.TimerHandle | None = None
    started: bool = False
    early: list[StampedLine] = field(default_factory=list)

    @property
    def task(self) -> TaskSpec:
        return self.batch.tasks[self.index]

    @property
    def ref(self) -> AttemptRef:
        return AttemptRef(self.batch.step, self.task.task, self.task.attempt)


class LocalExecutor:
    """Runs attempts here, a limited number at a time; the ranks of a gang all at once.

    Args:
        store: The datastore, for records and logs.
        zygote: The warm parent; None where every attempt gets a process started afresh.
        limit: Attempts at a time.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        store: ObjectStore,
        zygote: Zygote | None,
        limit: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._zygote = zygote
        self._limit = limit
        self._clock = clock
        #: What starts together: the ranks of a gang, else one attempt.
        self._queue: deque[list[_Attempt]] = deque()
        self._running: dict[AttemptRef, _Attempt] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._warming: asyncio.Task[None] | None = None
        #: Why no attempt is forked, "" where they are.
        self._alone = ""
        #: The batches that readers know of.
        self._known: set[str] = set()
        self._sink: Sink = lambda _: None

    async def open(self, sink: Sink) -> None:
        self._sink = sink
        if self._zygote is not None:
            self._zygote.connect()
            self._warming = asyncio.create_task(self._warm_up(self._zygote))

    async def _warm_up(self, zygote: Zygote) -> None:
        """Until the flow is imported every attempt waits for its turn, so that it can be cancelled at once."""
        try:
            self._alone = await zygote.unforkable()
        except HeadwayError as error:
            self._sink(Broken(error))
            return
        self._warming = None
        self._fill()

    async def start(self, batch: Batch) -> None:
        if batch.gang is not None:
            batch = batch._replace(gang=_meeting_here(batch.gang))
        attempts = [_Attempt(batch, index) for index in range(len(batch.tasks))]
        self._queue.extend([attempts] if batch.gang is not None else ([each] for each in attempts))
        self._fill()

    async def adopt(self, adoptions: Sequence[Adoption]) -> None:
        """Processes of another launcher ended with it; only it could have written their records."""
        why = Failure(
            INFRASTRUCTURE,
            "LauncherGone",
            "The launcher that ran this attempt on its own machine is gone, and the attempt with it.",
        )
        for each in adoptions:
            for index, task in enumerate(each.batch.tasks):
                attempt = _Attempt(each.batch, index)
                if attempt.ref in each.refs:
                    record = lost(each.batch, task, why, {}, self._clock())
                    self._spawn(self._settle(attempt, record, None))

    async def cancel(self, refs: tuple[AttemptRef, ...], failure: Failure, *, now: bool = False) -> None:
        wanted = set(refs)
        waiting = [attempt for group in self._queue for attempt in group if attempt.ref in wanted]
        left = ([attempt for attempt in group if attempt.ref not in wanted] for group in self._queue)
        self._queue = deque(group for group in left if group)
        for ref in refs:
            running = self._running.get(ref)
            if running is not None:
                self._stop(running, failure, now)
        for attempt in waiting:
            record = lost(attempt.batch, attempt.task, failure, {}, self._clock())
            self._spawn(self._settle(attempt, record, None))

    async def close(self, *, now: bool = False) -> None:
        self._queue.clear()
        for attempt in list(self._running.values()):
            self._stop(attempt, Failure(USER, "Cancelled", "The run ended.", ""), now=True)
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.wait([self._warming])
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=10)
        if self._zygote is not None:
            self._zygote.close()

    async def let_go(self) -> None:
        self._queue.clear()
        for attempt in self._running.values():
            if attempt.signal is not None:
                attempt.signal(signal.SIGKILL)
        unfinished = [*self._tasks, *([self._warming] if self._warming is not None else [])]
        for task in unfinished:
            task.cancel()
        killed = [attempt.gone() for attempt in self._running.values() if attempt.gone is not None]
        await asyncio.gather(*unfinished, *killed, return_exceptions=True)
        if self._zygote is not None:
            self._zygote.close()

    def _fill(self) -> None:
        while self._warming is None and self._queue and len(self._running) < self._limit:
            # A gang starts whole, whatever the limit: a rank without the others would wait for ever.
            for attempt in self._queue.popleft():
                self._running[attempt.ref] = attempt
                self._spawn(self._run(attempt))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = guarded(work, self._broken)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _broken(self, error: Exception) -> None:
        self._sink(Broken(error))

    async def _run(self, attempt: _Attempt) -> None:
        try:
            await self._attempt(attempt)
        finally:
            self._running.pop(attempt.ref, None)
            self._fill()

    async def _attempt(self, attempt: _Attempt) -> None:
        begun = self._clock()
        book = Logbook(attempt.batch.log_limit)
        ended: asyncio.Future[ChildExit] = asyncio.get_running_loop().create_future()
        pipes = Pipes(
            book,
            lambda lines: self._show(attempt, lines),
            lambda runs: self._watch_time(attempt, runs),
        )
        pid = await self._launch(attempt, pipes, ended.set_result)
        facts = {"pid": str(pid), **({"fallback": "true"} if attempt.batch.fallback else {})}
        self._sink(Started(attempt.ref, f"pid {pid}", facts))
        self._make_known(attempt.batch)
        attempt.started = True
        self._show(attempt, attempt.early)
        if attempt.cancelled is not None:
            self._stop(attempt, attempt.cancelled, now=True)
        child = await ended
        for timer in attempt.timers:
            timer.cancel()
        if attempt.signal is not None:
            attempt.signal(signal.SIGKILL)
        report = await pipes.drain()
        failure = _failure(attempt, report, child)
        note_end(book, failure)
        record = record_of(
            attempt.batch,
            attempt.task,
            report,
            failure,
            _facts(child, self._alone),
            begun,
            self._clock(),
            book.lines,
        )
        await self._settle(attempt, record, book)

    def _make_known(self, batch: Batch) -> None:
        """Let readers know of the attempts of a batch, once the first of them runs and so costs no waiting."""
        if batch.name in self._known or batch.spun is not None:
            return
        self._known.add(batch.name)
        if isinstance(self._store, FolderStore):
            # Less work than to have it done, and there before any line of theirs is shown.
            make_known(self._store, batch)
        else:
            self._spawn(asyncio.to_thread(make_known, self._store, batch))

    async def _settle(self, attempt: _Attempt, record: Record, book: Logbook | None) -> None:
        """Make the record true, however long the datastore is in trouble, and tell of the end."""
        batch, task = attempt.batch, attempt.task
        while True:
            try:
                if book is not None:
                    await asyncio.to_thread(store_logs, self._store, batch, task, book)
                truth = await asyncio.to_thread(commit, self._store, batch.flow, batch.run, record)
                break
            except StoreUnavailableError as error:
                self._sink(datastore_away(batch.step, attempt.ref, error))
                await asyncio.sleep(_STORE_PAUSE)
        self._running.pop(attempt.ref, None)
        self._sink(Ended(attempt.ref, truth))

    async def _launch(self, attempt: _Attempt, pipes: Pipes, ended: Callable[[ChildExit], None]) -> int:
        # Its own part of the batch: all of a wide foreach's, told to each of its tasks, would grow as its square.
        whole = attempt.batch.gang is not None
        batch, index = (attempt.batch, attempt.index) if whole else (attempt.batch.of(attempt.task), 0)
        batch_fd = as_file(batch.encode())
        stdout, stderr, report = pipes.writes
        fds = (batch_fd, stdout, stderr, report)
        try:
            zygote = await self._warm_parent(attempt.batch)
            if zygote is None:
                words = (str(batch_fd), str(report), str(index), self._store.url)
                command = python_command("headway.runtime.fresh", *words)
                child = await start_fresh(command, fds, ended, batch.env)
                attempt.signal, attempt.gone = child.signal, child.gone
                return child.pid
            number, pid = await zygote.fork(index, fds, ended)
            attempt.signal = partial(zygote.signal, number)
            return pid
        finally:
            os.close(batch_fd)
            pipes.handed_over()

    async def _warm_parent(self, batch: Batch) -> Zygote | None:
        """The zygote, where this batch's attempts may be forked from it.

        ``@environment`` values may matter when the flow is imported, which in the zygote is over; so may the
        packages of a step with ``@pypi``.
        """
        if (
            self._zygote is None
            or batch.env
            or batch.code.packages is not None
            or await self._zygote.unforkable()
        ):
            return None
        return self._zygote

    def _watch_time(self, attempt: _Attempt, runs: bool) -> None:
        """The step keeps its own time; this is for one that does not let itself be stopped."""
        if attempt.watchdog is not None:
            attempt.watchdog.cancel()
        limit = attempt.batch.timeout
        if limit is not None and runs:
            words = Failure(
                USER,
                "Timeout",
                f"Step {attempt.batch.step} was killed: it went on after its @timeout.",
                "Something in the step catches every exception or blocks in native code.",
            )
            delay = limit + min(attempt.batch.grace, 30)
            loop = asyncio.get_running_loop()
            attempt.watchdog = loop.call_later(delay, self._stop, attempt, words, True)
            attempt.timers.append(attempt.watchdog)

    def _stop(self, attempt: _Attempt, failure: Failure, now: bool = False) -> None:
        attempt.cancelled = attempt.cancelled or failure
        if attempt.signal is None:
            return
        attempt.signal(signal.SIGKILL if now else signal.SIGTERM)
        if not now:
            loop = asyncio.get_running_loop()
            attempt.timers.append(loop.call_later(attempt.batch.grace, attempt.signal, signal.SIGKILL))

    def _show(self, attempt: _Attempt, lines: list[StampedLine]) -> None:
        if not attempt.started:
            attempt.early += lines
        elif lines:
            texts = tuple((line.stream, line.time, line.text.decode("utf-8", "replace")) for line in lines)
            self._sink(Output(attempt.ref, texts))


def _meeting_here(gang: Gang) -> Gang:
    """Where the ranks of a gang on this machine meet: any port that is free by now, unless one is asked for."""
    if gang.port:
        return gang._replace(address=_LOOPBACK)
    with socket.socket() as probe:
        probe.bind((_LOOPBACK, 0))
        return gang._replace(address=_LOOPBACK, port=probe.getsockname()[1])


def _failure(attempt: _Attempt, report: Report | None, child: ChildExit) -> Failure | None:
    if report is not None and report.failure is None:
        return None
    if attempt.cancelled is not None:
        return attempt.cancelled
    if report is not None:
        return report.failure
    return unreported(attempt.batch.step, *exit_status(child.status))


def _facts(child: ChildExit, alone: str) -> dict[str, str]:
    facts = {"python-version": "{}.{}.{}".format(*sys.version_info[:3])}
    if child.peak:
        facts.update({"peak-memory": str(child.peak), "cpu-seconds": f"{child.cpu:.3f}"})
    if alone:
        facts["not-forked"] = alone
    return facts
