"""Values written as text, and the types that a parameter can have."""

from headway.plain import Any

_TRUE = frozenset({"true", "1", "yes", "on", "t", "y"})
_FALSE = frozenset({"false", "0", "no", "off", "f", "n"})


class JSONTypeClass:
    """The type of ``JSONType``."""

    name = "JSON"

    def __repr__(self) -> str:
        return self.name


#: The type of a parameter whose text is JSON.
JSONType = JSONTypeClass()


def type_name(kind: Any) -> str:
    """A parameter's type in one word."""
    return "JSON" if isinstance(kind, JSONTypeClass) else str(getattr(kind, "__name__", kind))


def has_type(value: object, kind: Any) -> bool:
    """Whether a value is of a parameter's type; a whole number is a float too, anything may be JSON."""
    if isinstance(kind, JSONTypeClass):
        return True
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)


def convert_text(text: str, kind: Any) -> Any:
    """The value of this type that a text stands for.

    Raises:
        ValueError: There is none; the error says what would be.
    """
    if isinstance(kind, JSONTypeClass):
        return _json(text)
    if kind is bool:
        word = text.strip().lower()
        if word not in _TRUE and word not in _FALSE:
            raise ValueError("it takes true or false")
        return word in _TRUE
    if kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            raise ValueError(f"it takes {'a whole number' if kind is int else 'a number'}") from None
    return text


def guess(text: str) -> Any:
    """What an option's text most likely means: JSON, a number, a word for true, false or nothing, or text."""
    words = {"True": True, "False": False, "None": None}
    if text in words:
        return words[text]
    for kind in (JSONType, int, float):
        if _fits(text, kind):
            return convert_text(text, kind)
    return text


def _fits(text: str, kind: Any) -> bool:
    try:
        convert_text(text, kind)
    except ValueError:
        return False
    return True


def _json(text: str) -> Any:
    import json  # two milliseconds that a pod's start-up need not pay

    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"it takes JSON, and at character {error.pos + 1} {error.msg.lower()}") from error
