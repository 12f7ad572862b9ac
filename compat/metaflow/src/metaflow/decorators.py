"""What goes wrong with decorators: all of it is an error of the flow's definition."""

from metaflow._aliases import aliases

__getattr__, __dir__ = aliases(
    __name__,
    {
        "BadFlowDecoratorException": "headway.errors:FlowDefinitionError",
        "BadStepDecoratorException": "headway.errors:FlowDefinitionError",
        "DuplicateFlowDecoratorException": "headway.errors:FlowDefinitionError",
        "DuplicateStepDecoratorException": "headway.errors:FlowDefinitionError",
        "UnknownFlowDecoratorException": "headway.errors:UsageError",
        "UnknownStepDecoratorException": "headway.errors:UsageError",
    },
)
