"""The zygote's process, started as early as can be: it loads its modules while the launcher loads its own.

Nothing is imported here that a launcher would not import in any case.
"""

import atexit
import json
import os
import socket
import subprocess
import sys
from typing import Any, NamedTuple

from headway.executors.local.command import python_command
from headway.flow.decorators import decorators_of
from headway.flow.step import steps_of

#: Whether this system can have a zygote: Linux alone keeps message boundaries and forks safely.
CAN_FORK = sys.platform.startswith("linux")

#: What may stand in words that mean that steps do not run, or all of them elsewhere.
_ELSEWHERE = ("--help", "--dry-run", "--clone-only", "kubernetes")


class Waiting(NamedTuple):
    """A process that has not been told yet what it is the zygote of.

    Attributes:
        process: The process; it ends by itself once the socket is closed.
        socket: The launcher's end of their socket.
        environ: The variables that it was started with.
    """

    process: "subprocess.Popen[bytes]"
    socket: socket.socket
    environ: dict[str, str]

    def tell(self, url: str, code: Any) -> None:
        """Say whose zygote it is, and the variables that were changed meanwhile."""
        changed = {name: value for name, value in os.environ.items() if self.environ.get(name) != value}
        message = json.dumps({"store": url, "code": code, "environ": changed}).encode()
        try:
            self.socket.send(message)
        except BrokenPipeError:
            # It is gone: whoever listens hears of it.
            return

    def drop(self) -> None:
        """End it; it has no children."""
        self.socket.close()
        self.process.kill()
        self.process.wait()


_waiting: Waiting | None = None


def warm_up(flow_class: type, arguments: list[str]) -> None:
    """Start the process now, if steps of the flow are likely to run on this machine.

    Args:
        flow_class: The flow.
        arguments: What was typed, a command that runs steps among it.
    """
    global _waiting
    if not CAN_FORK or any(word in text for text in arguments for word in _ELSEWHERE):
        return
    steps = steps_of(flow_class).values()
    # Of a pipeline no step is known yet.
    if steps and all(any(spec.name == "kubernetes" for spec in decorators_of(each)) for each in steps):
        return
    _waiting = start()
    atexit.register(_drop)


def take() -> Waiting:
    """The process that was started early, or a new one."""
    global _waiting
    taken, _waiting = _waiting, None
    return taken if taken is not None else start()


def start() -> Waiting:
    """Start a zygote's process."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            python_command("headway.runtime.zygote", str(theirs.fileno())),
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            # The flow is imported there a second time; what that prints was printed by the first.
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
    return Waiting(process, ours, dict(os.environ))


def _drop() -> None:
    global _waiting
    if _waiting is not None:
        _waiting.drop()
        _waiting = None
