"""Amounts as Kubernetes writes them ("500m", "4Gi", "64M"), read and written for people."""

import re
from decimal import Decimal

_AMOUNT = r"(\d+(?:\.\d*)?|\.\d+)(?:[eE]([+-]?\d+)|(m|k|Ki|M|Mi|G|Gi|T|Ti|P|Pi|E|Ei|u|n))?"
_UNITS = {
    "": Decimal(1),
    "n": Decimal(10) ** -9,
    "u": Decimal(10) ** -6,
    "m": Decimal(10) ** -3,
    "k": Decimal(10) ** 3,
    **{unit: Decimal(10) ** (3 * power) for power, unit in enumerate("MGTPE", 2)},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", 1)},
}
_BYTES = ("memory", "ephemeral-storage")


def quantity(text: str) -> Decimal | None:
    """The amount, None where the text is none."""
    found = re.fullmatch(_AMOUNT, text.strip())
    if found is None:
        return None
    number, exponent, unit = found.groups()
    return Decimal(number) * Decimal(10) ** int(exponent or 0) * _UNITS[unit or ""]


def shown(resource: str, amount: Decimal) -> str:
    """An amount of a resource for people: memory and disk in MB."""
    if resource in _BYTES:
        return f"{int(amount / 10**6):d} MB"
    return f"{amount.normalize():f}"
