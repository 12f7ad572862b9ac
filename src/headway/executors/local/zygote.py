"""The launcher's side of the warm parent: starts it, asks it for children, hears how they end."""

import asyncio
import contextlib
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

from headway.errors import HeadwayError
from headway.store.records import Code

_MESSAGE = 64 * 1024


@dataclass(frozen=True, slots=True)
class ChildExit:
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
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket = ours
        self._exits: dict[int, Callable[[ChildExit], None]] = {}
        self._pids: dict[int, asyncio.Future[int]] = {}
        self._number = 0
        self._ready: asyncio.Future[str] | None = None
        with theirs:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "headway.runtime.zygote",
                    str(theirs.fileno()),
                    store_url,
                    json.dumps(code),
                ],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        ours.setblocking(False)

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
        self._number += 1
        number = self._number
        self._exits[number] = ended
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._pids[number] = future
        socket.send_fds(self._socket, [json.dumps({"fork": number, "index": index}).encode()], list(fds))
        return number, await future

    def signal(self, child: int, number: int) -> None:
        """Send a signal to a child's whole process group."""
        with contextlib.suppress(OSError):
            self._socket.send(json.dumps({"signal": number, "child": child}).encode())

    def close(self) -> None:
        """End the zygote and everything it started."""
        with contextlib.suppress(RuntimeError, ValueError):
            asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
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
            future = self._pids.pop(int(str(message["started"])))
            if not future.done():
                future.set_result(int(str(message["pid"])))
        else:
            exit_ = ChildExit(
                int(str(message["status"])), int(str(message["peak"])), float(str(message["cpu"]))
            )
            self._exits.pop(int(str(message["ended"])))(exit_)

    def _gone(self) -> None:
        """The zygote died: so did, by its own doing or ours, everything it had started."""
        asyncio.get_running_loop().remove_reader(self._socket)
        code = self._process.wait()
        error = HeadwayError(
            f"The process that local steps are forked from ended unexpectedly ({_how(code)})."
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
