"""A flow's graph as data, and the tasks that a run of it must have, worked out without the product."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import SimpleNamespace
from typing import NamedTuple

#: Kinds of steps that open a scope which a join closes.
FAN_OUTS = frozenset({"split", "foreach", "parallel"})


class Key(NamedTuple):
    """What tells a task of a run from all others.

    Attributes:
        step: Its step.
        where: Its index in each foreach or gang around it, the outermost first.
        round: How often the nearest loop had gone round.
    """

    step: str
    where: tuple[int, ...] = ()
    round: int = 0


@dataclass(frozen=True)
class Node:
    """A step of a shape.

    Attributes:
        name: The step's name.
        kind: linear, split, foreach, parallel, switch, join or end.
        to: The steps that follow; of a switch the case's key is the name of its step.
        over: The expression of what a foreach goes over, a literal.
        width: How many ranks a gang has.
        choice: The expression by which a switch chooses, over ``where`` and ``round``.
        counts: Whether each visit is a new round of a loop.
        closes: The fan-out that a join belongs to.
        reads: How a join takes its inputs: iteration, name or position.
        marks: What stands in ``@step(...)``.
    """

    name: str
    kind: str = "linear"
    to: tuple[str, ...] = ()
    over: str = "[]"
    width: int = 0
    choice: str = ""
    counts: bool = False
    closes: str = ""
    reads: str = "iteration"
    marks: str = ""

    @property
    def values(self) -> tuple[object, ...]:
        """What a foreach yields."""
        return tuple(eval(self.over))


@dataclass(frozen=True)
class Task:
    """A task that a run must have.

    Attributes:
        key: Which.
        parents: The tasks before it, for a join in the order of its inputs.
        stack: What ``foreach_stack()`` says: index, number of tasks, value.
    """

    key: Key
    parents: tuple["Task", ...] = ()
    stack: tuple[tuple[int, int, object], ...] = ()

    @property
    def step(self) -> str:
        return self.key.step


@dataclass(frozen=True)
class Shape:
    """A graph.

    Attributes:
        name: What it is called in the names of tests.
        nodes: Its steps, the first and the last one at their ends.
        breaks: The task at which a broken run ends, to be resumed there.
        victim: The step that fails where a feature is about failing; it must be one that ``@catch`` takes.
    """

    name: str
    nodes: tuple[Node, ...]
    breaks: Key
    victim: str

    @cached_property
    def by_name(self) -> Mapping[str, Node]:
        return {node.name: node for node in self.nodes}

    @property
    def first(self) -> Node:
        return self.nodes[0]

    @property
    def last(self) -> Node:
        return self.nodes[-1]

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset(node.kind for node in self.nodes)

    @cached_property
    def joins(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if node.kind == "join")

    @cached_property
    def tasks(self) -> Mapping[Key, Task]:
        """Every task of a whole run, parents before their children."""
        walk = _Walk(self)
        walk.from_(self.first.name, (), (), (), 0)
        return walk.found

    def opened_by(self, name: str) -> Node | None:
        """The foreach or gang whose tasks begin with this step."""
        return next(
            (node for node in self.nodes if node.kind in {"foreach", "parallel"} and name in node.to), None
        )

    def of(self, step: str) -> list[Task]:
        """The tasks of a step."""
        return [task for task in self.tasks.values() if task.step == step]


class _Pending(NamedTuple):
    """A branch that came to its join."""

    task: Task
    join: str


@dataclass
class _Walk:
    shape: Shape
    found: dict[Key, Task] = field(default_factory=dict)

    def from_(
        self,
        name: str,
        parents: tuple[Task, ...],
        where: tuple[int, ...],
        stack: tuple[tuple[int, int, object], ...],
        rounds: int,
    ) -> _Pending | None:
        """Go on until the branch ends at a join or the run ends."""
        while True:
            node = self.shape.by_name[name]
            rounds += node.counts
            task = Task(Key(name, where, rounds), parents, stack)
            assert task.key not in self.found, f"{self.shape.name}: two tasks at {task.key}"
            self.found[task.key] = task
            if node.kind == "end":
                return None
            if node.kind in FAN_OUTS:
                ends = self._branches(node, task, rounds)
                name, parents = ends[0].join, tuple(each.task for each in ends)
                rounds = ends[0].task.key.round
                continue
            target = node.to[0]
            if node.kind == "switch":
                target = eval(node.choice, {}, {"self": SimpleNamespace(where=where, round=rounds)})
            if self.shape.by_name[target].kind == "join":
                return _Pending(task, target)
            name, parents = target, (task,)

    def _branches(self, node: Node, task: Task, rounds: int) -> list[_Pending]:
        where, stack = task.key.where, task.stack
        if node.kind == "split":
            ends = [self.from_(target, (task,), where, stack, rounds) for target in node.to]
        else:
            values = node.values if node.kind == "foreach" else tuple(range(node.width))
            ends = [
                self.from_(
                    node.to[0], (task,), (*where, index), (*stack, (index, len(values), value)), rounds
                )
                for index, value in enumerate(values)
            ]
        found = [each for each in ends if each is not None]
        assert len(found) == len(ends), f"{self.shape.name}: a branch of {node.name} has no join"
        assert len({each.join for each in found}) == 1, f"{self.shape.name}: branches of {node.name} part"
        return found
