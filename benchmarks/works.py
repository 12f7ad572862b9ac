"""What is measured: works, each done by several contenders in turn, and what their figures should be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from goals import Goal

#: What one contender took in one round, by name: "seconds", "cpu", "peak", …
Measures = Mapping[str, float]
#: How busy the machine was as a contender began: "busy", the share of its cores, and "load" (1 minute).
Begin = Mapping[str, float]
#: One round: the measures of every contender.
Round = Mapping[str, Measures]

#: What a round takes on a quiet machine with two cores, in minutes, roughly; Metaflow takes most of it.
MINUTES = {
    "local linear": 0.3,
    "local foreach-100": 2,
    "local foreach-1200": 15,
    "local show": 0.1,
    "local help": 0.1,
    "data array": 1,
    "data dicts": 1,
    "data pod": 0.5,
    "client folder": 0.3,  # the first one makes the runs that are read: Metaflow's takes up to half an hour
    "client s3": 0.5,
    "timeline": 0.3,
    "pods linear": 1.5,
    "pods foreach-20": 4,
    "pods foreach-200": 5,
    "pods cpu": 0.3,
    "scale in-flight": 3,
    "scale packed": 10,
    "scale bodies": 1,
}


@dataclass(frozen=True)
class Target:
    """A figure taken from each round, and what its median should be; the fields are those of `Goal`.

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

    @property
    def goal(self) -> Goal:
        """What the median should be."""
        return Goal(self.row, self.limit, self.at_least, self.unit)


@dataclass(frozen=True)
class Work:
    """One piece of work.

    Attributes:
        name: Unique; what ``--only`` looks for.
        contenders: By name; each does the work once and says what it took.
        targets: What comes of it.
        rounds: How often it is done in the long mode.
        warm_up: Rounds before those, not counted.
        note: What a reader of its rows should know of how they came about.
        lacks: What is missing here for all of it or, where it has contenders, for some of them.
    """

    name: str
    contenders: Mapping[str, Callable[[], Measures]]
    targets: tuple[Target, ...]
    rounds: int = 5
    warm_up: int = 1
    note: str = ""
    lacks: str = ""

    def absent(self, lacks: str) -> "Work":
        """The same work where nothing of it can be done, and why."""
        return replace(self, contenders={}, lacks=lacks)


@dataclass
class Done:
    """A work and its counted rounds.

    Attributes:
        work: What was done.
        rounds: What was measured, round by round.
        begins: Round by round, in the order in which contenders came, how busy the machine was as each began.
        failures: Why rounds came to nothing.
        seconds: How long each round took, warm-up included.
    """

    work: Work
    rounds: list[Round] = field(default_factory=list)
    begins: list[Mapping[str, Begin]] = field(default_factory=list)
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
