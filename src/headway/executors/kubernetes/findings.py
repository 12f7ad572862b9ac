"""What a look at a cluster found, one thing each."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

#: How a finding is meant.
GOOD, POOR, BAD = "ok", "warn", "fail"


class Finding(NamedTuple):
    """One thing that was looked at.

    Attributes:
        grade: "ok", "warn" (it will do) or "fail" (a run would fail).
        what: What was found.
        hint: What to do about it, or "".
        steps: The steps that it is about; none where it is about all.
        stops: Whether it makes no sense to try pods of theirs; by default where a run would fail.
    """

    grade: str
    what: str
    hint: str = ""
    steps: tuple[str, ...] = ()
    stops: bool | None = None

    @property
    def in_the_way(self) -> bool:
        """Whether pods of these steps cannot, or will not soon, show what they would find."""
        return self.grade == BAD if self.stops is None else self.stops


def of_steps(found: Iterable[tuple[str, Finding]]) -> Iterator[Finding]:
    """Findings about steps, by step, with the steps before them; what holds for several is said once."""
    steps: dict[Finding, list[str]] = {}
    for step, finding in found:
        steps.setdefault(finding, []).append(step)
    for finding, named in steps.items():
        who, what = f"Step {named[0]}", finding.what
        if len(named) > 1:
            who, what = f"Steps {', '.join(named)}", what.replace("its pods", "their pods")
        yield finding._replace(what=f"{who}: {what}", steps=tuple(named))
