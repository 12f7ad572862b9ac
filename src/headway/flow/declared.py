"""A flow as it was declared, with everything known that depends on its configurations; the launcher's view."""

from headway.flow.configs import Config, configs_of
from headway.flow.decorators import DecoratorSpec, decorators_of
from headway.flow.flow_decorators import flow_decorators_of
from headway.flow.members import parameters_of
from headway.flow.parameters import Parameter
from headway.flow.step import steps_of
from headway.plain import Any, Mapping, NamedTuple


class Declared(NamedTuple):
    """What a flow's class says beside its steps' code.

    Attributes:
        cls: The class.
        parameters: Its parameters by attribute.
        decorators: Each step's decorators, from top to bottom.
        flow: The decorators of the flow itself.
        configs: Its configurations by attribute.
        values: Their values by attribute, as plain data, or as their parsers made them.
        scope: Their values as steps and expressions see them, by name and by attribute.
    """

    cls: Any
    parameters: Mapping[str, Parameter]
    decorators: Mapping[str, tuple[DecoratorSpec, ...]]
    flow: tuple[DecoratorSpec, ...] = ()
    configs: Mapping[str, Config] = {}
    values: Mapping[str, Any] = {}
    scope: Mapping[str, Any] = {}


def as_written(cls: Any) -> Declared:
    """What stands in the code; what depends on configurations is left as it is."""
    decorators = {
        name: tuple(
            spec if spec.user is None else spec._replace(note=number)
            for number, spec in enumerate(decorators_of(function))
        )
        for name, function in steps_of(cls).items()
    }
    flow = tuple(spec for each in flow_decorators_of(cls).values() for spec in each)
    return Declared(cls, parameters_of(cls), decorators, flow, configs_of(cls))
