"""What goes wrong with decorators."""

from metaflow._aliases import aliases

__getattr__, __dir__ = aliases(
    __name__,
    {
        "BadFlowDecoratorException": "headway.flow.decorator_errors:BadFlowDecoratorError",
        "BadStepDecoratorException": "headway.flow.decorator_errors:BadStepDecoratorError",
        "DuplicateFlowDecoratorException": "headway.flow.decorator_errors:DuplicateFlowDecoratorError",
        "DuplicateStepDecoratorException": "headway.flow.decorator_errors:DuplicateStepDecoratorError",
        "UnknownFlowDecoratorException": "headway.flow.decorator_errors:UnknownFlowDecoratorError",
        "UnknownStepDecoratorException": "headway.flow.decorator_errors:UnknownStepDecoratorError",
    },
)
