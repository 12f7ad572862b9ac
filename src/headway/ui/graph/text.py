"""The graph as indented lines: branches hang from the step that splits, and end where they come together."""

from collections.abc import Iterator
from dataclasses import dataclass

from headway.flow.graph import SWITCH, Graph, Node
from headway.ui.graph.words import Edge, edges, place


def graph_as_text(graph: Graph) -> list[str]:
    """The lines.

    For example::

        start
        ├─ each of models: train  (pod)
        join
        end
    """
    if graph.is_pipeline:
        # Calls may need each other in ways that no nesting shows.
        return [_called(node) for node in graph.in_order()]
    return list(_Drawing(graph).lines())


def _called(node: Node) -> str:
    where = "" if place(node) == "here" else f"  ({place(node)})"
    return f"{node.name}{where}" + (f"  after {', '.join(node.needs)}" if node.needs else "")


@dataclass
class _Drawing:
    graph: Graph

    def __post_init__(self) -> None:
        self._order = [node.name for node in self.graph.in_order()]
        #: Each step is drawn once, also where branches meet without a join.
        self._drawn: set[str] = set()
        self._edges: dict[str, list[Edge]] = {node.name: [] for node in self.graph}
        for edge in edges(self.graph):
            self._edges[edge.source].append(edge)

    def lines(self) -> Iterator[str]:
        yield from self._chain(self.graph.start, None, "", "")

    def _chain(self, step: str, stop: str | None, first: str, rest: str) -> Iterator[str]:
        """A step and what follows it, up to the step where other branches come in."""
        name: str | None = step
        prefix = first
        while name is not None and name != stop:
            if name in self._drawn:
                yield f"{prefix}on to {name}"
                return
            self._drawn.add(name)
            yield prefix + self._named(name)
            prefix = rest
            ways = self._edges[name]
            if len(ways) == 1 and not ways[0].label:
                name = ways[0].target
                continue
            together = self._together(name)
            for way in ways:
                yield from self._branch(way, together or stop, rest)
            name = together

    def _branch(self, way: Edge, together: str | None, rest: str) -> Iterator[str]:
        label = f"{way.label}: " if way.label else ""
        start = f"{rest}├─ {label}"
        if way.target == way.source:
            yield f"{start}again"
        elif way.target == together:
            yield f"{start}on to {way.target}"
        else:
            yield from self._chain(way.target, together, start, f"{rest}│  ")

    def _named(self, name: str) -> str:
        where = place(self.graph[name])
        return name if where == "here" else f"{name}  ({where})"

    def _together(self, name: str) -> str | None:
        """The step in which all ways from this one come together."""
        node = self.graph[name]
        if node.matching_join is not None and node.kind != SWITCH:
            return node.matching_join
        targets = [target for target in node.targets if target != name]
        later = self._order[self._order.index(name) + 1 :]
        return next((each for each in later if all(self._passes(target, each) for target in targets)), None)

    def _passes(self, step: str, through: str) -> bool:
        """Whether every way from a step to the end passes through another one."""
        ahead, seen = [step], {through}
        while ahead:
            name = ahead.pop()
            if name in seen:
                continue
            if name == self.graph.end:
                return False
            seen.add(name)
            ahead += self.graph[name].targets
        return True
