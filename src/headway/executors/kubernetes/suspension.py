"""Jobs that are held back as a whole: a queue such as Kueue suspends them until their turn comes."""

from collections.abc import Callable
from dataclasses import dataclass

from headway.executors.kubernetes.api.types import Job
from headway.executors.kubernetes.standstill import Standstill
from headway.executors.kubernetes.tracked import TrackedJob
from headway.runtime.limits import duration

#: The label by which a Job chooses its queue.
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"

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
        job.suspended = held
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
