"""Watches over the process of one attempt in a pod: its streams, its signals, its end.

One thread and one loop; shipping logs is another thread's work, so that a slow datastore
never stops the step from printing.
"""

import os
import select
import signal
import time
from typing import Callable, Dict, List, NamedTuple, Optional, Protocol

from headway.runtime import channel
from headway.runtime.logbook import Logbook, StampedLine
from headway.runtime.usage import Meter

#: How long what is left in the pipes is waited for once the step's process has ended.
_DRAIN = 2.0
#: Time kept back from the grace for flushing logs and committing.
_RESERVE = 3.0
#: Seconds between two looks at whether what the step left running has ended.
_REST_LOOK = 0.1
#: Seconds between two looks at what is held: often at first, for a task that is soon over.
_FIRST_LOOK, _LONGEST_LOOK, _GROWTH = 0.02, 0.5, 1.5


class Ended(NamedTuple):
    """How the step's process ended.

    Attributes:
        report: What it said, None where it said nothing.
        code: Its exit code, None where a signal ended it.
        signal: The signal that ended it.
        terminated: The pod was asked to stop before the process ended.
        expired: The supervisor killed it because its time, or the grace, was over: "timeout", "grace" or "".
        peak: The most memory that was held, in bytes: by the whole container where its control group can be
            read, else by the largest single process.
        cpu: Seconds of processor time: the container's, or that of the process and what it waited for.
    """

    report: Optional[channel.Report]
    code: Optional[int]
    signal: Optional[int]
    terminated: bool
    expired: str
    peak: int
    cpu: float


class Exit(NamedTuple):
    """How a process ended: its wait status, the most bytes it held, its seconds of processor time."""

    status: int
    peak: int
    cpu: float


class Child(Protocol):
    """The process of one attempt, as its supervisor deals with it; leader of its own process group."""

    def wakes(self) -> Optional[int]:
        """A descriptor that can be read once there may be news of its end; None where SIGCHLD tells."""
        ...

    def reap(self) -> Optional[Exit]:
        """How it ended, None while it runs; never asked again once it has."""
        ...

    def signal(self, number: int) -> None:
        """Send it a signal."""
        ...

    def signal_rest(self, number: int) -> bool:
        """Once it has ended, send a signal (0 for none) to what it left running in its process group.

        Returns:
            Whether there is anything.
        """
        ...

    def kill(self) -> None:
        """End it and whatever it left running in its process group."""
        ...


class OwnChild:
    """A process that this very process forked.

    Args:
        pid: Its number.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._ended = False

    def wakes(self) -> Optional[int]:
        return None

    def reap(self) -> Optional[Exit]:
        """Take the child's end, and that of every orphan a container's first process inherits."""
        found: Optional[Exit] = None
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return found
            if pid == 0:
                return found
            if pid == self._pid:
                self._ended = True
                found = Exit(status, usage.ru_maxrss * 1024, usage.ru_utime + usage.ru_stime)

    def signal(self, number: int) -> None:
        try:
            os.kill(self._pid, number)
        except ProcessLookupError:
            # A signal handler runs between any two instructions: it has just been reaped.
            return

    def signal_rest(self, number: int) -> bool:
        # A container's first process inherits them.
        self.reap()
        return signal_group(self._pid, number)

    def kill(self) -> None:
        try:
            os.killpg(self._pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            if not self._ended:
                os.kill(self._pid, signal.SIGKILL)


def signal_group(leader: int, number: int) -> bool:
    """Send a signal (0 for none) to a process group whose leader has ended; whether anything in it goes on."""
    try:
        os.killpg(leader, number)
        return _goes_on(leader)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True


def _goes_on(group: int) -> bool:
    """Whether one of a group has not ended: one that nobody reaps is of the group for ever."""
    try:
        processes = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return True
    for name in processes:
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                state, _, its_group = file.read().rpartition(b")")[2].split()[:3]
        except (OSError, ValueError):
            continue
        if int(its_group) == group and state not in (b"Z", b"X"):
            return True
    return False


def _nothing() -> None:
    """Nobody else is to be told."""


class Supervisor:
    """Runs the loop for one child.

    SIGTERM goes to the step's own process alone: one that handles it knows what it has started, and a worker
    that it forked may have inherited a handler that is not for workers. What is left of its process group once
    it has ended, at once where it handles nothing, is then told to end as well, and has the rest of the grace.

    Args:
        child: The process.
        pipes: Read ends by name: stdout, stderr, report.
        book: Collects the lines.
        show: Called with whole lines as they come.
        grace: Seconds between SIGTERM and the end of the pod.
        time_limit: Seconds that the step's code may run before the child is killed whatever it does, None for any.
        told_to_stop: Called when the pod is asked to stop.
        meter: Measures the container, None where nothing does.
    """

    def __init__(
        self,
        child: Child,
        pipes: Dict[str, int],
        book: Logbook,
        show: Callable[[List[StampedLine]], None],
        grace: float,
        time_limit: Optional[float],
        told_to_stop: Callable[[], None] = _nothing,
        meter: Optional[Meter] = None,
    ) -> None:
        self._child = child
        self._pipes = dict(pipes)
        self._book = book
        self._show = show
        self._grace = grace
        self._report: List[bytes] = []
        self._exit: Optional[Exit] = None
        self._told_to_stop = told_to_stop
        self._terminated = False
        self._expired = ""
        self._limit = time_limit
        self._watch = channel.Watch()
        self._kill_at: Optional[float] = None
        self._kill_why = ""
        self._rest_told = False
        self._meter = meter if meter is not None and meter.works else None
        self._look_at: Optional[float] = None
        self._look_after = _FIRST_LOOK

    def run(self) -> Ended:
        """Until the child has ended and its pipes are empty."""
        wake_read, wake_write = os.pipe()
        os.set_blocking(wake_read, False)
        os.set_blocking(wake_write, False)
        signal.set_wakeup_fd(wake_write)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: self.stop())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM,))
        # Not a selector of selectors, whose module loads others that nothing here needs.
        poll = select.poll()
        names = {fd: name for name, fd in self._pipes.items()}
        names[wake_read] = "wake"
        news = self._child.wakes()
        if news is not None:
            names[news] = "news"
        for fd in names:
            poll.register(fd, select.POLLIN)
        drain_until: Optional[float] = None
        if self._meter is not None:
            self._meter.begin()
            self._look_at = time.monotonic() + self._look_after
        self._exit = self._child.reap()
        while self._pipes or self._exit is None or drain_until is None:
            for fd, _ in poll.poll(self._pause(drain_until)):
                if names[fd] == "wake":
                    os.read(wake_read, 4096)
                elif names[fd] != "news":
                    self._read(poll, names[fd], fd)
            if self._exit is None:
                self._exit = self._child.reap()
                self._enforce()
                self._measure()
            if self._exit is None:
                continue
            if news is not None:
                poll.unregister(news)
                news = None
            if self._meter is not None and self._look_at is not None:
                # Before what the step left running goes.
                self._meter.end()
                self._look_at = None
            if drain_until is not None:
                if time.monotonic() > drain_until:
                    break
            elif not self._rest_has_time():
                self._child.kill()
                drain_until = time.monotonic() + _DRAIN
        signal.set_wakeup_fd(-1)
        # Somebody who left the step's process group may still hold the other ends.
        for fd in (wake_read, wake_write, *self._pipes.values()):
            os.close(fd)
        self._show(self._book.finish())
        _, peak, cpu = self._exit
        if self._meter is not None:
            peak, cpu = max(peak, self._meter.most), max(cpu, self._meter.cpu())
        code, number = channel.exit_status(self._exit.status)
        report = channel.decode_parts(self._report)
        return Ended(report, code, number, self._terminated, self._expired, peak, cpu)

    def _read(self, poll: select.poll, name: str, fd: int) -> None:
        data = os.read(fd, 65536)
        if not data:
            poll.unregister(fd)
            os.close(fd)
            del self._pipes[name]
        elif name == "report":
            self._report.append(data)
            self._watch.hear(data)
            self._watch_time()
        else:
            self._show(self._book.feed(name, data))

    def _pause(self, drain_until: Optional[float]) -> Optional[float]:
        """Milliseconds until something is due, None where nothing is."""
        until = self._kill_at if drain_until is None else drain_until
        if self._look_at is not None and (until is None or self._look_at < until):
            until = self._look_at
        if self._rest_told and drain_until is None:
            look = time.monotonic() + _REST_LOOK
            until = look if until is None else min(until, look)
        # One more, for a part of one is cut off: to wake too early is to wake again and again.
        return None if until is None else max(0.0, until - time.monotonic()) * 1000 + 1

    def _measure(self) -> None:
        if self._meter is not None and self._look_at is not None and time.monotonic() >= self._look_at:
            self._meter.look()
            self._look_after = min(self._look_after * _GROWTH, _LONGEST_LOOK)
            self._look_at = time.monotonic() + self._look_after

    def _watch_time(self) -> None:
        """The step keeps its own time; this is for one that does not let itself be stopped."""
        if self._terminated or self._limit is None:
            return
        self._kill_at = time.monotonic() + self._limit if self._watch.running else None
        self._kill_why = "timeout"

    def stop(self) -> None:
        """The pod is to stop: tell the step, and leave time to commit what it leaves."""
        if not self._terminated:
            self._terminated = True
            limit = time.monotonic() + max(0.5, self._grace - _RESERVE)
            if self._kill_at is None or limit < self._kill_at:
                self._kill_at, self._kill_why = limit, "grace"
        self._told_to_stop()
        if self._exit is None:
            self._child.signal(signal.SIGTERM)

    def _rest_has_time(self) -> bool:
        """Whether what the step left running may go on: told to end as the step was, it has the rest of its grace."""
        if not self._terminated or self._expired or self._kill_at is None:
            return False
        number = 0 if self._rest_told else signal.SIGTERM
        self._rest_told = True
        return self._child.signal_rest(number) and time.monotonic() < self._kill_at

    def _enforce(self) -> None:
        if self._kill_at is not None and time.monotonic() >= self._kill_at and self._exit is None:
            self._expired = self._kill_why
            self._kill_at = None
            self._child.kill()
