"""The process that holds the containers: starts them, waits for them, limits their memory, ends them."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import signal
import socket
import struct
import sys
import termios
from typing import Any, NoReturn

from headway.localcluster.containers import memory
from headway.localcluster.containers import namespaces as ns
from headway.localcluster.containers.launch import run_container, run_in
from headway.localcluster.containers.spec import MAX_PACKET, ContainerSpec, Isolation

_POLL = 0.05
_UNSAMPLED_FILES = 12 * 1024 * 1024


class _Container:
    """A running container: its first process and what is known of its memory."""

    def __init__(self, name: str, pid: int, spec: ContainerSpec) -> None:
        self.name = name
        self.pid = pid
        self.spec = spec
        self.out_of_memory = False
        self.mapped = _UNSAMPLED_FILES


class Supervisor:
    """Serves the daemon over a socket until the daemon goes away.

    Args:
        control: The socket; packets of JSON, descriptors beside them.
        isolation: What the kernel allows.
    """

    def __init__(self, control: socket.socket, isolation: Isolation) -> None:
        self._control = control
        self._isolation = isolation
        self._containers: dict[int, _Container] = {}
        self._commands: dict[int, str] = {}
        self._own_processes = os.open("/proc/self/ns/pid", os.O_RDONLY) if isolation.processes else -1

    def serve(self) -> NoReturn:
        """Run until the daemon closes the socket; every container dies with this process."""
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        os.set_blocking(reading, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        while True:
            limited = any(container.spec.memory for container in self._containers.values())
            watched: list[Any] = [self._control, reading]
            ready, _, _ = select.select(watched, [], [], _POLL if limited else 5.0)
            if reading in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(reading, 4096)
            self._reap()
            if limited:
                self._check_memory()
            if self._control in ready:
                packet, descriptors, _, _ = socket.recv_fds(self._control, MAX_PACKET, 4)
                if not packet:
                    self._end()
                self._handle(json.loads(packet), descriptors)
            elif os.getppid() == 1 and not self._isolation.processes:
                self._end()

    def _end(self) -> NoReturn:
        for container in self._containers.values():
            self._kill(container)
        os._exit(0)

    def _handle(self, message: dict[str, Any], descriptors: list[int]) -> None:
        operation = message["op"]
        if operation == "run":
            self._run(message["id"], descriptors)
        elif operation == "exec":
            self._exec(message, descriptors)
        elif operation == "signal":
            self._signal(message["id"], message["signal"])
        elif operation == "resize":
            size = struct.pack("HHHH", message["rows"], message["columns"], 0, 0)
            with contextlib.suppress(OSError):
                fcntl.ioctl(descriptors[0], termios.TIOCSWINSZ, size)
            os.close(descriptors[0])

    def _run(self, name: str, descriptors: list[int]) -> None:
        spec_file, *output = descriptors
        spec = ContainerSpec.load(os.pread(spec_file, os.fstat(spec_file).st_size, 0))
        reading, writing = os.pipe()
        try:
            pid = self._fork()
        except OSError as error:
            os.close(writing)
            _close([reading, *descriptors])
            self._send({"op": "failed", "id": name, "stage": "create", "message": str(error)})
            return
        if pid == 0:
            run_container(spec, self._isolation, (output[0], output[1]), writing)
        os.close(writing)
        _close(descriptors)
        failure = _drain(reading)
        if failure:
            os.waitpid(pid, 0)
            self._send({"op": "failed", "id": name, **json.loads(failure)})
            return
        self._containers[pid] = _Container(name, pid, spec)
        self._send({"op": "started", "id": name})

    def _fork(self) -> int:
        if self._isolation.processes:
            return ns.in_new_processes(os.fork, self._own_processes)
        return os.fork()

    def _exec(self, message: dict[str, Any], descriptors: list[int]) -> None:
        target = next((c for c in self._containers.values() if c.name == message["container"]), None)
        if target is None:
            _close(descriptors)
            self._send(
                {"op": "failed", "id": message["id"], "stage": "start", "message": "container not found"}
            )
            return
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            stdin, stdout, stderr = descriptors
            env = {**target.spec.env, **message.get("env", {})}
            run_in(target.pid, message["argv"], env, target.spec.workdir, (stdin, stdout, stderr), writing)
        os.close(writing)
        _close(descriptors)
        failure = _drain(reading)
        if failure:
            os.waitpid(pid, 0)
            self._send({"op": "failed", "id": message["id"], **json.loads(failure)})
            return
        self._commands[pid] = message["id"]
        self._send({"op": "started", "id": message["id"]})

    def _signal(self, name: str, number: int) -> None:
        for container in self._containers.values():
            if container.name == name:
                if number == signal.SIGKILL:
                    self._kill(container)
                else:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(container.pid, number)
        for pid, command in self._commands.items():
            if command == name:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, number)

    def _kill(self, container: _Container) -> None:
        """End all of a container's processes; with a process namespace the first one takes the rest along."""
        victims = [container.pid]
        if not self._isolation.processes and sys.platform == "linux":
            victims = memory.tree(container.pid, memory.children())
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(container.pid, signal.SIGKILL)
        for pid in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _reap(self) -> None:
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._ended(pid, status, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))

    def _ended(self, pid: int, status: int, peak: int) -> None:
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        code = 128 + number if number else os.waitstatus_to_exitcode(status)
        container = self._containers.pop(pid, None)
        if container is None:
            command = self._commands.pop(pid, None)
            if command is not None:
                self._send({"op": "exited", "id": command, "code": code, "signal": number, "oom": False})
            return
        if not self._isolation.processes:
            self._kill(container)
        limit = container.spec.memory
        # A program that passes its limit and ends between two samples would not have got that far.
        if limit and peak - container.mapped > limit:
            container.out_of_memory, code, number = True, 137, signal.SIGKILL
        oom = container.out_of_memory
        self._send({"op": "exited", "id": container.name, "code": code, "signal": number, "oom": oom})

    def _check_memory(self) -> None:
        if sys.platform != "linux":
            return
        children = memory.children()
        for container in self._containers.values():
            limit = container.spec.memory
            if not limit or container.out_of_memory:
                continue
            pids = memory.tree(container.pid, children)
            total, container.mapped = memory.resident(pids)
            if total > limit and memory.charged(pids) > limit:
                container.out_of_memory = True
                self._kill(container)

    def _send(self, message: dict[str, Any]) -> None:
        try:
            self._control.sendall(json.dumps(message).encode())
        except OSError:
            self._end()


def spawn(*, isolated: bool = True) -> tuple[socket.socket, Isolation]:
    """Fork a supervisor with the most isolation that the kernel allows.

    To be called before threads or an event loop exist.

    Args:
        isolated: False does without namespaces even where they are allowed.

    Returns:
        The socket to it, and what it can do.
    """
    levels = [(True, True), (True, False), (False, False)]
    reason = "" if isolated else "switched off"
    for mounts, processes in levels if isolated and sys.platform == "linux" else levels[-1:]:
        if not mounts and not reason:
            reason = f"{sys.platform} has no namespaces"
        isolation = Isolation(mounts, processes, reason)
        control, failure = _spawn(isolation)
        if not failure:
            return control, isolation
        control.close()
        reason = failure
    raise OSError(f"the container supervisor does not start: {reason}")


def _spawn(isolation: Isolation) -> tuple[socket.socket, str]:
    kind = socket.SOCK_SEQPACKET if sys.platform == "linux" else socket.SOCK_DGRAM
    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
    pid = os.fork()
    if pid == 0:
        ours.close()
        try:
            _become_supervisor(theirs, isolation)
        except BaseException as error:
            with contextlib.suppress(OSError):
                theirs.sendall(json.dumps({"op": "broken", "message": str(error)}).encode())
            os._exit(1)
    theirs.close()
    if isolation.mounts and json.loads(ours.recv(MAX_PACKET))["op"] == "unshared":
        try:
            ns.map_users_of(pid)
        except OSError as error:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return ours, str(error)
        ours.sendall(b"mapped")
    answer = ours.recv(MAX_PACKET)
    message = json.loads(answer) if answer else {"op": "broken", "message": "it ended at once"}
    if message["op"] == "ready":
        return ours, ""
    os.waitpid(pid, 0)
    return ours, str(message["message"])


def _become_supervisor(control: socket.socket, isolation: Isolation) -> NoReturn:
    ns.die_with_parent()
    os.setsid()
    # The daemon's other descriptors (its lock, the pipe its starter waits on) must end with the daemon.
    os.closerange(3, control.fileno())
    os.closerange(control.fileno() + 1, os.sysconf("SC_OPEN_MAX"))
    if isolation.mounts:
        ns.unshare(ns.NEW_USERS | ns.NEW_MOUNTS | (ns.NEW_PROCESSES if isolation.processes else 0))
        control.sendall(json.dumps({"op": "unshared"}).encode())
        control.recv(MAX_PACKET)
    if isolation.processes:
        pid = os.fork()
        if pid != 0:
            # Only waits: the namespace's first process has to be a child of somebody outside it.
            control.close()
            ns.die_with_parent()
            os.waitpid(pid, 0)
            os._exit(0)
    ns.die_with_parent()
    if isolation.mounts:
        ns.mount(None, "/", None, ns.MS_REC | ns.MS_PRIVATE)
    if isolation.processes:
        ns.mount("proc", "/proc", "proc", ns.MS_NOSUID | ns.MS_NODEV | ns.MS_NOEXEC)
    else:
        ns.adopt_orphans()
    control.sendall(json.dumps({"op": "ready"}).encode())
    Supervisor(control, isolation).serve()


def _drain(descriptor: int) -> bytes:
    """All that comes through a pipe until its other end closes."""
    parts = []
    while part := os.read(descriptor, 4096):
        parts.append(part)
    os.close(descriptor)
    return b"".join(parts)


def _close(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
