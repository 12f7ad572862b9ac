"""What became of attempts, as small JSON objects; what is to be done stands in :mod:`~headway.store.batch`.

Plain named tuples with their own JSON form, because they are read and written in pods
(standard library, Python 3.9, few imports). A field that a newer version added is ignored
by an older reader; a field that is missing takes its default.
"""

import json
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

#: One level of fan-out that a task stands in, outermost first:
#: (split step, split task, index, count, variable or None). A static branch has no variable.
FrameTuple = Tuple[str, str, int, int, Optional[str]]


class AttemptRef(NamedTuple):
    """One try of a task: (step, task, attempt). Also names a winning attempt's artifacts."""

    step: str
    task: str
    attempt: int

    def __str__(self) -> str:
        return f"{self.step}/{self.task}" + (f" (attempt {self.attempt})" if self.attempt else "")


class ArtifactRef(NamedTuple):
    """Where an artifact's value is.

    Attributes:
        sha256: The address of its content.
        size: Its size in the datastore, in bytes.
        type: The name of its type.
        pickled: The pickle itself in base64, where it is so small that it stands here; there is no object, then.
    """

    sha256: str
    size: int
    type: str
    pickled: str = ""


class Transition(NamedTuple):
    """What ``self.next`` said: the targets, and for a foreach its variable and number of splits."""

    targets: Tuple[str, ...]
    foreach: Optional[str] = None
    splits: Optional[int] = None


#: The failure classes, each with a budget of its own.
USER, RESOURCES, INFRASTRUCTURE, CONFIGURATION = "user", "resources", "infrastructure", "configuration"

#: The reason of an attempt that the launcher asked to stop; and all that such an attempt may end with, the pod's own
#: word among them.
CANCELLED = "Cancelled"
STOPPED = (CANCELLED, "Terminated")

#: The reason of a failure that more memory would mend.
OUT_OF_MEMORY = "OutOfMemory"

#: The exit codes by which a step asks for no other attempt, or for one like with any other code; as in Metaflow.
EXIT_FOR_GOOD, EXIT_TRY_AGAIN = 202, 203
#: The reason of a failure with the first of them.
FOR_GOOD = "ExitForGood"


class Failure(NamedTuple):
    """Why an attempt failed.

    Attributes:
        kind: user, resources, infrastructure or configuration: whose budget it spends.
        reason: One word for machines ("Exception", "Timeout", "OutOfMemory", "Signal", "Exit", "Evicted", …).
        message: One or two sentences for people.
        hint: What to do about it, or "".
        traceback: The user's traceback, or "".
        type: The exception's qualified name, or "".
    """

    kind: str
    reason: str
    message: str
    hint: str = ""
    traceback: str = ""
    type: str = ""


#: The reason of an infrastructure failure that is no fault of the task's place either: the pod that was to run
#: it ended before its turn came. It spends no budget.
NOT_BEGUN = "NotBegun"

#: What became of an attempt.
SUCCEEDED, FAILED, LOST = "succeeded", "failed", "lost"

#: Metadata of an attempt that counts as a success because ``@catch`` went on in place of its step.
CAUGHT = "caught"

#: Metadata of a failed attempt: as JSON, which artifacts it had set that could not be stored, and why.
NOT_KEPT = "artifacts-not-kept"

#: Metadata of an attempt that ``spin`` made without ``--persist``: nobody asked for what it made.
UNPERSISTED = "unpersisted"


class Record(NamedTuple):
    """An attempt's result; the creation of this object, once, is what makes it true.

    Attributes:
        ref: Which attempt.
        outcome: succeeded, failed, or lost (written by the launcher in place of an attempt it gave up).
        frames: The fan-out the task stands in, outermost first.
        artifacts: Name to place, inherited ones included; of an attempt that failed what it had by then.
        transition: What ``self.next`` said, None for the end step and for failures.
        failure: Why, unless it succeeded.
        metadata: Facts about the attempt (``kubernetes-pod-name``, ``peak-memory``, …), all strings.
        started: Seconds since the epoch, by the clock of the machine it ran on.
        ended: The same clock.
        inputs: The attempts whose artifacts it read.
        log_lines: Lines per stream, so that a reader knows when it has them all.
    """

    ref: AttemptRef
    outcome: str
    frames: Tuple[FrameTuple, ...] = ()
    artifacts: Dict[str, ArtifactRef] = {}
    transition: Optional[Transition] = None
    failure: Optional[Failure] = None
    metadata: Dict[str, str] = {}
    started: float = 0.0
    ended: float = 0.0
    inputs: Tuple[AttemptRef, ...] = ()
    log_lines: Dict[str, int] = {}

    def encode(self) -> bytes:
        return encode(self._asdict())

    @classmethod
    def decode(cls, data: bytes) -> "Record":
        raw = known(cls, json.loads(str(data, "utf-8")))
        raw["ref"] = AttemptRef(*raw["ref"])
        raw["frames"] = tuple(frame_from_json(frame) for frame in raw.get("frames", ()))
        raw["artifacts"] = {name: ArtifactRef(*ref) for name, ref in raw.get("artifacts", {}).items()}
        raw["inputs"] = tuple(AttemptRef(*ref) for ref in raw.get("inputs", ()))
        if raw.get("transition"):
            targets, foreach, splits = raw["transition"]
            raw["transition"] = Transition(tuple(targets), foreach, splits)
        if raw.get("failure"):
            raw["failure"] = Failure(*raw["failure"])
        return cls(**raw)


def encode(value: object) -> bytes:
    """Compact JSON; named tuples become arrays."""
    return json.dumps(value, separators=(",", ":")).encode()


def frame_from_json(raw: List[Any]) -> FrameTuple:
    """One level of fan-out from the array that it becomes in JSON."""
    split, parent, index, count, variable = raw
    return (split, parent, index, count, variable)


def known(cls: Any, raw: Dict[str, Any]) -> Dict[str, Any]:
    """The fields that this version has; what a newer one added is ignored."""
    for name in raw.keys() - cls._fields:
        del raw[name]
    return raw
