"""A run as a person sees it, through the client or through commands: the same checks read both."""

import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import headway
from matrix.graph import Key, Shape


class Typed(NamedTuple):
    """What a command said.

    Attributes:
        words: What was typed.
        code: Its exit code.
        stdout: What it gave.
        stderr: What it told.
    """

    words: tuple[str, ...]
    code: int
    stdout: str
    stderr: str

    @property
    def all(self) -> str:
        """Everything, for the messages of failures."""
        return f"$ {' '.join(self.words)}\n{self.stdout}{self.stderr}exit {self.code}"


@dataclass(frozen=True)
class SeenTask:
    """A task as it is seen.

    Attributes:
        pathspec: Its name.
        values: Its artifacts, private ones too.
        stdout: What it printed.
        stderr: The same to standard error, the traceback of a failed attempt included.
    """

    pathspec: str
    values: Mapping[str, Any]
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Seen:
    """A run as it is seen.

    Attributes:
        how: By what, in one word.
        shape: The shape of its flow.
        run_id: Its id.
        tasks: Its tasks by where they stand; those without that artifact are left out.
    """

    how: str
    shape: Shape
    run_id: str
    tasks: Mapping[Key, SeenTask]
    flow: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    def of(self, step: str) -> list[SeenTask]:
        """The tasks of a step, in the order of their indexes."""
        return [task for key, task in sorted(self.tasks.items()) if key.step == step]


class _ClientValues(Mapping[str, Any]):
    """Artifacts, read when touched."""

    def __init__(self, task: headway.Task) -> None:
        self._task = task
        self._names = task.artifact_names(private=True)

    def __getitem__(self, name: str) -> Any:
        return self._task[name].data

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names


class _LazyTask(SeenTask):
    """A task of the client; its logs are read when asked for."""

    def __init__(self, task: headway.Task) -> None:
        object.__setattr__(self, "pathspec", task.pathspec)
        object.__setattr__(self, "values", _ClientValues(task))
        object.__setattr__(self, "_task", task)

    def __getattribute__(self, name: str) -> Any:
        if name in {"stdout", "stderr"}:
            return getattr(object.__getattribute__(self, "_task"), name)
        return object.__getattribute__(self, name)


def by_client(shape: Shape, run: headway.Run, how: str) -> Seen:
    """A run through the public client."""
    tasks: dict[Key, SeenTask] = {}
    for step in run:
        for task in step:
            names = task.artifact_names(private=True)
            if "where" in names:
                key = Key(step.id, tuple(task["where"].data), task["round"].data)
                assert key not in tasks, f"two tasks at {key}: {tasks[key].pathspec}, {task.pathspec}"
                tasks[key] = _LazyTask(task)
    return Seen(how, shape, run.id, tasks, run.pathspec.partition("/")[0])


def by_commands(shape: Shape, flow: str, run_id: str, dumped: Path, logs: Typed) -> Seen:
    """A run through what ``dump RUN --private --file`` wrote and ``logs RUN`` said."""
    values: dict[str, dict[str, Any]] = pickle.loads(dumped.read_bytes())
    if len(values) == 1:  # the lines of a single task stand without its name
        (only,) = ("/".join(pathspec.split("/")[2:]) for pathspec in values)
        told = {"stdout": {only: logs.stdout}, "stderr": {only: logs.stderr}}
    else:
        told = {stream: _by_task(getattr(logs, stream)) for stream in ("stdout", "stderr")}
    tasks = {}
    for pathspec, artifacts in values.items():
        _, _, step, task_id = pathspec.split("/")
        if "where" not in artifacts:
            continue
        key = Key(step, tuple(artifacts["where"]), artifacts["round"])
        assert key not in tasks, f"two tasks at {key}: {tasks[key].pathspec}, {pathspec}"
        name = f"{step}/{task_id}"
        tasks[key] = SeenTask(pathspec, artifacts, told["stdout"].get(name, ""), told["stderr"].get(name, ""))
    return Seen("commands", shape, run_id, tasks, flow)


def _by_task(text: str) -> dict[str, str]:
    """Lines behind ``[step/task]``, by that."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, _, rest = line.partition("] ")
        if line.startswith("["):
            found[name[1:]] = found.get(name[1:], "") + rest + "\n"
    return found
