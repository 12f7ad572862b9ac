"""What stands in for cards, which are not made: a step that fills one runs on, and nothing comes of it."""

import sys
from typing import Any, Iterator, Optional

_said = False


class NoCard:
    """Takes whatever is done with a card or one of its components, and keeps nothing.

    Loaded only by steps that use cards. That none is made is said once, before the run.
    """

    def __init__(self, *arguments: object, **named: object) -> None:
        pass

    def __call__(self, *arguments: object, **named: object) -> "NoCard":
        return self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __getitem__(self, key: object) -> "NoCard":
        return self

    def __setitem__(self, key: object, value: object) -> None:
        pass

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "<a card, which Headway does not make>"


def get_cards(
    task: Any,
    id: Optional[str] = None,  # noqa: A002 - the names that scripts write
    type: Optional[str] = None,  # noqa: A002
    follow_resumed: bool = True,
) -> NoCard:
    """The cards of a task: there are none, and one line on standard error says so, once in a process.

    Args:
        task: A task, or its pathspec; it is not looked for.
        id: Which cards; so do the others.
        type: Their type.
        follow_resumed: Whether those of the run that was resumed count.
    """
    global _said
    if not _said:
        _said = True
        print(
            "Headway makes no cards, so get_cards finds none: look at the task's artifacts.", file=sys.stderr
        )
    return NoCard()
