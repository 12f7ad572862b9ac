"""What the executor knows of the attempts and Jobs in its hands."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from headway.config.kubernetes import KubernetesSettings
from headway.executors.kubernetes.names import container_name, job_of
from headway.executors.kubernetes.standstill import Standstill
from headway.store.batch import Batch, TaskSpec
from headway.store.logs import LogLine
from headway.store.records import AttemptRef, Failure


@dataclass(slots=True, eq=False)
class Attempt:
    """One attempt that has not ended.

    Attributes:
        ref: Which.
        index: Its index in the batch and the Job.
        pod: The name of its pod, "" while there is none.
        pod_uid: That pod's uid.
        placed: When it was first seen on a node (monotonic seconds), None before.
        started: Whether the launcher was told that it runs.
        seen: When its pod was first seen (monotonic seconds).
        node: The name of its pod's node, "" while there is none.
        init: The name of the init container that runs and that the step's waits for, "" where none does.
        unready: Whether the node controller marks its pod, as it does where the node does not answer.
        standing: Why it stands still, None where it does not.
        shown_by_state: The same as far as its pod's state alone tells.
        standing_since: When that began (monotonic seconds).
        told: When that was last told (monotonic seconds).
        noted: What the events of its pod said of a standstill that its state does not show.
        shown: How many of its lines were shown, by stream.
        stopped: Why its pod was stopped from outside, as far as the pod tells.
        cancelled: Why it is to end, None where it is not.
        cancelled_at: When that was asked for (seconds since the epoch).
        began_at: When its container began to run (seconds since the epoch), as far as its pod tells.
        ended_at: When its container ended (seconds since the epoch), as far as its pod tells.
        settling: Whether its end is being settled; it is settled once.
        follows: Whether another rank of its gang had come to its end by then.
        ran_last: Which attempt a warm pod noted to be running when it ended.
    """

    ref: AttemptRef
    index: int
    pod: str = ""
    pod_uid: str = ""
    placed: float | None = None
    started: bool = False
    seen: float = 0.0
    node: str = ""
    init: str = ""
    unready: bool = False
    standing: Standstill | None = None
    shown_by_state: Standstill | None = None
    standing_since: float = 0.0
    told: float = 0.0
    noted: Standstill | None = None
    shown: dict[str, int] = field(default_factory=dict)
    stopped: Failure | None = None
    cancelled: Failure | None = None
    cancelled_at: float = 0.0
    began_at: float | None = None
    ended_at: float | None = None
    settling: bool = False
    follows: bool = False
    ran_last: AttemptRef | None = None

    @property
    def busy(self) -> bool:
        """Whether there is a result to wait for."""
        return True

    def forget_pod(self) -> None:
        """Its pod is gone and did nothing; it is given another."""
        self.pod = self.pod_uid = self.node = ""
        self.placed, self.noted, self.shown_by_state = None, None, None
        self.unready = False

    def show(self, lines: Iterable[LogLine]) -> None:
        """These lines of it are shown."""
        for line in lines:
            self.shown[line.stream] = self.shown.get(line.stream, 0) + (not line.continues)


@dataclass(slots=True, eq=False)
class TrackedJob:
    """One Job and its attempts that have not ended.

    Attributes:
        name: The Job's name.
        namespace: Its namespace.
        batch: What it runs.
        settings: Its pods' settings.
        container: The name of the container that runs the step.
        attempts: By index, those that have not ended.
        parallelism: Pods it may have at a time; 0 while it is not created.
        created: When it was created (monotonic seconds), None before.
        deleting: Whether its deletion was asked for.
        suspended: Whether somebody holds it back: it has no pods while that lasts.
        on_trial: Whether its pods are restricted to see whether that is what its namespace wants.
        live_pods: Names of its pods that have not ended, as far as known.
        company: Names of its pods with containers beside the step's that have not all ended, with the moment
            (monotonic seconds) at which the step's own was seen to have, None before.
        miscounted: Whether a pod of it counts as failed for the Job although its attempt came to its own end: others in
            that pod ended badly, or were sent away.
        failed: Whether an attempt in it failed.
        together: Whether all ranks of a gang are known to be there.
        tries: How often the gang was given up before because not all of its ranks came.
        unfit_since: Since when its pods are known to be more than the cluster's nodes could ever take (monotonic
            seconds), None where they are not.
        unfit_for: Seconds for which that was known of its gang's earlier Jobs.
        queued: Whether a queue has a say in it: it counts its pods as it admits it, and they must not become more.
        inbox: The folder of its pods' inboxes where they are warm, "" where each makes one attempt.
        idle_timeout: Seconds for which a warm pod waits for another order.
        orders: By index, the first order of each warm pod; empty once they are stored.
        place: Its place in the order in which the Jobs came.
    """

    name: str
    namespace: str
    batch: Batch
    settings: KubernetesSettings
    container: str
    attempts: dict[int, Attempt]
    parallelism: int = 0
    created: float | None = None
    deleting: bool = False
    suspended: bool = False
    on_trial: bool = False
    live_pods: set[str] = field(default_factory=set)
    company: dict[str, float | None] = field(default_factory=dict)
    miscounted: bool = False
    failed: bool = False
    together: bool = False
    tries: int = 0
    unfit_since: float | None = None
    unfit_for: float = 0.0
    queued: bool = False
    inbox: str = ""
    idle_timeout: int = 0
    orders: tuple[bytes, ...] = ()
    place: int = 0

    @property
    def settled(self) -> bool:
        """Whether nothing of it is of interest any more."""
        return not (self.attempts or self.live_pods or self.company)

    @property
    def busy(self) -> bool:
        """Whether an attempt in it has not ended."""
        return any(attempt.busy for attempt in self.attempts.values())

    @property
    def widest(self) -> int:
        """The most pods that it can use at a time."""
        admitted = self.queued and self.created is not None and not self.suspended
        return min(len(self.attempts), self.parallelism) if admitted else len(self.attempts)

    def task(self, attempt: Attempt) -> TaskSpec:
        """The attempt's entry in the batch."""
        return self.batch.tasks[attempt.index]


def attempts_of(batch: Batch) -> dict[int, Attempt]:
    """The attempts of a batch, by index."""
    return {
        index: Attempt(AttemptRef(batch.step, task.task, task.attempt), index)
        for index, task in enumerate(batch.tasks)
    }


def tracked_job(
    batch: Batch, settings: KubernetesSettings, attempts: dict[int, Attempt], tries: int = 0
) -> TrackedJob:
    """The Job of a batch.

    Args:
        batch: What it runs.
        settings: Its pods'.
        attempts: By index.
        tries: How often the gang was given up before.
    """
    return TrackedJob(
        name=job_of(settings, batch),
        namespace=settings.namespace,
        batch=batch,
        settings=settings,
        container=container_name(batch.step),
        attempts=attempts,
        tries=tries,
    )


class Jobs:
    """All Jobs in hand, by name, in the order in which they came."""

    def __init__(self) -> None:
        self._by_name: dict[str, TrackedJob] = {}
        self._by_ref: dict[AttemptRef, tuple[TrackedJob, Attempt]] = {}
        self._done: set[str] = set()
        self._came = 0

    def add(self, job: TrackedJob) -> None:
        """Take a Job in hand."""
        self._came += 1
        job.place = self._came
        self._by_name[job.name] = job
        for attempt in () if job.inbox else job.attempts.values():
            self._by_ref[attempt.ref] = (job, attempt)

    def get(self, name: str) -> TrackedJob | None:
        """The Job of this name."""
        return self._by_name.get(name)

    def find(self, ref: AttemptRef) -> tuple[TrackedJob, Attempt] | None:
        """The attempt and its Job, None once it has ended."""
        return self._by_ref.get(ref)

    def end(self, job: TrackedJob, attempt: Attempt) -> None:
        """The attempt has ended."""
        job.attempts.pop(attempt.index, None)
        self._by_ref.pop(attempt.ref, None)

    def forget(self, job: TrackedJob) -> None:
        """The Job is of no interest any more; a long run has many such, and every look walks over all Jobs."""
        self._by_name.pop(job.name, None)
        if not job.deleting:
            self._done.add(job.name)

    def is_done(self, name: str) -> bool:
        """Whether a Job of this name was in hand, came to its end, and was not to be deleted."""
        return name in self._done

    def __iter__(self) -> Iterator[TrackedJob]:
        return iter(list(self._by_name.values()))

    def attempts(self) -> Iterator[tuple[TrackedJob, Attempt]]:
        """Every attempt that has not ended."""
        for job in self:
            for attempt in list(job.attempts.values()):
                yield job, attempt
