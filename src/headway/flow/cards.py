"""What stands in for cards, which are not made: a step that fills one runs on, and nothing comes of it."""

import sys

from headway.plain import Any, Iterator, Optional

#: Told once before a run whose flow uses ``current.card``, unless ``@card`` is told of.
NO_CARDS = "current.card has no effect: no card is made; store what you want to show as an artifact."

_said = False


class NoCard:
    """Takes whatever is done with a card or one of its components, and keeps nothing."""

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

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return "<a card, which Headway does not make>"


class NoCards(NoCard):
    """The same where several were asked for: there is none."""

    def __bool__(self) -> bool:
        return False


def card_of_task() -> NoCard:
    """``current.card``; where the launcher cannot have seen that it is used, the task says why nothing comes of it."""
    if not _is_told(getattr(sys.modules.get("__main__"), "__file__", None)):
        _say(NO_CARDS)
    return NoCard()


def get_cards(
    task: Any,
    id: Optional[str] = None,  # noqa: A002 - the names that scripts write
    type: Optional[str] = None,  # noqa: A002
    follow_resumed: bool = True,
) -> NoCards:
    """The cards of a task: there are none, and one line on standard error says so, once in a process.

    Args:
        task: A task, or its pathspec; it is not looked for.
        id: Which cards; so do the others.
        type: Their type.
        follow_resumed: Whether those of the run that was resumed count.
    """
    _say("Headway makes no cards, so get_cards finds none: look at the task's artifacts.")
    return NoCards()


def _is_told(file: Optional[str]) -> bool:
    """Whether the flow's own file uses cards, of which the launcher told before the run."""
    if file is None:
        return True
    try:
        with open(file, "rb") as source:
            text = source.read()
    except OSError:
        return True
    return any(words in text for words in (b"current.card", b"@card", b"@metaflow.card"))


def _say(line: str) -> None:
    global _said
    if not _said:
        _said = True
        print(line, file=sys.stderr)
