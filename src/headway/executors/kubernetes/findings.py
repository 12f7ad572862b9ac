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
    """

    grade: str
    what: str
    hint: str = ""


def of_steps(found: Iterable[tuple[str, Finding]]) -> Iterator[Finding]:
    """Findings about steps, by step, with the steps before them; what holds for several is said once."""
    steps: dict[Finding, list[str]] = {}
    for step, finding in found:
        steps.setdefault(finding, []).append(step)
    for finding, named in steps.items():
        if len(named) == 1:
            yield finding._replace(what=f"Step {named[0]}: {finding.what}")
        else:
            what = finding.what.replace("its pods", "their pods")
            yield finding._replace(what=f"Steps {', '.join(named)}: {what}")
