"""The graph as text and as a picture: every shape of flow, and graphs that nobody would write."""

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.flow.decorators import DecoratorSpec
from headway.flow.graph import Graph, Node
from headway.ui.graph.dot import graph_as_dot
from headway.ui.graph.layout import lay_out
from headway.ui.graph.svg import graph_as_svg
from headway.ui.graph.text import graph_as_text
from headway.ui.graph.words import many

POD = (DecoratorSpec("kubernetes", {}),)
GANG = (DecoratorSpec("parallel", {}),)


def graph(*nodes: Node) -> Graph:
    return Graph("Sample", nodes, nodes[0].name, nodes[-1].name, "A <flow> & more.")


def linear(name: str, target: str) -> Node:
    return Node(name, "linear", (target,))


SHAPES = {
    "single": (graph(Node("only", "end")), ["only"]),
    "linear": (graph(linear("start", "end"), Node("end", "end", decorators=POD)), ["start", "end  (pod)"]),
    "branch": (
        graph(
            Node("start", "split", ("a", "b"), matching_join="join"),
            linear("a", "a2"),
            linear("a2", "join"),
            linear("b", "join"),
            Node("join", "join", ("end",), takes_inputs=True, matching_split="start"),
            Node("end", "end"),
        ),
        ["start", "├─ a", "│  a2", "├─ b", "join", "end"],
    ),
    "nested foreach": (
        graph(
            Node("start", "foreach", ("outer",), foreach="xs", matching_join="close"),
            Node("outer", "foreach", ("inner",), foreach="ys", matching_join="gather"),
            Node("inner", "linear", ("gather",), decorators=POD),
            Node("gather", "join", ("close",), takes_inputs=True),
            Node("close", "join", ("end",), takes_inputs=True),
            Node("end", "end"),
        ),
        [
            "start",
            "├─ each of xs: outer",
            "│  ├─ each of ys: inner  (pod)",
            "│  gather",
            "close",
            "end",
        ],
    ),
    "switch that may skip and repeat": (
        graph(
            linear("start", "choose"),
            Node(
                "choose",
                "switch",
                ("big", "end", "choose", "start2"),
                condition="size",
                cases=(
                    ("large", "big"),
                    ("huge", "big"),
                    ("none", "end"),
                    ("more", "choose"),
                    ("x", "start2"),
                ),
            ),
            linear("big", "end"),
            linear("start2", "end"),
            Node("end", "end"),
        ),
        [
            "start",
            "choose",
            "├─ large, huge: big",
            "├─ none: on to end",
            "├─ more: again",
            "├─ x: start2",
            "end",
        ],
    ),
    "gang": (
        graph(
            Node("start", "parallel", ("train",), num_parallel=4, matching_join="join"),
            Node("train", "linear", ("join",), decorators=GANG),
            Node("join", "join", ("end",), takes_inputs=True),
            Node("end", "end"),
        ),
        ["start", "├─ 4 nodes: train  (gang)", "join", "end"],
    ),
}

every_shape = pytest.mark.parametrize("shape", SHAPES)


@every_shape
def test_as_text(shape: str) -> None:
    drawn, lines = SHAPES[shape]
    assert graph_as_text(drawn) == lines


@every_shape
def test_as_a_picture(shape: str) -> None:
    drawn, _ = SHAPES[shape]
    root = ET.fromstring(graph_as_svg(drawn))
    namespace = {"svg": "http://www.w3.org/2000/svg"}
    assert {group.get("id") for group in root.findall("svg:g", namespace)} == set(drawn.nodes)
    assert root.findtext("svg:title", namespaces=namespace) == "Sample: A <flow> & more."
    edges = sum(len(dict.fromkeys(node.targets)) for node in drawn)
    assert len(root.findall("svg:path", namespace)) == edges
    assert len(root.findall("svg:polygon", namespace)) == edges, "each has a head"
    width, height = float(root.get("width", "0")), float(root.get("height", "0"))
    for box in root.iter("{http://www.w3.org/2000/svg}rect"):
        x, y = float(box.get("x", "0")), float(box.get("y", "0"))
        assert 0 <= x <= x + float(box.get("width", "0")) <= width
        assert 0 <= y <= height


@every_shape
def test_as_dot(shape: str) -> None:
    drawn, _ = SHAPES[shape]
    lines = graph_as_dot(drawn)
    assert lines[0] == 'digraph "Sample" {'
    assert sum(" -> " in line for line in lines) == sum(len(dict.fromkeys(node.targets)) for node in drawn)


def test_steps_of_which_there_are_many_are_a_pile() -> None:
    drawn = SHAPES["nested foreach"][0]
    assert many(drawn) == {"outer", "inner", "gather"}
    assert len(re.findall('<rect class="box', graph_as_svg(drawn))) == 6 + 2 * 3


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Any graph in which every step leads on, and a few to themselves as well."""
    size = draw(st.integers(2, 12))
    names = [f"s{number}" for number in range(size)]
    nodes = []
    for number, name in enumerate(names[:-1]):
        onward = draw(st.sets(st.sampled_from(names[number + 1 :]), min_size=1, max_size=3))
        again = [name] if draw(st.booleans()) else []
        # Each is led to by the one before, so that all are reached.
        targets = tuple(dict.fromkeys([names[number + 1], *sorted(onward), *again]))
        nodes.append(Node(name, "split", targets))
    return graph(*nodes, Node(names[-1], "end"))


@settings(max_examples=25, deadline=None)
@given(graphs())
def test_nothing_overlaps_and_every_way_leads_down(drawn: Graph) -> None:
    order = {node.name: index for index, node in enumerate(drawn.in_order())}
    widths = {node.name: 90.0 for node in drawn}
    layout = lay_out(drawn, widths, gap=20.0)
    assert set(layout.centres) == set(order)
    rows: dict[int, list[float]] = {}
    for x, row in layout.centres.values():
        rows.setdefault(row, []).append(x)
    for places in rows.values():
        assert all(right - left >= 110 - 1e-6 for left, right in pairwise(sorted(places)))
    for _, route in layout.routes:
        assert all(lower == upper + 1 for (_, upper), (_, lower) in pairwise(route))
    assert min(x for x, _ in layout.centres.values()) >= 45 - 1e-6
    text = "\n".join(graph_as_text(drawn))
    assert all(re.search(rf"(^|[ │├─]){name}$", text, re.MULTILINE) for name in order)
    ET.fromstring(graph_as_svg(drawn))
