"""``output-dot``, ``output-raw``, ``output-svg``, ``output-text``: the flow's graph for programs and for eyes."""

import json
from pathlib import Path

import click

from headway.cli.context import program
from headway.errors import UsageError


def output_commands() -> list[click.Command]:
    """The commands."""
    return [
        click.Command("output-dot", callback=_dot, help="Print the graph for graphviz (DOT)."),
        click.Command(
            "output-raw",
            params=[click.Option(["--json", "as_json"], is_flag=True, help="As JSON.")],
            callback=_raw,
            help="Print the graph as Headway sees it.",
        ),
        click.Command(
            "output-svg",
            params=[click.Argument(["file"], required=False, metavar="[FILE]")],
            callback=_svg,
            help="Draw the graph as a picture (SVG), to a file or to standard output.",
        ),
        click.Command("output-text", callback=_text, help="Draw the graph as text."),
    ]


# Each loads what draws only once it is called.
def _dot() -> None:
    from headway.ui.graph.dot import graph_as_dot

    this = program()
    for line in graph_as_dot(this.graph()):
        this.write(line)


def _text() -> None:
    from headway.ui.graph.text import graph_as_text

    this = program()
    for line in graph_as_text(this.graph()):
        this.write(line)


def _raw(as_json: bool) -> None:
    this = program()
    graph = this.graph()
    if as_json:
        this.write(json.dumps(graph.to_json(), indent=2))
        return
    for node in graph:
        # Where it is written says nothing about the graph.
        about = {
            name: value for name, value in node.to_json().items() if name not in ("file", "line", "next_line")
        }
        this.write(" ".join(f"{name}={json.dumps(value)}" for name, value in about.items()))


def _svg(file: str | None) -> None:
    from headway.ui.graph.svg import graph_as_svg

    this = program()
    picture = graph_as_svg(this.graph())
    if file is None:
        this.write(picture.rstrip("\n"))
        return
    try:
        Path(file).write_text(picture, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{file} cannot be written: {error.strerror}.", "Name a file in a folder that is there."
        ) from error
    this.write(f"The graph is drawn in {file}.", error=True)
