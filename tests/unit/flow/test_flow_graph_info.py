"""What ``current.graph_info`` holds, under the names by which tools for Metaflow read it."""

import json
from typing import Any

import pytest
from flow_sources import NAMES, body_source, flow_class, steps_source

from headway.flow.graph import Graph
from headway.flow.graph_info import graph_info
from headway.flow.parse import parse_flow
from headway.flow.user_decorators import UserStepDecorator


def info(source: str) -> dict[str, Any]:
    cls = flow_class(source)
    return graph_info(parse_flow(cls, source), cls)


def test_a_flow_tells_its_steps_parameters_and_constants() -> None:
    source = '''
class Sample(FlowSpec):
    """What it does."""
    rate = Parameter("learning-rate", default=0.1)
    size = 3

    @retry(times=2)
    @step(node_info={"colour": "red"})
    def start(self):
        """Begins."""
        self.items = [1]
        self.next(self.each, foreach="items")

    @step
    def each(self):
        self.next(self.join)

    @step
    def join(self, inputs):
        self.kind = "end"
        self.next({"again": self.join_more, "end": self.end}, condition="kind")

    @step
    def join_more(self):
        self.next(self.end)

    @step
    def end(self):
        pass
'''
    told = info(source)
    assert (told["doc"], told["start_step"], told["end_step"]) == ("What it does.", "start", "end")
    assert told["parameters"] == [{"name": "rate", "type": "Parameter"}]
    assert told["constants"] == [{"name": "size", "type": "int"}]
    assert told["decorators"] == []
    start = told["steps"]["start"]
    assert {"line", "source_file"} < start.keys()
    assert {name: start[name] for name in start if name not in ("line", "source_file")} == {
        "name": "start",
        "type": "split-foreach",
        "doc": "Begins.",
        "decorators": [
            {"name": "retry", "attributes": {"times": 2}, "statically_defined": True, "inserted_by": None}
        ],
        "next": ["each"],
        "node_info": {"colour": "red"},
        "foreach_artifact": "items",
        "matching_join": "join",
    }
    join = told["steps"]["join"]
    assert (join["type"], join["condition"]) == ("split-switch", "kind")
    assert join["switch_cases"] == {"again": "join_more", "end": "end"}


@pytest.mark.parametrize(
    ("written", "structure"),
    [
        ({"start": "self.a", "a": "self.end", "end": ""}, ["start", "a", "end"]),
        ({"only": ""}, ["only"]),
        (
            {"start": "self.a, self.b", "a": "self.c", "c": "self.join", "b": "self.join", "join": "self.end", "end": ""},
            ["start", [["a", "c"], ["b"]], "join", "end"],
        ),
        (
            {"start": 'self.a, foreach="x"', "a": "self.join", "join": "self.end", "end": ""},
            ["start", [["a"]], "join", "end"],
        ),
        (
            {"start": '{"x": self.a, "y": self.end}, condition="k"', "a": "self.end", "end": ""},
            ["start", [["a"]], "end"],
        ),
        (
            {"start": "self.a", "a": '{"x": self.a, "y": self.end}, condition="k"', "end": ""},
            ["start", "a", [[]], "end"],
        ),
    ],
)  # fmt: skip
def test_the_structure_nests_what_splits(written: dict[str, str], structure: list[Any]) -> None:
    assert info(body_source(steps_source(written)))["graph_structure"] == structure


def test_each_step_has_its_name() -> None:
    cls = flow_class(body_source(steps_source({"start": "self.end", "end": ""})))
    assert [each.name for each in cls(use_cli=False)] == ["start", "end"]


class Told(UserStepDecorator):
    def init(self, *values: object, **named: object) -> None: ...


@pytest.mark.parametrize(
    ("written", "attributes"),
    [("Told(1, (2,), z=3)", {"_args": [1, [2]], "z": 3}), ("Told", {"_args": []}), ("retry", {})],
)
def test_what_a_persons_own_decorator_was_given(
    monkeypatch: pytest.MonkeyPatch, written: str, attributes: dict[str, Any]
) -> None:
    monkeypatch.setitem(NAMES, "Told", Told)
    source = body_source(f"@{written}\n@step\ndef start(self): pass")
    cls = flow_class(source)
    graph = parse_flow(cls, source)
    recorded = Graph.from_json(json.loads(json.dumps(graph.to_json())))
    for each in (graph, recorded):
        (told,) = graph_info(each, cls)["steps"]["start"]["decorators"]
        assert json.loads(json.dumps(told["attributes"])) == attributes
