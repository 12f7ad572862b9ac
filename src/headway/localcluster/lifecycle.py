"""Starting and stopping the cluster's process."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headway.errors import HeadwayError, UsageError
from headway.localcluster.certificates import ensure
from headway.localcluster.options import Options
from headway.localcluster.state import OCCUPIED, READY, State, default_folder

_STOP_PATIENCE = 10.0
_LOG_TAIL = 2000
#: What the descriptor on which the daemon says that it is ready is called there.
_READY_THERE = 9


@dataclass(frozen=True)
class Handle:
    """A running cluster.

    Attributes:
        kubeconfig: The file that clients read; the user's own is never touched.
        pid: The cluster's process.
        port: The port of its API on 127.0.0.1.
        limitation: What this machine does not allow its containers; empty if nothing.
    """

    kubeconfig: Path
    pid: int
    port: int
    limitation: str = ""


def start(options: Options | None = None, folder: Path | None = None) -> Handle:
    """Start the cluster, or return the one that runs already.

    Args:
        options: What it should be like; the machine as it is by default. A cluster that runs keeps its own, but
            for its end: with an `idle_exit` of 0, it does not end by itself any more.
        folder: Where its files are; `$XDG_STATE_HOME/headway/cluster` by default.

    Raises:
        UsageError: Its files cannot be kept there.
        HeadwayError: It does not start; the message has the end of its log.
    """
    state = State(folder or default_folder())
    wanted = options or Options()
    found = running(state.folder)
    if found is not None:
        if not wanted.idle_exit:
            state.stays.touch()
        return found
    try:
        state.prepare()
        state.stays.unlink(missing_ok=True)
        ensure(state.certificates)
    except OSError as error:
        raise UsageError(
            f"The embedded cluster cannot keep its files in {state.folder}: {error.strerror or error}.",
            "Name a folder of your own that has room: export XDG_STATE_HOME=/path",
        ) from error
    port = wanted.port or state.record().get("port", 0)
    reading, writing = os.pipe()
    pid = _spawn(state, writing, {**wanted.dump(), "port": port})
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    if said == OCCUPIED:
        os.waitpid(pid, 0)
    handle = _soon_running(state) if said == OCCUPIED else running(state.folder)
    if said not in (READY, OCCUPIED) or handle is None:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
        reason = said.decode() or state.log.read_text(errors="replace")[-_LOG_TAIL:].strip()
        raise HeadwayError(f"The embedded cluster did not start: {reason}", f"Its log is {state.log}.")
    return handle


def _soon_running(state: State) -> Handle | None:
    """The cluster that somebody else is starting at this moment."""
    deadline = time.monotonic() + _STOP_PATIENCE
    while (found := running(state.folder)) is None and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def _spawn(state: State, ready: int, options: dict[str, Any]) -> int:
    """Start the daemon with its output in the log; `ready` is open in it as well."""
    command = [sys.executable, "-m", "headway.localcluster.daemon", str(state.folder), str(_READY_THERE)]
    command.append(json.dumps(options))
    log = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(state.log), log, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
        # Not by making it inheritable here: a daemon that another thread starts now would keep it open, too.
        (os.POSIX_SPAWN_DUP2, ready, _READY_THERE),
    ]
    # The daemon calls nobody: without this, its HTTP library reads every authority of the machine, 60 ms of CPU.
    environ = {**os.environ, "SSL_CERT_FILE": os.devnull}
    # Not subprocess: the daemon outlives this process, and nobody is to wait for it.
    return os.posix_spawn(sys.executable, command, environ, file_actions=actions)


def running(folder: Path | None = None) -> Handle | None:
    """The cluster that runs, or None.

    Args:
        folder: Where its files are; the default as for `start`.
    """
    try:
        state = State(folder or default_folder())
    except UsageError:
        # Nobody can have started one that this user would find.
        return None
    if not state.in_use():
        return None
    record = state.record()
    if "pid" not in record:
        return None
    return Handle(state.kubeconfig, record["pid"], record["port"], record.get("reason", ""))


def stop(folder: Path | None = None) -> bool:
    """Stop the cluster and everything that runs in it.

    Args:
        folder: Where its files are; the default as for `start`.

    Returns:
        Whether there was one.
    """
    state = State(folder or default_folder())
    handle = running(state.folder)
    if handle is None:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(handle.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_PATIENCE
    while state.in_use():
        if time.monotonic() > deadline:
            with contextlib.suppress(ProcessLookupError):
                os.kill(handle.pid, signal.SIGKILL)
            break
        time.sleep(0.02)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(handle.pid, os.WNOHANG)
    state.kubeconfig.unlink(missing_ok=True)
    return True
