"""Resource quantities: `500m`, `1.5`, `32Gi`, `1e3`."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal

_PATTERN = re.compile(r"^([+-]?(?:\d+\.?\d*|\.\d+))((?:[KMGTPE]i)|[numkMGTPE]|[eE][+-]?\d+)?$")
_SUFFIXES = {
    "": Decimal(1),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "T": Decimal(10**12),
    "P": Decimal(10**15),
    "E": Decimal(10**18),
    "Ki": Decimal(2**10),
    "Mi": Decimal(2**20),
    "Gi": Decimal(2**30),
    "Ti": Decimal(2**40),
    "Pi": Decimal(2**50),
    "Ei": Decimal(2**60),
}
PATTERN_MESSAGE = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
)


def parse(text: object) -> Decimal:
    """The exact value of a quantity.

    Args:
        text: The quantity as it stands in a manifest; plain numbers are accepted.

    Raises:
        ValueError: It is not a quantity.
    """
    match = _PATTERN.match(str(text))
    if match is None:
        raise ValueError(PATTERN_MESSAGE)
    number, suffix = match.group(1), match.group(2) or ""
    if suffix in _SUFFIXES:
        return Decimal(number) * _SUFFIXES[suffix]
    return Decimal(number) * Decimal(f"1{suffix}")


def units(text: object) -> int:
    """The value rounded up to whole units, as bytes and devices are counted."""
    return int(parse(text).to_integral_value(ROUND_CEILING))


def thousandths(text: object) -> int:
    """The value rounded up to thousandths, as processor time is counted."""
    return int((parse(text) * 1000).to_integral_value(ROUND_CEILING))


def canonical(text: object) -> str:
    """The quantity as the API server writes it back: `0.5` is `500m`, `1024Mi` is `1Gi`.

    Raises:
        ValueError: It is not a quantity.
    """
    match = _PATTERN.match(str(text))
    if match is None:
        raise ValueError(PATTERN_MESSAGE)
    value = parse(text)
    suffix = match.group(2) or ""
    if value == 0:
        return "0"
    if suffix.endswith("i") and value == value.to_integral_value():
        return _scaled(int(value), 1024, ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"))
    if "e" in suffix.lower() and suffix not in _SUFFIXES:
        exponent = (Decimal(f"1{suffix}").adjusted() // 3) * 3
        mantissa = value / (Decimal(10) ** exponent)
        if mantissa == mantissa.to_integral_value():
            return f"{int(mantissa)}e{exponent}" if exponent else str(int(mantissa))
    nano = int((value * 10**9).to_integral_value(ROUND_CEILING))
    return _scaled(nano, 1000, ("n", "u", "m", "", "k", "M", "G", "T", "P", "E"))


def _scaled(value: int, base: int, suffixes: tuple[str, ...]) -> str:
    place = 0
    while place < len(suffixes) - 1 and value % base == 0:
        value //= base
        place += 1
    return f"{value}{suffixes[place]}"
