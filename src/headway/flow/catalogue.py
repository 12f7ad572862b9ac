"""The step decorators that there are: their attributes, what each means, and what values it takes.

The launcher alone reads this table, when it builds the graph: a pod never pays for it. The
attributes of ``@kubernetes`` and ``@resources`` are the settings of a pod and come from where those are
declared, once such a decorator is met.
"""

from headway.flow.attributes import (
    BATCH,
    CARD,
    CATCH,
    CONDA,
    ENVIRONMENT,
    PARALLEL,
    PYPI,
    PYTORCH_PARALLEL,
    RETRY,
    SECRETS,
    TIMEOUT,
    Attribute,
    check_timeout,
)
from headway.flow.decorator_errors import (
    DuplicateFlowDecoratorError,
    DuplicateStepDecoratorError,
    UnknownAttributeError,
    UnknownFlowDecoratorError,
    UnknownStepDecoratorError,
)
from headway.flow.decorators import DecoratorSpec
from headway.flow.misuse import error_at
from headway.flow.names import did_you_mean
from headway.plain import Any, Callable, Mapping, NamedTuple, Sequence


def _nothing_wrong(attributes: Mapping[str, Any]) -> str:
    return ""


class DecoratorKind(NamedTuple):
    """One step decorator.

    Attributes:
        name: Its name.
        doc: What it does, in one sentence.
        load: Gives its attributes.
        allow_multiple: Whether a step may carry several.
        check: Says what is wrong with the attributes together, "" if nothing.
        missing: What Headway does not do of it yet, and what to do instead; "" where it is carried out.
    """

    name: str
    doc: str
    load: Callable[[], tuple[Attribute, ...]]
    allow_multiple: bool = False
    check: Callable[[Mapping[str, Any]], str] = _nothing_wrong
    missing: str = ""

    @property
    def attributes(self) -> dict[str, Attribute]:
        """The attributes by name, their aliases included."""
        if self.name not in _ATTRIBUTES:
            named = {name: each for each in self.load() for name in (each.name, *each.aliases)}
            _ATTRIBUTES[self.name] = named
        return _ATTRIBUTES[self.name]


_ATTRIBUTES: dict[str, dict[str, Attribute]] = {}


def _kubernetes() -> tuple[Attribute, ...]:
    # It imports the settings of pods: 20 ms that a run without pods need not pay.
    from headway.flow.pod_attributes import KUBERNETES

    return KUBERNETES


def _resources() -> tuple[Attribute, ...]:
    from headway.flow.pod_attributes import RESOURCES  # as above

    return RESOURCES


_NO_CARDS = "no card is made; store what you want to show as an artifact."
_NO_CONDA = "no conda environment is made; @pypi brings packages, or name an image with @kubernetes(image=…)."

#: Every step decorator, by name.
STEP_DECORATORS: Mapping[str, DecoratorKind] = {
    kind.name: kind
    for kind in (
        DecoratorKind("kubernetes", "Run the step in a pod.", _kubernetes),
        DecoratorKind("resources", "What the step needs, wherever it runs.", _resources),
        DecoratorKind("retry", "Try the step again after it failed.", lambda: RETRY),
        DecoratorKind("timeout", "Stop the step after a time.", lambda: TIMEOUT, check=check_timeout),
        DecoratorKind("environment", "Environment variables for the step.", lambda: ENVIRONMENT),
        DecoratorKind("parallel", "Run the step on several nodes at once.", lambda: PARALLEL),
        DecoratorKind("pytorch_parallel", "The same as parallel, for PyTorch.", lambda: PYTORCH_PARALLEL),
        DecoratorKind("catch", "Go on when the step has failed for good.", lambda: CATCH),
        DecoratorKind("secrets", "Secrets as environment variables.", lambda: SECRETS),
        DecoratorKind("batch", "Run the step on AWS Batch.", lambda: BATCH),
        DecoratorKind("card", "A report of the step.", lambda: CARD, allow_multiple=True, missing=_NO_CARDS),
        DecoratorKind("conda", "Packages for the step.", lambda: CONDA, missing=_NO_CONDA),
        DecoratorKind("pypi", "Packages from PyPI for the step.", lambda: PYPI),
    )
}


def check_decorators(
    specs: Sequence[DecoratorSpec], where: str, kinds: Mapping[str, DecoratorKind] = STEP_DECORATORS
) -> None:
    """Check the decorators of one step or flow, one by one and for doubles.

    Args:
        specs: The decorators.
        where: The step, in words ("step 'train'").
        kinds: The decorators that there are.

    Raises:
        FlowDefinitionError: What stands in code is wrong.
        UsageError: What stands in a ``--with`` is wrong.
    """
    seen: dict[str, DecoratorSpec] = {}
    for spec in specs:
        several = False
        if spec.user is None:
            check_spec(spec, where, kinds)
            several = kind_of(spec, kinds).allow_multiple
        else:
            # Loaded with the first decorator that somebody wrote.
            from headway.flow.user_check import check_user_spec

            check_user_spec(spec, where)
        if spec.name in seen and not several:
            raise error_at(
                spec,
                f"{where[:1].upper()}{where[1:]} has @{spec.name} twice.",
                f"Write one @{spec.name} with all its attributes.",
                DuplicateStepDecoratorError if kinds is STEP_DECORATORS else DuplicateFlowDecoratorError,
            )
        seen[spec.name] = spec


def check_spec(
    spec: DecoratorSpec, where: str = "", kinds: Mapping[str, DecoratorKind] = STEP_DECORATORS
) -> None:
    """Check one decorator: its name, the names of its attributes, and each value by itself.

    Args:
        spec: The decorator.
        where: The step that it stands on, in words; "" for one that came from the command line.
        kinds: The decorators that there are.

    Raises:
        FlowDefinitionError: What stands in code is wrong.
        UsageError: What stands in a ``--with`` is wrong.
    """
    kind = kind_of(spec, kinds)
    on = f" on {where}" if where else ""
    if spec.positional:
        value = spec.positional[0]
        example = next(iter(kind.attributes))
        raise error_at(
            spec,
            f"Decorator '{spec.name}'{on} has a value without a name: {value!r}.",
            f"Write its name, for example @{spec.name}({example}={value!r}).",
        )
    for name, value in spec.attributes.items():
        attribute = kind.attributes.get(name)
        if attribute is None:
            supported = [each.name for each in kind.load()]
            raise error_at(
                spec,
                f"Decorator '{spec.name}' does not support the attribute '{name}'{on and f' ({on[1:]})'}.",
                did_you_mean(name, supported).replace("Known:", "These are supported:"),
                UnknownAttributeError,
            )
        refused = attribute.refusal(value)
        if refused is not None:
            # A group of settings is long, and may hold what nobody else should see.
            shown = "…" if name == "pod_settings" else repr(spec.shown.get(name))
            written = f"@{spec.name}({name}={shown}){on}" if where else f"{name}={shown}"
            raise error_at(spec, f"{written}: {refused}.", getattr(refused, "hint", None))
    wrong = kind.check(spec.attributes)
    if wrong:
        raise error_at(spec, f"@{spec.name}{on}: {wrong}" if where else wrong)


def kind_of(spec: DecoratorSpec, kinds: Mapping[str, DecoratorKind] = STEP_DECORATORS) -> DecoratorKind:
    """The table's entry for this decorator.

    Raises:
        UsageError: There is no decorator of this name.
    """
    kind = kinds.get(spec.name)
    if kind is None:
        hint = did_you_mean(spec.name, kinds).replace("Known:", "These are supported:")
        of_steps = kinds is STEP_DECORATORS
        raise error_at(
            spec,
            f"There is no {'step' if of_steps else 'flow'} decorator '{spec.name}'.",
            hint,
            UnknownStepDecoratorError if of_steps else UnknownFlowDecoratorError,
        )
    return kind


def describe(name: str) -> str:
    """What a decorator does and what each of its attributes means, as text."""
    kind = STEP_DECORATORS[name]
    lines = [f"{each.name} (default: {each.default!r}): {each.doc}" for each in kind.load()]
    return "\n".join([kind.doc, "", *lines])
