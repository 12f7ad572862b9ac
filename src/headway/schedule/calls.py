"""The calls of a pipeline that wait: which of those that each needs have succeeded."""

from collections.abc import Iterable

from headway.schedule.plan import Plan
from headway.store.records import AttemptRef


class Calls:
    """Tells which calls may start.

    Args:
        plan: The pipeline's calls.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._missing = {name: set(node.needs) for name, node in plan.nodes.items()}
        self._done: dict[str, AttemptRef] = {}

    def first(self) -> list[str]:
        """The calls that need nothing, in the order of the body."""
        return [name for name, missing in self._missing.items() if not missing]

    def succeeded(self, ref: AttemptRef) -> list[str]:
        """Note that a call has succeeded; the calls that may start now, in the order of the body."""
        self._done[ref.step] = ref
        ready = []
        for name in self._plan.nodes[ref.step].targets:
            missing = self._missing[name]
            missing.discard(ref.step)
            if not missing:
                ready.append(name)
        return ready

    def inputs(self, call: str) -> tuple[AttemptRef, ...]:
        """The attempts whose outputs a call may take, in the order of its needs."""
        return tuple(self._done[name] for name in self._plan.nodes[call].needs)

    @property
    def end(self) -> AttemptRef | None:
        """The attempt of the body's last call once all calls have succeeded, None before."""
        if len(self._done) < len(self._plan.nodes):
            return None
        return self._done[list(self._plan.nodes)[-1]]

    def waiting(self) -> Iterable[tuple[str, list[str]]]:
        """Each call that has not succeeded, and what it waits for."""
        return [
            (name, [need for need in node.needs if need not in self._done])
            for name, node in self._plan.nodes.items()
            if name not in self._done
        ]
