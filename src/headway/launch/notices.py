"""What a flow asks for by a decorator and Headway does not do yet: told once before the run, never passed over."""

from headway.flow.cards import NO_CARDS
from headway.flow.catalogue import STEP_DECORATORS
from headway.flow.decorators import DecoratorSpec
from headway.flow.flow_catalogue import FLOW_DECORATORS
from headway.flow.graph import Graph


def notices(graph: Graph) -> list[str]:
    """One line for each decorator of the flow and its steps that has no effect here."""
    found: dict[str, str] = {}
    for spec in graph.decorators:
        _note(found, spec, FLOW_DECORATORS[spec.name].missing)
    for node in graph:
        for spec in node.decorators:
            kind = STEP_DECORATORS.get(spec.name)
            _note(found, spec, kind.missing if kind else "")
    if NO_CARDS in graph.notes:
        # Told with them.
        found.pop("card", None)
    return list(found.values())


def _note(found: dict[str, str], spec: DecoratorSpec, missing: str) -> None:
    if missing and not spec.attributes.get("disabled"):
        found.setdefault(spec.name, f"@{spec.name} has no effect: {missing}")
