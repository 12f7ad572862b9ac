"""The components of cards: a step that makes some runs on, though Headway makes no card of them."""

from typing import Any


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    # Only a flow that makes components pays for this import.
    from headway.flow.cards import NoCard

    return NoCard
