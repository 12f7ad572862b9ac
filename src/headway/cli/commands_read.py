"""``logs`` and ``dump``: what tasks printed, and what they stored."""

import heapq
from collections.abc import Iterator, Sequence
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from pickle import dump as pickle_dump

from headway.cli.program import Program
from headway.cli.reading import look_where_told, told_for_typing
from headway.client import DataArtifact, Task, find_tasks
from headway.client.errors import TaskFailedError
from headway.client.logs import STDERR, STDOUT
from headway.errors import HeadwayError, NotFoundError, UsageError

#: A line of a task: when, and the text.
_Line = tuple[datetime, str]


def logs(
    this: Program,
    *,
    path: str,
    stdout: bool,
    stderr: bool,
    both: bool,
    timestamps: bool,
    attempt: int | None,
) -> None:
    """Print the log of one task as it was, or of several with ``[step/task]`` before each line.

    Both streams are what was asked for, so both go to standard output; why a task failed does not. With
    ``--quiet`` lines are as tasks printed them, for programs.
    """
    tasks = _tasks(this, path, attempt)
    streams = _wanted(stdout=stdout, stderr=stderr, both=both)
    for task in tasks:
        name = "/".join(task.path_components[-2:])
        prefix = f"[{name}] " if len(tasks) > 1 and not this.options.quiet else ""
        empty = True
        for time, text in heapq.merge(*(_lines(task, stream) for stream in streams), key=itemgetter(0)):
            stamp = f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z " if timestamps else ""
            this.write(f"{stamp}{prefix}{text}")
            empty = False
        if task.exception is not None:
            _tell_failure(this, name, task, task.exception, whole=empty)


def scrub(
    this: Program,
    *,
    path: str,
    stdout: bool,
    stderr: bool,
    both: bool,
    attempt: int | None,
    latest: bool,
    include_not_done: bool,
) -> None:
    """Take logs out of the datastore."""
    if attempt is not None and not latest:
        raise UsageError("--attempt and --all cannot be given together.", "Leave one of them out.")
    streams = _wanted(stdout=stdout, stderr=stderr, both=both)
    done = 0
    for task in _tasks(this, path, attempt):
        if not (task.has_ended or include_not_done):
            this.write(f"[{task.parent.id}/{task.id}] It has not ended: its log stays.", error=True)
            continue
        for number in [task.current_attempt] if latest else task.attempts:
            task.scrub_log(streams, number)
            done += 1
    if not done:
        raise NotFoundError(
            f"Nothing of {path} was scrubbed.", "--include-not-done scrubs what has not ended."
        )
    attempts = "1 attempt is" if done == 1 else f"{done} attempts are"
    this.write(f"{' and '.join(streams)} of {attempts} gone; reasons of failures stay.", error=True)


def dump(
    this: Program,
    *,
    path: str,
    private: bool,
    max_value_size: int,
    include: str | None,
    file: str | None,
) -> None:
    """Print the artifacts of tasks, or write them to a file."""
    wanted = {name.strip() for name in include.split(",")} if include else None
    values: dict[str, dict[str, object]] = {}
    missing = set(wanted or ())
    for task in _tasks(this, path, None):
        _, run, step, number = task.path_components
        names = task.artifact_names(private=private)
        # A task that failed, or has not ended, has none; one whose step set nothing neither. What is told of
        # every task has no content of its own, and so no hash.
        why = ", it failed" if task.exception else "" if task.has_ended else " yet"
        none = "" if any(task[name].sha for name in names) else f" none of its own{why}"
        if not this.options.quiet:
            this.write(f"Artifacts of run={run} step={step} task={number}:{none}", error=True)
        # As the path is typed, and as Metaflow's pickles have it.
        dumped = values.setdefault(f"{run}/{step}/{number}", {})
        missing -= set(names)
        for name in names:
            if wanted is not None and name not in wanted:
                continue
            artifact = task[name]
            if file is not None:
                dumped[name] = artifact.data
            else:
                shown = _shown(artifact, max_value_size)
                this.write(f"{name} [size: {artifact.size} type: <class '{artifact.type}'>] = {shown}")
    if missing:
        this.write(f"No artifact is called {', '.join(sorted(missing))}.", error=True)
    if file is not None:
        _save(file, values)
        if not this.options.quiet:
            this.write(f"Artifacts written to {file}.", error=True)


def _tell_failure(this: Program, name: str, task: Task, failure: TaskFailedError, *, whole: bool) -> None:
    """Why a task failed, as a run tells it; the traceback stands in its log, unless there is none any more."""
    for line in failure.stacktrace.splitlines() if whole else ():
        this.write(f"[{name}] {line}", error=True)
    number = task.current_attempt
    again = f" (attempt {number + 1})" if number else ""
    for line in f"Task failed{again}: {failure.message}".splitlines():
        this.write(f"[{name}] {line}", error=True, style="bad")
    for line in (failure.hint or "").splitlines():
        this.write(f"[{name}] {line}", error=True)


def _shown(artifact: DataArtifact, most: int) -> str:
    if artifact.size > most:
        return "(too large to show)"
    try:
        return str(artifact.data)
    except HeadwayError as error:
        return f"(cannot be loaded here: {error.message})"


def _save(file: str, values: object) -> None:
    try:
        with Path(file).open("wb") as opened:
            pickle_dump(values, opened)
    except OSError as error:
        raise UsageError(
            f"--file={file} cannot be written: {error.strerror}.", "Name a file in a folder that is there."
        ) from error


def _wanted(*, stdout: bool, stderr: bool, both: bool) -> Sequence[str]:
    """Both streams unless one alone was asked for."""
    if stdout == stderr:
        if not (stdout or both):
            raise UsageError("--no-both leaves nothing.", "Add --stdout or --stderr.")
        return [STDOUT, STDERR]
    return [STDOUT if stdout else STDERR]


def _lines(task: Task, stream: str) -> Iterator[_Line]:
    for time, text in task.loglines(stream):
        yield time, str(text)


def _tasks(this: Program, path: str, attempt: int | None) -> list[Task]:
    look_where_told(this)
    with told_for_typing(this):
        return find_tasks(path, this.flow, attempt)
