"""A flow as it was declared, with everything known that depends on its configurations; the launcher's view."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from headway.flow.configs import Config
from headway.flow.configure import GivenConfigs, configs_of, read_configs, scope_of
from headway.flow.decorators import DecoratorSpec, decorators_of
from headway.flow.evaluate import Scope, evaluate_parameter, evaluate_spec
from headway.flow.flow_decorators import flow_decorators_of
from headway.flow.members import parameters_of
from headway.flow.parameters import Parameter, ParameterContext
from headway.flow.step import steps_of


@dataclass(frozen=True)
class Declared:
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
    configs: Mapping[str, Config] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    scope: Scope = field(default_factory=dict)


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


def declare(
    cls: Any, given: GivenConfigs, context: ParameterContext, stored: Optional[Mapping[str, Any]] = None
) -> Declared:
    """Read the flow's configurations and work out what depends on them.

    Args:
        cls: The flow's class.
        given: What a person gave for the configurations.
        context: For defaults that are functions.
        stored: The configurations' values by attribute, where a run had them before: nothing is read then.

    Raises:
        UsageError: A configuration is missing or cannot be read.
        FlowDefinitionError: A declaration, or an expression of a configuration, is wrong.
    """
    written = as_written(cls)
    if stored is not None:
        values = {attribute: stored.get(attribute) for attribute in written.configs}
    else:
        values = read_configs(written.configs, given, context)
    scope = scope_of(written.configs, values)
    return Declared(
        cls,
        {name: evaluate_parameter(each, scope) for name, each in written.parameters.items()},
        {
            name: tuple(evaluate_spec(spec, scope) for spec in specs)
            for name, specs in written.decorators.items()
        },
        tuple(evaluate_spec(spec, scope) for spec in written.flow),
        written.configs,
        values,
        scope,
    )
