"""Objects from the paths that people type: ``RUN/STEP/TASK`` of the flow at hand, or with the flow before it."""

from typing import Dict, List, Optional, Type, Union

from headway.client.artifact import DataArtifact
from headway.client.errors import InvalidPathspecError
from headway.client.run import Run
from headway.client.step import Step
from headway.client.task import Task

Found = Union[Run, Step, Task, DataArtifact]

_TASK = 4
_KINDS: Dict[int, Type[Found]] = {2: Run, 3: Step, _TASK: Task, 5: DataArtifact}


def find(pathspec: str, flow: Optional[str] = None, attempt: Optional[int] = None) -> Found:
    """The object that a path names, in whatever user namespace it is.

    Args:
        pathspec: ``RUN``, ``RUN/STEP``, ``RUN/STEP/TASK`` or ``RUN/STEP/TASK/ARTIFACT`` where the flow
            is given, with or without the flow before it; else with it.
        flow: The flow at hand.
        attempt: For a task or artifact: this attempt, not the one that counts.

    Raises:
        InvalidPathspecError: It has too few or too many parts.
        NotFoundError: There is no such object.
    """
    parts = _parts(pathspec, flow)
    kind = _KINDS.get(len(parts))
    if kind is None:
        form = "RUN[/STEP[/TASK[/ARTIFACT]]]"
        raise InvalidPathspecError(
            f"Expects a path like {form if flow is not None else f'FLOW/{form}'}, got {pathspec!r}"
        )
    return kind("/".join(parts), attempt=attempt, _namespace_check=False)


def find_tasks(pathspec: str, flow: Optional[str] = None, attempt: Optional[int] = None) -> List[Task]:
    """The tasks that a path names: of a run, of a step, or one; from old to new.

    Args:
        pathspec: As for :func:`find`; ``RUN`` means every task of the run.
        flow: The flow at hand.
        attempt: This attempt of each that has it; by default the one that counts.

    Raises:
        InvalidPathspecError: It names no run, step or task.
        NotFoundError: There is no such object.
    """
    one = len(_parts(pathspec, flow)) >= _TASK
    found = find(pathspec, flow, attempt if one else None)
    if isinstance(found, Task):
        return [found]
    if isinstance(found, DataArtifact):
        raise InvalidPathspecError(f"Expects a path like RUN, RUN/STEP or RUN/STEP/TASK, got {pathspec!r}")
    steps = [found] if isinstance(found, Step) else list(found)[::-1]
    tasks = [task for step in steps for task in list(step)[::-1]]
    if attempt is None:
        return tasks
    return [pinned for task in tasks if (pinned := task._pinned(attempt)) is not None]


def _parts(pathspec: str, flow: Optional[str]) -> List[str]:
    parts = pathspec.strip("/").split("/")
    return parts if flow is None or parts[0] == flow else [flow, *parts]
