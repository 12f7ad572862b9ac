"""What is said beside a step and along an edge, whatever the graph is drawn with."""

from collections.abc import Mapping
from typing import NamedTuple

from headway.flow.graph import FOREACH, PARALLEL, SWITCH, Graph, Node


class Edge(NamedTuple):
    """That one step may lead to another, and what is said of it: a foreach's variable, a switch's values."""

    source: str
    target: str
    label: str = ""


def edges(graph: Graph) -> list[Edge]:
    """Every edge, in the order written; several cases of a switch that lead to one step are one edge."""
    return [Edge(node.name, target, label) for node in graph for target, label in labels(node).items()]


def labels(node: Node) -> Mapping[str, str]:
    """By each step that it may lead to, what is said of the way there."""
    if node.kind == SWITCH:
        values = {target: [value for value, step in node.cases if step == target] for target in node.targets}
        return {target: ", ".join(found) for target, found in values.items()}
    if node.kind == FOREACH:
        return dict.fromkeys(node.targets, f"each of {node.foreach or '…'}")
    if node.kind == PARALLEL:
        return dict.fromkeys(node.targets, f"{node.num_parallel or 'several'} nodes")
    return dict.fromkeys(node.targets, "")


def many(graph: Graph) -> frozenset[str]:
    """The steps of which there are many tasks: those within a foreach or a gang."""
    found: set[str] = set()
    for node in graph:
        if node.kind in (FOREACH, PARALLEL):
            found |= _between(graph, node.targets, node.matching_join)
    return frozenset(found)


def place(node: Node) -> str:
    """Where a step runs, in a word: "pod", "gang", "here"."""
    if node.is_parallel:
        return "gang"
    return "pod" if node.decorator("kubernetes") else "here"


def _between(graph: Graph, first: tuple[str, ...], last: str | None) -> set[str]:
    """The steps from the first ones up to, and not with, the last."""
    found: set[str] = set()
    ahead = list(first)
    while ahead:
        name = ahead.pop()
        if name != last and name not in found:
            found.add(name)
            ahead += graph[name].targets
    return found
