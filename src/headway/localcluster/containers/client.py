"""The daemon's side of the supervisor."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import tempfile
from typing import Any

from headway.localcluster.containers.spec import MAX_PACKET, ContainerSpec, Exit, Isolation


class ContainerFailedError(Exception):
    """A container or command that could not be created or started.

    Args:
        stage: `create` or `start`.
        message: Why.
    """

    def __init__(self, stage: str, message: str) -> None:
        super().__init__(message)
        self.stage = stage
        self.message = message


class ContainerRuntime:
    """Starts and ends containers through the supervisor.

    Args:
        control: The socket to the supervisor.
        isolation: What the supervisor can do.
    """

    def __init__(self, control: socket.socket, isolation: Isolation) -> None:
        self._control = control
        self.isolation = isolation
        self._starting: dict[str, asyncio.Future[None]] = {}
        self._running: dict[str, asyncio.Future[Exit]] = {}
        self._commands = 0

    def attach(self) -> None:
        """Listen to the supervisor in the running event loop."""
        asyncio.get_running_loop().add_reader(self._control, self._receive)

    def close(self) -> None:
        """Let the supervisor go, and with it every container."""
        asyncio.get_running_loop().remove_reader(self._control)
        self._control.close()

    async def run(self, name: str, spec: ContainerSpec, stdout: int, stderr: int) -> asyncio.Future[Exit]:
        """Start a container.

        Args:
            name: A name no running container has.
            spec: What to run.
            stdout: The descriptor for its output; closed here.
            stderr: The descriptor for its errors; closed here.

        Returns:
            A future of how it ends.

        Raises:
            ContainerFailedError: It does not start.
        """
        with tempfile.TemporaryFile() as file:
            file.write(spec.dump())
            file.flush()
            descriptors = [file.fileno(), stdout, stderr]
            return await self._started(name, {"op": "run", "id": name}, descriptors, [stdout, stderr])

    async def execute(
        self, container: str, argv: list[str], descriptors: tuple[int, int, int]
    ) -> tuple[str, asyncio.Future[Exit]]:
        """Start a command inside a running container; the descriptors are closed here.

        Returns:
            The command's name for `signal`, and a future of how it ends.

        Raises:
            ContainerFailedError: It does not start.
        """
        self._commands += 1
        name = f"exec-{self._commands}"
        message = {"op": "exec", "id": name, "container": container, "argv": argv}
        return name, await self._started(name, message, list(descriptors), list(dict.fromkeys(descriptors)))

    async def _started(
        self, name: str, message: dict[str, Any], descriptors: list[int], to_close: list[int]
    ) -> asyncio.Future[Exit]:
        loop = asyncio.get_running_loop()
        started: asyncio.Future[None] = loop.create_future()
        ended: asyncio.Future[Exit] = loop.create_future()
        self._starting[name], self._running[name] = started, ended
        try:
            socket.send_fds(self._control, [json.dumps(message).encode()], descriptors)
        finally:
            for descriptor in to_close:
                os.close(descriptor)
        # Shielded: a container whose caller gave up has started all the same.
        await asyncio.shield(started)
        return ended

    def signal(self, name: str, number: int) -> None:
        """Signal a container's first process; SIGKILL ends all of its processes."""
        if name in self._running:
            self._send({"op": "signal", "id": name, "signal": number})

    def kill(self, name: str) -> None:
        """End all of a container's processes at once."""
        self.signal(name, signal.SIGKILL)

    def resize(self, terminal: int, rows: int, columns: int) -> None:
        """Tell a terminal its size."""
        message = {"op": "resize", "rows": rows, "columns": columns}
        socket.send_fds(self._control, [json.dumps(message).encode()], [terminal])

    def _send(self, message: dict[str, Any]) -> None:
        self._control.sendall(json.dumps(message).encode())

    def _receive(self) -> None:
        try:
            packet = self._control.recv(MAX_PACKET, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        if not packet:
            self._lost()
            return
        message = json.loads(packet)
        name, operation = message["id"], message["op"]
        if operation == "started":
            self._starting.pop(name).set_result(None)
        elif operation == "failed":
            self._running.pop(name)
            error = ContainerFailedError(message["stage"], message["message"])
            self._starting.pop(name).set_exception(error)
        elif operation == "exited":
            ended = self._running.pop(name)
            if not ended.done():
                ended.set_result(Exit(message["code"], message["signal"], message["oom"]))

    def _lost(self) -> None:
        """The supervisor died: so did every container."""
        asyncio.get_running_loop().remove_reader(self._control)
        error = ContainerFailedError("create", "the container supervisor is gone")
        for started in self._starting.values():
            started.set_exception(error)
        for ended in self._running.values():
            if not ended.done():
                ended.set_result(Exit(137, signal.SIGKILL))
        self._starting.clear()
        self._running.clear()
