"""What is known of a run when it starts, and how it ended, as small JSON objects."""

import json
from typing import Any, Dict, NamedTuple, Optional, Tuple

from headway.store.batch import Code
from headway.store.records import AttemptRef, encode, known

#: Where a run's metadata holds what it was started by, as text.
TRIGGERS = "execution-triggers"


class RunRecord(NamedTuple):
    """What is known of a run when it starts.

    Attributes:
        flow: The flow's name.
        run: The run's id.
        user: Who started it.
        created: Seconds since the epoch.
        tags: Tags that the user gave.
        system_tags: Tags that Headway gives (``user:ann``, ``runtime:dev``, …).
        graph: The graph, as the flow layer writes it.
        parameters: Name to the text that was given, or what stands for the default, for people.
        code: How the flow's code was started.
        metadata: Facts about the launcher (versions, script name, …).
        root: The datastore's root, where this record only points to a run elsewhere; else "".
        origin: The run that was resumed, or None.
    """

    flow: str
    run: str
    user: str
    created: float
    tags: Tuple[str, ...] = ()
    system_tags: Tuple[str, ...] = ()
    graph: Dict[str, Any] = {}
    parameters: Dict[str, str] = {}
    code: Optional[Code] = None
    metadata: Dict[str, str] = {}
    root: str = ""
    origin: Optional[str] = None

    def encode(self) -> bytes:
        return encode(self._asdict())

    @classmethod
    def decode(cls, data: bytes) -> "RunRecord":
        raw = known(cls, json.loads(bytes(data).decode()))
        raw["tags"] = tuple(raw.get("tags", ()))
        raw["system_tags"] = tuple(raw.get("system_tags", ()))
        if raw.get("code"):
            raw["code"] = Code.from_json(raw["code"])
        return cls(**raw)


class RunEnd(NamedTuple):
    """How a run ended; the creation of this object is what ends it.

    Attributes:
        outcome: succeeded, failed or interrupted.
        ended: Seconds since the epoch.
        end: The winning attempt of the end step, None unless it succeeded.
        message: Why it did not succeed, for people.
        winners: The number of the attempt that counts, by "step/task".
        hint: What to do about it, or "".
    """

    outcome: str
    ended: float
    end: Optional[AttemptRef] = None
    message: str = ""
    winners: Dict[str, int] = {}
    hint: str = ""

    def encode(self) -> bytes:
        return encode(self._asdict())

    @classmethod
    def decode(cls, data: bytes) -> "RunEnd":
        raw = known(cls, json.loads(bytes(data).decode()))
        if raw.get("end"):
            raw["end"] = AttemptRef(*raw["end"])
        return cls(**raw)
