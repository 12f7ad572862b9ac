"""Ends attempts that nobody wants any more: with their Job, with their pod, or before either is there."""

from collections.abc import Callable, Iterable

from headway.executors.kubernetes.pools import Pools
from headway.executors.kubernetes.submitter import Submitter
from headway.executors.kubernetes.tracked import Attempt, Jobs, TrackedJob
from headway.store.records import AttemptRef, Failure


class Canceller:
    """Asks the attempts of a run to end.

    Args:
        jobs: All Jobs in hand.
        pools: The warm pods.
        submitter: Deletes Jobs and pods.
        over: Called with an attempt that can have no further result.
        clock: Seconds since the epoch.

    Attributes:
        used: Whether any was ever asked to.
    """

    def __init__(
        self,
        jobs: Jobs,
        pools: Pools,
        submitter: Submitter,
        over: Callable[[TrackedJob, Attempt, Failure], None],
        clock: Callable[[], float],
    ) -> None:
        self._jobs = jobs
        self._pools = pools
        self._submitter = submitter
        self._over = over
        self._clock = clock
        self.used = False

    def cancel(self, refs: Iterable[AttemptRef], failure: Failure, *, now: bool) -> None:
        """End these attempts.

        Args:
            refs: Which; those that have ended are passed over.
            failure: What counts where one leaves no record.
            now: Without the grace that they were promised.
        """
        self.used = True
        wanted = tuple(refs)
        for job in self._pools.cancel(wanted, failure):
            self._submitter.withdraw(job, now=now)
        for job in self._mark(wanted, failure):
            broken = job.batch.gang is not None and len(job.attempts) < len(job.batch.tasks)
            if all(attempt.cancelled for attempt in job.attempts.values()) and not broken:
                self._submitter.withdraw(job, now=now)
            else:
                self._end_some(job, failure, now=now)

    def _mark(self, refs: Iterable[AttemptRef], failure: Failure) -> Iterable[TrackedJob]:
        """Note of each attempt that it is to end; the Jobs that these are in."""
        touched: dict[str, TrackedJob] = {}
        for ref in refs:
            found = self._jobs.find(ref)
            if found is None:
                continue
            job, attempt = found
            attempt.cancelled_at = attempt.cancelled_at or self._clock()
            attempt.cancelled = attempt.cancelled or _with_wait(attempt, failure)
            touched[job.name] = job
            if attempt.pod and not attempt.started:
                # A container whose Python has not begun is deaf to SIGTERM: it finds a record and refuses.
                self._over(job, attempt, failure)
        return touched.values()

    def _end_some(self, job: TrackedJob, failure: Failure, *, now: bool) -> None:
        """End those of a Job's attempts that are to end; the others go on."""
        for attempt in [each for each in job.attempts.values() if each.cancelled]:
            if attempt.pod:
                self._submitter.delete_pod(job, attempt.pod, now=now)
            else:
                # Its turn may still come; by then it has a record, and its pod refuses to begin.
                self._over(job, attempt, failure)


def _with_wait(attempt: Attempt, failure: Failure) -> Failure:
    """The failure, with what the attempt waited for where it never began: its record is all that is known later."""
    if attempt.started or attempt.standing is None:
        return failure
    return failure._replace(
        message=f"{failure.message.rstrip('.')}. It had not begun: {attempt.standing.message}."
    )
