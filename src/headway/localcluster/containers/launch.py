"""The steps of a child between its fork and the user's program."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
import termios
from pathlib import Path
from typing import NoReturn

from headway.localcluster.containers import namespaces as ns
from headway.localcluster.containers.mounts import FileSystem
from headway.localcluster.containers.spec import ContainerSpec, Isolation

CREATE = "create"
START = "start"
_NAMESPACES = (
    ("user", ns.NEW_USERS),
    ("mnt", ns.NEW_MOUNTS),
    ("uts", ns.NEW_HOSTNAME),
    ("pid", ns.NEW_PROCESSES),
)


def run_container(
    spec: ContainerSpec, isolation: Isolation, output: tuple[int, int], failure: int
) -> NoReturn:
    """Turn the calling child into a container; failures are written to `failure` as JSON.

    Args:
        spec: What to run.
        isolation: What the kernel allows.
        output: Descriptors for standard output and error.
        failure: The writing end of a pipe that closes when the program starts.
    """
    stage = CREATE
    try:
        os.setsid()
        ns.die_with_parent()
        if isolation.mounts:
            ns.unshare(ns.NEW_MOUNTS | ns.NEW_HOSTNAME)
            ns.set_hostname(spec.hostname[:63])
            _build(spec, isolation)
        _take_descriptors((os.open(os.devnull, os.O_RDONLY), *output), failure)
        if spec.uid >= 0 and isolation.mounts:
            ns.become(spec.uid, max(spec.gid, 0))
        os.umask(0o022)
        os.chdir(spec.workdir)
        stage = START
        _execute(spec.argv, spec.env)
    except BaseException as error:
        _fail(failure, stage, error)


def run_in(
    pid: int,
    argv: list[str],
    env: dict[str, str],
    workdir: str,
    descriptors: tuple[int, int, int],
    failure: int,
) -> NoReturn:
    """Turn the calling child into a command that runs inside a container.

    Args:
        pid: The container's first process.
        argv: The command.
        env: Its environment.
        workdir: The folder to start in.
        descriptors: Standard input, output and error.
        failure: The writing end of a pipe that closes when the program starts.
    """
    try:
        os.setsid()
        _take_descriptors(descriptors, failure)
        _enter(pid)
        child = os.fork()
        if child == 0:
            if os.isatty(0):
                _own_terminal()
            os.chdir(workdir)
            _execute(argv, env)
        os.close(failure)
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        os._exit(code if code >= 0 else 128 - code)
    except BaseException as error:
        _fail(failure, START, error)


def _build(spec: ContainerSpec, isolation: Isolation) -> None:
    system = FileSystem(spec.staging, fresh_proc=isolation.processes)
    system.enter()
    for mount in spec.mounts:
        if mount.source:
            system.bind(mount.source, mount.target, read_only=mount.read_only)
        else:
            system.memory(mount.target, mount.size or None)
    system.folder(spec.workdir)
    system.leave_host()


def _enter(pid: int) -> None:
    """Join the namespaces of a container; one that is already ours cannot be joined and is left out."""
    wanted = []
    for name, kind in _NAMESPACES:
        theirs = f"/proc/{pid}/ns/{name}"
        if Path(theirs).readlink() != Path(f"/proc/self/ns/{name}").readlink():
            wanted.append((os.open(theirs, os.O_RDONLY), kind, name))
    # The user namespace goes last: joining it gives up the right to join the others.
    for descriptor, kind, _ in sorted(wanted, key=lambda entry: entry[2] == "user"):
        ns.join(descriptor, kind)
        os.close(descriptor)


def _own_terminal() -> None:
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _take_descriptors(descriptors: tuple[int, ...], failure: int) -> None:
    """Make these the standard descriptors and let every other but `failure` go at exec."""
    for place, descriptor in enumerate(descriptors):
        os.dup2(descriptor, place)
    os.set_inheritable(failure, False)
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGPIPE, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _execute(argv: list[str], env: dict[str, str]) -> NoReturn:
    program = argv[0]
    if "/" in program:
        os.execve(program, argv, env)  # noqa: S606 - starting programs is what this is for
    for folder in env.get("PATH", os.defpath).split(":"):
        candidate = f"{folder}/{program}"
        if os.access(candidate, os.X_OK) and not Path(candidate).is_dir():
            os.execve(candidate, argv, env)  # noqa: S606 - as above
    raise FileNotFoundError(f'exec: "{program}": executable file not found in $PATH: unknown')


def _fail(failure: int, stage: str, error: BaseException) -> NoReturn:
    text = str(error)
    if stage == START and isinstance(error, OSError) and error.errno:
        text = f'exec: "{error.filename}": {error.strerror}' if error.filename else str(error)
    try:
        os.write(failure, json.dumps({"stage": stage, "message": text}).encode())
    finally:
        sys.stderr = None
        os._exit(127)
