"""`pods/exec` over WebSocket, with the channels that kubectl and the client libraries speak."""

from __future__ import annotations

import asyncio
import json
import os
import pty
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web

from headway.localcluster.api.logs import chosen_container
from headway.localcluster.api.paths import Target
from headway.localcluster.api.respond import flag
from headway.localcluster.containers.client import ContainerFailedError, ContainerRuntime
from headway.localcluster.containers.spec import Exit
from headway.localcluster.node.kubelet import Kubelet
from headway.localcluster.objects.failures import ApiError, bad_request
from headway.localcluster.objects.kinds import POD
from headway.localcluster.objects.meta import Object, encode, uid_of
from headway.localcluster.objects.store import Store

_PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_STDIN, _STDOUT, _STDERR, _ERROR, _RESIZE, _CLOSE = 0, 1, 2, 3, 4, 255
_CHUNK = 32 * 1024


class Executor:
    """Runs commands in containers.

    Args:
        store: Where the pods are.
        kubelet: Knows their containers.
        runtime: Starts the commands.
    """

    def __init__(self, store: Store, kubelet: Kubelet, runtime: ContainerRuntime) -> None:
        self._store = store
        self._kubelet = kubelet
        self._runtime = runtime

    async def execute(self, request: web.BaseRequest, target: Target) -> web.StreamResponse:
        """Run one command and carry its streams."""
        pod = self._store.get(POD, target.namespace, target.name)
        argv = request.query.getall("command", [])
        if not argv:
            raise bad_request("you must specify at least one command for the container")
        name = self._container(pod, chosen_container(pod, request.query.get("container", "")))
        if request.headers.get("Upgrade", "").lower() != "websocket":
            raise bad_request("Upgrade request required; only WebSocket is spoken here")
        socket = web.WebSocketResponse(protocols=_PROTOCOLS, max_msg_size=0)
        await socket.prepare(request)
        session = _Session(socket, self._runtime, tty=flag(request, "tty"), stdin=flag(request, "stdin"))
        await session.run(name, argv)
        await socket.close()
        return socket

    def _container(self, pod: Object, name: str) -> str:
        worker = self._kubelet.worker(uid_of(pod))
        container = worker.container(name) if worker is not None else None
        if container is None or not container.runtime_name:
            phase = pod["status"].get("phase")
            text = f"cannot exec into a container in a completed pod; current phase is {phase}"
            if phase not in ("Succeeded", "Failed"):
                text = f'unable to upgrade connection: container not found ("{name}")'
            raise ApiError(500 if "upgrade" in text else 400, "BadRequest", text) from None
        return container.runtime_name


class _Session:
    """One command and its connection."""

    def __init__(
        self, socket: web.WebSocketResponse, runtime: ContainerRuntime, *, tty: bool, stdin: bool
    ) -> None:
        self._socket = socket
        self._runtime = runtime
        self._tty = tty
        self._stdin = stdin
        self._input = -1
        self._terminal = -1

    async def run(self, container: str, argv: list[str]) -> None:
        readers, theirs = self._open()
        try:
            name, ended = await self._runtime.execute(container, argv, theirs)
        except ContainerFailedError as error:
            for _, descriptor in readers:
                os.close(descriptor)
            self._close_input()
            await self._finish(_failure(f"failed to exec in container: {error.message}", 126))
            return
        pumps = [asyncio.create_task(self._pump(channel, descriptor)) for channel, descriptor in readers]
        listening = asyncio.create_task(self._listen())
        waited: set[asyncio.Future[Any]] = {ended, listening}
        done, _ = await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        if ended not in done:
            self._runtime.kill(name)
        end = await asyncio.shield(ended)
        await asyncio.wait(pumps, timeout=1.0)
        for task in (*pumps, listening):
            task.cancel()
        self._close_input()
        await self._finish(_status(end))

    def _open(self) -> tuple[list[tuple[int, int]], tuple[int, int, int]]:
        """Our reading ends by channel, and the command's three descriptors."""
        if self._tty:
            ours, theirs = pty.openpty()
            self._terminal = self._input = ours
            return [(_STDOUT, os.dup(ours))], (theirs, os.dup(theirs), os.dup(theirs))
        if self._stdin:
            stdin, self._input = os.pipe()
        else:
            stdin = os.open(os.devnull, os.O_RDONLY)
        stdout, their_stdout = os.pipe()
        stderr, their_stderr = os.pipe()
        return [(_STDOUT, stdout), (_STDERR, stderr)], (stdin, their_stdout, their_stderr)

    async def _pump(self, channel: int, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        try:
            while data := await _readable(descriptor, lambda: os.read(descriptor, _CHUNK)):
                await self._socket.send_bytes(bytes([channel]) + data)
        except (OSError, ConnectionError):
            # A terminal whose last process ended, or a client that left.
            return
        finally:
            os.close(descriptor)

    async def _listen(self) -> None:
        async for message in self._socket:
            if message.type != WSMsgType.BINARY or not message.data:
                continue
            channel, data = message.data[0], message.data[1:]
            if channel == _STDIN and self._input >= 0:
                await asyncio.get_running_loop().run_in_executor(None, _write_all, self._input, data)
            elif channel == _RESIZE and self._terminal >= 0:
                size = json.loads(data)
                self._runtime.resize(self._terminal, size["Height"], size["Width"])
            elif channel == _CLOSE and data[:1] == bytes([_STDIN]):
                self._close_input()

    def _close_input(self) -> None:
        if self._input >= 0:
            os.close(self._input)
            self._input = -1

    async def _finish(self, status: Object) -> None:
        if not self._socket.closed:
            await self._socket.send_bytes(bytes([_ERROR]) + encode(status))


async def _readable(descriptor: int, read: Callable[[], bytes]) -> bytes:
    """Read once there is something."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            return read()
        except BlockingIOError:
            ready: asyncio.Future[None] = loop.create_future()
            loop.add_reader(descriptor, _wake, ready)
            try:
                await ready
            finally:
                loop.remove_reader(descriptor)


def _wake(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def _write_all(descriptor: int, data: bytes) -> None:
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except OSError:
        # The command closed its input; what it does not read is nobody's.
        return


def _status(end: Exit) -> Object:
    if end.code == 0:
        return {"metadata": {}, "status": "Success"}
    return _failure(f"command terminated with non-zero exit code: exit status {end.code}", end.code)


def _failure(message: str, code: int) -> Object:
    return {
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }
