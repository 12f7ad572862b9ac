"""Jobs that are held back as a whole: a queue such as Kueue suspends them until their turn comes."""

from collections.abc import Callable
from dataclasses import dataclass

from headway.executors.kubernetes.api.types import Job
from headway.executors.kubernetes.standstill import Standstill
from headway.executors.kubernetes.tracked import Attempt, TrackedJob
from headway.runtime.limits import duration
from headway.store.records import Failure

#: The label by which a Job chooses its queue.
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"

#: Seconds within which a Job is heard to be suspended whose pods are deleted for that.
_MOMENT = 1.0

#: (the Job, reason, message), no reason where it goes on.
Tell = Callable[[TrackedJob, str, str], None]


@dataclass(slots=True)
class _Held:
    """A Job that is suspended, why, since when, and when that was last told (monotonic seconds)."""

    job: TrackedJob
    why: Standstill
    since: float
    told: float


class Suspensions:
    """Tells of Jobs that are suspended, once, again after a while, and that they go on.

    Args:
        tell: Whom to tell.
        again: Seconds after which what still holds is told again.
    """

    def __init__(self, tell: Tell, again: float) -> None:
        self._tell = tell
        self._again = again
        self._held: dict[str, _Held] = {}

    def seen(self, job: TrackedJob, state: Job, now: float) -> None:
        """The Job was read."""
        held = state.spec.suspend and not job.deleting
        job.suspended, job.queued = held, job.queued or is_queued(state)
        if held and job.name not in self._held:
            why = _why(state)
            self._held[job.name] = _Held(job, why, now, now)
            self._tell(job, why.reason, f"{why.message}. {why.hint}")
        elif not held and job.name in self._held:
            del self._held[job.name]
            self._tell(job, "", "")

    def look(self, now: float) -> None:
        """Tell again of what is suspended still; forget what is over."""
        for name, held in list(self._held.items()):
            if held.job.deleting or not held.job.attempts:
                del self._held[name]
            elif now - held.told >= self._again:
                held.told = now
                words = f"{held.why.message} (for {duration(round(now - held.since))} now)"
                self._tell(held.job, held.why.reason, f"{words}. {held.why.hint}")


class Vanished:
    """Pods that somebody deleted: where their Job is suspended, the attempts stay whose containers had not run.

    Args:
        clock: Monotonic seconds.
        over: Called with an attempt that can have no further result.
        goes_on: Called with an attempt whose pod stands still no longer.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        over: Callable[[TrackedJob, Attempt, Failure], None],
        goes_on: Callable[[TrackedJob, Attempt], None],
    ) -> None:
        self._clock = clock
        self._over = over
        self._goes_on = goes_on
        #: By the pod's uid, with the moment at which it was heard of.
        self._waiting: dict[str, tuple[TrackedJob, Attempt, Failure, float]] = {}

    def saw(self, job: TrackedJob, attempt: Attempt, uid: str, why: Failure) -> None:
        """A pod was deleted.

        Args:
            job: Its Job.
            attempt: What it was to make.
            uid: The pod's.
            why: The attempt's failure where its Job is not suspended.
        """
        if attempt.stopped or attempt.cancelled or job.deleting:
            self._over(job, attempt, why)
        else:
            # What suspended the Job, if it was that, may be heard of a moment later.
            self._waiting.setdefault(uid, (job, attempt, why, self._clock()))

    def look(self, now: float) -> None:
        """Decide what was heard of a moment ago."""
        for uid, (job, attempt, why, since) in list(self._waiting.items()):
            if now - since < _MOMENT:
                continue
            del self._waiting[uid]
            if attempt.settling or attempt.pod_uid not in ("", uid):
                continue
            if attempt.started or not job.suspended:
                self._over(job, attempt, attempt.stopped or why)
                continue
            self._goes_on(job, attempt)
            job.live_pods.discard(attempt.pod)
            attempt.forget_pod()


def is_queued(state: Job) -> bool:
    """Whether a queue has a say in the Job: by its label, or as somebody suspended it."""
    return state.spec.suspend or QUEUE_LABEL in state.metadata.labels


def _why(state: Job) -> Standstill:
    name, queue = state.metadata.name, state.metadata.labels.get(QUEUE_LABEL, "")
    if queue:
        return Standstill(
            "Suspended",
            f"the Job {name} is suspended: the queue {queue} has not admitted it yet",
            hint=f"It starts when its turn comes; kubectl describe localqueue {queue} shows the queue, "
            "kubectl get workloads why it waits.",
        )
    return Standstill(
        "Suspended",
        f"the Job {name} is suspended: a queue, or whoever suspended it, has not admitted it yet",
        hint=f"It starts when its turn comes; kubectl describe job {name} may say whose that is.",
    )
