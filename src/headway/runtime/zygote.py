"""The warm parent of local attempts: imports the flow once, then forks a child for each attempt.

It speaks with the launcher over one socket that keeps message boundaries (Linux):

- the launcher sends ``{"store": url, "code": …, "environ": {…}}`` once, then ``{"fork": n, "index": i}`` with
  four file descriptors (the batch as a file, stdout, stderr, report), or ``{"signal": number, "child": n}``;
- the zygote answers ``{"ready": true, "forkable": …, "why": …}`` once, then ``{"started": n, "pid": …}``
  and ``{"ended": n, "status": …, "peak": …, "cpu": …}`` for each child.

It runs no threads and opens no connections. End of file on the socket means that the launcher
is gone: every child's group is killed and the zygote leaves.
"""

import gc
import json
import os
import selectors
import signal
import socket
import sys
import time
import warnings
from typing import Any, Callable, Dict, List, NoReturn, Optional, Tuple

from headway.errors import HeadwayError
from headway.runtime import child, reseed
from headway.runtime.entry import load_flow
from headway.runtime.forking import descriptors, unforkable
from headway.runtime.seeding import Seeding
from headway.store.base import ObjectStore
from headway.store.batch import Batch, Code
from headway.store.open import open_store

_MESSAGE = 64 * 1024
#: The first message carries a whole environment; a socket takes at most some 200 KB at once.
_HELLO = 1024 * 1024
#: How often a fork is tried that the system refuses for the moment (too many processes), and how far apart.
_FORKS, _FORK_PAUSE = 50, 0.1


def main() -> NoReturn:
    """The process; its argument is the socket's descriptor."""
    control = socket.socket(fileno=int(sys.argv[1]))
    control.set_inheritable(False)
    first = control.recv(_HELLO)
    if not first:
        # The launcher ran nothing, or is gone.
        os._exit(0)
    told = json.loads(first)
    code, url = Code.from_json(told["code"]), told["store"]
    os.environ.update(told["environ"])
    os.environ.update(HEADWAY_IN_TASK="1", HEADWAY_TASK_DATASTORE=url)
    load, why = import_once(code)
    _load_store(url)
    # What the import printed must not be printed again by each child.
    sys.stdout.flush()
    sys.stderr.flush()
    gc.collect()
    gc.freeze()
    Zygote(control, load, lambda: open_store(url)).serve({"ready": True, "forkable": not why, "why": why})
    os._exit(0)


def _load_store(url: str) -> None:
    """Load the modules of the datastore for all children; each opens a connection of its own."""
    try:
        open_store(url)
    except HeadwayError:
        # Said by each attempt, where it is seen.
        _ = None


def import_once(code: Code) -> Tuple[Callable[[], Any], str]:
    """Import the flow now; what an import raises is raised again in each attempt, where it is seen.

    Returns:
        What gives the flow class, and why this process must not be forked for tasks, "" where it may.
    """
    before, seeding = descriptors(), Seeding()
    try:
        with seeding:
            load = _giver(load_flow(code, code.root))
    except BaseException as error:
        load = _raiser(error)
    reseed.keep(seeding.fixed, seeding.generators)
    return load, unforkable(before) or seeding.unfit


def _giver(flow_class: Any) -> Callable[[], Any]:
    return lambda: flow_class


def _raiser(error: BaseException) -> Callable[[], Any]:
    def load() -> Any:
        raise error

    return load


class Zygote:
    """Forks on request and reaps; one thread, one loop.

    Args:
        control: The socket to the launcher.
        load: Gives the flow class.
        store: Opens the datastore.
        ends_rest: Whether what a child left running is ended here; else whoever asked for the child does it.
    """

    def __init__(
        self,
        control: socket.socket,
        load: Callable[[], Any],
        store: Callable[[], ObjectStore],
        *,
        ends_rest: bool = True,
    ) -> None:
        self._control = control
        self._load = load
        self._store = store
        self._ends_rest = ends_rest
        self._children: Dict[int, int] = {}
        #: Handlers that the flow's import set are the steps' own.
        self._signals = {number: signal.getsignal(number) for number in child.SIGNALS}

    def serve(self, greeting: Dict[str, Any]) -> None:
        """Greet the launcher, and do as it says until it closes the socket."""
        wake_read, wake_write = os.pipe()
        os.set_blocking(wake_read, False)
        os.set_blocking(wake_write, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.set_wakeup_fd(wake_write)
        # Python warns of threads; those that are there when we fork are known to survive it.
        warnings.filterwarnings("ignore", message=".*fork", category=DeprecationWarning)
        selector = selectors.DefaultSelector()
        selector.register(self._control, selectors.EVENT_READ)
        selector.register(wake_read, selectors.EVENT_READ)
        _send(self._control, greeting)
        try:
            while True:
                for key, _ in selector.select():
                    if key.fileobj is self._control:
                        if not self._command():
                            return
                    else:
                        os.read(wake_read, 4096)
                self._reap()
        finally:
            for pid in self._children:
                _signal_group(pid, signal.SIGKILL)

    def _command(self) -> bool:
        try:
            message, fds, _, _ = socket.recv_fds(self._control, _MESSAGE, 4)
        except ConnectionResetError:
            # The launcher left before it had read all we said; that is an end like any other.
            return False
        if not message:
            return False
        command = json.loads(message)
        if "fork" in command:
            self._fork(command["fork"], command["index"], fds)
        else:
            for pid, number in self._children.items():
                if number == command["child"]:
                    _signal(pid, command["signal"])
        return True

    def _fork(self, number: int, index: int, fds: List[int]) -> None:
        # A SIGTERM that finds the child before it has handlers of its own would be lost: it waits.
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM,))
        pid = self._try_to_fork()
        if pid == 0:
            self._run_child(index, fds)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM,))
        for fd in fds:
            os.close(fd)
        self._children[pid] = number
        _send(self._control, {"started": number, "pid": pid})

    def _try_to_fork(self) -> int:
        """A fork that fails for good ends this process, and with it every child: that comes last."""
        for _ in range(_FORKS - 1):
            try:
                return os.fork()
            except OSError:
                self._reap()
                time.sleep(_FORK_PAUSE)
        return os.fork()

    def _run_child(self, index: int, fds: List[int]) -> NoReturn:
        """Never returns into the parent's loop, whatever happens: what it would clean up is not ours."""
        try:
            batch_fd, stdout, stderr, report = fds
            self._control.close()
            child.become_child(stdout, stderr, self._signals)
            batch = Batch.decode(read_at(batch_fd))
            os.close(batch_fd)
            child.run(self._load, batch, batch.tasks[index], self._store, report)
        finally:
            os._exit(70)

    def _reap(self) -> None:
        while self._children:
            reaped = _wait()
            if reaped is None:
                return
            pid, status, peak, cpu = reaped
            number = self._children.pop(pid, None)
            if number is not None:
                if self._ends_rest:
                    _end_group(pid)
                _send(self._control, {"ended": number, "status": status, "peak": peak, "cpu": cpu})


def read_at(fd: int) -> bytes:
    """A whole file from its start, by position, so that several readers may share the descriptor."""
    parts: List[bytes] = []
    offset = 0
    while True:
        part = os.pread(fd, 1 << 20, offset)
        if not part:
            return b"".join(parts)
        parts.append(part)
        offset += len(part)


def _wait() -> Optional[Tuple[int, int, int, float]]:
    try:
        pid, status, usage = os.wait4(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    if pid == 0:
        return None
    return pid, status, usage.ru_maxrss * 1024, usage.ru_utime + usage.ru_stime


def _signal(pid: int, number: int) -> None:
    """To the step's own process, which passes on what it wants passed on, as in a pod; SIGKILL ends all of them."""
    if number == signal.SIGKILL:
        _signal_group(pid, number)
        return
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _signal_group(pid: int, number: int) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        # The child may not have made its group yet, or is gone; it is ours until we reap it.
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return


def _end_group(leader: int) -> None:
    """What the step left running goes with it; while one of the group lives, its number is nobody else's."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _send(control: socket.socket, message: Dict[str, Any]) -> None:
    try:
        control.send(json.dumps(message).encode())
    except (BrokenPipeError, ConnectionResetError):
        # The launcher is gone; the next read says so.
        return
