"""The error that tells of a decorator where it is written."""

from headway.errors import FlowDefinitionError, HeadwayError, UsageError
from headway.flow.decorators import DecoratorSpec
from headway.plain import Optional, Type


def error_at(
    spec: DecoratorSpec,
    message: str,
    hint: Optional[str] = None,
    kind: Type[FlowDefinitionError] = FlowDefinitionError,
) -> HeadwayError:
    """The error for something wrong with a decorator, with the place where it is written."""
    if not spec.attached:
        file, line = spec.location
        return kind(message, hint, file or None, line or None)
    message = f"{spec.shown_source}: {message}"
    if kind is FlowDefinitionError:
        return UsageError(message, hint)
    error = kind(message, hint)
    # What was typed is wrong, and not the flow.
    error.headline = UsageError.headline
    return error
