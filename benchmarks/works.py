"""What is measured: works, each done by several contenders in turn, and what their figures should be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

#: What one contender took in one round, by name: "seconds", "cpu", "peak", …
Measures = Mapping[str, float]
#: One round: the measures of every contender.
Round = Mapping[str, Measures]


#: What a round takes on a quiet machine with two cores, in minutes, roughly; Metaflow takes most of it.
MINUTES = {
    "local linear": 0.3,
    "local foreach-100": 1.5,
    "local foreach-1200": 15,
    "local show": 0.1,
    "local help": 0.1,
    "data array": 1,
    "data dicts": 1,
    "data pod": 0.5,
    "client": 0.5,  # the first one makes the runs that are read: Metaflow's takes half an hour and more
    "timeline": 0.3,
    "pods linear": 1.5,
    "pods foreach-20": 4,
    "pods foreach-200": 4,
    "pods cpu": 0.3,
    "scale in-flight": 3,
    "scale packed": 6,
}


@dataclass(frozen=True)
class Target:
    """A figure taken from each round, and what its median should be.

    Attributes:
        row: What it is about, as a line of the table.
        figure: The figure of a round.
        limit: What the median is held against, None for a figure that is only told.
        at_least: Whether the median must reach the limit; otherwise it must not pass it.
        unit: Stands behind figures.
    """

    row: str
    figure: Callable[[Round], float]
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
        """The target in words."""
        if self.limit is None:
            return "-"
        return f"{'≥' if self.at_least else '≤'} {self.limit:g} {self.unit}"


@dataclass(frozen=True)
class Work:
    """One piece of work.

    Attributes:
        name: Unique; what ``--only`` looks for.
        contenders: By name; each does the work once and says what it took.
        targets: What comes of it.
        rounds: How often it is done in the long mode.
        warm_up: Rounds before those, not counted.
    """

    name: str
    contenders: Mapping[str, Callable[[], Measures]]
    targets: tuple[Target, ...]
    rounds: int = 5
    warm_up: int = 1


@dataclass
class Done:
    """A work and its counted rounds.

    Attributes:
        work: What was done.
        rounds: What was measured, round by round.
        loads: The machine's load (1 minute) as each round began.
        failures: Why rounds came to nothing.
        seconds: How long each round took, warm-up included.
    """

    work: Work
    rounds: list[Round] = field(default_factory=list)
    loads: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def figures(self, target: Target) -> list[float]:
        """One of the work's figures, round by round; a round without its contender has none."""
        found = []
        for measured in self.rounds:
            try:
                found.append(target.figure(measured))
            except KeyError:  # the peer is left out of a quick round
                continue
        return found


def ratio(name: str, against: str, measure: str = "seconds") -> Callable[[Round], float]:
    """A contender's measure divided by another's, within the round."""
    return lambda measured: measured[name][measure] / measured[against][measure]


def measure(name: str, what: str, scale: float = 1.0) -> Callable[[Round], float]:
    """A contender's measure as it is, times a factor."""
    return lambda measured: measured[name][what] * scale
