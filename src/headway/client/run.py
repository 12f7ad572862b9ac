"""``Run``: one execution of a flow."""

from datetime import datetime
from typing import Iterator, Optional

from headway.client.artifact import Values
from headway.client.entity import InRun
from headway.client.facts import local_time
from headway.client.pathspec import is_name
from headway.client.step import Step
from headway.client.task import Task
from headway.client.task_data import TaskData
from headway.store.records import SUCCEEDED


class Run(InRun, depth=2):
    """One execution of a flow: ``Run("Flow/run")``. Iteration and ``[name]`` give its steps, the newest first.

    ``_parameters``, which holds its parameters and constants, is given by name only.
    """

    _end_task: Optional[Task] = None

    def _open(self, attempt: Optional[int]) -> None:
        self._run = self._find_run()

    def __iter__(self) -> Iterator[Step]:
        return self.steps()

    def __getitem__(self, step: str) -> Step:
        if step not in self:
            raise self._missing_child("step", step, (name for name in self._run.steps() if name[0] != "_"))
        found: Step = Step._bound(self._run, (*self._path, step))
        return found

    def __contains__(self, step: object) -> bool:
        return isinstance(step, str) and is_name(step) and bool(self._run.tasks(step))

    def steps(self, *tags: str) -> Iterator[Step]:
        """Its steps as far as they have a task, the newest first.

        Args:
            *tags: Only those with all these tags; steps have the tags of their run.
        """
        if self._tagged(tags):
            for name in reversed(self._run.steps()):
                if not name.startswith("_"):
                    yield Step._bound(self._run, (*self._path, name))

    @property
    def data(self) -> Optional[Values]:
        """The values of its end step as attributes, None unless it succeeded."""
        task = self.end_task
        return task.data if task is not None else None

    @property
    def end_task(self) -> Optional[Task]:
        """The task of its end step, None unless it succeeded."""
        end = self._run.end()
        if self._end_task is None and end is not None and end.end is not None:
            found = TaskData.find(self._run, end.end.step, end.end.task)
            self._end_task = Task._of(found) if found is not None else None
        return self._end_task

    @property
    def successful(self) -> bool:
        """Whether it ended with success."""
        end = self._run.end()
        return end is not None and end.outcome == SUCCEEDED

    @property
    def finished(self) -> bool:
        """Whether it ended, with or without success; False also where its launcher died before it could say so."""
        return self._run.has_ended

    @property
    def finished_at(self) -> Optional[datetime]:
        """When it ended, local time; None while it goes on."""
        end = self._run.end()
        return local_time(end.ended) if end is not None else None

    @property
    def origin_pathspec(self) -> Optional[str]:
        """The run that it resumed, None where it resumed none."""
        origin = self._run.summary.origin
        return f"{self._run.flow}/{origin}" if origin else None
