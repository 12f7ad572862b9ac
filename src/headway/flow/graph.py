"""The one form that every flow and pipeline is compiled to: steps, and how each goes on.

A :class:`Graph` is made by :func:`headway.flow.assemble.assemble`, which refuses what is not a
valid graph, or by :func:`headway.flow.trace.trace` from a pipeline's calls; whoever holds one can
rely on it. It knows neither ``FlowSpec`` nor source code, and its JSON form stands in the run's record.
"""

from headway.flow.decorators import DecoratorSpec, plain
from headway.plain import (
    TYPE_CHECKING,
    Any,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Tuple,
)

if TYPE_CHECKING:
    from headway.call import Call

#: How a step goes on. A step that takes inputs and goes on to one step is a ``join``; one that takes
#: inputs and then splits again has the kind of its split: ``takes_inputs`` tells of the other half.
LINEAR, SPLIT, FOREACH, PARALLEL, SWITCH, JOIN, END = (
    "linear",
    "split",
    "foreach",
    "parallel",
    "switch",
    "join",
    "end",
)

#: The kind of a pipeline's calls: each runs once what it needs is there, and says nothing of what follows.
CALL = "call"

#: The kinds that open a fan-out which a join closes.
FAN_OUTS = frozenset({SPLIT, FOREACH, PARALLEL})

#: Decorators whose attributes settle one by one: what ``--with`` says fills in what stands in the code.
_FILLED_IN = frozenset({"kubernetes"})

#: The variable of a fan-out made by ``num_parallel``, where a foreach has the name of an artifact.
PARALLEL_VARIABLE = "_parallel"


class Node(NamedTuple):
    """One step.

    Attributes:
        name: The step's name.
        kind: How it goes on: linear, split, foreach, parallel, switch, join or end; call in a pipeline.
        targets: The steps it may lead to, as written; a switch's without doubles. The calls that need it.
        foreach: The artifact that a foreach goes over.
        num_parallel: The number of nodes, where ``num_parallel`` is written as a number.
        condition: The artifact that a switch looks at.
        cases: A switch's (value as text, step), in the order written.
        takes_inputs: Whether it is called with ``inputs``: it joins a fan-out.
        matching_split: For a step that takes inputs: the fan-out that it closes.
        matching_join: For a fan-out: the step that closes it.
        doc: The step's docstring.
        file: Where the step is written.
        line: The line of its ``def``.
        next_line: The line of its ``self.next``, 0 where it has none.
        decorators: From top to bottom as written.
        start: Whether it is annotated as the start.
        end: Whether it is annotated as the end.
        info: What ``@step(node_info=…)`` says.
        needs: For a call: the calls before it that it needs, those first whose outputs it takes.
        call: For a call: the function, and what is made of its arguments and its result.
    """

    name: str
    kind: str
    targets: Tuple[str, ...] = ()
    foreach: Optional[str] = None
    num_parallel: Optional[int] = None
    condition: Optional[str] = None
    cases: Tuple[Tuple[str, str], ...] = ()
    takes_inputs: bool = False
    matching_split: Optional[str] = None
    matching_join: Optional[str] = None
    doc: str = ""
    file: str = ""
    line: int = 0
    next_line: int = 0
    decorators: Tuple[DecoratorSpec, ...] = ()
    start: bool = False
    end: bool = False
    info: Mapping[str, Any] = {}
    needs: Tuple[str, ...] = ()
    call: Optional["Call"] = None

    def decorator(self, name: str) -> Optional[DecoratorSpec]:
        """The step's decorator of this name, the first if it may stand several times."""
        return next((spec for spec in self.decorators if spec.name == name), None)

    @property
    def is_parallel(self) -> bool:
        """Whether the step is a gang (``@parallel``).

        Reached with ``num_parallel`` it is a fan-out of that many tasks, closed by a join. Reached by
        a plain ``self.next``, with ``@parallel(num_nodes=…)``, it is one task of that many ranks, and
        what rank 0 made is its result.
        """
        return self.gang is not None

    @property
    def gang(self) -> Optional[DecoratorSpec]:
        """The decorator that makes the step a gang, None where none does."""
        return self.decorator("parallel") or self.decorator("pytorch_parallel")

    def to_json(self) -> Dict[str, Any]:
        """Plain data; what has its default is left out."""
        raw = {
            name: value
            for name, value in self._asdict().items()
            if name not in self._field_defaults or value != self._field_defaults[name]
        }
        if self.decorators:
            raw["decorators"] = [spec.to_json() for spec in self.decorators]
        if self.call is not None:
            raw["call"] = self.call._asdict()
        for name in ("targets", "cases", "needs"):
            if name in raw:
                raw[name] = [list(item) if isinstance(item, tuple) else item for item in raw[name]]
        if self.info:
            raw["info"] = plain(self.info)
        return raw

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "Node":
        """The inverse of :meth:`to_json`; fields that a newer version added are ignored."""
        known = {name: value for name, value in raw.items() if name in cls._fields}
        known["targets"] = tuple(known.get("targets", ()))
        known["cases"] = tuple((value, target) for value, target in known.get("cases", ()))
        known["decorators"] = tuple(DecoratorSpec.from_json(spec) for spec in known.get("decorators", ()))
        known["needs"] = tuple(known.get("needs", ()))
        if known.get("call"):
            from headway.call import Call  # for pipelines

            known["call"] = Call.from_json(known["call"])
        return cls(**known)


class Graph:
    """The steps of one flow by name, in the order written, and which is first and last."""

    __slots__ = ("decorators", "doc", "end", "name", "nodes", "notes", "start")

    def __init__(
        self,
        name: str,
        nodes: Iterable[Node],
        start: str,
        end: str,
        doc: str = "",
        decorators: Iterable[DecoratorSpec] = (),
    ) -> None:
        self.name = name
        self.nodes: Dict[str, Node] = {node.name: node for node in nodes}
        self.start = start
        self.end = end
        self.doc = doc
        #: The flow's own decorators.
        self.decorators = tuple(decorators)
        #: What may go wrong at run time, in words, where the source tells; no part of the graph's record.
        self.notes: Tuple[str, ...] = ()

    def __getitem__(self, step: str) -> Node:
        return self.nodes[step]

    def __contains__(self, step: object) -> bool:
        return step in self.nodes

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes.values())

    def __len__(self) -> int:
        return len(self.nodes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Graph) and self.to_json() == other.to_json()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<Graph {self.name}: {', '.join(node.name for node in self.in_order())}>"

    def decorator(self, name: str) -> Optional[DecoratorSpec]:
        """The flow's decorator of this name, the first if it may stand several times."""
        return next((spec for spec in self.decorators if spec.name == name), None)

    @property
    def is_pipeline(self) -> bool:
        """Whether its nodes are a pipeline's calls; its start and end are then the first and the last of them."""
        return self.nodes[self.start].kind == CALL

    def predecessors(self, step: str) -> Tuple[str, ...]:
        """The steps that may lead to this one, in the order written, itself included where it loops."""
        return tuple(node.name for node in self if step in node.targets)

    def in_order(self) -> List[Node]:
        """The steps from start to end, each after all that lead to it."""
        if self.is_pipeline:
            # A call can only need what was called before it.
            return list(self)
        ordered = topological_order(self.nodes, self.start)
        return [self.nodes[name] for name in ordered]

    def with_decorators(self, specs: Iterable[DecoratorSpec]) -> "Graph":
        """The same graph with late decorators attached to each step; what is written wins, see :func:`attach`."""
        attached = tuple(specs)
        nodes = [node._replace(decorators=attach(node.decorators, attached)) for node in self]
        graph = Graph(self.name, nodes, self.start, self.end, self.doc, self.decorators)
        graph.notes = self.notes
        return graph

    def to_json(self) -> Dict[str, Any]:
        """Plain data for the run's record."""
        nodes = [node.to_json() for node in self]
        raw = {"name": self.name, "start": self.start, "end": self.end, "doc": self.doc, "nodes": nodes}
        if self.decorators:
            raw["decorators"] = [spec.to_json() for spec in self.decorators]
        return raw

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "Graph":
        """The inverse of :meth:`to_json`."""
        nodes = [Node.from_json(node) for node in raw["nodes"]]
        decorators = [DecoratorSpec.from_json(spec) for spec in raw.get("decorators", ())]
        return cls(raw["name"], nodes, raw["start"], raw["end"], raw.get("doc", ""), decorators)


def attach(written: Tuple[DecoratorSpec, ...], late: Iterable[DecoratorSpec]) -> Tuple[DecoratorSpec, ...]:
    """A step's decorators once the late ones have joined those that it lacks; the first of a name wins.

    As a whole, as in Metaflow; but of ``@kubernetes`` attribute by attribute, for which the others stay with it.
    """
    result = list(written)
    for spec in late:
        known = next((index for index, present in enumerate(result) if present.name == spec.name), None)
        if known is None:
            # Of those that run with the step, the last one added is the outermost.
            result.insert(len(result) if spec.user is None else 0, spec)
        elif spec.name in _FILLED_IN and spec.attributes and spec not in _said(result[known]):
            # What a pipeline says of all of its steps stays last.
            beneath = sorted((*result[known].beneath, spec), key=lambda each: each.of_pipeline)
            result[known] = result[known]._replace(beneath=tuple(beneath))
    return tuple(result)


def _said(spec: DecoratorSpec) -> Tuple[DecoratorSpec, ...]:
    """A decorator and what is beneath it, each by itself."""
    return (spec._replace(beneath=()), *spec.beneath)


def topological_order(nodes: Mapping[str, Node], start: str) -> List[str]:
    """The steps that start leads to, each after all that lead to it, in the order written among equals.

    A step that leads to itself is no obstacle; a longer loop leaves its steps out.
    """
    reachable = reachable_from(nodes, start)
    waiting = dict.fromkeys(reachable, 0)
    for name in reachable:
        for target in set(nodes[name].targets) - {name}:
            waiting[target] += 1
    ready, ordered = [start] if waiting[start] == 0 else [], []
    while ready:
        name = ready.pop(0)
        ordered.append(name)
        for target in dict.fromkeys(nodes[name].targets):
            if target != name:
                waiting[target] -= 1
                if waiting[target] == 0:
                    ready.append(target)
    return ordered


def reachable_from(nodes: Mapping[str, Node], start: str) -> List[str]:
    """The steps that start leads to, itself first."""
    found, ahead = {start: None}, [start]
    while ahead:
        for target in nodes[ahead.pop()].targets:
            if target not in found:
                found[target] = None
                ahead.append(target)
    return list(found)
