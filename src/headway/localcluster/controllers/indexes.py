"""Sets of completion indexes as Kubernetes writes them: `1,3-5,7`."""

from __future__ import annotations

from collections.abc import Iterable


def compressed(indexes: Iterable[int]) -> str:
    """The indexes as text, runs shortened."""
    runs: list[list[int]] = []
    for index in sorted(set(indexes)):
        if runs and index == runs[-1][1] + 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    return ",".join(_run(first, last) for first, last in runs)


def _run(first: int, last: int) -> str:
    if first == last:
        return str(first)
    return f"{first},{last}" if last == first + 1 else f"{first}-{last}"


def parsed(text: str) -> set[int]:
    """The indexes in a text."""
    found: set[int] = set()
    for part in text.split(","):
        if part:
            first, _, last = part.partition("-")
            found.update(range(int(first), int(last or first) + 1))
    return found
