"""A flow while its mutators change it."""

from collections.abc import Iterable, Iterator
from typing import Any, Optional

from headway.errors import FlowDefinitionError
from headway.flow.decorator_errors import DuplicateFlowDecoratorError, DuplicateStepDecoratorError
from headway.flow.decorators import DecoratorSpec
from headway.flow.parameters import Parameter

#: What becomes of a decorator that is added where there is one of its kind: it is left out, it is an error
#: (for a mutator that stands in code), or it takes the other's place.
IGNORE, ERROR, OVERRIDE = 1, 2, 3

#: A decorator as mutators see it: its name, its whole name, its arguments without and with names.
Listed = tuple[str, str, list[Any], dict[str, Any]]


class Draft:
    """What is known of a flow so far.

    Attributes:
        cls: The flow's class.
        configs: Its configurations' values by attribute, as steps see them.
        config_names: What each is called on the command line, by attribute.
        parameters: Its parameters by attribute.
        decorators: Its own decorators.
        steps: Each step's decorators, from top to bottom.
    """

    def __init__(
        self,
        cls: Any,
        configs: dict[str, Any],
        config_names: dict[str, str],
        parameters: dict[str, Parameter],
        decorators: list[DecoratorSpec],
        steps: dict[str, list[DecoratorSpec]],
    ) -> None:
        self.cls = cls
        self.configs = configs
        self.config_names = config_names
        self.parameters = parameters
        self.decorators = decorators
        self.steps = steps


def listed(spec: DecoratorSpec) -> Listed:
    """A decorator as mutators see it: with each attribute, also where nothing is written."""
    # It knows all decorators, and is not in pods, which import this module for the names in it alone.
    from headway.flow.usual_attributes import usual_attributes

    return (*_names(spec), list(spec.positional), {**usual_attributes(spec), **spec.attributes})


def _names(spec: DecoratorSpec) -> tuple[str, str]:
    if spec.user is not None:
        return (spec.user.__name__, spec.name)
    return (spec.name, f"headway.flow.decorators.{spec.name}")


def is_called(spec: DecoratorSpec, name: str) -> bool:
    """Whether a decorator is meant by this name, its whole one where it holds a dot."""
    short, whole = _names(spec)
    return name == (whole if "." in name else short)


def put(
    specs: list[DecoratorSpec], spec: DecoratorSpec, duplicates: int, several: bool, static: bool, where: str
) -> bool:
    """Add a decorator to a list of them.

    Args:
        specs: The list, changed in place.
        spec: The decorator.
        duplicates: What becomes of it where there is one of its kind.
        several: Whether several of its kind may stand there.
        static: Whether the mutator that adds it stands in code.
        where: The place, for words.

    Returns:
        Whether it was added.

    Raises:
        FlowDefinitionError: There is one of its kind, and that is an error.
    """
    if duplicates not in (IGNORE, ERROR, OVERRIDE):
        raise FlowDefinitionError(
            f"duplicates={duplicates!r} is not possible where @{spec.name} is added to {where}.",
            "Use IGNORE, ERROR or OVERRIDE of MutableStep or MutableFlow.",
            *_place(spec),
        )
    if any(each.name == spec.name for each in specs) and not several:
        if duplicates == ERROR and static:
            raise (DuplicateStepDecoratorError if where.startswith("step") else DuplicateFlowDecoratorError)(
                f"@{spec.name} is added to {where}, which has it already.",
                "Use duplicates=IGNORE to keep that one, OVERRIDE to put this one in its place.",
                *_place(spec),
            )
        if duplicates != OVERRIDE:
            return False
        spec = spec._replace(beneath=tuple(_late(each for each in specs if each.name == spec.name)))
        specs[:] = [each for each in specs if each.name != spec.name]
    if spec.user is None:
        specs.append(spec)
    else:
        # The last one added is the outermost.
        specs.insert(0, spec)
    return True


def _late(specs: Iterable[DecoratorSpec]) -> Iterator[DecoratorSpec]:
    """What ``--with`` says among these, which goes on filling in what stands in their place."""
    for spec in specs:
        if spec.attached and spec.attributes:
            yield spec._replace(beneath=())
        yield from spec.beneath


def take(specs: list[DecoratorSpec], name: str, arguments: Any, named: Any) -> bool:
    """Remove the decorators of this name, all of them, or those with these very arguments.

    Returns:
        Whether there were any.
    """

    def goes(spec: DecoratorSpec) -> bool:
        if not is_called(spec, name):
            return False
        if arguments is None and named is None:
            return True
        if list(spec.positional) != list(arguments or ()):
            return False
        # As it was shown, or as it is written.
        return dict(named or {}) in (listed(spec)[3], dict(spec.attributes))

    kept = [spec for spec in specs if not goes(spec)]
    removed = len(kept) < len(specs)
    specs[:] = kept
    return removed


def draft_error(source: str, message: str, hint: Optional[str] = None) -> FlowDefinitionError:
    """The error for what a mutator does, with the line that does it."""
    file, _, line = source.rpartition(":")
    return FlowDefinitionError(message, hint, file, int(line))


def _place(spec: DecoratorSpec) -> tuple[Any, Any]:
    file, line = spec.location
    return file or None, line or None
