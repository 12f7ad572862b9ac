"""Parsers of single values: what a person may write for a number, a size, a choice, a name, a map.

A parser takes whatever was written (in Python, in JSON, or as text in a variable) and returns the
value in its one form, or raises :class:`RefusedError` with what would be accepted. It does not know which
field it serves or where the value came from; the caller adds that.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from numbers import Integral, Real

#: Kubernetes keeps counts, ports and seconds in 32 bits.
INT32_MAX = 2**31 - 1

_SIZE = r"([0-9.eE+-]+)\s*([kKMGTP]i?)?(B?)"
_LARGEST_SIZE = 10**18
_POWERS = {"": 0, "k": 1, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5}


class RefusedError(ValueError):
    """A value that a parser does not take.

    Args:
        allowed: What would be accepted, in words.
        hint: What to write instead, if that can be told.
    """

    def __init__(self, allowed: str, hint: str | None = None) -> None:
        super().__init__(allowed)
        self.allowed = allowed
        self.hint = hint


def text(value: object) -> str:
    """Text that is not empty."""
    if isinstance(value, str) and value.strip():
        return value.strip()
    raise RefusedError("text that is not empty is allowed")


def script(value: object) -> str:
    """Text as it stands, with its white space."""
    if isinstance(value, str) and value.strip():
        return value
    raise RefusedError("text that is not empty is allowed")


def integer(minimum: int, maximum: int = INT32_MAX, unit: str = "") -> Callable[[object], int]:
    """A parser of whole numbers within limits; text and floats without fraction are taken too."""
    limits = f"of at least {minimum}" if maximum == INT32_MAX else f"from {minimum} to {maximum}"
    allowed = f"a whole number{unit and ' of ' + unit} {limits} is allowed"

    def parse(value: object) -> int:
        number = _decimal(value)
        if number is None or not minimum <= number <= maximum or number % 1:
            raise RefusedError(allowed)
        return int(number)

    return parse


def boolean(value: object) -> bool:
    """True or False, or the words for it that people put in variables."""
    if isinstance(value, bool):
        return value
    words = {
        "true": True,
        "1": True,
        "yes": True,
        "on": True,
        "false": False,
        "0": False,
        "no": False,
        "off": False,
    }
    if isinstance(value, str) and value.strip().lower() in words:
        return words[value.strip().lower()]
    if isinstance(value, Integral) and value in (0, 1):
        return bool(value)
    raise RefusedError("true or false is allowed")


def choice(*allowed: str) -> Callable[[object], str]:
    """A parser of one of several words, in any case; it returns the spelling given here."""
    spellings = {word.lower(): word for word in allowed}

    def parse(value: object) -> str:
        word = spellings.get(value.strip().lower()) if isinstance(value, str) else None
        if word is None:
            raise RefusedError(f"one of {', '.join(allowed)} is allowed")
        return word

    return parse


def cpu_cores(value: object) -> Decimal:
    """CPU cores (``2``, ``0.5``, ``"2"``, ``"500m"``), rounded up to a thousandth of a core."""
    allowed = 'a number of cores greater than 0 is allowed: 2, 0.5 or "500m"'
    written = value.strip() if isinstance(value, str) else value
    if isinstance(written, str) and written.endswith("m"):
        number = _decimal(written[:-1])
        cores = None if number is None else number / 1000
    else:
        cores = _decimal(written)
    if cores is None or cores <= 0 or cores > 1_000_000:
        raise RefusedError(allowed)
    return cores.quantize(Decimal("0.001"), ROUND_CEILING)


def seconds(value: object) -> Decimal:
    """A time greater than 0: ``30``, ``2.5``."""
    number = _decimal(value)
    if number is None or not 0 < number <= INT32_MAX:
        raise RefusedError("a number of seconds greater than 0 is allowed")
    return number


def megabytes(value: object) -> int:
    """A size in MB (10^6 bytes, what Kubernetes writes ``M``), rounded up; text may carry a unit."""
    return _size(value, 10**6, "MB", "16G")


def mebibytes(value: object) -> int:
    """A size in MiB (2^20 bytes, what Kubernetes writes ``Mi``), rounded up; text may carry a unit."""
    return _size(value, 2**20, "MiB", "16Gi")


def names(check: Callable[[str], None]) -> Callable[[object], tuple[str, ...]]:
    """A parser of a list of names: a list, a JSON list, or text with commas; doubles are dropped."""

    def parse(value: object) -> tuple[str, ...]:
        if isinstance(value, str):
            written = value.strip()
            value = json_value(written) if written.startswith("[") else written.split(",")
        if isinstance(value, Mapping) or not isinstance(value, Iterable):
            raise RefusedError('a list of names, or text like "one,two", is allowed')
        found: dict[str, None] = {}
        for item in value:
            if not isinstance(item, str):
                raise RefusedError(f"a list of names is allowed, and {item!r} is not a name")
            if item.strip():
                check(item.strip())
                found[item.strip()] = None
        return tuple(found)

    return parse


def mapping(value: object, *, bare_keys: bool = False) -> dict[str, object]:
    """A map: a dict, a JSON object, or text like ``key=value,other=value``.

    Args:
        value: What was written.
        bare_keys: Whether ``key`` alone is taken, with an empty value.
    """
    if isinstance(value, str):
        written = value.strip()
        value = json_value(written) if written.startswith("{") else _pairs(written, bare_keys=bare_keys)
    if not isinstance(value, Mapping):
        raise RefusedError('a dict, or text like "key=value,other=value", is allowed')
    for key in value:
        if not isinstance(key, str):
            raise RefusedError(f"keys are text, and {key!r} is not")
    return dict(value)


def string_map(value: object, *, bare_keys: bool = False) -> dict[str, str]:
    """A map to text: numbers and booleans become the text that YAML would need quotes for."""
    return {key: plain_text(key, item) for key, item in mapping(value, bare_keys=bare_keys).items()}


def plain_text(key: str, value: object) -> str:
    """A scalar as text; refuses what is not one."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, Real)):
        return str(value)
    raise RefusedError(f"the value of {key!r} must be text, and it is a {type(value).__name__}")


def json_value(written: str) -> object:
    """The value of a JSON text; the position of what is wrong is told."""
    try:
        value: object = json.loads(written)
    except json.JSONDecodeError as error:
        raise RefusedError(
            f"it is not valid JSON (line {error.lineno}, column {error.colno}: {error.msg})",
            "In a shell, put the whole value in single quotes, and names within it in double quotes.",
        ) from error
    return value


def _pairs(written: str, *, bare_keys: bool) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, part in enumerate(written.split(","), 1):
        if not part.strip():
            continue
        key, equals, item = part.partition("=")
        if not key.strip() or not (equals or bare_keys):
            # The part itself is not shown: in an environment it may be a secret.
            raise RefusedError(
                f'text like "key=value,other=value" is allowed, and part {number} of it is no such pair'
            )
        found[key.strip()] = item.strip()
    return found


def _size(value: object, unit: int, unit_name: str, example: str) -> int:
    allowed = f'a size in {unit_name} greater than 0 is allowed: 4096 or "{example}"'
    size = _decimal(value)
    if size is not None:
        size *= unit
    elif isinstance(value, str) and (match := re.fullmatch(_SIZE, value.strip())):
        number, prefix = _decimal(match[1]), match[2] or ""
        # "16B" would be sixteen bytes, which nobody means.
        if number is not None and prefix:
            size = number * (1024 if prefix.endswith("i") else 1000) ** _POWERS[prefix[0]]
    if size is None or not 0 < size < _LARGEST_SIZE:
        raise RefusedError(allowed)
    return int((size / unit).to_integral_value(ROUND_CEILING))


def _decimal(value: object) -> Decimal | None:
    """The exact number that was written, None where it is none (bool and NaN are none)."""
    if isinstance(value, bool) or not isinstance(value, (str, Real, Decimal)):
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
