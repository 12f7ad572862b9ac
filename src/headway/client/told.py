"""Artifacts that Metaflow stores with every task, made here of what the task's record says."""

from typing import Any, Callable, ClassVar, Dict

from headway.client.artifact import DataArtifact
from headway.client.facts import foreach_levels, went_well
from headway.client.task_data import TaskData
from headway.store.records import SUCCEEDED, ArtifactRef, Record

_Maker = Callable[[TaskData, Record], Any]

_MAKERS: Dict[str, _Maker] = {
    "name": lambda task, record: task.run.flow,
    "_current_step": lambda task, record: task.step,
    "_foreach_stack": lambda task, record: foreach_levels(record.frames),
    "_foreach_num_splits": lambda task, record: record.transition.splits if record.transition else None,
    "_foreach_var": lambda task, record: record.transition.foreach if record.transition else None,
    "_success": lambda task, record: went_well(record),
    "_task_ok": lambda task, record: record.outcome == SUCCEEDED,
    "_transition": lambda task, record: (
        (list(record.transition.targets), record.transition.foreach) if record.transition else None
    ),
}


class ToldArtifact(DataArtifact):
    """One of them: ``task["_task_ok"].data``; it is not stored, so it has no content's hash and no size."""

    NAMES: ClassVar = frozenset(_MAKERS)

    @property
    def data(self) -> Any:
        """The value."""
        record = self._task.record()
        return None if record is None else _MAKERS[self.id](self._task, record)

    @property
    def _ref(self) -> ArtifactRef:
        return ArtifactRef("", 0, type(self.data).__name__)

    def __repr__(self) -> str:
        return f"DataArtifact('{self.pathspec}')"
