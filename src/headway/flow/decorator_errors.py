"""What can be wrong with a decorator, as errors that can be caught apart."""

from headway.errors import FlowDefinitionError


class UnknownAttributeError(FlowDefinitionError):
    """A decorator has no such attribute."""

    headline = "Unknown decorator attribute"


class BadStepDecoratorError(FlowDefinitionError):
    """A step's decorator stands on something that is no step."""


class BadFlowDecoratorError(FlowDefinitionError):
    """A flow's decorator stands on something that is no flow."""


class DuplicateStepDecoratorError(FlowDefinitionError):
    """A decorator stands on a step twice."""


class DuplicateFlowDecoratorError(FlowDefinitionError):
    """A decorator stands on a flow twice."""


class UnknownStepDecoratorError(FlowDefinitionError):
    """There is no such decorator for steps."""


class UnknownFlowDecoratorError(FlowDefinitionError):
    """There is no such decorator for flows."""
