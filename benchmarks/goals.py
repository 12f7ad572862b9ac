"""What figures should be: a row's target, how it reads, and whether a median reaches it."""

import re
from dataclasses import dataclass

_WORDS = re.compile(r"(?P<sign>[≤≥]) (?P<limit>[\d.e+-]+) ?(?P<unit>.*)")


@dataclass(frozen=True)
class Goal:
    """A row of the table and what its median should be.

    Attributes:
        row: What it is about; names the row.
        limit: What the median is held against, None for a figure that is only told.
        at_least: Whether the median must reach the limit; otherwise it must not pass it.
        unit: Stands behind figures.
    """

    row: str
    limit: float | None = None
    at_least: bool = False
    unit: str = "×"

    def holds(self, median: float) -> bool:
        """Whether this median is good enough."""
        if self.limit is None:
            return True
        return median >= self.limit if self.at_least else median <= self.limit

    @property
    def words(self) -> str:
        """The target in words, as files keep it."""
        if self.limit is None:
            return "-"
        return f"{'≥' if self.at_least else '≤'} {self.limit:g} {self.unit}"


def goal_of(row: str, words: str, unit: str = "") -> Goal:
    """A goal from its words.

    Args:
        row: Its row.
        words: As `Goal.words` has them.
        unit: The unit where the words name none.
    """
    found = _WORDS.fullmatch(words)
    if found is None:
        return Goal(row, unit=unit)
    return Goal(row, float(found["limit"]), found["sign"] == "≥", found["unit"])


#: What was asked for, in its order. Every page has these rows, measured or not; a test holds that works have them.
ASKED = tuple(
    goal_of(row, words)
    for row, words in (
        ("linear, 4 steps, all on Kubernetes", "≤ 1.2 × floor"),
        ("the same with warm pods", "≤ 0.5 × floor"),
        ("foreach 20, all 23 pods", "≤ 1.3 × floor"),
        ("foreach 20: Metaflow's time by ours", "≥ 8 ×"),
        ("foreach 200 on Kubernetes", "≤ 1.3 × floor"),
        ("processor time of a trivial task's container beyond python -c pass", "≤ 80 ms"),
        ("foreach 1,000 packed into 20 pods, by the floor of 1,000", "≤ 0.15 × floor"),
        ("linear, 4 steps local, whole process: Metaflow's time by ours", "≥ 7 ×"),
        ("foreach 100 local: Metaflow's time by ours", "≥ 25 ×"),
        ("foreach 100 local: processor time a task", "≤ 30 ms"),
        ("`show` by `python -c pass`", "≤ 4 ×"),
        ("`show` with @kubernetes by `python -c pass`", "≤ 4 ×"),
        ("`--help` by `python -c pass`", "≤ 4 ×"),
        ("200 MB array, local steps: rate of the store by the raw one", "≥ 0.7 ×"),
        ("200 MB array, local steps: rate of the load by the raw one", "≥ 0.7 ×"),
        ("200 MB array, both steps: Metaflow's time by ours", "≥ 4 ×"),
        ("200 MB array, vanilla pod: rate of the store by the raw client's", "≥ 0.6 ×"),
        ("200 MB array, vanilla pod: rate of the load by the raw client's", "≥ 0.6 ×"),
        ("1e6 dicts, store: our time by Metaflow's", "≤ 1 ×"),
        ("1e6 dicts, load: our time by Metaflow's", "≤ 1 ×"),
        ("1e6 dicts, peak memory by Metaflow's", "≤ 1 ×"),
        ("client: 1,200 tasks' artifacts from S3: Metaflow's time by ours", "≥ 10 ×"),
        ("1,000 pods in flight: memory of the launcher", "≤ 200 MB"),
        ("1,000 pods in flight: a core's share while nothing changes", "≤ 10 %"),
        ("foreach 10,000 packed: objects created", "≤ 20 objects"),
        ("foreach 10,000 packed: the launcher's processor time", "≤ 60 s"),
        ("foreach 10,000 packed: memory by that of 1,000", "≤ 1.3 ×"),
        ("the same with 5 % failures: objects created", "≤ 60 objects"),
        ("all that is ours", "≤ 300 ms"),
    )
)
