"""Versions of Python as people ask for them: ``3.11``, ``3.11.4``, ``>=3.9,<3.13``."""

import re

_EXACT = re.compile(r"(?:==)?\s*(\d+)\.(\d+)(?:\.(?:\d+|\*))?")
_PART = re.compile(r"(>=|<=|>|<|!=|~=|==)\s*(\d+)\.(\d+)(?:\.(?:\d+|\*))?")


def python_within(text: str, usual: str) -> str:
    """The minor version that is asked for.

    Args:
        text: What was written.
        usual: The version taken where several would do: "3.11".

    Raises:
        ValueError: It is no version, or the usual one is not within the bounds.
    """
    exact = _EXACT.fullmatch(text.strip())
    if exact is not None:
        return f"{exact[1]}.{exact[2]}"
    parts = [_PART.fullmatch(part.strip()) for part in text.split(",")]
    if not text.strip() or any(part is None for part in parts):
        raise ValueError("a version of Python as text is allowed, such as '3.11'")
    have = _pair(usual)
    for part in parts:
        assert part is not None, "looked at above"
        if not _holds(part[1], have, (int(part[2]), int(part[3]))):
            raise ValueError(f"the Python there is {usual}, write the one that is meant, such as '3.11'")
    return usual


def _holds(operator: str, have: tuple[int, int], bound: tuple[int, int]) -> bool:
    # Only minor versions count: what is built for 3.11.2 does for 3.11.9.
    return {
        ">=": have >= bound, ">": have >= bound, "<=": have <= bound, "<": have < bound,
        "!=": True, "~=": have >= bound and have[0] == bound[0], "==": have == bound,
    }[operator]  # fmt: skip


def _pair(version: str) -> tuple[int, int]:
    major, minor = version.split(".")
    return int(major), int(minor)
