"""The error that tells of a decorator where it is written."""

from typing import Optional

from headway.errors import FlowDefinitionError, HeadwayError, UsageError
from headway.flow.decorators import DecoratorSpec


def error_at(spec: DecoratorSpec, message: str, hint: Optional[str] = None) -> HeadwayError:
    """The error for something wrong with a decorator, with the place where it is written."""
    if spec.attached:
        return UsageError(f"{spec.shown_source}: {message}", hint)
    file, line = spec.location
    return FlowDefinitionError(message, hint, file or None, line or None)
