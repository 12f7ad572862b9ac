"""``logs`` and ``dump``: what tasks printed, and what they stored."""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from pickle import dump as pickle_dump

from headway.cli.program import Program
from headway.cli.reading import look_where_told
from headway.client import Task, find_tasks
from headway.errors import UsageError

#: A line of a task: when, the stream, the text.
_Line = tuple[datetime, str, str]


def logs(
    this: Program,
    *,
    path: Sequence[str],
    stdout: bool,
    stderr: bool,
    both: bool,
    timestamps: bool,
    attempt: int | None,
) -> None:
    """Print the log of one task as it was, or of several with ``[step/task]`` before each line."""
    tasks = _tasks(this, path, attempt)
    streams = [name for name, wanted in (("stdout", stdout), ("stderr", stderr)) if wanted]
    if both or not streams:
        streams = ["stdout", "stderr"]
    for task in tasks:
        name = "/".join(task.path_components[-2:])
        prefix = f"[{name}] " if len(tasks) > 1 else ""
        for time, stream, text in heapq.merge(
            *(_lines(task, stream) for stream in streams), key=lambda line: line[0]
        ):
            stamp = f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z " if timestamps else ""
            this.write(f"{stamp}{prefix}{text}", error=stream == "stderr")
        if task.exception is not None:
            this.write(f"[{name}] {task.exception}", error=True, style="bad")


def _lines(task: Task, stream: str) -> Iterator[_Line]:
    for time, text in task.loglines(stream):
        yield time, stream, str(text)


def dump(
    this: Program,
    *,
    path: Sequence[str],
    private: bool,
    max_value_size: int,
    include: str | None,
    file: str | None,
) -> None:
    """Print the artifacts of tasks, or write them to a file."""
    wanted = {name.strip() for name in include.split(",")} if include else None
    values: dict[str, dict[str, object]] = {}
    for task in _tasks(this, path, None):
        this.write(
            f"Artifacts of run={task.path_components[1]} step={task.path_components[2]} task={task.id}:",
            error=True,
        )
        values[task.pathspec] = {}
        for name in sorted(_names(task, private)):
            if wanted is not None and name not in wanted:
                continue
            artifact = task[name]
            if file is not None:
                values[task.pathspec][name] = artifact.data
            else:
                shown = repr(artifact.data) if artifact.size <= max_value_size else "(too large to show)"
                this.write(f"{name} [size: {artifact.size} type: {artifact.type}] = {shown}")
    if file is not None:
        with Path(file).open("wb") as opened:
            pickle_dump(values, opened)
        this.write(f"Artifacts written to {file}.", error=True)


def _names(task: Task, private: bool) -> Iterable[str]:
    names = {artifact.id for artifact in task}
    return names | set(task.data.__dir__()) if private else names


def _tasks(this: Program, path: Sequence[str], attempt: int | None) -> list[Task]:
    """The tasks that a path names; `logs show PATH` is a longer way to say `logs PATH`."""
    words = list(path[1:]) if len(path) > 1 and path[0] == "show" else list(path)
    if len(words) != 1:
        raise UsageError(f"One path is wanted, not {len(words)}.", "Type RUN, RUN/STEP or RUN/STEP/TASK.")
    look_where_told(this)
    return find_tasks(words[0], this.flow, attempt)
