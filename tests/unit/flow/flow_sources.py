"""Flows for tests, given as text: compiled, executed, and their classes handed back."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pytest

from headway.errors import FlowDefinitionError
from headway.flow import decorators
from headway.flow.graph import Graph
from headway.flow.parameters import Parameter
from headway.flow.parse import parse_flow
from headway.flow.spec import FlowSpec, bind
from headway.flow.step import step
from headway.flow.task import Frame, Input, TaskContext
from headway.flow.values import JSONType

FILE = "<a flow of the tests>"

NAMES = {
    "FlowSpec": FlowSpec,
    "step": step,
    "Parameter": Parameter,
    "JSONType": JSONType,
    **{
        name: value for name, value in vars(decorators).items() if isinstance(value, decorators.StepDecorator)
    },
}


class Shape(NamedTuple):
    """What matters of a node to most tests."""

    kind: str
    targets: tuple[str, ...] = ()
    closes: str | None = None


def flow_class(source: str, name: str | None = None) -> Any:
    """The last flow class that a program defines, or the one of this name."""
    names: dict[str, Any] = {"__name__": "flow_of_a_test", **NAMES}
    exec(compile(textwrap.dedent(source), FILE, "exec"), names)
    classes = [value for value in names.values() if isinstance(value, type) and issubclass(value, FlowSpec)]
    return names[name] if name else classes[-1]


def body_source(body: str, name: str = "F") -> str:
    """The program of a flow whose class has this body."""
    return f"class {name}(FlowSpec):\n" + textwrap.indent(textwrap.dedent(body), "    ")


def parse(source: str, name: str | None = None) -> Graph:
    """The graph of the flow that a program defines."""
    return parse_flow(flow_class(source, name), textwrap.dedent(source))


def parse_body(body: str) -> Graph:
    """The graph of a flow whose class has this body."""
    return parse(body_source(body))


def steps(**said: str) -> Graph:
    """The graph of steps given as ``name="next arguments"``: see :func:`steps_source`."""
    return parse_body(steps_source(said))


def steps_source(said: Mapping[str, str]) -> str:
    """The body of a flow; a step called ``join…`` takes inputs, one called ``gang…`` is @parallel."""
    lines = []
    for name, arguments in said.items():
        inputs = ", inputs" if name.startswith("join") else ""
        decorator = "@parallel\n" if name.startswith("gang") else ""
        follows = f"self.next({arguments})" if arguments else "pass"
        lines.append(f"{decorator}@step\ndef {name}(self{inputs}):\n    {follows}\n")
    return "\n".join(lines)


def shapes(graph: Graph) -> dict[str, Shape]:
    return {node.name: Shape(node.kind, node.targets, node.matching_split) for node in graph}


def refused(body: str) -> FlowDefinitionError:
    """The error that a flow of this body gives."""
    with pytest.raises(FlowDefinitionError) as caught:
        parse_body(body)
    return caught.value


def refused_steps(**said: str) -> FlowDefinitionError:
    """The error that these steps give."""
    return refused(steps_source(said))


class Place(NamedTuple):
    """A stand-in for the store's artifact reference."""

    sha256: str


class MemorySource:
    """Artifacts in memory that remembers what was loaded."""

    def __init__(self, **values: Any) -> None:
        self.values = values
        self.loaded: list[str] = []

    def names(self) -> Iterable[str]:
        return self.values.keys()

    def load(self, name: str) -> Any:
        self.loaded.append(name)
        return self.values[name]

    def ref(self, name: str) -> Place:
        return Place(repr(self.values[name]))


def bound(
    cls: Any,
    step_name: str = "work",
    source: MemorySource | None = None,
    frames: Sequence[Frame] = (),
    inputs: Sequence[Input] | None = None,
) -> Any:
    """A flow object bound to a task."""
    return bind(cls, TaskContext(source or MemorySource(), step_name, tuple(frames), inputs=inputs))
