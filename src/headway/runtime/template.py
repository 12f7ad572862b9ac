"""The template of a warm pod: a process that imported the flow once and is forked for each task.

It is the zygote of local attempts, forked from the pod's supervisor instead of started afresh. The
supervisor itself imports nothing of the user's, and forks only before it has threads.
"""

import gc
import json
import os
import signal
import socket
import sys
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, NoReturn, Optional

from headway.runtime import child
from headway.runtime.entry import load_flow
from headway.runtime.supervisor import Exit, signal_group
from headway.runtime.zygote import Zygote, import_once
from headway.store.batch import Code
from headway.store.open import open_store

_MESSAGE = 64 * 1024


class Pipes(NamedTuple):
    """The child's ends of its pipes."""

    stdout: int
    stderr: int
    report: int


class WarmChild:
    """A child of the template: the template forks it, reaps it and passes signals on.

    Args:
        control: The socket to the template.
        number: The template's number for it.
    """

    def __init__(self, control: socket.socket, number: int) -> None:
        self._control = control
        self._number = number
        self._pid = 0
        self._ended = False

    def wakes(self) -> Optional[int]:
        return self._control.fileno()

    def reap(self) -> Optional[Exit]:
        """What the template says of its end; a template that is gone takes its children with it."""
        while True:
            try:
                message = self._control.recv(_MESSAGE, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return None
            except ConnectionResetError:
                message = b""
            if not message:
                self._ended = True
                return Exit(signal.SIGKILL, 0, 0.0)
            said: Dict[str, Any] = json.loads(message)
            if said.get("started") == self._number:
                self._pid = said["pid"]
            elif said.get("ended") == self._number:
                self._ended = True
                return Exit(said["status"], said["peak"], said["cpu"])

    def signal(self, number: int) -> None:
        try:
            self._control.send(json.dumps({"signal": int(number), "child": self._number}).encode())
        except OSError:
            # It is gone; the next look says so.
            return

    def signal_rest(self, number: int) -> bool:
        return bool(self._pid) and signal_group(self._pid, number)

    def kill(self) -> None:
        if self._ended:
            self.signal_rest(signal.SIGKILL)
        else:
            self.signal(signal.SIGKILL)


class Template:
    """The supervisor's hold on the template.

    Attributes:
        alone: Why each task imports the flow itself, "" where the import is shared.
    """

    def __init__(self, control: socket.socket, pid: int, alone: str) -> None:
        self._control = control
        self._pid = pid
        self._count = 0
        self.alone = alone

    @classmethod
    def start(cls, code: Code, environ: Mapping[str, str], url: str) -> "Template":
        """Import the flow in a process of its own; where it must not be forked, have one that did not import it.

        Args:
            code: How the flow's code is started, with the folder that holds it here.
            environ: What the import is to find in the environment, beyond the pod's own.
            url: The datastore.
        """
        control, pid = _fork(lambda: import_once(code), environ, url)
        said = control.recv(_MESSAGE)
        greeting: Dict[str, Any] = (
            json.loads(said) if said else {"forkable": False, "why": "the import ended"}
        )
        if greeting["forkable"]:
            return cls(control, pid, "")
        cls(control, pid, "").close()
        control, pid = _fork(lambda: (lambda: load_flow(code, code.root), ""), environ, url)
        control.recv(_MESSAGE)
        return cls(control, pid, greeting["why"])

    def fork(self, batch: int, index: int, pipes: Pipes) -> WarmChild:
        """Start the batch's task of this index; the descriptors stay the caller's to close.

        Args:
            batch: The batch, as a file.
            index: Its index in the batch.
            pipes: Where it writes.
        """
        self._count += 1
        command = json.dumps({"fork": self._count, "index": index}).encode()
        try:
            socket.send_fds(self._control, [command], [batch, *pipes])
        except OSError:
            # The template is gone: the child's first look says so.
            _ = None
        return WarmChild(self._control, self._count)

    def close(self) -> None:
        """Let the template, and whatever it still runs, end."""
        self._control.close()
        try:
            os.waitpid(self._pid, 0)
        except ChildProcessError:
            return


def _fork(prepare: Callable[[], Any], environ: Mapping[str, str], url: str) -> Any:
    """A template in a process of its own, and the socket to it."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        _be_template([ours], its, prepare, environ, url)
    its.close()
    return ours, pid


def _be_template(
    strangers: List[socket.socket],
    control: socket.socket,
    prepare: Callable[[], Any],
    environ: Mapping[str, str],
    url: str,
) -> NoReturn:
    """Never returns into the supervisor's code, whatever happens."""
    try:
        # The import, and each task after it, starts with what a fresh process has.
        for number, handler in child.SIGNALS.items():
            signal.signal(number, handler)
        for other in strangers:
            other.close()
        os.environ.update(environ)
        load, why = prepare()
        # What the import printed must not be printed again by each child.
        sys.stdout.flush()
        sys.stderr.flush()
        gc.collect()
        gc.freeze()
        greeting = {"ready": True, "forkable": not why, "why": why}
        Zygote(control, load, lambda: open_store(url), ends_rest=False).serve(greeting)
    finally:
        os._exit(0)
