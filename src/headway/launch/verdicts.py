"""What an attempt's end means to the scheduler, and when people are told of it: once it is known what follows."""

from collections.abc import Callable, Sequence

from headway.flow.graph import PARALLEL_VARIABLE
from headway.launch.reporter import Reporter
from headway.schedule.events import AttemptCancelled, AttemptFailed, AttemptSucceeded, Event
from headway.schedule.instructions import Instruction, ScheduleRetry
from headway.schedule.scheduler import Scheduler
from headway.store.records import (
    CANCELLED,
    CONFIGURATION,
    FAILED,
    STOPPED,
    SUCCEEDED,
    USER,
    AttemptRef,
    Failure,
    Record,
)


class Verdicts:
    """The ends of a run's attempts.

    Args:
        scheduler: Decides what follows.
        reporter: Tells people.
        max_splits: The most tasks that one foreach may yield, None for any number.
        heard: Called with the record of every attempt that ended.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        reporter: Reporter,
        max_splits: int | None,
        heard: Callable[[Record], None],
    ) -> None:
        self._scheduler = scheduler
        self._reporter = reporter
        self._max_splits = max_splits
        self._heard = heard
        #: Failed attempts whose consequence the scheduler is about to decide, with rank 0 of their gang.
        self._undecided: dict[AttemptRef, tuple[Record, AttemptRef]] = {}
        #: Failed attempts that the person was not told of, by rank 0 of their gang: what follows depends on the other
        #: ranks, so that it is decided for all of these at once. An attempt of no gang stands alone.
        self._unreported: dict[AttemptRef, list[Record]] = {}

    def of(self, record: Record) -> Event:
        """What the scheduler is told of an attempt that ended with this record."""
        self._heard(record)
        if record.outcome == SUCCEEDED:
            too_many = self._too_many_splits(record)
            if too_many is not None:
                self._expect(record._replace(outcome=FAILED, failure=too_many))
                return AttemptFailed(record.ref, too_many)
            self._reporter.attempt_ended(record, None)
            return AttemptSucceeded(record.ref, record.transition)
        failure = record.failure or Failure(USER, "Unknown", "The attempt failed and left no reason.")
        if failure.reason in STOPPED and self._scheduler.cancelling(record.ref):
            self._reporter.attempt_ended(record._replace(failure=failure._replace(reason=CANCELLED)), None)
            return AttemptCancelled(record.ref)
        # What follows, a retry or the end of the run, is known once the scheduler has decided.
        self._expect(record)
        return AttemptFailed(record.ref, failure, record.ended, max(0.0, record.ended - record.started))

    def _expect(self, record: Record) -> None:
        self._undecided[record.ref] = record, self._scheduler.leader(record.ref)

    def _too_many_splits(self, record: Record) -> Failure | None:
        splits = record.transition.splits if record.transition else None
        if self._max_splits is None or splits is None or splits <= self._max_splits:
            return None
        if record.transition and record.transition.foreach == PARALLEL_VARIABLE:
            # A person wrote this number down; no list grew to it unseen.
            return None
        return Failure(
            CONFIGURATION,
            "TooManySplits",
            f"The foreach of step {record.ref.step} yields {splits} tasks, and at most {self._max_splits} are allowed.",
            f"Allow them with --max-num-splits={splits}.",
        )

    def decided(self, event: Event, answer: Sequence[Instruction]) -> None:
        """The scheduler has answered an event: what failed is told, with what follows."""
        if isinstance(event, AttemptFailed) and event.ref in self._undecided:
            record, gang = self._undecided.pop(event.ref)
            self._unreported.setdefault(gang, []).append(record)
        for gang, (first, *_) in list(self._unreported.items()):
            if not self._scheduler.undecided(first.ref):
                self._tell_failures(self._unreported.pop(gang), answer)

    def _tell_failures(self, decided: Sequence[Record], answer: Sequence[Instruction]) -> None:
        """Tell of what has failed now that it is known what follows; of a gang's ranks the first to fail comes first."""
        again = [item for item in answer if isinstance(item, ScheduleRetry)]
        for record in sorted(decided, key=lambda record: record.ended):
            retry = again.pop(0) if again else None
            if retry is not None and retry.fallback:
                self._reporter.attempt_caught(record)
            else:
                self._reporter.attempt_ended(record, retry.delay if retry else None)
