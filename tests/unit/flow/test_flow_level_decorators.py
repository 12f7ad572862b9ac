"""Decorators of flows: noted on classes, inherited, checked with the graph."""

from typing import Any

import pytest

from headway.errors import FlowDefinitionError
from headway.flow.current import current
from headway.flow.decorators import card
from headway.flow.flow_catalogue import checked_flow_decorators
from headway.flow.flow_decorators import exit_hook, flow_decorators_of, project, schedule, trigger
from headway.flow.graph import Graph
from headway.flow.parse import parse_flow
from headway.flow.spec import FlowSpec
from headway.flow.step import step


def hook() -> None: ...


@project(name="fraud")
@exit_hook(on_success=[hook])
@exit_hook(on_error=["hook"])
class Base(FlowSpec):
    @step
    def start(self) -> None: ...


def test_a_flow_has_its_decorators_as_written() -> None:
    specs = checked_flow_decorators(Base)
    assert [(spec.name, dict(spec.attributes)) for spec in specs] == [
        ("project", {"name": "fraud"}),
        ("exit_hook", {"on_success": [hook]}),
        ("exit_hook", {"on_error": ["hook"]}),
    ]
    assert parse_flow(Base).decorators == specs


def test_they_are_inherited_and_replaced_by_the_class_that_says_otherwise() -> None:
    @schedule
    @project(name="other")
    class Derived(Base):
        pass

    found = flow_decorators_of(Derived)
    assert [spec.attributes["name"] for spec in found["project"]] == ["other"]
    assert len(found["exit_hook"]) == 2
    assert "schedule" in found
    assert "schedule" not in flow_decorators_of(Base)


def test_a_graph_keeps_them_as_data() -> None:
    graph = parse_flow(Base)
    again = Graph.from_json(graph.to_json())
    spec = again.decorator("project")
    assert spec is not None
    assert spec.attributes == {"name": "fraud"}
    assert again.with_decorators([]).decorators == again.decorators
    assert "decorators" not in Graph("F", [], "a", "a").to_json()


def flow(*decorators: Any) -> Any:
    class Sample(FlowSpec):
        @step
        def start(self) -> None: ...

    decorated: Any = Sample
    for decorate in decorators:
        decorated = decorate(decorated)
    return decorated


@pytest.mark.parametrize(
    ("cls", "words"),
    [
        (flow(project), "A project needs a name"),
        (flow(project(name="")), "lower-case letters, digits and underscores"),
        (flow(project(name="Fraud-1")), "lower-case letters, digits and underscores"),
        (flow(project(name="x" * 129)), "up to 128"),
        (flow(project(nam="x")), "does not support the attribute 'nam'"),
        (flow(project("x")), "a value without a name"),
        (flow(project(name="a"), project(name="b")), "has @project twice"),
        (flow(exit_hook), "Say what is to run"),
        (flow(exit_hook(on_success=[3])), "a list of functions"),
        (flow(schedule(daily="yes")), "True or False"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(cls: Any, words: str) -> None:
    with pytest.raises(FlowDefinitionError, match=words) as caught:
        parse_flow(cls)
    assert caught.value.file == __file__
    assert caught.value.line


def test_a_flow_decorator_on_a_step_is_named() -> None:
    class Sample(FlowSpec):
        @trigger(event="x")
        @step
        def start(self) -> None: ...

    with pytest.raises(FlowDefinitionError, match="@trigger stands on 'start', which is not a flow"):
        parse_flow(Sample)


def test_a_flow_decorator_on_a_value_is_refused_at_once() -> None:
    with pytest.raises(FlowDefinitionError, match="@project stands on a int, which is not a flow"):
        project(name="x")(3)


def test_a_step_that_fills_a_card_runs_on() -> None:
    @card(type="html")
    @card
    def start() -> None: ...

    current._begin(flow_name="F")
    try:
        current.card.append("x")
        current.card["a"].components[0].refresh()
        assert list(current.card) == []
        assert len(current.card.get(type="html")) == 0
    finally:
        current._end()
