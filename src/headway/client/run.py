"""``Run``: one execution of a flow."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Iterable, Iterator, Optional, Union

from headway.client.artifact import Values
from headway.client.code import MetaflowCode, code_of
from headway.client.entity import InRun
from headway.client.facts import local_time
from headway.client.pathspec import is_name
from headway.client.step import Step
from headway.client.task import Task
from headway.client.task_data import TaskData
from headway.errors import TaggingError
from headway.store.records import SUCCEEDED
from headway.store.run_records import TRIGGERS
from headway.store.tags import check_tags

if TYPE_CHECKING:
    from headway.client.trigger import Trigger


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
        """The values of its end task as attributes, None as long as there is no such task."""
        task = self.end_task
        return task.data if task is not None else None

    @property
    def end_task(self) -> Optional[Task]:
        """The task of its end step, whatever becomes of it; None as long as it has not begun."""
        end = self._run.end()
        if self._end_task is None and end is not None and end.end is not None:
            found = TaskData.find(self._run, end.end.step, end.end.task)
            self._end_task = Task._of(found) if found is not None else None
        if self._end_task is None and (step := self._run.graph.end) in self:
            return self[step].task
        return self._end_task

    @property
    def successful(self) -> bool:
        """Whether it ended with success; False also where ``@catch`` went on in place of its end step."""
        if not self.finished:
            return False
        graph = self._run.graph
        caught = graph.end in graph and graph[graph.end].decorator("catch") is not None
        return not caught or (self.end_task is not None and self.end_task.successful)

    @property
    def finished(self) -> bool:
        """Whether it came to its end: its end step is done. One that failed never did, see :attr:`has_ended`."""
        end = self._run.end()
        return end is not None and end.outcome == SUCCEEDED

    @property
    def has_ended(self) -> bool:
        """Whether nothing more happens, with or without success; False also where its launcher died without a word."""
        return self._run.has_ended

    @property
    def finished_at(self) -> Optional[datetime]:
        """When its end step was done, or failed, local time; None where it never came to that, see :attr:`ended_at`."""
        if self.finished:
            return self.ended_at
        task = self.end_task
        return task.finished_at if task is not None else None

    @property
    def ended_at(self) -> Optional[datetime]:
        """When nothing more happened, with or without success, local time; None as long as something may."""
        end = self._run.end()
        return local_time(end.ended) if end is not None else None

    @property
    def code(self) -> Optional[MetaflowCode]:
        """Its code as it was shipped to pods, None where every step ran where it was started."""
        return code_of(self._run)

    @property
    def trigger(self) -> "Optional[Trigger]":
        """The runs that it was started after with ``--trigger``; None where it was not."""
        told = self._run.record.metadata.get(TRIGGERS)
        if told is None:
            return None
        from headway.client.trigger import Trigger  # stands on this module, and is for such runs only

        return Trigger.decode(told)

    @property
    def origin_pathspec(self) -> Optional[str]:
        """The run that it resumed, None where it resumed none."""
        origin = self._run.summary.origin
        return f"{self._run.flow}/{origin}" if origin else None

    def add_tag(self, tag: Union[str, Iterable[str]]) -> None:
        """Give it a tag, or several, see :meth:`replace_tags`."""
        self.replace_tags([], _several(tag))

    def add_tags(self, tags: Iterable[str]) -> None:
        """Give it tags, see :meth:`replace_tags`."""
        self.replace_tags([], tags)

    def remove_tag(self, tag: Union[str, Iterable[str]]) -> None:
        """Take a tag away, or several, see :meth:`replace_tags`."""
        self.replace_tags(_several(tag), [])

    def remove_tags(self, tags: Iterable[str]) -> None:
        """Take tags away, see :meth:`replace_tags`."""
        self.replace_tags(tags, [])

    def replace_tag(
        self, tag_to_remove: Union[str, Iterable[str]], tag_to_add: Union[str, Iterable[str]]
    ) -> None:
        """Take a tag away and give another, or several, see :meth:`replace_tags`."""
        self.replace_tags(_several(tag_to_remove), _several(tag_to_add))

    def replace_tags(self, tags_to_remove: Iterable[str], tags_to_add: Iterable[str]) -> None:
        """Take tags away, then give others, in one change.

        Others may change the run's tags at the same time, and nobody's change is lost. A tag that is not
        there need not be taken away, and one that is there (or is a system tag) need not be given.

        Raises:
            TaggingError: A tag is no text, empty or longer than 500 characters; the run would have more
                than 50; a system tag would be taken away; or no tag was named.
        """
        removed, added = check_tags(_several(tags_to_remove)), check_tags(_several(tags_to_add))
        if not removed and not added:
            raise TaggingError("No tag was named.", "Name the tags to give or to take away.")
        fixed = sorted(removed & self.system_tags)
        if fixed:
            raise TaggingError(
                f"{', '.join(fixed)}: system tags say how {self.pathspec} was started and cannot be taken away.",
                "Name tags that people gave: run.user_tags.",
            )
        self._run.change_tags(lambda tags: (tags - removed) | (added - self.system_tags))


def _several(tags: object) -> Iterable[Any]:
    """Tags in a list, also where one was given as it is, be it one that can be none."""
    return tags if isinstance(tags, Iterable) and not isinstance(tags, (str, bytes)) else [tags]
