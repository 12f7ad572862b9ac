"""The launcher's side of the warm parent: starts it, asks it for children, hears how they end."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator

from msgspec import Struct

from headway.errors import HeadwayError
from headway.executors.local.warmup import CAN_FORK, take
from headway.store.batch import Code

_MESSAGE = 64 * 1024

#: Seconds after which a message is sent again for which the socket had no room.
_RETRY = 0.005


class ChildExit(Struct, frozen=True):
    """How a local process ended: its wait status, peak memory in bytes, processor time in seconds."""

    status: int
    peak: int = 0
    cpu: float = 0.0


class Zygote:
    """A running zygote process.

    Args:
        code: How the flow's code is started.
        store_url: The datastore that its children write to.
    """

    def __init__(self, code: Code, store_url: str) -> None:
        warm = take()
        self._process, self._socket = warm.process, warm.socket
        self._exits: dict[int, Callable[[ChildExit], None]] = {}
        self._pids: dict[int, asyncio.Future[int]] = {}
        self._groups: dict[int, int] = {}
        self._number = 0
        self._error: HeadwayError | None = None
        self._ready: asyncio.Future[str] | None = None
        warm.tell(store_url, code)
        self._socket.setblocking(False)

    def connect(self) -> None:
        """Begin to listen; needs the running event loop."""
        loop = asyncio.get_running_loop()
        self._ready = loop.create_future()
        loop.add_reader(self._socket, self._receive)

    async def unforkable(self) -> str:
        """Wait until the flow is imported; "" if the zygote can fork, else why it must not."""
        assert self._ready is not None, "connect() comes first"
        return await asyncio.shield(self._ready)

    async def fork(
        self, index: int, fds: tuple[int, int, int, int], ended: Callable[[ChildExit], None]
    ) -> tuple[int, int]:
        """Start a child.

        Args:
            index: Which task of the batch.
            fds: The batch as a file, and the write ends of stdout, stderr and report.
            ended: Called once, when the child has ended.

        Returns:
            The child's number here, and its process id.
        """
        if self._error is not None:
            raise self._error
        self._number += 1
        number = self._number
        self._exits[number] = ended
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._pids[number] = future
        message = json.dumps({"fork": number, "index": index}).encode()
        while True:
            try:
                socket.send_fds(self._socket, [message], list(fds))
                break
            except BlockingIOError:
                # More is under way than the socket holds; the zygote takes it out one by one.
                await asyncio.sleep(_RETRY)
            except OSError:
                # The zygote is gone; the reader of the socket hears of it and says so to the future.
                break
        return number, await future

    def signal(self, child: int, number: int) -> None:
        """Send a signal to a child (SIGKILL: to its whole process group); the zygote knows whether it has it."""
        try:
            self._socket.send(json.dumps({"signal": number, "child": child}).encode())
        except BlockingIOError:
            asyncio.get_running_loop().call_later(_RETRY, self.signal, child, number)
        except OSError:
            # The zygote is gone, and with it the child.
            return

    def close(self) -> None:
        """End the zygote and everything it started."""
        with contextlib.suppress(RuntimeError, ValueError):
            asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        if self._ready is None or not self._ready.done():
            # It still imports the flow, hears of nothing, and has no children.
            self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(2)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _receive(self) -> None:
        while True:
            try:
                data = self._socket.recv(_MESSAGE)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                data = b""
            if not data:
                self._gone()
                return
            self._hear(json.loads(data))

    def _hear(self, message: dict[str, object]) -> None:
        if "ready" in message:
            assert self._ready is not None
            if not self._ready.done():
                self._ready.set_result(str(message["why"]))
        elif "started" in message:
            number, pid = int(str(message["started"])), int(str(message["pid"]))
            self._groups[number] = pid
            future = self._pids.pop(number)
            if not future.done():
                future.set_result(pid)
        else:
            exit_ = ChildExit(
                int(str(message["status"])), int(str(message["peak"])), float(str(message["cpu"]))
            )
            number = int(str(message["ended"]))
            self._groups.pop(number, None)
            self._exits.pop(number)(exit_)

    def _gone(self) -> None:
        """The zygote died: everything it had started goes with it."""
        asyncio.get_running_loop().remove_reader(self._socket)
        for group in self._groups.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        # It may only have closed its end of the socket.
        self._process.kill()
        error = self._error = HeadwayError(
            f"The process that local steps are forked from ended unexpectedly ({_how(self._process.wait())}).",
            "Its last words, if any, stand above. Was it killed for want of memory?",
        )
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(error)
        for future in self._pids.values():
            future.set_exception(error)
        self._pids.clear()
        exits, self._exits = self._exits, {}
        for ended in exits.values():
            ended(ChildExit(signal.SIGKILL))


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


@contextlib.contextmanager
def warm_parent(code: Code, store_url: str) -> Iterator[Zygote | None]:
    """A zygote for the time of the block, which imports the flow while everything else gets ready.

    There is none where forking is not safe (macOS): then every attempt gets a process started afresh.
    """
    zygote = Zygote(code, store_url) if CAN_FORK else None
    try:
        yield zygote
    finally:
        if zygote is not None:
            zygote.close()
