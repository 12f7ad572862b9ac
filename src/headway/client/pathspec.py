"""Paths of objects: ``Flow/run/step/task/artifact``, as people and programs write them."""

from typing import Sequence, Tuple

from headway.client.errors import InvalidPathspecError

_PARTS = ("FlowName", "RunID", "StepName", "TaskID", "ArtifactName")

#: The path of an object, from the flow's name down.
Path = Tuple[str, ...]


def parse_pathspec(kind: str, depth: int, pathspec: str, parts: Sequence[object] = ()) -> Path:
    """The parts of a path.

    Args:
        kind: The class that asks, for the error.
        depth: How many parts its path has.
        pathspec: The path, or its beginning.
        parts: The rest of it, part by part or with slashes.

    Raises:
        InvalidPathspecError: It has more or fewer parts, or one that nothing can be called.
    """
    whole = "/".join(str(part) for part in (pathspec, *parts))
    path = tuple(whole.split("/"))
    if len(path) != depth or not all(is_name(part) for part in path):
        raise InvalidPathspecError(f"Expects {kind}('{'/'.join(_PARTS[:depth])}'), got {kind}({whole!r})")
    return path


def is_name(part: object) -> bool:
    """Whether something can be called so: text without slashes and control characters, no leading dot."""
    return isinstance(part, str) and part.isprintable() and part[:1] not in ("", ".") and "/" not in part


def age_order(name: str) -> Tuple[int, str]:
    """Sorts ids of tasks and runs from old to new: they count up; what is not a number comes first."""
    digits = len(name) - len(name.lstrip("0123456789"))
    return (int(name[:digits]) if digits else -1, name[digits:])


def is_worker(task: str) -> bool:
    """Whether a task's id says that it is a rank of a gang other than the first."""
    return "_node_" in task or "-worker-" in task
