"""Finds the function that a declaration names as its parser."""

from typing import Any, Callable

from headway.errors import HeadwayError


def parser_of(parser: Any, error: Callable[[str], HeadwayError]) -> Callable[[Any], Any]:
    """The function that a declaration names as its parser.

    Args:
        parser: The function, or its place; one that begins with a dot is Headway's own.
        error: Makes the error that says what is wrong.
    """
    if callable(parser):
        function: Callable[[Any], Any] = parser
        return function
    if not isinstance(parser, str):
        raise error(f"the parser {parser!r} is neither a function nor the name of one.")
    place = parser
    if place.startswith("."):
        place = "headway.flow.parsers." + place.rpartition(".")[2]
    module, _, name = place.rpartition(".")
    from importlib import import_module  # the launcher has it, and a pod whose step reads such a file

    try:
        made = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as cause:
        raise error(f"the parser '{parser}' is not found: {cause}.") from cause
    except Exception as cause:
        said = f"{type(cause).__name__}: {cause}"
        raise error(f"the parser '{parser}' cannot be had, its import failed: {said}.") from cause
    if not callable(made):
        raise error(f"the parser '{parser}' is no function.")
    found: Callable[[Any], Any] = made
    return found
