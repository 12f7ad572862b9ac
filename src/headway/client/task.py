"""``Task``: one execution of a step; of its attempts the one that counts is shown."""

from datetime import datetime
from typing import Any, Dict, Hashable, Iterable, Iterator, List, Mapping, Optional, Tuple, Union

from headway.client.artifact import Artifacts, DataArtifact, Values, artifact_names, public
from headway.client.code import MetaflowCode, code_of
from headway.client.entity import InRun
from headway.client.errors import TaskFailedError
from headway.client.facts import (
    Metadata,
    exception_of,
    facts_of,
    local_time,
    metadata_of,
    utc_time,
    went_well,
)
from headway.client.fanout import foreach_index
from headway.client.logs import STDERR, STDOUT
from headway.client.run_data import PARAMETERS
from headway.client.task_data import TaskData, tasks_of
from headway.client.told import is_told
from headway.store.records import SUCCEEDED


class Task(InRun, depth=4):
    """One execution of a step: ``Task("Flow/run/step/task")``.

    Of several attempts the one that counts is shown: the one that succeeded, else the newest;
    ``attempt=n`` shows another. Iteration and ``[name]`` give its artifacts, the flow's ``name`` among
    them; those whose name begins with ``_`` only by name, as those that stand for what Metaflow stores
    with every task (``_task_ok``, ``_exception``, ``_foreach_stack``, …).
    """

    _task: TaskData

    def _open(self, attempt: Optional[int]) -> None:
        flow, run, step, task = self._path
        self._run = self._find_run()
        found = TaskData.find(self._run, step, task, attempt)
        if found is None:
            known = self._run.tasks(step)
            raise self._missing(known, "" if known else f"run {flow}/{run} has no task of a step {step!r}")
        if attempt is not None and attempt not in found.attempts:
            had = ", ".join(str(number) for number in found.attempts)
            raise self._missing(within=f"it has no attempt {attempt}, only {had}")
        self._task = found

    @classmethod
    def _of(cls, data: TaskData) -> "Task":
        task: Task = cls._bound(data.run, (data.run.flow, data.run.run, data.step, data.task))
        task._task = data
        return task

    def __iter__(self) -> Iterator[DataArtifact]:
        return (DataArtifact._of(self._task, name) for name in public(self._task))

    def __getitem__(self, name: str) -> DataArtifact:
        if name in self:
            return DataArtifact._of(self._task, name)
        raise self._missing_child("artifact", name, public(self._task))

    def __contains__(self, name: object) -> bool:
        return name in self._task.artifact_refs() or is_told(self._task, name)

    @property
    def data(self) -> Values:
        """Its values as attributes, each fetched when first touched: ``task.data.x``."""
        return Values(self._task)

    @property
    def artifacts(self) -> Artifacts:
        """Its artifacts as attributes: ``task.artifacts.x.size``."""
        return Artifacts({artifact.id: artifact for artifact in self})

    @property
    def metadata(self) -> List[Metadata]:
        """What is known about all its attempts, from old to new; about one, where that was asked for."""
        return [fact for record in self._task.all_records() for fact in metadata_of(self._run, record, self)]

    @property
    def metadata_dict(self) -> Dict[str, Any]:
        """What is known about the attempt that is shown, by name."""
        record = self._task.record()
        return (
            {} if record is None else {fact.name: fact.value for fact in metadata_of(self._run, record, self)}
        )

    @property
    def index(self) -> Optional[int]:
        """Its index in the innermost foreach, None outside of any."""
        return foreach_index(self._task.frames())

    @property
    def successful(self) -> bool:
        """Whether its step ended with success; False where ``@catch`` went on in place of it."""
        record = self._task.record()
        return record is not None and went_well(record)

    @property
    def finished(self) -> bool:
        """Whether it is done: its step ended with success, or ``@catch`` went on in place of it."""
        record = self._task.record()
        return record is not None and record.outcome == SUCCEEDED

    @property
    def has_ended(self) -> bool:
        """Whether it ended, with or without success; while its run goes on, a retry may still follow."""
        return self._task.record() is not None or self._run.has_ended

    @property
    def exception(self) -> Optional[TaskFailedError]:
        """Why it failed, None where it did not."""
        record = self._task.record()
        return exception_of(record) if record is not None else None

    @property
    def created_at(self) -> Optional[datetime]:
        """When its first attempt started, local time; None where that is not known yet."""
        first = next(iter(self._task.all_records()), None)
        return local_time(first.started) if first is not None else None

    @property
    def finished_at(self) -> Optional[datetime]:
        """When it ended, with or without success, local time; None while it runs."""
        record = self._task.record()
        return local_time(record.ended) if record is not None else None

    @property
    def current_attempt(self) -> int:
        """The number of the attempt that is shown."""
        return self._task.ref().attempt

    @property
    def runtime_name(self) -> Optional[str]:
        """What drove its run: "dev" for a launcher."""
        names = (tag.partition(":")[2] for tag in self.system_tags if tag.startswith("runtime:"))
        return next(names, None)

    @property
    def code(self) -> Optional[MetaflowCode]:
        """The code that it ran as it was shipped to its pod, None where it ran where it was started."""
        return code_of(self._run)

    @property
    def environment_info(self) -> Dict[str, str]:
        """What is known of the environment it ran in: versions and where it ran."""
        known = self._known()
        wanted = (
            "python_version",
            "headway_version",
            "user",
            "script-name",
            "kubernetes-node-name",
            "git-info",
        )
        return {name: known[name] for name in wanted if name in known}

    @property
    def origin_pathspec(self) -> Optional[str]:
        """The task that ``resume`` took it over from, None where it was run."""
        known = self._known()
        task, run = known.get("origin-task-id"), known.get("origin-run-id")
        return f"{self._run.flow}/{run}/{self._path[2]}/{task}" if task and run else None

    @property
    def stdout(self) -> str:
        """What it printed; of a pod that still runs, what it printed up to a second ago."""
        return _text(self._task, STDOUT)

    @property
    def stderr(self) -> str:
        """What it printed on stderr, tracebacks included."""
        return _text(self._task, STDERR)

    @property
    def stdout_size(self) -> int:
        """The size of ``stdout`` in bytes."""
        return len(self.stdout.encode())

    @property
    def stderr_size(self) -> int:
        """The size of ``stderr`` in bytes."""
        return len(self.stderr.encode())

    def loglines(
        self, stream: str, as_unicode: bool = True, meta_dict: Optional[Mapping[str, Any]] = None
    ) -> Iterator[Tuple[datetime, Union[str, bytes]]]:
        """The lines of its log.

        Args:
            stream: "stdout" or "stderr".
            as_unicode: Whether lines come as text; else as UTF-8 bytes.
            meta_dict: A ``metadata_dict`` that was read before: of the attempt that it is about, as with
                Metaflow, unless the task was asked for with one.

        Yields:
            When the line was written (UTC), and the line.
        """
        shown = self._task
        if meta_dict is not None and "attempt" in meta_dict and shown.pinned is None:
            shown = shown.pin(int(meta_dict["attempt"])) or shown
        for line in shown.log(stream):
            yield utc_time(line.ms), line.text if as_unicode else line.text.encode()

    @property
    def parent_tasks(self) -> Iterator["Task"]:
        """The tasks that led to it, in split order."""
        refs = [ref for ref in self._task.inputs() if ref.step != PARAMETERS]
        found: Dict[Tuple[str, str], TaskData] = {}
        for step in dict.fromkeys(ref.step for ref in refs):
            wanted = [ref.task for ref in refs if ref.step == step]
            found.update(((step, data.task), data) for data in tasks_of(self._run, step, wanted))
        for ref in refs:
            if ref[:2] in found:
                yield Task._of(found[ref[:2]])

    @property
    def child_tasks(self) -> Iterator["Task"]:
        """The tasks that it led to, from old to new."""
        for step in self._child_steps():
            for data in tasks_of(self._run, step)[::-1]:
                if any(ref[:2] == self._path[2:] for ref in data.inputs()):
                    yield Task._of(data)

    @property
    def parent_task_pathspecs(self) -> Iterator[str]:
        """The paths of the tasks that led to it."""
        return (task.pathspec for task in self.parent_tasks)

    @property
    def child_task_pathspecs(self) -> Iterator[str]:
        """The paths of the tasks that it led to."""
        return (task.pathspec for task in self.child_tasks)

    @property
    def attempts(self) -> Tuple[int, ...]:
        """The numbers of all its attempts that are known of, from old to new."""
        return self._task.attempts

    def artifact_names(self, private: bool = False) -> List[str]:
        """The names of its artifacts, sorted.

        Args:
            private: Whether those that begin with ``_`` are among them, which stand for what Metaflow
                stores with every task or were set so.
        """
        return artifact_names(self._task) if private else public(self._task)

    def scrub_log(self, streams: Iterable[str] = (STDOUT, STDERR), attempt: Optional[int] = None) -> None:
        """Take what it printed out of the datastore, for good; a line that says so takes its place.

        Why it failed is no part of its log, and stays.

        Args:
            streams: "stdout", "stderr" or both.
            attempt: Of this attempt; by default of the one that is shown.
        """
        self._task.scrub_log(streams, self.current_attempt if attempt is None else attempt)

    def _pinned(self, attempt: int) -> Optional["Task"]:
        """The same task with another attempt shown, None where it has no such attempt."""
        found = self._task.pin(attempt)
        return Task._of(found) if found is not None else None

    def _identity(self) -> Hashable:
        return (Task, self._path, self._task.pinned)

    def _known(self) -> Dict[str, str]:
        """Its metadata, but for what artifacts would have to be read for."""
        record = self._task.record()
        return {} if record is None else {name: value for name, value, _ in facts_of(self._run, record)}

    def _child_steps(self) -> List[str]:
        if self._path[2] == PARAMETERS:
            return []
        graph = self._run.graph
        return sorted(set(graph[self._path[2]].targets)) if self._path[2] in graph else []


def _text(task: TaskData, stream: str) -> str:
    return "".join(f"{line.text}\n" for line in task.log(stream))
