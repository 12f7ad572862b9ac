"""What a step's function says of its result: the names of its outputs. The launcher alone asks."""

import _ast as ast
import typing

from headway.errors import FlowDefinitionError
from headway.flow.names import FREE_NAMES, RESERVED_NAMES
from headway.flow.source import SourceReader
from headway.plain import Any, Callable, Iterator, NamedTuple

#: What an output is called that has no name.
OUTPUT = "output"

_UNKNOWN = object()


class Outputs(NamedTuple):
    """A step's outputs.

    Attributes:
        names: Their names, as artifacts; () for a step that returns None.
        several: Whether the result is a tuple of them, or the one output itself.
    """

    names: tuple[str, ...]
    several: bool = False


def outputs_of(function: Callable[..., Any], reader: SourceReader) -> Outputs:
    """The outputs of a function, from its annotation; without one, from what it returns.

    ``Annotated[T, "name"]`` names an output; a tuple of types is as many outputs; what has no name is called
    ``output``, or ``output_0``, ``output_1``, … in a tuple.

    Args:
        function: The function.
        reader: Reads its source where there is no annotation.

    Raises:
        FlowDefinitionError: A name cannot be an artifact's, or stands twice; or the annotation that holds it
            names what is not there.
    """
    annotation = _annotation(function)
    if annotation is _UNKNOWN:
        count = _returned(function, reader)
        return _numbered(count) if count else Outputs((OUTPUT,))
    if annotation is None or annotation is type(None):
        return Outputs(())
    parts = _parts(annotation)
    if parts is None:
        return Outputs((_checked(function, _name(annotation) or OUTPUT),))
    names = tuple(_checked(function, _name(part) or f"{OUTPUT}_{at}") for at, part in enumerate(parts))
    for name in names:
        if names.count(name) > 1:
            raise _error(function, f"names two of its outputs {name!r}.", "Give each a name of its own.")
    return Outputs(names, True)


def _annotation(function: Callable[..., Any]) -> Any:
    written = getattr(function, "__annotations__", {})
    if "return" not in written:
        return _UNKNOWN
    try:
        return typing.get_type_hints(function, include_extras=True).get("return")
    except Exception:
        # Another one's annotation may name what only type checkers know.
        value = written["return"]
    if not isinstance(value, str):
        return value
    try:
        # As typing.get_type_hints does it, of this one alone.
        return eval(value, getattr(function, "__globals__", {}))  # noqa: S307 - the person's own annotation
    except Exception as error:
        if "Annotated" in value:
            # The names that it gives would be lost without a word.
            raise _error(
                function,
                f"says of its result {value}, which cannot be worked out here: {error}.",
                "Import what it names outside of `if TYPE_CHECKING:`, or put that between quotes within it.",
            ) from error
        return _UNKNOWN


def _parts(annotation: Any) -> "tuple[Any, ...] | None":
    """The types of a tuple of known length; None for what is one value."""
    if typing.get_origin(annotation) is not tuple:
        return None
    parts = typing.get_args(annotation)
    return None if not parts or parts[-1] is Ellipsis else parts


def _name(annotation: Any) -> str:
    """The name within Annotated: text, or something that has a name; "" without one."""
    for note in getattr(annotation, "__metadata__", ()):
        name = note if isinstance(note, str) else getattr(note, "name", None)
        if isinstance(name, str) and name:
            return name
    return ""


def _returned(function: Callable[..., Any], reader: SourceReader) -> int:
    """How many values are returned wherever the function returns; 0 where that is not the same everywhere, or one."""
    try:
        definition, _ = reader.find(function)
    except FlowDefinitionError:
        return 0
    counts = {
        len(each.value.elts) if isinstance(each.value, ast.Tuple) else 0
        for each in _within(definition)
        if isinstance(each, ast.Return)
    }
    count = counts.pop() if len(counts) == 1 else 0
    return count if count > 1 else 0


def _within(node: Any) -> Iterator[Any]:
    """What stands in a function, but not in functions within it."""
    for child in _children(node):
        if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            yield child
            yield from _within(child)


def _children(node: Any) -> Iterator[Any]:
    for name in node._fields:
        value = getattr(node, name, None)
        yield from (
            each for each in (value if isinstance(value, list) else (value,)) if isinstance(each, ast.AST)
        )


def _numbered(count: int) -> Outputs:
    return Outputs(tuple(f"{OUTPUT}_{at}" for at in range(count)), True)


def _checked(function: Callable[..., Any], name: str) -> str:
    if name.startswith("_") or "/" in name or not name.isprintable():
        raise _error(
            function,
            f"calls an output {name!r}, which is no name for an artifact.",
            "Use letters and digits, with no / in it and no _ before it.",
        )
    if name in RESERVED_NAMES - FREE_NAMES:
        raise _error(
            function, f"calls an output {name!r}, which every task has already.", "Call it something else."
        )
    return name


def _error(function: Any, what: str, hint: str) -> FlowDefinitionError:
    code = function.__code__
    return FlowDefinitionError(
        f"Step '{function.__name__}' {what}", hint, code.co_filename, code.co_firstlineno
    )
