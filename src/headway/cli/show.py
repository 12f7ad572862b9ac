"""What ``show`` prints: a flow's steps, what they do, and how each goes on."""

from headway.flow.decorators import DecoratorSpec
from headway.flow.graph import FOREACH, Graph, Node
from headway.ui.writer import StreamWriter


def print_graph(graph: Graph, write: StreamWriter) -> None:
    """Print a flow's steps."""
    write(f"{graph.name}" + (f": {graph.doc}" if graph.doc else ""))
    for node in graph:
        write("")
        for spec in node.decorators:
            write(f"@{spec.name}{_arguments(spec)}", style="dim")
            for late in spec.beneath:
                write(f"    what it leaves open: {late.shown_source}", style="dim")
        marks = [
            mark
            for mark, holds in (("start", node.name == graph.start), ("end", node.name == graph.end))
            if holds and not graph.is_pipeline
        ]
        write(f"Step {node.name}" + (f" ({', '.join(marks)})" if marks else ""))
        for line in (node.doc or "").splitlines():
            write(f"    {line}")
        if node.needs:
            write(f"    <= {', '.join(node.needs)}")
        elif node.targets and not graph.is_pipeline:
            write(f"    => {', '.join(node.targets)}{_how(node)}")


def _arguments(spec: DecoratorSpec) -> str:
    given = [repr(value) for value in spec.positional]
    given += [f"{name}={value!r}" for name, value in spec.shown.items()]
    return f"({', '.join(given)})" if given else ""


def _how(node: Node) -> str:
    if node.kind == FOREACH:
        return f" (for each of {node.foreach or '…'})"
    if node.condition:
        return f" (by {node.condition}: {', '.join(f'{value} -> {step}' for value, step in node.cases)})"
    return ""
