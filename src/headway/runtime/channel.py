"""How a forked child tells its supervisor what came of the step: marks and one JSON message on a pipe.

It marks when the step's own code begins and when it is over, since only that time counts against
``@timeout``; at last it writes its whole report at once and closes the pipe. End of file without a
report means that the process died before it could say anything.

One whose step failed reports that at once, and again as what the step had set is stored: whatever
becomes of the process meanwhile, the last report that is whole counts.
"""

import json
import os
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from headway.store.records import ArtifactRef, Failure, Transition

_CHUNK = 1 << 20

#: The marks; a report begins with a brace.
BEGUN, OVER = b"+", b"-"
#: Behind a report that another may follow; in JSON without spaces there is none.
_MORE = b"\n"


class Report(NamedTuple):
    """What a child says of its attempt; the supervisor makes the record of it.

    Attributes:
        artifacts: Every artifact of the task after the step, inherited ones included; of one that failed
            those that could be stored.
        transition: What ``self.next`` said.
        failure: Why the attempt failed, None where it succeeded.
        exited: The code of a ``sys.exit`` that ended the step, None otherwise.
        caught: Whether the step failed and ``@catch`` went on in its place.
        failed: When the step failed, in seconds since the epoch; 0 where it did not.
        facts: Metadata of the attempt that only its own process knows.
    """

    artifacts: Dict[str, ArtifactRef] = {}  # noqa: RUF012 - a named tuple default, never changed
    transition: Optional[Transition] = None
    failure: Optional[Failure] = None
    exited: Optional[int] = None
    caught: bool = False
    failed: float = 0.0
    facts: Dict[str, str] = {}  # noqa: RUF012 - likewise

    def encode(self) -> bytes:
        return json.dumps(self._asdict(), separators=(",", ":")).encode()

    @classmethod
    def decode(cls, data: bytes) -> "Report":
        raw: Dict[str, Any] = json.loads(data)
        transition = raw["transition"]
        failure = raw["failure"]
        return cls(
            artifacts={name: ArtifactRef(*ref) for name, ref in raw["artifacts"].items()},
            transition=Transition(tuple(transition[0]), *transition[1:]) if transition else None,
            failure=Failure(*failure) if failure else None,
            exited=raw["exited"],
            caught=raw["caught"],
            failed=raw["failed"],
            facts=raw["facts"],
        )


def send(fd: int, report: Report) -> None:
    """Write the report and close the pipe."""
    view = memoryview(report.encode())
    try:
        while view:
            view = view[os.write(fd, view[:_CHUNK]) :]
    finally:
        os.close(fd)


def provisional(report: Report) -> bytes:
    """A report that counts unless another follows, to be written with :func:`mark`."""
    return report.encode() + _MORE


def mark(fd: int, which: bytes) -> None:
    """Say that the step's code begins or is over, or report for the time being."""
    view = memoryview(which)
    while view:
        view = view[os.write(fd, view[:_CHUNK]) :]


class Watch:
    """Whether the step's own code runs, as the marks on the report's pipe say.

    Attributes:
        running: Between the two marks.
    """

    def __init__(self) -> None:
        self.running = False
        self._read = 0

    def hear(self, data: bytes) -> None:
        """Take what was read from the pipe, from its beginning on."""
        for which in (data[index : index + 1] for index in range(min(len(data), 2 - self._read))):
            self._read += 1
            self.running = which == BEGUN


def decode_parts(parts: List[bytes]) -> Optional[Report]:
    """The last whole report of what was read, None where the child died before it finished writing one."""
    for data in reversed(b"".join(parts).lstrip(BEGUN + OVER).split(_MORE)):
        try:
            return Report.decode(data)
        except (ValueError, KeyError, TypeError, IndexError):
            # Torn, or nothing; one before it may be whole.
            continue
    return None


def exit_status(status: int) -> Tuple[Optional[int], Optional[int]]:
    """(exit code, signal) of a wait status; one of them is None."""
    if os.WIFSIGNALED(status):
        return None, os.WTERMSIG(status)
    return os.WEXITSTATUS(status), None
