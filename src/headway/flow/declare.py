"""From what stands in a flow's code to what it declares: its configurations are read, what depends on them worked out.

The launcher alone does this, and not where it only looks at a flow that has no configurations.
"""

from collections.abc import Mapping
from typing import Any, Optional

from headway.flow.configure import GivenConfigs, read_configs, scope_of
from headway.flow.declared import Declared, as_written
from headway.flow.evaluate import evaluate_parameter, evaluate_spec
from headway.flow.parameters import ParameterContext


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
