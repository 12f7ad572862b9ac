"""The graph in graphviz's language."""

import json

from headway.flow.graph import Graph
from headway.ui.graph.words import edges, many, place


def graph_as_dot(graph: Graph) -> list[str]:
    """The lines of a DOT file: ``python flow.py output-dot | dot -Tpng -o flow.png``."""
    repeated = many(graph)
    lines = [
        f"digraph {_quoted(graph.name)} {{",
        "  rankdir=TB;",
        '  node [shape=box, style=rounded, fontname="sans-serif"];',
    ]
    for node in graph:
        about = {"label": node.name}
        if place(node) != "here":
            about["label"] += f"\n{place(node)}"
        if node.name in repeated:
            about["peripheries"] = "2"
        listed = ", ".join(f"{name}={_quoted(value)}" for name, value in about.items())
        lines.append(f"  {_quoted(node.name)} [{listed}];")
    for edge in edges(graph):
        label = f" [label={_quoted(edge.label)}]" if edge.label else ""
        lines.append(f"  {_quoted(edge.source)} -> {_quoted(edge.target)}{label};")
    return [*lines, "}"]


def _quoted(text: str) -> str:
    # DOT's strings are JSON's, but that other characters stand for themselves.
    return json.dumps(text, ensure_ascii=False)
