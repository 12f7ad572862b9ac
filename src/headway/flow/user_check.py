"""What is checked of decorators that people wrote; the launcher alone does."""

import importlib
import inspect
import sys
from typing import Optional

from headway.errors import HeadwayError
from headway.flow.decorators import DecoratorSpec
from headway.flow.misuse import error_at
from headway.flow.user_decorators import UserDecorator


def check_user_spec(spec: DecoratorSpec, where: str) -> None:
    """Check that a decorator takes what it is given.

    Args:
        spec: The decorator.
        where: On what it stands, in words; "" where it came from the command line.

    Raises:
        FlowDefinitionError: It does not, and stands in code.
        UsageError: It does not, and came from the command line.
    """
    on = f" on {where}" if where else ""
    given = bool(spec.positional or spec.attributes)
    if given and spec.user.init is UserDecorator.init:
        raise error_at(
            spec,
            f"@{spec.name}{on} takes no arguments.",
            "Give its class a method init(self, …) that takes them.",
        )
    function = getattr(spec.user, "_function", None)
    if function is not None:
        if spec.positional:
            raise error_at(
                spec,
                f"@{spec.name}{on} has a value without a name: {spec.positional[0]!r}.",
                "Write its name: the function gets a dict of names and values.",
            )
        if spec.attributes and not spec.user._takes_attributes:
            raise error_at(
                spec,
                f"@{spec.name}{on} takes no arguments.",
                f"Let the function take a fourth one: def {function.__name__}(step_name, flow, inputs, attributes).",
            )
        return
    try:
        inspect.signature(spec.user.init).bind(None, *spec.positional, **spec.attributes)
    except TypeError as error:
        raise error_at(spec, f"@{spec.name}{on} does not take these arguments: {error}.") from error


def place_of(error: BaseException) -> tuple[Optional[str], Optional[int]]:
    """The (file, line) of the person's code that an exception came from, as far as it tells."""
    if isinstance(error, SyntaxError) and error.filename:
        return error.filename, error.lineno
    found: tuple[Optional[str], Optional[int]] = (None, None)
    trace = error.__traceback__
    ours = sys.modules["headway"].__path__[0]
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        # What runs a module's code is Python's, and stands between the person's lines.
        if not file.startswith((ours, "<frozen importlib")) and file != importlib.__file__:
            found = (file, trace.tb_lineno)
        trace = trace.tb_next
    return found


def of_user(error: Exception, what: str) -> HeadwayError:
    """The error to tell of an exception that a person's decorator raised.

    Args:
        error: The exception.
        what: What was called, in words.
    """
    from headway.errors import FlowDefinitionError

    if isinstance(error, HeadwayError):
        return error
    words = str(error).strip()
    said = f"{type(error).__name__}: {words}" if words else type(error).__name__
    return FlowDefinitionError(f"{what} failed: {said}.".replace("..", "."), None, *place_of(error))
