"""``current``: what a step can ask about the task that it runs in."""

import os
from typing import Any, Callable, Dict, Iterator, Mapping, NamedTuple, Optional

from headway.flow.names import did_you_mean

#: What every task has. None elsewhere: helpers ask without knowing who called them.
_OF_TASKS = frozenset(
    {
        "flow_name", "namespace", "origin_run_id", "retry_count", "run", "run_id", "step_name", "tags", "task",
        "task_id", "username",
    }
)  # fmt: skip
_NO_TRIGGER = (
    "Nothing triggered this run. Where the flow has @trigger_on_finish, --trigger=FLOW/RUN names the run that is to "
    "have done so."
)
_MADE_HERE = frozenset({"is_parallel", "is_running_flow", "pathspec", "tempdir"})


class Parallel(NamedTuple):
    """``current.parallel``: this task's place among the nodes of its gang.

    Attributes:
        main_ip: The address of rank 0.
        num_nodes: How many nodes there are.
        node_index: This node's rank, from 0.
        control_task_id: The id of rank 0's task.
    """

    main_ip: str
    num_nodes: int
    node_index: int
    control_task_id: Optional[str]


class Current:
    """The running task, for the code of its step.

    Always known within a task, and None elsewhere: ``flow_name``, ``run_id``, ``step_name``, ``task_id``,
    ``retry_count``, ``origin_run_id``, ``pathspec``, ``namespace``, ``username``, ``tags``; and, made when
    first asked for, ``run`` and ``task`` (the client's). ``tempdir`` is the folder for temporary files: the step's own,
    else the configured TEMPDIR, else ".". In a task there are ``graph_info`` (also called ``graph``) and
    ``parameter_names``, too. Others, such as ``parallel`` or ``project_name``, come with the decorators that need them.
    ``current.get("name", default)`` asks for one that may not be there, ``"name" in current`` whether there is a value
    other than None.
    """

    def __init__(self) -> None:
        self._values: Dict[str, Any] = {}
        self._lazy: Dict[str, Callable[[], Any]] = {}
        self._running = False
        #: The user namespace that the client looks in by default, "" for all.
        self._sees = ""

    @property
    def is_running_flow(self) -> bool:
        """Whether this code runs within a task."""
        return self._running

    @property
    def pathspec(self) -> Optional[str]:
        """``flow/run/step/task``, None outside of a task."""
        if not self._running:
            return None
        return f"{self.flow_name}/{self.run_id}/{self.step_name}/{self.task_id}"

    @property
    def is_parallel(self) -> bool:
        """Whether this task is one of the nodes of a gang."""
        return "parallel" in self

    def get(self, name: str, default: Any = None) -> Any:
        """The value of this name, the default where there is no such name here; None is a value."""
        return getattr(self, name) if self._knows(name) else default

    def __contains__(self, name: object) -> bool:
        if name == "is_parallel":
            # Elsewhere it is False, which would be a value.
            return self.is_parallel
        # What is made when asked for is never None, and is not made for this question.
        return name in self._lazy or (self._knows(name) and getattr(self, str(name)) is not None)

    def _knows(self, name: object) -> bool:
        return name in self._values or name in self._lazy or name in _OF_TASKS or name in _MADE_HERE

    def __iter__(self) -> Iterator[str]:
        return iter([*self._values, *self._lazy])

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in self._values:
            return self._values[name]
        if name in self._lazy:
            self._values[name] = self._lazy.pop(name)()
            return self._values[name]
        if name in _OF_TASKS:
            return None
        if name == "tempdir":
            return _temporary_folder()
        if name == "card" and self._running:
            # For steps that fill a card only.
            from headway.flow.cards import card_of_task

            self._values[name] = card_of_task()
            return self._values[name]
        if not self._running:
            raise AttributeError(
                f"current.{name} is known only within a running step; "
                f"ask with current.get('{name}') or current.is_running_flow elsewhere."
            )
        more = _NO_TRIGGER if name == "trigger" else did_you_mean(name, self, "current.{}")
        raise AttributeError(f"current has no '{name}' in this step. {more}")

    def __repr__(self) -> str:
        return f"<current {self.pathspec}>" if self._running else "<current: no running step>"

    def _begin(
        self,
        *,
        lazy: Optional[Mapping[str, Callable[[], Any]]] = None,
        sees: Optional[str] = None,
        **values: Any,
    ) -> None:
        """For the runtime: from now on these values describe the running task.

        Args:
            lazy: Values that are made when first asked for, such as client objects.
            sees: The user namespace that the client looks in by default; the task's own where none is given.
            **values: All others.
        """
        self._values = dict(values)
        self._lazy = dict(lazy or {})
        self._sees = str(values.get("namespace", "")) if sees is None else sees
        self._running = True

    def _extend(self, **values: Any) -> None:
        """For the runtime: what a decorator adds."""
        self._values.update(values)

    def _end(self) -> None:
        """For the runtime: no task runs any more."""
        self._values, self._lazy, self._running = {}, {}, False


def _temporary_folder() -> str:
    """The configured TEMPDIR, "." where nothing says one."""
    found = os.environ.get("HEADWAY_TEMPDIR") or os.environ.get("METAFLOW_TEMPDIR")
    if found:
        return found
    try:
        # Not in a pod, which is told what is configured as variables; elsewhere for those who ask for it only.
        from headway.config.sources import Configuration
    except ImportError:
        return "."
    from pathlib import Path

    configured = Configuration.load(os.environ, Path.cwd()).get("TEMPDIR")
    return str(configured.value) if configured is not None else "."


current = Current()
