"""One local attempt's process: its pipes, its lines, its report, its end."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping
from types import MappingProxyType

from headway.executors.local.zygote import ChildExit
from headway.runtime.channel import Report, Watch, decode_parts
from headway.runtime.logbook import Logbook, StampedLine

#: How long what is left in the pipes is waited for once the process has ended, in seconds.
_DRAIN = 2.0
_READ = 65536


class Pipes:
    """The three pipes of a child: reads them on the event loop until each has ended.

    Args:
        book: Collects the lines.
        show: Called with whole lines as they come.
        step_runs: Called when the step's own code begins (true), and when it is over.
    """

    def __init__(
        self,
        book: Logbook,
        show: Callable[[list[StampedLine]], None],
        step_runs: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self._book = book
        self._show = show
        self._report: list[bytes] = []
        self._step_runs = step_runs
        self._watch = Watch()
        self._reads: dict[str, int] = {}
        self._writes: dict[str, int] = {}
        for name in ("stdout", "stderr", "report"):
            self._reads[name], self._writes[name] = os.pipe()
            os.set_blocking(self._reads[name], False)
        self._empty = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name, fd in self._reads.items():
            loop.add_reader(fd, self._read, name, fd)

    @property
    def writes(self) -> tuple[int, int, int]:
        """The write ends: stdout, stderr, report."""
        return self._writes["stdout"], self._writes["stderr"], self._writes["report"]

    def handed_over(self) -> None:
        """The child has its own copies of the write ends now."""
        for fd in self._writes.values():
            os.close(fd)
        self._writes.clear()

    async def drain(self) -> Report | None:
        """Everything that was still in the pipes, and the report, once the child has ended."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._empty.wait(), _DRAIN)
        for name, fd in list(self._reads.items()):
            self._close(name, fd)
        self._show(self._book.finish())
        return decode_parts(self._report)

    def _read(self, name: str, fd: int) -> None:
        try:
            data = os.read(fd, _READ)
        except BlockingIOError:
            return
        if not data:
            self._close(name, fd)
        elif name == "report":
            self._report.append(data)
            self._hear(data)
        else:
            self._show(self._book.feed(name, data))

    def _hear(self, data: bytes) -> None:
        before = self._watch.running
        self._watch.hear(data)
        if self._watch.running != before:
            self._step_runs(self._watch.running)

    def _close(self, name: str, fd: int) -> None:
        asyncio.get_running_loop().remove_reader(fd)
        os.close(fd)
        del self._reads[name]
        if not self._reads:
            self._empty.set()


def as_file(data: bytes) -> int:
    """A descriptor of an unnamed file that holds these bytes, to be handed to children."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("batch", 0)
    else:
        import tempfile  # most systems can do without

        with tempfile.TemporaryFile() as file:
            fd = os.dup(file.fileno())
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
    return fd


async def start_fresh(
    command: list[str],
    fds: tuple[int, int, int, int],
    ended: Callable[[ChildExit], None],
    environment: Mapping[str, str] = MappingProxyType({}),
) -> "FreshChild":
    """Start a process of its own for one attempt.

    Args:
        command: The interpreter and its arguments; the batch's and the report's descriptors stand in it.
        fds: The batch as a file, and the write ends of stdout, stderr and report.
        ended: Called once, when the process has ended.
        environment: Variables beside our own. The interpreter and the libraries that it loads see them from
            the start, as some need: PYTHONHASHSEED, LD_LIBRARY_PATH, TZ.
    """
    batch, stdout, stderr, report = fds
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        pass_fds=(batch, report),
        start_new_session=True,
        env={**os.environ, **environment},
    )
    child = FreshChild(process)
    child.watch(ended)
    return child


class FreshChild:
    """A process started afresh; leader of its own process group."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.pid = process.pid
        self._process = process
        self._watcher: asyncio.Task[None] | None = None

    def watch(self, ended: Callable[[ChildExit], None]) -> None:
        """Tell when the process has ended."""

        async def wait() -> None:
            code = await self._process.wait()
            ended(ChildExit(-code if code < 0 else code << 8))

        self._watcher = asyncio.create_task(wait())

    async def gone(self) -> None:
        """Return once the process has ended."""
        await self._process.wait()

    def signal(self, number: int) -> None:
        """Send a signal to the step's process; SIGKILL ends its whole process group."""
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if number == signal.SIGKILL else os.kill)(self.pid, number)
