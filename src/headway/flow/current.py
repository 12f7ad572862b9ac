"""``current``: what a step can ask about the task that it runs in."""

from typing import Any, Callable, Dict, Iterator, Mapping, NamedTuple, Optional

from headway.flow.names import did_you_mean


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

    Always known within a task: ``flow_name``, ``run_id``, ``step_name``, ``task_id``,
    ``retry_count``, ``origin_run_id``, ``pathspec``, ``namespace``, ``username``, ``tags``; and, made when
    first asked for, ``run`` and ``task`` (the client's), ``graph_info`` (also called ``graph``),
    ``parameter_names`` and ``tempdir`` ("." where the step has no folder for temporary files of its own). Others, such as
    ``parallel`` or ``project_name``, come with the decorators that need them.
    ``"name" in current`` and ``current.get("name", default)`` ask without an error.
    """

    def __init__(self) -> None:
        self._values: Dict[str, Any] = {}
        self._lazy: Dict[str, Callable[[], Any]] = {}
        self._running = False

    @property
    def is_running_flow(self) -> bool:
        """Whether this code runs within a task."""
        return self._running

    @property
    def pathspec(self) -> str:
        """``flow/run/step/task``."""
        return f"{self.flow_name}/{self.run_id}/{self.step_name}/{self.task_id}"

    @property
    def is_parallel(self) -> bool:
        """Whether this task is one of the nodes of a gang."""
        return "parallel" in self

    def get(self, name: str, default: Any = None) -> Any:
        """The value of this name, the default where it is not known here."""
        return getattr(self, name) if name in self else default

    def __contains__(self, name: object) -> bool:
        if name in ("is_running_flow", "is_parallel"):
            return True
        if name == "pathspec":
            return self._running
        return name in self._values or name in self._lazy

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
        raise AttributeError(
            f"current has no '{name}' in this step. {did_you_mean(name, self, 'current.{}')}"
        )

    def __repr__(self) -> str:
        return f"<current {self.pathspec}>" if self._running else "<current: no running step>"

    def _begin(self, *, lazy: Optional[Mapping[str, Callable[[], Any]]] = None, **values: Any) -> None:
        """For the runtime: from now on these values describe the running task.

        Args:
            lazy: Values that are made when first asked for, such as client objects.
            **values: All others.
        """
        self._values = dict(values)
        self._lazy = dict(lazy or {})
        self._running = True

    def _extend(self, **values: Any) -> None:
        """For the runtime: what a decorator adds."""
        self._values.update(values)

    def _end(self) -> None:
        """For the runtime: no task runs any more."""
        self._values, self._lazy, self._running = {}, {}, False


current = Current()
