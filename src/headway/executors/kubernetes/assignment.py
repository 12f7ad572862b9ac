"""Which Job has a batch: the first one, and another where that one cannot go on as it is."""

import asyncio
from collections.abc import Callable, Container, Coroutine, Mapping
from typing import Any

from headway.config.fields import replace
from headway.config.kubernetes import DEFAULT_UID, KubernetesSettings
from headway.executors.kubernetes.planned import for_batch
from headway.executors.kubernetes.submitter import Submitter
from headway.executors.kubernetes.tracked import Attempt, Jobs, TrackedJob, tracked_job
from headway.store.batch import Batch

#: What the name of a batch ends with whose first Job's namespace refused its pods.
RESTRICTED = "-restricted"
#: And where that made no difference.
RELAXED = "-relaxed"
#: And whose pods the platform gives their uid itself.
NO_UID = "-no-uid"

#: Seconds between two looks at whether a Job is there.
_POLL = 0.1


class Assignments:
    """Puts batches into Jobs, with the settings of their steps.

    Args:
        settings: By step.
        jobs: All Jobs in hand.
        submitter: Creates and deletes them.
        spawn: Runs something in the background.
    """

    def __init__(
        self,
        settings: Mapping[str, KubernetesSettings],
        jobs: Jobs,
        submitter: Submitter,
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        #: Here a step's settings may become stricter while the run goes on.
        self._settings = dict(settings)
        self._jobs = jobs
        self._submitter = submitter
        self._spawn = spawn

    def settings(self, batch: Batch) -> KubernetesSettings:
        """How the pods of a batch are to be."""
        return for_batch(self._settings[batch.step], batch)

    def every(self) -> Mapping[str, KubernetesSettings]:
        """The settings by step."""
        return self._settings

    def namespaces(self) -> list[str]:
        """Where the run's pods may be."""
        return sorted({settings.namespace for settings in self._settings.values()})

    def restrict(self, namespaces: Container[str]) -> None:
        """From now on pods in these namespaces have the restricted profile, unless a person fixed another."""
        for step, own in self._settings.items():
            if own.namespace in namespaces and own.security_profile == "auto":
                self._settings[step] = replace(own, security_profile="restricted")

    def unpin(self, namespaces: Container[str]) -> None:
        """From now on pods of the restricted profile in these namespaces leave their uid to the platform."""
        for step, own in self._settings.items():
            if own.namespace in namespaces and own.restricted_uid == DEFAULT_UID:
                self._settings[step] = replace(own, restricted_uid=0)

    def track(
        self,
        batch: Batch,
        attempts: dict[int, Attempt],
        tries: int = 0,
        before: TrackedJob | None = None,
        name: str = "",
    ) -> TrackedJob:
        """Take the Job of a batch in hand; it goes on with the orders of the one before it, if there was one.

        Args:
            batch: The batch.
            attempts: Its attempts by index.
            tries: How often it was submitted before.
            before: The Job that it stands in for.
            name: The Job's name where it is there already.
        """
        job = tracked_job(batch, self.settings(batch), attempts, tries)
        job.name = name or job.name
        if before:
            job.inbox, job.idle_timeout = before.inbox, before.idle_timeout
        self._jobs.add(job)
        return job

    def submit(self, batch: Batch, attempts: dict[int, Attempt]) -> None:
        """Make a Job of a batch."""
        self._submitter.submit(self.track(batch, attempts))

    def submit_restricted(self, job: TrackedJob) -> None:
        """Another Job for a batch whose pods were refused as not secure enough."""
        self.restrict((job.namespace,))
        self._submit_instead(job, RESTRICTED)

    def submit_unpinned(self, job: TrackedJob) -> None:
        """Another Job for a batch whose pods the platform refuses the uid that we chose."""
        self.unpin((job.namespace,))
        self._submit_instead(job, NO_UID, on_trial=job.on_trial)

    def submit_on_trial(self, job: TrackedJob) -> None:
        """Another Job for a batch whose pods may have been refused as not secure enough; other Jobs stay as they are."""
        self._submit_instead(job, RESTRICTED, on_trial=True)

    def submit_relaxed(self, job: TrackedJob) -> None:
        """Another Job, as the step's settings are, for a batch that was tried as *restricted* in vain."""
        self._submit_instead(job, RELAXED)

    def _submit_instead(self, job: TrackedJob, ending: str, *, on_trial: bool = False) -> None:
        attempts, job.attempts = job.attempts, {}
        # Another name, and so another Job: the first one may take its time to go.
        batch = job.batch._replace(name=f"{job.batch.name}{ending}")
        successor = self.track(batch, attempts, before=job)
        if on_trial:
            successor.on_trial = True
            successor.settings = replace(successor.settings, security_profile="restricted")
        self._submitter.submit(successor)
        self._spawn(self._withdraw_after(job, successor))

    def submit_again(self, job: TrackedJob, delay: float) -> None:
        """Another Job, after so many seconds, for a gang of which no rank began; its attempts are untouched."""
        attempts = {
            index: Attempt(attempt.ref, index, cancelled=attempt.cancelled)
            for index, attempt in job.attempts.items()
        }
        job.attempts = {}
        self._submitter.withdraw(job, now=False)
        name = job.batch.name.partition("-again-")[0]
        tries = job.tries + 1
        again = self.track(job.batch._replace(name=f"{name}-again-{tries}"), attempts, tries)
        again.unfit_for = job.unfit_for
        self._submitter.submit(again, delay)

    async def _withdraw_after(self, job: TrackedJob, successor: TrackedJob) -> None:
        """Delete a Job once its successor is there: what both own must not be collected in between."""
        while successor.created is None and not successor.deleting and successor.attempts:  # noqa: ASYNC110
            await asyncio.sleep(_POLL)
        self._submitter.withdraw(job, now=False)
