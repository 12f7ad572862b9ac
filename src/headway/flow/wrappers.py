"""The decorators around a step that people wrote: told to tasks as text, and made there again."""

from importlib import import_module
from typing import Any, Iterable, List, Mapping, Tuple

from headway.errors import FlowDefinitionError
from headway.flow.arguments import decode_arguments, encode_arguments
from headway.flow.decorators import DecoratorSpec, decorators_of
from headway.flow.graph import CALL, FOREACH, PARALLEL, SWITCH, Node
from headway.flow.user_decorators import UserStepDecorator, made
from headway.flow.wrapping import call_wrapped

#: (which of the notes on the step, from 0, or -1; the class as ``module:Name`` where it is none; its arguments
#: as text, "" as they are written).
Told = Tuple[int, str, str]


def tell_wrappers(node: Node) -> List[Told]:
    """The decorators that run with a step, for the processes that run it, the outermost first.

    Args:
        node: The step.

    Raises:
        FlowDefinitionError: One cannot be sent.
    """
    found: List[Told] = []
    for spec in node.decorators:
        if spec.user is None or not issubclass(spec.user, UserStepDecorator):
            continue
        place = ""
        if spec.note < 0:
            place = f"{spec.user.__module__}:{spec.user.__qualname__}"
            if "<" in place:
                raise _error(
                    node, spec, "its class is made within a function", "Define it at the top of a module."
                )
        elif not spec.evaluated:
            found.append((spec.note, "", ""))
            continue
        try:
            found.append((spec.note, place, encode_arguments(spec.positional, spec.attributes)))
        except Exception as error:
            raise _error(
                node, spec, f"its arguments cannot be pickled: {error}", "Give it plain data."
            ) from error
    return found


def usual_next(node: Node) -> Mapping[str, Any]:
    """What a step's own ``self.next`` says, as :func:`~headway.flow.wrapping.call_wrapped` takes it."""
    if node.kind == CALL:
        # A call says nothing of what follows.
        return {"targets": []}
    usual: dict[str, Any] = {"targets": list(node.targets)}
    if node.kind == FOREACH:
        usual["foreach"] = node.foreach
    elif node.kind == PARALLEL:
        usual["num_parallel"] = node.num_parallel
    elif node.kind == SWITCH:
        usual.update(condition=node.condition, cases=[list(case) for case in node.cases])
    return usual


def call_told(flow: Any, step: str, inputs: Any, told: Iterable[Told], usual: Mapping[str, Any]) -> None:
    """Call a step within its decorators, in the process that runs it."""
    notes = decorators_of(getattr(type(flow), step))
    wrappers = []
    for note, place, text in told:
        spec = notes[note] if note >= 0 else DecoratorSpec("", user=_class_at(place))
        positional, named = decode_arguments(text) if text else (spec.positional, spec.attributes)
        wrappers.append(made(spec.user, positional, named))
    call_wrapped(flow, step, inputs, wrappers, usual)


def _class_at(place: str) -> Any:
    module, _, name = place.partition(":")
    found: Any = import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


def _error(node: Node, spec: DecoratorSpec, why: str, hint: str) -> FlowDefinitionError:
    file, line = spec.location
    return FlowDefinitionError(
        f"@{spec.name} on step '{node.name}' cannot be sent to tasks: {why}.",
        hint,
        file or None,
        line or None,
    )
