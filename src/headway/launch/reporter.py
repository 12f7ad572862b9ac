"""What the launcher tells the person while it drives a run; what they see of it is the user interface's part."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from headway.executors.base import Output, Started, Waiting
from headway.schedule.tasks import StepCounts
from headway.store.records import Record
from headway.store.run_records import RunEnd, RunRecord


class Reporter(Protocol):
    """Hears of a run's progress; every method returns at once."""

    def run_started(self, record: RunRecord, *, attached: bool = False) -> None:
        """A run begins, or goes on where another launcher left it (``attached``)."""
        ...

    def note(self, message: str) -> None:
        """A line about the run as a whole."""
        ...

    def agree(self, question: str) -> bool:
        """Ask a person before the run starts; False where nobody is there to answer."""
        ...

    def fan_out(self, step: str, splits: int) -> None:
        """A foreach yielded this many tasks."""
        ...

    def cloned(self, origin: str, records: Sequence[Record], of: int) -> None:
        """Tasks of one batch of ``of`` were taken over from an earlier run."""
        ...

    def attempt_started(self, event: Started) -> None: ...

    def output(self, event: Output) -> None: ...

    def waiting(self, event: Waiting) -> None: ...

    def attempt_ended(self, record: Record, retry_in: float | None) -> None:
        """An attempt is over; ``retry_in`` is the number of seconds until the next one, None if there is none."""
        ...

    def attempt_caught(self, record: Record) -> None:
        """An attempt failed, and so has its step for good; its ``@catch`` takes over with a fallback."""
        ...

    def progress(self, counts: Mapping[str, StepCounts]) -> None:
        """How many tasks of each step are waiting, running, done; told every five minutes while the run goes on."""
        ...

    def run_ended(self, end: RunEnd) -> None: ...
