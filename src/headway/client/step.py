"""``Step``: the tasks of one step of a run."""

from datetime import datetime
from typing import Dict, Iterator, List, Optional

from headway.client.entity import InRun
from headway.client.facts import local_time
from headway.client.pathspec import is_name, is_worker
from headway.client.run_data import PARAMETERS
from headway.client.task import Task
from headway.client.task_data import TaskData, tasks_of
from headway.store.records import AttemptRef, Record


class Step(InRun, depth=3):
    """One step of a run: ``Step("Flow/run/step")``. Iteration and ``[id]`` give its tasks, the newest first.

    A step is there once it has a task.
    """

    def _open(self, attempt: Optional[int]) -> None:
        self._run = self._find_run()
        if not self._run.tasks(self.id):
            raise self._missing(self._run.steps())

    def __iter__(self) -> Iterator[Task]:
        return self.tasks()

    def __getitem__(self, task: object) -> Task:
        found = TaskData.find(self._run, self.id, str(task)) if is_name(str(task)) else None
        if found is None:
            raise self._missing_child("task", task, self._run.tasks(self.id))
        return Task._of(found)

    def __contains__(self, task: object) -> bool:
        return is_name(str(task)) and self._run.attempts(self.id, str(task)) is not None

    def tasks(self, *tags: str) -> Iterator[Task]:
        """Its tasks, the newest first.

        Args:
            *tags: Only those with all these tags; tasks have the tags of their run.
        """
        if self._tagged(tags):
            yield from map(Task._of, tasks_of(self._run, self.id))

    @property
    def task(self) -> Optional[Task]:
        """Its newest task; the only one, outside of a foreach."""
        return next(self.tasks(), None)

    def control_tasks(self, *tags: str) -> Iterator[Task]:
        """The first rank of each gang, the newest first; nothing where the step is no gang (``@parallel``).

        Args:
            *tags: Only those with all these tags; tasks have the tags of their run.
        """
        graph = self._run.graph
        if self.id in graph and graph[self.id].is_parallel and self._tagged(tags):
            names = [name for name in reversed(self._run.tasks(self.id)) if not is_worker(name)]
            yield from map(Task._of, tasks_of(self._run, self.id, names))

    @property
    def control_task(self) -> Optional[Task]:
        """The newest of its :attr:`control_tasks`, None where there is none."""
        return next(self.control_tasks(), None)

    @property
    def created_at(self) -> Optional[datetime]:
        """When its first task started, local time; None where that is not known yet."""
        first = next(iter(self._run.tasks(self.id).items()), None)
        return Task._of(TaskData(self._run, self.id, *first)).created_at if first is not None else None

    @property
    def finished_at(self) -> Optional[datetime]:
        """When the last of its tasks ended, local time; None while one still runs."""
        records = self._records()
        ended = [record.ended for record in records if record is not None]
        return local_time(max(ended)) if ended and len(ended) == len(records) else None

    @property
    def environment_info(self) -> Optional[Dict[str, str]]:
        """What is known of the environment that its newest task ran in."""
        task = self.task
        return task.environment_info if task is not None else None

    @property
    def origin_pathspec(self) -> Optional[str]:
        """The step of the run that was resumed, None where the run resumed none."""
        origin = self._run.summary.origin
        return f"{self._run.flow}/{origin}/{self.id}" if origin else None

    @property
    def parent_steps(self) -> Iterator["Step"]:
        """The steps of this run that lead to it, in the order written."""
        names = () if self.id == PARAMETERS else self._run.graph.predecessors(self.id)
        return self._others(list(names))

    @property
    def child_steps(self) -> Iterator["Step"]:
        """The steps of this run that it led to, in the order written."""
        graph = self._run.graph
        return self._others(list(graph[self.id].targets) if self.id in graph else [])

    def _others(self, names: List[str]) -> Iterator["Step"]:
        """Steps of this run by name, as far as they have a task: a switch leaves some out."""
        for name in names:
            if self._run.tasks(name):
                yield Step._bound(self._run, (*self._path[:2], name))

    def _records(self) -> List[Optional[Record]]:
        tasks = self._run.tasks(self.id)
        return self._run.records_of(AttemptRef(self.id, task, seen.counting) for task, seen in tasks.items())
