"""What a flow and a step have in common for mutators: decorators, and when they can be changed."""

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, Optional

from headway.flow import draft
from headway.flow.decorators import DecoratorSpec
from headway.flow.draft import Draft, Listed, draft_error


class Mutable(ABC):
    """Something that mutators change; they are given it, and nobody else makes one.

    Args:
        flow: What is known of the flow.
        before: Whether this is the time before ``--with``, when everything can be changed.
        static: Whether the mutator stands in code.
        who: The mutator, for words.
    """

    IGNORE, ERROR, OVERRIDE = draft.IGNORE, draft.ERROR, draft.OVERRIDE

    def __init__(self, flow: Draft, before: bool, static: bool, who: str) -> None:
        self._draft = flow
        self._before = before
        self._static = static
        self._who = who

    @property
    def decorator_specs(self) -> Iterator[Listed]:
        """Its decorators: (name, whole name, arguments, arguments with names).

        Of Headway's own decorators every argument is there, also those that nobody wrote.
        """
        return iter([draft.listed(spec) for spec in self._specs])

    def has_decorator(self, name: str) -> bool:
        """Whether it has a decorator of this name; one with a dot is a whole name."""
        return any(draft.is_called(spec, name) for spec in self._specs)

    def get_decorator_specs(self, name: str) -> list[Listed]:
        """Its decorators of this name, as :attr:`decorator_specs` has them."""
        return [draft.listed(spec) for spec in self._specs if draft.is_called(spec, name)]

    def remove_decorator(
        self,
        deco_name: str,
        deco_args: Optional[list[Any]] = None,
        deco_kwargs: Optional[dict[str, Any]] = None,
    ) -> bool:
        """Take decorators from it; a flow's mutators stay.

        Args:
            deco_name: Their name; one with a dot is a whole name.
            deco_args: Only those with these arguments.
            deco_kwargs: Only those with these arguments, as they are shown or as they are written.

        Returns:
            Whether there were any.

        Raises:
            FlowDefinitionError: They cannot be removed, or not at this time.
        """
        return draft.take(self._removable(deco_name), deco_name, deco_args, deco_kwargs)

    @property
    @abstractmethod
    def _specs(self) -> list[DecoratorSpec]:
        """All its decorators."""

    @abstractmethod
    def _removable(self, name: str) -> list[DecoratorSpec]:
        """The list from which decorators of this name are removed, if they may be."""

    def _only_before(self, what: str) -> None:
        """Refuse what can be done in ``pre_mutate`` only."""
        if not self._before:
            raise draft_error(
                caller(), f"{self._who}: {what} in mutate, which is too late.", "Do it in pre_mutate."
            )


def caller() -> str:
    """The line of a person's code that led here: "file:line"."""
    frame = sys._getframe(1)
    while frame.f_globals.get("__name__", "").startswith("headway.") and frame.f_back is not None:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
