"""Jobs that get no pods: why is told, some are tried otherwise, and what is wrong for good is given up."""

from collections.abc import Callable
from typing import Protocol

from headway.executors.kubernetes.refusal import Refusal
from headway.executors.kubernetes.tracked import Attempt, TrackedJob
from headway.executors.kubernetes.trials import NO_POD, Move, Trials, no_pod, trial_words
from headway.store.records import CONFIGURATION, Failure


class Listener(Protocol):
    """Whom to tell, and who tries a Job otherwise."""

    def standing(self, job: TrackedJob, attempt: Attempt | None, reason: str, message: str) -> None: ...

    def over(self, job: TrackedJob, attempt: Attempt, failure: Failure) -> None: ...

    def insecure(self, job: TrackedJob) -> bool: ...

    def pinned(self, job: TrackedJob) -> bool: ...

    def try_restricted(self, job: TrackedJob) -> None: ...

    def relax(self, job: TrackedJob) -> None: ...

    def restrict(self, namespace: str) -> None: ...


class Refusals:
    """What is known of Jobs without pods.

    Args:
        clock: Monotonic seconds.
        listener: Whom to tell.
        again: Seconds after which what still holds is told again.
    """

    def __init__(self, clock: Callable[[], float], listener: Listener, again: float) -> None:
        self._clock = clock
        self._listener = listener
        self._again = again
        #: By the Job's name: the Job, why it is refused its pods, since when, and when that was last told.
        self._known: dict[str, tuple[TrackedJob, Refusal, float, float]] = {}
        self._trials = Trials()

    def has_pod(self, job: TrackedJob) -> None:
        """A pod of the Job was seen."""
        if self._trials.has_pod(job):
            self._listener.restrict(job.namespace)

    def refused(self, job: TrackedJob, why: Refusal) -> None:
        """The cluster refuses the Job its pods."""
        if why.reason == "PodSecurity" and self._listener.insecure(job):
            return
        if why.reason == "SecurityContextConstraint" and self._listener.pinned(job):
            return
        self._note(job, why, f"the cluster refuses its pods: {why.words}")

    def unexplained(self, job: TrackedJob) -> None:
        """It has no pod, and the events that would say why may not be read."""
        if job.created is None or self._clock() - job.created < NO_POD:
            return
        match self._trials.next(job):
            case Move.TRY:
                self._listener.standing(job, None, "Restricted", trial_words(job))
                self._listener.try_restricted(job)
            case Move.RESTRICT:
                self._listener.insecure(job)
            case Move.RELAX:
                self._listener.relax(job)
            case Move.WAIT:
                why = no_pod(job)
                self._note(job, why, why.words)

    def _note(self, job: TrackedJob, why: Refusal, words: str) -> None:
        now = self._clock()
        _, known, since, told = self._known.get(job.name, (job, None, now, 0.0))
        if known is None or known.reason != why.reason:
            since = now
        if since == now or now - told >= self._again:
            told = now
            hint = f". {why.hint}" if why.waits else ""
            self._listener.standing(job, None, why.reason, f"{words}{hint}")
        self._known[job.name] = (job, why, since, told)

    def look(self, now: float) -> None:
        """Give up what was refused for long enough; forget what is over, or has pods after all."""
        for name, (job, why, since, _) in list(self._known.items()):
            if not job.attempts:
                del self._known[name]
            elif job.live_pods:
                del self._known[name]
                self._listener.standing(job, None, "", "")
            elif not why.waits and now - since >= job.settings.start_failure_timeout / 3:
                del self._known[name]
                words = f"The cluster refuses the pods of step {job.batch.step}: {why.words}"
                for attempt in list(job.attempts.values()):
                    self._listener.over(job, attempt, Failure(CONFIGURATION, why.reason, words, why.hint))
