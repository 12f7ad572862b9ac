"""What a run was started by: runs that ended, named with ``--trigger``."""

import json
from datetime import datetime
from typing import Any, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from headway.client.facts import local_time
from headway.client.run import Run
from headway.errors import NotFoundError, UsageError


class TriggerEvent(NamedTuple):
    """The end of a run that another run waited for.

    Attributes:
        name: ``metaflow.<flow>.<step that ended it>``, by which code tells events apart.
        id: The pathspec of the task that ended the run.
        timestamp: When that was, in local time.
        type: "run".
    """

    name: str
    id: str
    timestamp: Optional[datetime]
    type: str


class Trigger:
    """``current.trigger`` and ``Run.trigger``: the events that a run was started by.

    ``"Upstream" in trigger`` and ``trigger["Upstream"]`` tell whether a flow's run is among them, and which.

    Args:
        events: The events.
    """

    def __init__(self, events: Iterable[TriggerEvent]) -> None:
        self._events = list(events)

    @classmethod
    def from_runs(cls, runs: Iterable[Run]) -> "Trigger":
        """What these runs trigger."""
        return cls(_event_of(run) for run in runs)

    @property
    def event(self) -> Optional[TriggerEvent]:
        """The event; of several, the latest."""
        return next(iter(self.events or ()), None)

    @property
    def events(self) -> Optional[List[TriggerEvent]]:
        """All events, the latest first; None where there is none."""
        return sorted(self._events, key=_moment, reverse=True) or None

    @property
    def run(self) -> Optional[Run]:
        """The run that ended; of several, the latest."""
        return next(iter(self.runs or ()), None)

    @property
    def runs(self) -> Optional[List[Run]]:
        """The runs that ended, the latest first; None where there is none."""
        return [_run_of(event) for event in self.events or () if event.type == "run"] or None

    def __getitem__(self, name: str) -> Any:
        for event in self.events or ():
            if name == event.name:
                return event
            if event.type == "run" and name in _names(event):
                return _run_of(event)
        raise KeyError(name)

    def __iter__(self) -> Iterator[TriggerEvent]:
        return iter(self.events or ())

    def __contains__(self, name: object) -> bool:
        return any(name == event.name or name in _names(event) for event in self._events)

    def __repr__(self) -> str:
        return f"<Trigger {', '.join(event.id for event in self)}>"

    def encode(self) -> str:
        """As text, for the run's record."""
        told = [
            {**event._asdict(), "timestamp": event.timestamp.timestamp() if event.timestamp else None}
            for event in self._events
        ]
        return json.dumps(told)

    @classmethod
    def decode(cls, text: str) -> "Trigger":
        """The inverse of :meth:`encode`."""
        raw = json.loads(text)
        return cls(
            TriggerEvent(
                each["name"],
                each["id"],
                local_time(each["timestamp"]) if each.get("timestamp") is not None else None,
                each["type"],
            )
            for each in raw
        )


def triggered_by(pathspecs: Iterable[str]) -> Trigger:
    """What ``--trigger`` says.

    Args:
        pathspecs: Runs, as ``flow/run``, in whichever user namespace.

    Raises:
        UsageError: One is no run's pathspec, or of a run that has not ended.
        NotFoundError: One is of a run that is not there.
    """
    runs = []
    for pathspec in pathspecs:
        if pathspec.count("/") != 1 or not all(pathspec.split("/")):
            raise UsageError(
                f"--trigger={pathspec} is no run.",
                "Name one as flow/run: --trigger Upstream/1795359949631607.",
            )
        try:
            run = Run(pathspec, _namespace_check=False)
        except NotFoundError as error:
            raise NotFoundError(f"--trigger={pathspec}: {error.message}", error.hint) from error
        if not run.successful:
            raise UsageError(
                f"--trigger={pathspec}: the run has not come to its end.", "Name a run that succeeded."
            )
        runs.append(run)
    return Trigger.from_runs(runs)


def _event_of(run: Run) -> TriggerEvent:
    task = run.end_task
    if task is None or not run.successful:
        raise UsageError(f"{run.pathspec} has not come to its end, so it triggers nothing.")
    flow = run.pathspec.partition("/")[0]
    return TriggerEvent(f"metaflow.{flow}.{task.parent.id}", task.pathspec, task.finished_at, "run")


def _run_of(event: TriggerEvent) -> Run:
    return Run("/".join(_parts(event)[:2]), _namespace_check=False)


def _names(event: TriggerEvent) -> Tuple[str, ...]:
    """By what else than its name an event can be asked for: its flow, its run."""
    parts = _parts(event)
    return (parts[0], "/".join(parts[:2])) if len(parts) > 1 else ()


def _moment(event: TriggerEvent) -> float:
    return event.timestamp.timestamp() if event.timestamp is not None else 0.0


def _parts(event: TriggerEvent) -> List[str]:
    return event.id.split("/")
