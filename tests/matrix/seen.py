"""A run as a person sees it, through the client or through commands: the same checks read both."""

import pickle
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
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


class _TypedTask(SeenTask):
    """A task of the command line; its logs are asked for once somebody wants them."""

    def __init__(self, pathspec: str, values: Mapping[str, Any], told: Callable[[str], str]) -> None:
        object.__setattr__(self, "pathspec", pathspec)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "_told", told)

    def __getattribute__(self, name: str) -> Any:
        if name in {"stdout", "stderr"}:
            return object.__getattribute__(self, "_told")(name)
        return object.__getattribute__(self, name)


def by_commands(shape: Shape, flow: str, run_id: str, dumped: Path, logs: Callable[[str], Typed]) -> Seen:
    """A run through what ``dump RUN --private --file`` wrote and ``logs RUN --STREAM`` says."""
    values: dict[str, dict[str, Any]] = pickle.loads(dumped.read_bytes())

    @cache
    def by_task(stream: str) -> Mapping[str, str]:
        if len(values) == 1:  # the lines of a single task stand without its name
            return {next(iter(values)).partition("/")[2]: logs(stream).stdout}
        return _by_task(logs(stream).stdout)

    tasks = {}
    for path, artifacts in values.items():
        _, _, name = path.partition("/")
        if "where" not in artifacts:
            continue
        key = Key(name.partition("/")[0], tuple(artifacts["where"]), artifacts["round"])
        assert key not in tasks, f"two tasks at {key}: {tasks[key].pathspec}, {path}"
        told = partial(lambda name, stream: by_task(stream).get(name, ""), name)
        tasks[key] = _TypedTask(f"{flow}/{path}", artifacts, told)
    return Seen("commands", shape, run_id, tasks, flow)


def _by_task(text: str) -> dict[str, str]:
    """Lines behind ``[step/task]``, by that."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, _, rest = line.partition("] ")
        if line.startswith("["):
            found[name[1:]] = found.get(name[1:], "") + rest + "\n"
    return found
