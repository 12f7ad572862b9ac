"""The decorators that mutators name when they add them: Headway's, people's own, or text."""

from collections.abc import Mapping
from typing import Any

from headway.flow.catalogue import STEP_DECORATORS, DecoratorKind
from headway.flow.decorators import DecoratorSpec, StepDecorator
from headway.flow.draft import draft_error
from headway.flow.flow_catalogue import FLOW_DECORATORS
from headway.flow.late import parse_decorator
from headway.flow.user_decorators import FlowMutator, StepMutator, UserStepDecorator, name_of
from headway.flow.usual_attributes import without_usual


def step_spec(kind: Any, arguments: Any, named: Any, source: str) -> DecoratorSpec:
    """The note of a step's decorator that a mutator names; what it is given is checked with the graph.

    Args:
        kind: What was named.
        arguments: Its arguments without names.
        named: Its arguments with names.
        source: Where: ``file:line``.

    Raises:
        FlowDefinitionError: It is none.
    """
    return _spec(kind, arguments, named, source, STEP_DECORATORS, (StepMutator, UserStepDecorator))


def flow_spec(kind: Any, arguments: Any, named: Any, source: str) -> DecoratorSpec:
    """The note of a flow's decorator that a mutator names; see :func:`step_spec`."""
    return _spec(kind, arguments, named, source, FLOW_DECORATORS, (FlowMutator,))


def several_allowed(spec: DecoratorSpec) -> bool:
    """Whether several decorators of this kind may stand on one step or flow."""
    kind = STEP_DECORATORS.get(spec.name) or FLOW_DECORATORS.get(spec.name)
    return kind is not None and kind.allow_multiple


def _spec(
    kind: Any,
    arguments: Any,
    named: Any,
    source: str,
    kinds: Mapping[str, DecoratorKind],
    bases: tuple[Any, ...],
) -> DecoratorSpec:
    given = DecoratorSpec("", dict(named or {}), source, tuple(arguments or ()))
    if isinstance(kind, StepDecorator) and kind.name in kinds:
        return without_usual(given._replace(name=kind.name))
    if isinstance(kind, type) and issubclass(kind, bases):
        return given._replace(name=name_of(kind), user=kind)
    if not isinstance(kind, str):
        raise draft_error(
            source,
            f"add_decorator is given {kind!r}, which is no such decorator.",
            f"Give it one of Headway's ({', '.join(sorted(kinds))}), a class of your own, or text.",
        )
    spec = parse_decorator(kind, source, kinds, bases)
    if not (arguments or named):
        return spec
    if spec.attributes:
        raise draft_error(
            source, f"'{kind}' holds arguments, and more are given beside it.", "Give them in one place."
        )
    return without_usual(given._replace(name=spec.name, user=spec.user))
