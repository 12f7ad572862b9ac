"""What is known about a task, as (name, value) facts under the names that Metaflow's users look for."""

import json
from datetime import datetime, timezone
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from headway.client.errors import TaskFailedError
from headway.client.fanout import path_of, stack_of
from headway.client.run_data import PARAMETERS, RunData
from headway.store import layout
from headway.store.locations import kind_of
from headway.store.records import CAUGHT, SUCCEEDED, Record

#: A fact, and when it was known in seconds since the epoch.
Fact = Tuple[str, str, float]


class Metadata(NamedTuple):
    """One fact about a task.

    Attributes:
        name: What it is about: "attempt", "kubernetes-pod-name", …
        value: As text; of "foreach-stack" a list of texts.
        created_at: When it was known, in milliseconds since the epoch.
        type: The kind of fact, mostly its name.
        task: The task.
    """

    name: str
    value: Any
    created_at: int
    type: str
    task: Any


_TYPES = {"attempt_ok": "internal_attempt_status"}


def metadata_of(run: RunData, record: Record, task: object) -> List[Metadata]:
    """Every fact about one attempt of a task."""
    facts = facts_of(run, record)
    stack = stack_of(run, record)
    told = (
        [Metadata("foreach-stack", stack, _milliseconds(record.started), "foreach-stack", task)]
        if stack
        else []
    )
    return [
        *told,
        *(
            Metadata(name, value, _milliseconds(when), _TYPES.get(name, name), task)
            for name, value, when in facts
        ),
    ]


def local_time(seconds: float) -> datetime:
    """A moment as people here read it: local time, without a zone, as ``datetime.now()`` gives it."""
    return datetime.fromtimestamp(seconds)  # noqa: DTZ006 - compared with datetime.now() in people's code


def utc_time(milliseconds: int) -> datetime:
    """A moment as logs are stamped: UTC, without a zone."""
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc).replace(tzinfo=None)


def facts_of(run: RunData, record: Record) -> List[Fact]:
    """The facts about one attempt for which no artifact has to be read: all but "foreach-stack"."""
    about = run.record.metadata
    begun: Dict[str, str] = {
        **about,
        "user": run.summary.user,
        "ds-type": store_type(run.root),
        "ds-root": run.root,
        "attempt": str(record.ref.attempt),
        **_code(run),
    }
    path = path_of(run, record.frames)
    if path:
        begun["foreach-execution-path"] = path
    if "headway_version" in about:
        # The name under which Metaflow's users look for it.
        begun["metaflow_version"] = about["headway_version"]
    if run.summary.origin:
        begun["origin-run-id"] = run.summary.origin
    if record.ref.step == PARAMETERS:
        begun.update(start_step=run.graph.start, end_step=run.graph.end)
    ended = {**record.metadata, "attempt_ok": str(record.outcome == SUCCEEDED)}
    if "python-version" in ended:
        ended["python_version"] = ended["python-version"]
    # Told last, whatever the run's record says under the same name.
    first = [(name, value, record.started) for name, value in begun.items() if name not in ended]
    return [*first, *((name, value, record.ended) for name, value in ended.items())]


def went_well(record: Record) -> bool:
    """Whether the step of an attempt did what it should; it did not where ``@catch`` went on in its place."""
    return record.outcome == SUCCEEDED and CAUGHT not in record.metadata


def store_type(root: str) -> str:
    """The kind of a datastore: "local", "s3", "azure" or "gs"."""
    return kind_of(root)


def exception_of(record: Record) -> Optional[TaskFailedError]:
    """Why an attempt failed, None where it did not."""
    failure = record.failure
    if failure is None:
        return None
    return TaskFailedError(
        failure.message, failure.hint, failure.type, failure.traceback, failure.reason, failure.kind
    )


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _code(run: RunData) -> Dict[str, str]:
    code = run.record.code
    if code is None or not code.bundle:
        return {}
    location = f"{run.root}/{layout.code(run.flow, code.bundle)}"
    told = {"sha": code.bundle, "location": location, "ds_type": store_type(run.root), "script": code.main}
    return {"code-package": json.dumps(told)}
