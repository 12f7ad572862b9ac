"""``DataArtifact``: one value that a task stored; and the two ways to have all of a task's at hand."""

import json
from datetime import datetime
from typing import Any, Dict, Hashable, Iterator, List, Optional

from headway.client.entity import Entity, InRun
from headway.client.facts import local_time, store_type
from headway.client.task_data import TaskData
from headway.client.told import is_told, told, told_names, told_ref
from headway.flow.names import did_you_mean
from headway.store import layout
from headway.store.records import NOT_KEPT, ArtifactRef, Record


class DataArtifact(InRun, depth=5):
    """A value that a task stored, by name: ``DataArtifact("Flow/run/step/task/name")``."""

    _task: TaskData

    def _open(self, attempt: Optional[int]) -> None:
        flow, run, step, task, name = self._path
        self._run = self._find_run()
        found = TaskData.find(self._run, step, task, attempt)
        if found is None:
            raise self._missing(within=f"there is no task {flow}/{run}/{step}/{task}")
        self._task = found
        if name not in found.artifact_refs() and not is_told(found, name):
            raise self._missing(found.artifact_refs())

    @classmethod
    def _of(cls, task: TaskData, name: str) -> "DataArtifact":
        artifact: DataArtifact = cls._bound(
            task.run, (task.run.flow, task.run.run, task.step, task.task, name)
        )
        artifact._task = task
        return artifact

    @property
    def parent(self) -> Entity:
        """The task."""
        kind: Any = self._kinds[4]
        task: Entity = kind._of(self._task)
        return task

    @property
    def data(self) -> Any:
        """The value, fetched when first asked for and checked against its hash.

        Raises:
            ArtifactLoadError: It cannot be made here, mostly because a module is missing.
            StoreError: It is gone from the datastore, or damaged there.
        """
        stored = self.id in self._task.artifact_refs()
        return self._task.value(self.id) if stored else told(self._task, self.id)

    @property
    def sha(self) -> str:
        """The sha256 of its content; equal for equal values. "" of what stands for an artifact of Metaflow's own."""
        return self._ref.sha256

    @property
    def size(self) -> int:
        """Its size in the datastore, in bytes."""
        return self._ref.size

    @property
    def type(self) -> str:
        """The name of the value's type, known without loading it: ``int``, ``pandas.DataFrame``."""
        return self._ref.type

    @property
    def created_at(self) -> Optional[datetime]:
        """When its task ended, local time."""
        return self.finished_at

    @property
    def finished_at(self) -> Optional[datetime]:
        """When its task ended, local time."""
        record = self._task.record()
        return local_time(record.ended) if record is not None else None

    @property
    def origin_pathspec(self) -> Optional[str]:
        """The artifact that ``resume`` took it over from, None where it did not."""
        origin = self.parent.origin_pathspec
        return f"{origin}/{self.id}" if origin else None

    @property
    def _object(self) -> Dict[str, Any]:
        """What Metaflow's metadata says of an artifact; programs look there for where it is."""
        ref, task = self._ref, self._task
        ended = self.finished_at
        stored = bool(ref.sha256) and not ref.pickled
        names = ("flow_id", "run_number", "step_name", "task_id", "name")
        return {
            **dict(zip(names, self._path)),
            "attempt_id": task.ref().attempt,
            "sha": ref.sha256,
            "type": "metaflow.artifact",
            "content_type": "pickle",
            "ds_type": store_type(task.run.root),
            # A small one stands in its task's record, and has no place of its own.
            "location": f"{task.run.root}/{layout.blob(task.run.flow, ref.sha256)}" if stored else "",
            "tags": sorted(self.user_tags),
            "system_tags": sorted(self.system_tags),
            "ts_epoch": round(ended.timestamp() * 1000) if ended is not None else None,
        }

    @property
    def _ref(self) -> ArtifactRef:
        return self._task.artifact_refs().get(self.id) or told_ref(self._task, self.id)

    def _identity(self) -> Hashable:
        return (DataArtifact, self._path, self._task.pinned)


class Artifacts:
    """The artifacts of a task as attributes, each a :class:`DataArtifact`: ``task.artifacts.x.data``.

    It can be gone through, counted and indexed as the named tuple that it stands for, and any name can
    be an artifact's.
    """

    __slots__ = ("__by_name",)

    def __init__(self, artifacts: Dict[str, DataArtifact]) -> None:
        self.__by_name = artifacts

    @property
    def _fields(self) -> "tuple[str, ...]":
        return tuple(self.__by_name)

    def _asdict(self) -> Dict[str, DataArtifact]:
        return dict(self.__by_name)

    def __getattr__(self, name: str) -> DataArtifact:
        if name.startswith("__") or name not in self.__by_name:
            raise AttributeError(f"There is no artifact {name!r} here. {did_you_mean(name, self.__by_name)}")
        return self.__by_name[name]

    def __iter__(self) -> Iterator[DataArtifact]:
        return iter(self.__by_name.values())

    def __len__(self) -> int:
        return len(self.__by_name)

    def __getitem__(self, place: int) -> DataArtifact:
        return list(self)[place]

    def __contains__(self, item: object) -> bool:
        return item in self.__by_name if isinstance(item, str) else item in self.__by_name.values()

    def __dir__(self) -> List[str]:
        return sorted([*object.__dir__(self), *self.__by_name])

    def __reduce__(self) -> Any:
        return (Artifacts, (self.__by_name,))

    def __repr__(self) -> str:
        return f"<{len(self)} artifacts: {', '.join(self.__by_name)}>"


class Values:
    """The values that a task stored, as attributes, each fetched when first touched: ``task.data.x``.

    ``"x" in task.data`` asks without fetching.
    """

    __slots__ = ("__task",)

    def __init__(self, task: TaskData) -> None:
        self.__task = task

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in self.__task.artifact_refs():
            return self.__task.value(name)
        if name == "_artifacts":
            # Metaflow's object keeps them so, and programs list them by it.
            return {each: DataArtifact._of(self.__task, each) for each in public(self.__task)}
        if name in public(self.__task):
            return told(self.__task, name)
        raise AttributeError(why_missing(self.__task, name))

    def __contains__(self, name: object) -> bool:
        return name in self.__task.artifact_refs() or name in public(self.__task)

    def __dir__(self) -> List[str]:
        return sorted([*object.__dir__(self), *public(self.__task)])

    def __reduce__(self) -> Any:
        return (Values, (self.__task,))

    def __repr__(self) -> str:
        return f"<data of {self.__task.pathspec}: {', '.join(public(self.__task))}>"


def artifact_names(task: TaskData) -> List[str]:
    """The names of all of its artifacts, sorted: of those that it stored, and of what is told of every task."""
    return sorted({*task.artifact_refs(), *told_names(task)})


def public(task: TaskData) -> List[str]:
    """The names that do not begin with ``_``: those that a person made, and the flow's ``name``."""
    return [name for name in artifact_names(task) if not name.startswith("_")]


def why_missing(task: TaskData, name: str) -> str:
    """Why a task has no such artifact."""
    record = task.record()
    if record is None and task.run.has_ended:
        return f"Task {task.pathspec} left no result before its run ended, so it has no artifact {name!r}."
    if record is None:
        return f"Task {task.pathspec} has not finished yet; artifacts such as {name!r} come when it has."
    if record.failure is not None:
        return _why_not_kept(task, record, name)
    return f"Task {task.pathspec} has no artifact {name!r}. {did_you_mean(name, public(task))}".rstrip()


def _why_not_kept(task: TaskData, record: Record, name: str) -> str:
    """Why a task that failed has no such artifact: as a rule it keeps what its step had set by then."""
    not_kept = json.loads(record.metadata.get(NOT_KEPT, "{}"))
    if name in not_kept:
        return f"Task {task.pathspec} failed, and its artifact {name!r} was not kept: {not_kept[name]}."
    if not record.artifacts:
        return (
            f"Task {task.pathspec} {record.outcome}, so it has no artifact {name!r}; its exception says why."
        )
    near = did_you_mean(name, public(task))
    return f"Task {task.pathspec} failed before its step had set {name!r}. {near}".rstrip()
