"""Goes on with the pods of a run whose launcher died: finds what the cluster has, and takes each batch in hand."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from headway.executors.base import Adoption
from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.errors import ApiError
from headway.executors.kubernetes.api.kinds import JOB, POD
from headway.executors.kubernetes.api.types import Job, Pod
from headway.executors.kubernetes.assignment import Assignments
from headway.executors.kubernetes.labels import BATCH
from headway.executors.kubernetes.settle import Settler
from headway.executors.kubernetes.submitter import Submitter
from headway.executors.kubernetes.tracked import Attempt, TrackedJob
from headway.executors.kubernetes.warm import ORPHANED
from headway.executors.kubernetes.warm_settings import is_warm
from headway.store.batch import Batch
from headway.store.records import INFRASTRUCTURE, AttemptRef, Failure

#: What becomes of an attempt that has, or should have, a result.
RECORDED = Failure(
    INFRASTRUCTURE, "RecordMissing", "The attempt's record was there, and is no longer in the datastore."
)
PODLESS = Failure(
    INFRASTRUCTURE, "PodGone", "Its pod ended and left no result while no launcher looked after the run."
)
DELETED = Failure(INFRASTRUCTURE, "JobDeleted", "Its Job was deleted while no launcher looked after the run.")

_PAUSE = 2.0
#: Seconds for which a cluster that does not answer is asked.
_GIVE_UP = 300.0


@dataclass(frozen=True)
class Inventory:
    """What there is.

    Attributes:
        jobs: The run's Jobs by name.
        pods: Its pods.
    """

    jobs: dict[str, Job] = field(default_factory=dict)
    pods: list[Pod] = field(default_factory=list)

    def job_of(self, batch: Batch) -> tuple[Job, str] | None:
        """The Job that runs a batch, and the name that the batch has there.

        A batch that had to be submitted anew (its pods refused, its gang not whole) has a further part in its
        name then; the newest Job counts, unless somebody has asked for its deletion.
        """
        found = [
            (job, name)
            for job in self.jobs.values()
            if (name := _batch_name(job)) == batch.name or name.startswith(f"{batch.name}-")
        ]
        return max(found, key=lambda each: (not is_going(each[0]), _made(each[0]), each[1]), default=None)


async def take_inventory(
    client: KubernetesClient, namespaces: Iterable[str], selector: str, trouble: Callable[[str], None]
) -> Inventory:
    """List the run's Jobs and pods.

    Args:
        client: The cluster.
        namespaces: Where they may be.
        selector: Which are the run's.
        trouble: Told while the cluster does not answer; "" once it does.

    Raises:
        ApiError: It refuses, or does not answer for minutes.
    """
    found = Inventory()
    until = client.clock.monotonic() + _GIVE_UP
    for namespace in namespaces:
        while True:
            try:
                jobs = await client.list(JOB, namespace, label_selector=selector)
                pods = await client.list(POD, namespace, label_selector=selector)
                break
            except ApiError as error:
                if not error.transient or client.clock.monotonic() > until:
                    raise
                trouble(error.message)
                await asyncio.sleep(_PAUSE)
        found.jobs.update((job.metadata.name, job) for job in jobs.items)
        found.pods.extend(pods.items)
    trouble("")
    return found


def _batch_name(job: Job) -> str:
    """The whole name stands in the annotation where the label cannot hold it."""
    return job.metadata.annotations.get(BATCH) or job.metadata.labels.get(BATCH, "")


def _made(job: Job) -> float:
    made = job.metadata.creation_timestamp
    return made.timestamp() if made is not None else 0.0


def ended_without_pod(tracked: TrackedJob, job: Job) -> list[int]:
    """The indices that are over, as far as the Job tells, though there is no pod to tell why."""
    over = {*indexes(job.status.failed_indexes), *indexes(job.status.completed_indexes)}
    return [index for index, attempt in tracked.attempts.items() if index in over and not attempt.pod]


def indexes(text: str) -> Iterable[int]:
    """The numbers in "1,3-5,7"."""
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def is_going(job: Job) -> bool:
    """Whether somebody has asked for its deletion."""
    return job.metadata.deletion_timestamp is not None


def all_recorded(adoption: Adoption) -> bool:
    """Whether nothing of it is left to be run."""
    return adoption.refs == adoption.recorded


class Adopter:
    """Takes batches in hand that another launcher started.

    Args:
        client: The cluster.
        settler: Reads batches as they were submitted.
        assignments: Makes the Jobs that are missing.
        submitter: Submits them, and takes those over that are there.
        over: Called with an attempt that can have no further result.
    """

    def __init__(
        self,
        client: KubernetesClient,
        settler: Settler,
        assignments: Assignments,
        submitter: Submitter,
        over: Callable[[TrackedJob, Attempt, Failure], None],
    ) -> None:
        self._client = client
        self._settler = settler
        self._assignments = assignments
        self._submitter = submitter
        self._over = over

    async def adopt(self, adoption: Adoption, found: Inventory) -> tuple[TrackedJob, Job | None]:
        """Take a batch in hand: with its Job, where there is one, else with a new one, where it needs one."""
        running = found.job_of(adoption.batch)
        job, name = running or (None, adoption.batch.name)
        given = adoption.batch._replace(name=name)
        warm = is_warm(self._assignments.settings(given), given)
        # What warm pods were to do stands in their inboxes alone.
        stored = None if warm else await asyncio.to_thread(self._settler.batch, given)
        batch = stored or given
        refs = [AttemptRef(batch.step, task.task, task.attempt) for task in batch.tasks]
        attempts = {index: Attempt(ref, index) for index, ref in enumerate(refs) if ref in adoption.refs}
        # The settings of now may give Jobs other names.
        tracked = self._assignments.track(batch, attempts, name=job.metadata.name if job else "")
        if warm:
            for attempt in list(attempts.values()):
                self._over(tracked, attempt, RECORDED if attempt.ref in adoption.recorded else ORPHANED)
            return tracked, None
        for attempt in list(attempts.values()):
            if attempt.ref in adoption.recorded:
                self._over(tracked, attempt, RECORDED)
            elif job is not None and is_going(job):
                self._over(tracked, attempt, DELETED)
        if job is not None:
            tracked.parallelism = job.spec.parallelism or 0
            tracked.created = self._client.clock.monotonic()
            tracked.deleting = is_going(job)
            self._submitter.adopt(tracked)
        elif not all_recorded(adoption):
            self._submitter.submit(tracked)
        return tracked, job
