"""What the executor knows of warm pods, their pools and the attempts they have in hand."""

from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any

from headway.config.fields import replace
from headway.config.kubernetes import KubernetesSettings
from headway.executors.base import ExecutorEvent
from headway.executors.kubernetes.packing import (
    BRIEF,
    chunk,
    most_at_a_time,
    pace,
    tasks_per_pod,
    wanted_pods,
    wants_more,
)
from headway.executors.kubernetes.tracked import Attempt, TrackedJob
from headway.store.batch import Batch, Code
from headway.store.inbox import Inbox
from headway.store.records import INFRASTRUCTURE, NOT_BEGUN, AttemptRef, Failure

#: Whatever a warm pod does for a launcher that is gone does not count: its first record that is refused sends it away.
ORPHANED = Failure(
    INFRASTRUCTURE,
    NOT_BEGUN,
    "The launcher that gave it to a warm pod is gone; it is tried again in another one.",
)


@dataclass(slots=True, eq=False)
class Packed(Attempt):
    """An attempt for a warm pod.

    Attributes:
        batch: The batch it came in; its index is its place there.
        worker: The pod that has it in hand, None while it is queued.
    """

    batch: Batch | None = None
    worker: "Worker | None" = None

    @property
    def whole(self) -> Batch:
        """Its batch."""
        assert self.batch is not None
        return self.batch


@dataclass(slots=True, eq=False)
class Worker(Attempt):
    """A warm pod; to Job and watch it is what an attempt is to a pod that makes one.

    Its reference is nobody's task: it is the name under which the pod says that it is alive.

    Attributes:
        pool: Where it belongs.
        hand: What it was given and has not ended, in order.
        inbox: Where it is given more.
        writing: Whether an order is on its way to it.
        leaving: Whether it is given nothing more.
    """

    pool: "Pool | None" = None
    hand: dict[AttemptRef, Packed] = field(default_factory=dict)
    inbox: Inbox | None = None
    writing: bool = False
    leaving: bool = False

    @property
    def busy(self) -> bool:
        return bool(self.hand)

    @property
    def idle(self) -> bool:
        """Whether it waits for an order and may have one."""
        return not (self.hand or self.writing or self.leaving or self.settling)


@dataclass(slots=True, eq=False)
class Pool:
    """The pods of the same settings, and what waits for them.

    Attributes:
        settings: Theirs.
        env: ``@environment`` of their steps.
        code: How they start the flow's code.
        queue: Attempts that any of them may take.
        fresh: Attempts that only a new pod may take.
        workers: The pods that have not ended.
        active: By step, how many attempts have not ended.
        shares: By step, how many tasks one pod is to run.
        paces: By step, seconds that a task takes.
    """

    settings: KubernetesSettings
    env: dict[str, str]
    code: Code
    queue: deque[Packed] = field(default_factory=deque)
    fresh: deque[Packed] = field(default_factory=deque)
    workers: list[Worker] = field(default_factory=list)
    active: dict[str, int] = field(default_factory=dict)
    shares: dict[str, float] = field(default_factory=dict)
    paces: dict[str, float] = field(default_factory=dict)

    @property
    def idle_timeout(self) -> int:
        """Seconds for which its pods wait for another order."""
        return self.settings.idle_timeout if self.settings.reuse else BRIEF

    @classmethod
    def of(cls, settings: KubernetesSettings, batch: Batch) -> "Pool":
        """The pool for a batch that no other takes."""
        return cls(pool_settings(settings), dict(batch.env), batch.code)

    def takes(self, settings: KubernetesSettings, batch: Batch) -> bool:
        """Whether its pods can run this batch."""
        return self.settings == pool_settings(settings) and (self.env, self.code) == (batch.env, batch.code)

    def expect(self, batch: Batch, settings: KubernetesSettings) -> None:
        """Count a batch's attempts in; which of them wait in which queue is for the caller to say."""
        share = tasks_per_pod(len(batch.tasks), settings.pack, settings.pods)
        if not batch.tasks[0].attempt or batch.step not in self.shares:
            self.shares[batch.step] = share
        self.active[batch.step] = self.active.get(batch.step, 0) + len(batch.tasks)

    def wanted(self) -> int:
        """How many pods its attempts are worth."""
        return wanted_pods(self.active, self.shares)

    def staying(self) -> list[Worker]:
        """The pods that may be given more."""
        return [worker for worker in self.workers if not worker.leaving]

    def most(self, step: str) -> int:
        """How many tasks of a step a pod may have in hand."""
        return most_at_a_time(self.paces.get(step), self.shares[step])

    def wants_more(self, worker: Worker) -> bool:
        """Whether a pod is to be given its next tasks now."""
        return wants_more((ref.step for ref in worker.hand), self.paces, self.shares)

    def next_chunk(self, pods: int) -> list[Packed]:
        """Take from the queue what the next pod is given: attempts of one batch."""
        first = self.queue[0]
        size = chunk(len(self.queue), pods, self.most(first.ref.step))
        taken: list[Packed] = []
        while self.queue and len(taken) < size and self.queue[0].batch is first.batch:
            taken.append(self.queue.popleft())
        return taken

    def new_chunks(self, room: int) -> list[list[Packed]]:
        """Take from the queues what new pods begin with, one entry for each pod that is missing.

        Args:
            room: How many more pods there may be.
        """
        staying = self.staying()
        missing = min(len(self.queue), self.wanted() - len(self.fresh) - len(staying))
        fresh = min(len(self.fresh), room)
        new = max(0, min(missing, room - fresh))
        chunks = [[self.fresh.popleft()] for _ in range(fresh)]
        pods = len(staying) + fresh + new
        chunks += [self.next_chunk(pods) for _ in range(new) if self.queue]
        return chunks

    def ended(self, packed: Packed, seconds: float) -> None:
        """An attempt is over; where it has run, so many seconds long."""
        step = packed.ref.step
        self.active[step] -= 1
        if not self.active[step]:
            del self.active[step]
        if seconds:
            self.paces[step] = pace(self.paces.get(step), seconds)
        if packed.worker is not None:
            packed.worker.hand.pop(packed.ref, None)


@dataclass(frozen=True, slots=True)
class PoolHooks:
    """What pools ask of the executor.

    Attributes:
        submit: Create a Job.
        sink: Tell the launcher.
        spawn: Run something in the background.
        ended: A pod is over, or given up, and nothing is in its hand any more.
    """

    submit: Callable[[TrackedJob], None]
    sink: Callable[[ExecutorEvent], None]
    spawn: Callable[[Coroutine[Any, Any, None]], None]
    ended: Callable[[TrackedJob, Worker], None]


def pool_settings(settings: KubernetesSettings) -> KubernetesSettings:
    """What makes pods the same: all settings but those that only say how many there are."""
    return replace(settings, pack=1, pods=None)


def is_warm(settings: KubernetesSettings, batch: Batch) -> bool:
    """Whether a batch goes to warm pods; each rank of a gang has a pod of its own."""
    packed = settings.pack > 1 or settings.pods is not None
    several = len(batch.tasks) > 1 or batch.tasks[0].attempt > 0
    return batch.gang is None and (settings.reuse or (packed and several))


def order_of(packed: Iterable[Packed]) -> bytes:
    """The order for these attempts of one batch."""
    several = list(packed)
    whole = several[0].whole
    return whole._replace(tasks=tuple(whole.tasks[each.index] for each in several)).encode()
