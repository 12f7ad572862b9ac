"""Random flows, what they do when they run, and a recursive model of what must come of it.

The flow is a tree of blocks; the plan is compiled from it, the model walks it. The model knows
nothing of frames, groups or events.
"""

from dataclasses import dataclass, field
from itertools import count
from zlib import crc32

from hypothesis import strategies as st

from headway.flow.graph import PARALLEL_VARIABLE
from headway.schedule import Plan, PlanNode
from headway.store.records import Transition

#: Where a task stands: an index for each open split, outermost first.
Path = tuple[int, ...]
#: One task, whatever its id: the step, where, and how often that step ran there before (self-loops).
Label = tuple[str, Path, int]

END = "end"


@dataclass(frozen=True)
class Linear:
    name: str


@dataclass(frozen=True)
class Fork:
    name: str
    join: str
    branches: tuple["Block", ...]


@dataclass(frozen=True)
class Foreach:
    name: str
    join: str
    body: "Block"


@dataclass(frozen=True)
class Switch:
    name: str
    cases: tuple["Block", ...]


@dataclass(frozen=True)
class Loop:
    name: str


@dataclass(frozen=True)
class Spread:
    """``num_parallel`` to a gang of its own, each rank a split."""

    name: str
    gang: str
    join: str


@dataclass(frozen=True)
class Ranked:
    """A gang of a fixed size, one task to all others."""

    name: str
    nodes: int


Item = Linear | Fork | Foreach | Switch | Loop | Spread | Ranked
Block = tuple[Item, ...]


def worker(step: str, rank: int) -> str:
    """What the model calls a rank that nobody reads."""
    return f"{step}~{rank}" if rank else step


@dataclass
class Flow:
    """A block between nothing and the end step; ``seed`` fixes widths, choices and repeats."""

    block: Block
    seed: int
    nodes: dict[str, PlanNode] = field(default_factory=dict)
    _ways: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.nodes[END] = PlanNode(END, end=True)
        self.start = self._link(self.block, END)
        self.plan = Plan(self.start, self.nodes)

    def pick(self, label: Label, below: int) -> int:
        return crc32(repr((self.seed, label)).encode()) % below

    def width(self, label: Label) -> int:
        return 1 + self.pick(label, 3)

    def loops(self, label: Label) -> bool:
        return label[2] < self.pick((*label[:2], -1), 3)

    def transition(self, label: Label) -> Transition | None:
        """What the task's ``self.next`` says."""
        step = label[0].partition("~")[0]
        if step == END:
            return None
        kind, targets = self._ways[step]
        if kind == "foreach":
            return Transition(targets, "items", self.width(label))
        if kind == "spread":
            return Transition(targets, PARALLEL_VARIABLE, self.width(label))
        if kind == "switch":
            return Transition((targets[self.pick(label, len(targets))],))
        if kind == "loop":
            return Transition((step,) if self.loops(label) else targets)
        return Transition(targets)

    def _link(self, block: Block, follower: str) -> str:
        """Compile a block in front of a step and return the block's first step."""
        for item in reversed(block):
            follower = self._link_item(item, follower)
        return follower

    def _link_item(self, item: object, follower: str) -> str:
        match item:
            case Linear(name):
                return self._node(name, "linear", (follower,))
            case Fork(name, join, branches):
                self._node(join, "linear", (follower,), join=True)
                return self._node(name, "fork", tuple(self._link(branch, join) for branch in branches))
            case Foreach(name, join, body):
                self._node(join, "linear", (follower,), join=True)
                return self._node(name, "foreach", (self._link(body, join),))
            case Spread(name, gang, join):
                self._node(join, "linear", (follower,), join=True)
                self._node(gang, "linear", (join,), gang=True)
                return self._node(name, "spread", (gang,))
            case Ranked(name, nodes):
                return self._node(name, "linear", (follower,), gang=True, nodes=nodes)
            case Switch(name, cases):
                return self._node(name, "switch", tuple(self._link(case, follower) for case in cases))
            case Loop(name):
                self._ways[name] = ("loop", (follower,))
                self.nodes[name] = PlanNode(name, (name, follower))
                return name
        raise AssertionError(item)

    def _node(
        self,
        name: str,
        kind: str,
        targets: tuple[str, ...],
        join: bool = False,
        gang: bool = False,
        nodes: int | None = None,
    ) -> str:
        self._ways[name] = (kind, targets)
        self.nodes[name] = PlanNode(name, tuple(dict.fromkeys(targets)), join, gang=gang, nodes=nodes)
        return name


def expected(flow: Flow) -> dict[Label, tuple[Label, ...]]:
    """Every task of a run in which nothing fails for good, with the tasks that it reads, in order."""
    tasks: dict[Label, tuple[Label, ...]] = {}

    def run(name: str, path: Path, inputs: tuple[Label, ...]) -> Label:
        label = (name, path, sum(known[:2] == (name, path) for known in tasks))
        tasks[label] = inputs
        return label

    def walk(block: Block, path: Path, came: tuple[Label, ...]) -> tuple[Label, ...]:
        for item in block:
            match item:
                case Linear(name):
                    came = (run(name, path, came),)
                case Fork(name, join, branches):
                    split = (run(name, path, came),)
                    ends = [walk(branch, (*path, i), split) for i, branch in enumerate(branches)]
                    came = (run(join, path, tuple(label for end in ends for label in end)),)
                case Foreach(name, join, body):
                    split = (run(name, path, came),)
                    ends = [walk(body, (*path, i), split) for i in range(flow.width(split[0]))]
                    came = (run(join, path, tuple(label for end in ends for label in end)),)
                case Spread(name, gang, join):
                    split = (run(name, path, came),)
                    ranks = [run(gang, (*path, i), split) for i in range(flow.width(split[0]))]
                    came = (run(join, path, tuple(ranks)),)
                case Ranked(name, nodes):
                    came = tuple(run(worker(name, rank), path, came) for rank in range(nodes))[:1]
                case Switch(name, cases):
                    chosen = run(name, path, came)
                    came = walk(cases[flow.pick(chosen, len(cases))], path, (chosen,))
                case Loop(name):
                    came = (run(name, path, came),)
                    while flow.loops(came[0]):
                        came = (run(name, path, came),)
        return came

    run(END, (), walk(flow.block, (), ()))
    return tasks


@st.composite
def flows(draw: st.DrawFn, depth: int = 3) -> Flow:
    """Flows of nested splits, foreachs of 1 to 3, switches (also with an empty way), self-loops and gangs."""
    numbers = count()

    def name(kind: str) -> str:
        return f"{kind}{next(numbers)}"

    def block(depth: int, least: int) -> Block:
        return tuple(item(depth) for _ in range(draw(st.integers(least, 2))))

    def item(depth: int) -> Item:
        deep = ("fork", "foreach", "switch", "loop") if depth else ()
        kind = draw(st.sampled_from(("linear", *deep, "spread", "ranked")))
        if kind == "spread":
            return Spread(name("spread"), name("gang"), name("join"))
        if kind == "ranked":
            return Ranked(name("ranked"), draw(st.integers(1, 3)))
        if kind == "fork":
            branches = draw(st.integers(2, 3))
            return Fork(name("fork"), name("join"), tuple(block(depth - 1, 1) for _ in range(branches)))
        if kind == "foreach":
            return Foreach(name("foreach"), name("join"), block(depth - 1, 1))
        if kind == "switch":
            return Switch(name("switch"), (block(depth - 1, 0), block(depth - 1, 1)))
        return Loop(name("loop")) if kind == "loop" else Linear(name("step"))

    return Flow(block(depth, 1), draw(st.integers(0, 1000)))
