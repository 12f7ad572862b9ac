"""The graph as a picture: one SVG file that needs nothing else and follows a reader's light or dark theme."""

from html import escape
from itertools import pairwise

from headway.flow.graph import Graph, Node
from headway.ui.graph.layout import lay_out
from headway.ui.graph.words import Edge, labels, many, place

_ROW, _HEIGHT, _GAP, _MARGIN = 92.0, 40.0, 28.0, 28.0
#: Widths of a character of the two sizes of text, by experience; there is no font to ask.
_CHARACTER, _SMALL = 7.6, 6.2
#: How far the last of a pile stands off the first.
_PILE = 7.0
#: How far an edge that leads back stands off the steps.
_LOOP = 34.0

#: Each rule on its own, without variables of CSS: viewers of pictures know no more.
_STYLE = """
  .flow { font-family: ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
  .page { fill: #ffffff; }
  .box { fill: #ffffff; stroke: #94a3b8; stroke-width: 1.4; }
  .pod { stroke: #2563eb; }
  .bound { stroke-width: 2.6; }
  .name { fill: #1f2937; font-size: 13px; text-anchor: middle; }
  .mark { fill: #2563eb; font-size: 10px; text-anchor: middle; }
  .edge { fill: none; stroke: #94a3b8; stroke-width: 1.4; }
  .tip { fill: #94a3b8; }
  .label { fill: #64748b; font-size: 11px; text-anchor: middle; }
  .behind { fill: #ffffff; opacity: 0.85; }
  @media (prefers-color-scheme: dark) {
    .page, .behind { fill: #0f172a; }
    .box { fill: #1e293b; stroke: #64748b; }
    .pod { stroke: #60a5fa; }
    .name { fill: #e5e7eb; }
    .mark { fill: #60a5fa; }
    .edge { stroke: #64748b; }
    .tip { fill: #64748b; }
    .label { fill: #94a3b8; }
  }
"""

Point = tuple[float, float]


def graph_as_svg(graph: Graph) -> str:
    """The text of an SVG file."""
    widths = {node.name: max(86.0, len(node.name) * _CHARACTER + 30) for node in graph}
    repeated = many(graph)
    layout = lay_out(graph, {name: width + 2 * _beside(graph[name]) for name, width in widths.items()}, _GAP)
    centres = {name: (_MARGIN + x, _y(row)) for name, (x, row) in layout.centres.items()}
    parts: list[str] = []
    right = max(x + widths[name] / 2 for name, (x, _) in centres.items())
    for edge, route in layout.routes:
        points = [(_MARGIN + x, _y(row)) for x, row in route]
        parts += _edge(edge, points, _PILE if edge.target in repeated else 0.0)
        right = max(right, *(x for x, _ in points))
    for edge in layout.back:
        drawn, reach = _back(edge, centres, widths)
        parts += drawn
        right = max(right, reach)
    for node in graph:
        if node.name in centres:
            parts += _step(node, centres[node.name], widths[node.name], node.name in repeated, graph)
    width, height = right + _MARGIN, _y(layout.rows - 1) + _HEIGHT / 2 + _MARGIN
    size, box = f'width="{width:.0f}" height="{height:.0f}"', f"{width:.0f} {height:.0f}"
    title = escape(f"{graph.name}: {graph.doc.splitlines()[0]}" if graph.doc else graph.name)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="flow" role="img" {size} viewBox="0 0 {box}">',
            f"<title>{title}</title>",
            f"<style>{_STYLE}</style>",
            f'<rect class="page" {size}/>',
            *parts,
            "</svg>",
            "",
        ]
    )


def _y(row: int) -> float:
    return _MARGIN + _HEIGHT / 2 + row * _ROW


def _step(node: Node, centre: Point, width: float, repeated: bool, graph: Graph) -> list[str]:
    x, y = centre
    where = place(node)
    classes = (
        "box"
        + (" pod" if where != "here" else "")
        + (" bound" if node.name in (graph.start, graph.end) else "")
    )
    box = f'<rect class="{classes}" x="{{x:.1f}}" y="{{y:.1f}}" width="{width:.1f}" height="{_HEIGHT:.0f}" rx="9"/>'
    left, top = x - width / 2, y - _HEIGHT / 2
    # Steps of which there are many tasks are drawn as a pile.
    piled = [box.format(x=left + off, y=top - off) for off in ((_PILE, _PILE / 2) if repeated else ())]
    about = node.doc.splitlines()[0] if node.doc else ""
    parts = [
        f'<g id="{escape(node.name)}">',
        f"<title>{escape(f'{node.name}: {about}' if about else node.name)}</title>",
        *piled,
        box.format(x=left, y=top),
    ]
    marks = [where] if where != "here" else []
    parts.append(
        f'<text class="name" x="{x:.1f}" y="{y + (-1 if marks else 4.5):.1f}">{escape(node.name)}</text>'
    )
    if marks:
        parts.append(f'<text class="mark" x="{x:.1f}" y="{y + 12:.1f}">{" ".join(marks)}</text>')
    return [*parts, "</g>"]


def _beside(node: Node) -> float:
    """The room that a step needs at its side: for the edge that leads back to itself, and what it says."""
    label = next((label for target, label in labels(node).items() if target == node.name), None)
    return 0.0 if label is None else _LOOP + len(label) * _SMALL


def _edge(edge: Edge, points: list[Point], above: float) -> list[str]:
    start = (points[0][0], points[0][1] + _HEIGHT / 2)
    end = (points[-1][0], points[-1][1] - _HEIGHT / 2 - above - 7)
    stations = [start, *points[1:-1], end]
    path = f"M{start[0]:.1f},{start[1]:.1f}"
    for (x0, y0), (x1, y1) in pairwise(stations):
        middle = (y0 + y1) / 2
        path += f" C{x0:.1f},{middle:.1f} {x1:.1f},{middle:.1f} {x1:.1f},{y1:.1f}"
    parts = [f'<path class="edge" d="{path}"/>', _tip(end, (end[0], end[1] + 7))]
    if edge.label:
        x0, y0 = stations[0]
        x1, y1 = stations[1]
        parts.append(_label(edge.label, ((x0 + x1) / 2, (y0 + y1) / 2 + 4)))
    return parts


def _back(edge: Edge, centres: dict[str, Point], widths: dict[str, float]) -> tuple[list[str], float]:
    """An edge that leads back, or to its own step, drawn around the right; and how far it reaches."""
    (x0, y0), (x1, y1) = centres[edge.source], centres[edge.target]
    start = (x0 + widths[edge.source] / 2, y0 + 9)
    end = (x1 + widths[edge.target] / 2 + _PILE + 7, y1 - 9)
    reach = max(start[0], end[0]) + _LOOP
    first, last = (f"{point[0]:.1f},{point[1]:.1f}" for point in (start, end))
    path = f"M{first} C{reach:.1f},{start[1]:.1f} {reach:.1f},{end[1]:.1f} {last}"
    parts = [f'<path class="edge" d="{path}"/>', _tip(end, (end[0] - 7, end[1]))]
    if edge.label:
        middle = (reach - _LOOP * 0.25 + len(edge.label) * _SMALL / 2 + 6, (start[1] + end[1]) / 2 + 4)
        parts.append(_label(edge.label, middle))
        reach = middle[0] + len(edge.label) * _SMALL / 2
    return parts, reach


def _tip(base: Point, point: Point) -> str:
    """An arrow's head."""
    (x0, y0), (x1, y1) = base, point
    across = (y1 - y0) * 0.6, (x1 - x0) * 0.6
    corners = [(x1, y1), (x0 - across[0], y0 - across[1]), (x0 + across[0], y0 + across[1])]
    return '<polygon class="tip" points="' + " ".join(f"{x:.1f},{y:.1f}" for x, y in corners) + '"/>'


def _label(text: str, at: Point) -> str:
    x, y = at
    width = len(text) * _SMALL + 6
    behind = f'<rect class="behind" x="{x - width / 2:.1f}" y="{y - 11:.1f}" width="{width:.1f}" height="15" rx="3"/>'
    return f'{behind}<text class="label" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'
