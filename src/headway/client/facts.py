"""What is known about a task, as (name, value) facts under the names that Metaflow's users look for."""

from datetime import datetime, timezone
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from headway.client.run_data import RunData
from headway.store.records import SUCCEEDED, FrameTuple, Record

#: A fact, and when it was known in seconds since the epoch.
Fact = Tuple[str, str, float]


class Metadata(NamedTuple):
    """One fact about a task.

    Attributes:
        name: What it is about: "attempt", "kubernetes-pod-name", …
        value: As text.
        created_at: When it was known, local time.
        type: The kind of fact, mostly its name.
        task: The task.
    """

    name: str
    value: str
    created_at: datetime
    type: str
    task: Any


_TYPES = {"attempt_ok": "internal_attempt_status"}


def metadata_of(run: RunData, record: Record, task: object) -> List[Metadata]:
    """Every fact about one attempt of a task."""
    return [
        Metadata(name, value, local_time(when), _TYPES.get(name, name), task)
        for name, value, when in _facts(run, record)
    ]


def foreach_index(frames: Tuple[FrameTuple, ...]) -> Optional[int]:
    """The index in the innermost foreach, None outside of any."""
    return next((index for _, _, index, _, variable in reversed(frames) if variable is not None), None)


def local_time(seconds: float) -> datetime:
    """A moment as people here read it: local time, without a zone, as ``datetime.now()`` gives it."""
    return datetime.fromtimestamp(seconds)  # noqa: DTZ006 - compared with datetime.now() in people's code


def utc_time(milliseconds: int) -> datetime:
    """A moment as logs are stamped: UTC, without a zone."""
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc).replace(tzinfo=None)


def _facts(run: RunData, record: Record) -> List[Fact]:
    begun: Dict[str, str] = {
        **run.record.metadata,
        "user": run.summary.user,
        "ds-type": run.root.partition("://")[0] if "://" in run.root else "local",
        "ds-root": run.root,
        "attempt": str(record.ref.attempt),
    }
    path = ",".join(
        f"{step}:{index}" for step, _, index, _, variable in record.frames if variable is not None
    )
    if path:
        begun["foreach-execution-path"] = path
    if run.summary.origin:
        begun["origin-run-id"] = run.summary.origin
    ended = {**record.metadata, "attempt_ok": str(record.outcome == SUCCEEDED)}
    if "python-version" in ended:
        ended["python_version"] = ended["python-version"]
    # Told last, whatever the run's record says under the same name.
    first = [(name, value, record.started) for name, value in begun.items() if name not in ended]
    return [*first, *((name, value, record.ended) for name, value in ended.items())]
