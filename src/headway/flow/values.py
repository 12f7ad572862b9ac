"""Values written as text, and the types that a parameter can have."""

from headway.errors import HeadwayError
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
    """A parameter's type in one word; of several in a row each."""
    if isinstance(kind, tuple):
        return " ".join(map(type_name, kind))
    if isinstance(kind, JSONTypeClass):
        return "JSON"
    return str(getattr(kind, "__name__", None) or getattr(kind, "name", None) or kind)


def is_parameter_type(kind: Any) -> bool:
    """Whether a parameter can have this type: it, or each of several in a row, makes values of texts."""
    if isinstance(kind, tuple):
        return bool(kind) and all(map(is_parameter_type, kind))
    return _is_plain(kind) or _converts(kind) or callable(kind)


def inferred_type(default: Any, several: bool = False) -> Any:
    """The type of a parameter that names none: its default's, text where that tells nothing.

    Args:
        default: The default.
        several: Whether it holds several values of that type.
    """
    if default is None or callable(default):
        return str
    if several and isinstance(default, (list, tuple)):
        return inferred_type(default[0]) if default else str
    if isinstance(default, (dict, list)):
        return JSONType
    return type(default)


def has_type(value: object, kind: Any) -> bool:
    """Whether a value is of a parameter's type; a whole number is a float too, anything may be JSON."""
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    # What makes values of its own says itself what it takes.
    return kind not in (str, bool, list, dict) or isinstance(value, kind)


def convert_text(text: str, kind: Any) -> Any:
    """The value of this type that a text stands for.

    Raises:
        ValueError: There is none; the error says what would be.
    """
    if isinstance(kind, JSONTypeClass):
        return _json(text)
    if kind in (list, dict):
        value = _json(text)
        if not isinstance(value, kind):
            raise ValueError(f"it takes JSON, and a {kind.__name__}")
        return value
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
    return text if kind is str else _made_by(kind, text)


def fit(default: Any, kind: Any) -> Any:
    """A default as a value of the parameter's type: 2 for a float is 2.0, "5" and 5.0 for an int are 5.

    Raises:
        ValueError: It stands for none.
    """
    if default is None:
        return None
    if not _is_plain(kind) and kind not in (list, dict):
        return _made_by(kind, default)
    if has_type(default, kind) and kind is not float:
        return default
    if not isinstance(default, (str, int, float)):
        raise ValueError("it is of another type")
    if kind is int and isinstance(default, float) and default.is_integer():
        # As people write large numbers: 1e6.
        return int(default)
    return convert_text(str(default), kind)


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


def _is_plain(kind: Any) -> bool:
    return kind in (str, int, float, bool) or isinstance(kind, JSONTypeClass)


def _converts(kind: Any) -> bool:
    """Whether this is a type of the command line's library, as Metaflow takes them too."""
    return callable(getattr(kind, "convert", None))


def _made_by(kind: Any, value: Any) -> Any:
    """What a person's own type makes of a text, or of a default."""
    try:
        return kind.convert(value, None, None) if _converts(kind) else kind(value)
    except HeadwayError:
        raise
    except Exception as error:
        raise ValueError(str(error) or type(error).__name__) from error
