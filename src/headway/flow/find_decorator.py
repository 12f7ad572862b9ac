"""Finds a decorator that somebody wrote by its name, or says why there is none; the launcher alone does."""

from importlib import import_module
from typing import Any, Optional

from headway.errors import HeadwayError
from headway.flow.decorator_errors import UnknownFlowDecoratorError, UnknownStepDecoratorError
from headway.flow.decorators import DecoratorSpec
from headway.flow.misuse import error_at
from headway.flow.names import did_you_mean
from headway.flow.user_check import of_user
from headway.flow.user_decorators import FlowMutator, UserDecorator, name_of

#: Where the classes stand that decorators derive from; who imports them has made none.
_BASES = UserDecorator.__module__


def find_decorator(spec: DecoratorSpec, bases: tuple[Any, ...]) -> Optional[Any]:
    """A decorator that somebody wrote, by its name: ``module.Name``, or its end where that is unique.

    A module that is not loaded is imported.

    Args:
        spec: What names it, and where.
        bases: What it may derive from.

    Returns:
        The class; None where the name has no dot, and nothing ends so, or several do.

    Raises:
        HeadwayError: Its module cannot be imported, or holds no such decorator.
    """
    holder, dot, attribute = spec.name.rpartition(".")
    module = _imported(holder, spec) if dot else None
    found = getattr(module, attribute, None)
    if isinstance(found, type) and issubclass(found, bases):
        return found
    known = [kind for base in bases for kind in _derived(base) if not kind.__name__.startswith("_")]
    ending = {kind for kind in known if name_of(kind) == spec.name or name_of(kind).endswith(f".{spec.name}")}
    if len(ending) == 1:
        return ending.pop()
    if dot:
        raise _not_there(spec, module, bases)
    return None


def _derived(base: Any) -> list[Any]:
    return [each for kind in base.__subclasses__() for each in (kind, *_derived(kind))]


def _imported(module: str, spec: DecoratorSpec) -> Optional[Any]:
    """The module, None where there is none of this name."""
    if not all(part.isidentifier() for part in module.split(".")):
        return None
    try:
        return import_module(module)
    except Exception as error:
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        # Not one that it imports in turn.
        if missing and f"{module}.".startswith(f"{missing}."):
            return None
        said = f"{spec.shown_source}: " if spec.attached else ""
        raise of_user(error, f"{said}the import of module '{module}'") from error


def _not_there(spec: DecoratorSpec, module: Any, bases: tuple[Any, ...]) -> HeadwayError:
    """The error that says what is there in its place."""
    holder, _, attribute = spec.name.rpartition(".")
    of_flows = FlowMutator in bases
    target = "flow" if of_flows else "step"
    unknown = UnknownFlowDecoratorError if of_flows else UnknownStepDecoratorError
    none = f"There is no {target} decorator '{spec.name}'"
    if module is None:
        where = "It is looked for beside the flow, on PYTHONPATH and among what is installed."
        return error_at(spec, f"{none}: no module '{holder}' is found.", where, unknown)
    found = getattr(module, attribute, None)
    if isinstance(found, type) and issubclass(found, UserDecorator):
        kind = "a flow mutator" if issubclass(found, FlowMutator) else "a decorator of steps"
        message = f"'{spec.name}' is {kind}, and cannot be added to a {target}."
        return error_at(spec, message, f"Put @{attribute} above {found._above}.", unknown)
    there = [
        name
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, bases) and value.__module__ != _BASES
    ]
    hint = did_you_mean(attribute, there).replace("Known:", "It holds:")
    return error_at(spec, f"{none}: module '{holder}' holds no such decorator.", hint or None, unknown)
