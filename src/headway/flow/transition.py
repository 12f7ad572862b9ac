"""``self.next`` at run time: from what a step said to a :class:`~headway.flow.task.Transition`."""

from headway.errors import FlowDefinitionError
from headway.flow.graph import FOREACH, PARALLEL, PARALLEL_VARIABLE, SWITCH
from headway.flow.names import did_you_mean
from headway.flow.splits import count_items
from headway.flow.step import step_mark, steps_of
from headway.flow.task import Transition
from headway.plain import Any, Callable, Mapping, NamedTuple, Optional, Tuple, Type

_KEYWORDS = ("condition", "foreach", "num_parallel")
#: How a fan-out leads to its step, in words.
_AS = {FOREACH: "by a foreach", PARALLEL: "by num_parallel", "": "once"}


class InvalidTransitionError(FlowDefinitionError):
    """A step's ``self.next`` cannot be followed."""

    headline = "Invalid self.next() transition detected"


class NoSuchCaseError(InvalidTransitionError, RuntimeError):
    """The value that a switch goes by is none of its cases; a RuntimeError, as it is in Metaflow."""


class _Refusal(NamedTuple):
    """Makes the errors of one transition."""

    step: str
    file: str
    line: int

    def __call__(
        self, message: str, hint: str = "", kind: Type[InvalidTransitionError] = InvalidTransitionError
    ) -> InvalidTransitionError:
        return kind(f"self.next() in step '{self.step}': {message}", hint or None, self.file, self.line)


def make_transition(
    step: str,
    file: str,
    line: int,
    read: Callable[[str], Any],
    targets: Tuple[Any, ...],
    keywords: Mapping[str, Any],
) -> Transition:
    """Check what was passed to ``self.next`` and note where the flow goes.

    Args:
        step: The step that calls it.
        file: Where.
        line: Where.
        read: Gives the value of an artifact of the step, or raises AttributeError.
        targets: The positional arguments.
        keywords: The named ones.

    Raises:
        InvalidTransitionError: It is none of the forms that ``self.next`` has.
    """
    refuse = _Refusal(step, file, line)
    for name in keywords:
        if name not in _KEYWORDS:
            raise refuse(f"there is no argument '{name}'.", did_you_mean(name, _KEYWORDS))
    if not targets:
        raise refuse("no step is named.", "Write self.next(self.<step>).")
    foreach, num_parallel, condition = (keywords.get(n) for n in ("foreach", "num_parallel", "condition"))
    if condition is not None or isinstance(targets[0], dict):
        if foreach is not None or num_parallel is not None:
            raise refuse(
                "a switch cannot be combined with foreach or num_parallel.", "Put a step between them."
            )
        return _switch(refuse, read, targets, condition)
    names = tuple(_step_name(refuse, target) for target in targets)
    if len(set(names)) != len(names):
        raise refuse(f"a step is named twice: {', '.join(names)}.")
    if foreach is not None and num_parallel is not None:
        raise refuse("foreach and num_parallel cannot be combined.", "Put a step between them.")
    if foreach is not None:
        return _foreach(refuse, read, names, foreach)
    if num_parallel is not None:
        return _parallel(refuse, names, num_parallel)
    return Transition(names)


def check_followed(step: str, targets: Tuple[str, ...], said: Optional[Transition], leads: str = "") -> None:
    """Refuse the end of a step's code that leads nowhere, or elsewhere than its source shows.

    A step may end with another call of ``self.next`` than its last line has, if that leads to the same steps in
    the same way: another artifact's foreach, another number of nodes, one of the steps of a switch.

    Args:
        step: The step.
        targets: The steps that it may lead to.
        said: What its ``self.next`` said, None where it was not called.
        leads: How the graph has it lead there, the kind of its node; "" where that is not known.

    Raises:
        InvalidTransitionError: So it is.
    """
    hint = "Whichever way a step's code takes, it has to lead where the self.next on its last line leads."
    if said is None:
        raise InvalidTransitionError(f"Step '{step}' ended without saying which step comes next.", hint)
    unknown = [target for target in said.targets if target not in targets]
    if unknown:
        raise InvalidTransitionError(
            f"Step '{step}' leads to {', '.join(unknown)}, where the flow's graph has {', '.join(targets)}.",
            hint,
        )
    if not leads:
        return
    fanned = PARALLEL if said.foreach == PARALLEL_VARIABLE else FOREACH if said.splits is not None else ""
    if fanned != (leads if leads in (FOREACH, PARALLEL) else ""):
        raise InvalidTransitionError(
            f"Step '{step}' leads to {', '.join(said.targets)} {_AS[fanned]}, where the flow's graph has it lead "
            f"there {_AS[leads if leads in _AS else '']}.",
            hint,
        )
    if leads != SWITCH and set(said.targets) != set(targets):
        raise InvalidTransitionError(
            f"Step '{step}' leads to {', '.join(said.targets)} only, where the flow's graph has "
            f"{', '.join(targets)}.",
            hint,
        )
    if leads == SWITCH and len(said.targets) != 1:
        raise InvalidTransitionError(
            f"Step '{step}' leads to {', '.join(said.targets)} at once, and a switch leads to one of them.",
            hint,
        )


def _switch(
    refuse: _Refusal, read: Callable[[str], Any], targets: Tuple[Any, ...], condition: Any
) -> Transition:
    form = 'A switch is self.next({"value": self.<step>, …}, condition="<artifact>").'
    if len(targets) != 1 or not isinstance(targets[0], dict):
        raise refuse("a condition needs one dict from values to steps.", form)
    if condition is None:
        raise refuse("a dict of steps needs a condition.", form)
    if not isinstance(condition, str):
        raise refuse(f"the condition is the name of an artifact, not {type(condition).__name__}.", form)
    cases = {value: _step_name(refuse, target) for value, target in targets[0].items()}
    if not cases:
        raise refuse("a switch needs at least one case.", form)
    value = _read(refuse, read, condition, "condition")
    try:
        chosen: Optional[str] = cases.get(value)
    except TypeError:
        chosen = None
    if chosen is None:
        listed = ", ".join(repr(case) for case in cases)
        raise refuse(
            f"the condition '{condition}' is {_short(value)}, which is none of the cases {listed}.",
            f"Set self.{condition} to one of them, or add the case.",
            NoSuchCaseError,
        )
    return Transition((chosen,), condition=condition, choice=str(value))


def _foreach(
    refuse: _Refusal, read: Callable[[str], Any], names: Tuple[str, ...], variable: Any
) -> Transition:
    if not isinstance(variable, str):
        raise refuse(
            f"foreach takes the name of an artifact, not {type(variable).__name__}.",
            'Write self.items = …, then self.next(self.<step>, foreach="items").',
        )
    if len(names) != 1:
        raise refuse(
            f"a foreach leads to one step, not to {', '.join(names)}.", "Split in the step that follows it."
        )
    value = _read(refuse, read, variable, "foreach variable")
    try:
        count = count_items(value)
    except TypeError as error:
        why = "gives its items only once" if hasattr(value, "__next__") else "cannot be iterated"
        raise refuse(
            f"the foreach variable '{variable}' is {_short(value)}, which {why}.",
            f"Make self.{variable} a list.",
        ) from error
    if count == 0:
        raise refuse(
            f"the foreach over '{variable}' has no items, so that nothing would follow.",
            f"Give self.{variable} at least one item, or choose another way with a switch.",
        )
    return Transition(names, variable, count)


def _parallel(refuse: _Refusal, names: Tuple[str, ...], count: Any) -> Transition:
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise refuse(f"num_parallel is a number of nodes of at least 1, not {_short(count)}.")
    if len(names) != 1:
        raise refuse(f"num_parallel leads to one step, not to {', '.join(names)}.")
    # Whether the target is @parallel is for the launcher to say: mutators and --with may have made it so.
    return Transition(names, PARALLEL_VARIABLE, count)


def _step_name(refuse: _Refusal, target: Any) -> str:
    function = getattr(target, "__func__", None)
    if function is None or step_mark(function) is None:
        raise refuse(f"{_short(target)} is not a step.", "Pass steps as self.<step>, without calling them.")
    # Not __name__: a decorator without functools.wraps leaves its own there.
    return next(name for name, member in steps_of(type(target.__self__)).items() if member is function)


def _read(refuse: _Refusal, read: Callable[[str], Any], name: str, role: str) -> Any:
    try:
        return read(name)
    except AttributeError as error:
        raise refuse(
            f"the {role} '{name}' is not an artifact of this step.", f"Set self.{name} before self.next()."
        ) from error


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
