"""What the launcher tells the scheduler.

Events about an attempt that is over or superseded change nothing, so that every source of truth
(record, pod watch, a replayed journal) may report the same end again.
"""

from msgspec import Struct

from headway.store.records import AttemptRef, Failure, Transition


class RunStarted(Struct, frozen=True):
    """The run's record and its ``_parameters`` task exist: the start step may run."""


class AttemptStarted(Struct, frozen=True):
    """The attempt runs by now. Changes the counts only; a launcher that does not count may leave it out."""

    ref: AttemptRef


class AttemptSucceeded(Struct, frozen=True):
    """The attempt's record says *succeeded*.

    Attributes:
        ref: The attempt.
        transition: What ``self.next`` said; None from an end step.
    """

    ref: AttemptRef
    transition: Transition | None = None


class AttemptFailed(Struct, frozen=True):
    """The attempt's record says *failed*, or the launcher wrote it as *lost*.

    The launcher settles the record first: an attempt reported here never succeeds later.

    Attributes:
        ref: The attempt.
        failure: Why.
        at: When it ended (seconds since the epoch, by the clock of the machine it ran on); tells which rank of
            a gang failed first. 0 where nobody knows.
        ran: For how many seconds it had run, 0 where nobody knows.
    """

    ref: AttemptRef
    failure: Failure
    at: float = 0.0
    ran: float = 0.0


class AttemptCancelled(Struct, frozen=True):
    """An attempt named by ``CancelAttempts`` is gone without a result of its own."""

    ref: AttemptRef


class RetryDue(Struct, frozen=True):
    """The wait that a ``ScheduleRetry`` asked for is over."""

    ref: AttemptRef


class RetriesDue(Struct, frozen=True):
    """Several waits are over: what can start together, starts as one batch."""

    refs: tuple[AttemptRef, ...]


class StopRequested(Struct, frozen=True):
    """Somebody wants the run to stop: Ctrl-C, SIGTERM, ``stop``."""

    reason: str


class UnexpectedEventError(ValueError):
    """The event cannot have happened, whatever came before it: a mistake in the launcher."""


Event = (
    RunStarted
    | AttemptStarted
    | AttemptSucceeded
    | AttemptFailed
    | AttemptCancelled
    | RetryDue
    | RetriesDue
    | StopRequested
)
