"""What the executor knows of warm pods, their pools and the attempts they have in hand."""

from collections import Counter, deque
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from headway.config.kubernetes import KubernetesSettings
from headway.executors.base import ExecutorEvent
from headway.executors.kubernetes.packing import (
    BRIEF,
    Terms,
    chunk,
    most_at_a_time,
    pace,
    tasks_per_pod,
    wanted_pods,
    wants_more,
)
from headway.executors.kubernetes.tracked import Attempt, TrackedJob
from headway.executors.kubernetes.warm_queue import WarmQueue
from headway.executors.kubernetes.warm_settings import pool_settings, terms_of
from headway.store.batch import Batch, Code
from headway.store.inbox import Inbox, encode_order
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
        hand: What it was given and has not ended, in order; :meth:`take` and :meth:`let_go` change it.
        steps: How many tasks of each step that is; a step of which there is none is not named.
        inbox: Where it is given more.
        writing: Whether an order is on its way to it.
        leaving: Whether it is given nothing more.
    """

    pool: "Pool | None" = None
    hand: dict[AttemptRef, Packed] = field(default_factory=dict)
    steps: Counter[str] = field(default_factory=Counter)
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

    def take(self, packed: Packed) -> None:
        """It is given this attempt."""
        packed.worker = self
        self.hand[packed.ref] = packed
        self.steps[packed.ref.step] += 1

    def let_go(self, packed: Packed) -> None:
        """It has this attempt in hand no longer."""
        if self.hand.pop(packed.ref, None) is not None:
            step = packed.ref.step
            self.steps[step] -= 1
            if not self.steps[step]:
                del self.steps[step]


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
        terms: By step, how few pods it is to have.
        paces: By step, seconds that a task takes.
    """

    settings: KubernetesSettings
    env: dict[str, str]
    code: Code
    queue: WarmQueue[Packed] = field(default_factory=WarmQueue)
    fresh: deque[Packed] = field(default_factory=deque)
    workers: list[Worker] = field(default_factory=list)
    active: dict[str, int] = field(default_factory=dict)
    terms: dict[str, Terms] = field(default_factory=dict)
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
        self.terms[batch.step] = terms_of(settings, batch)
        self.active[batch.step] = self.active.get(batch.step, 0) + len(batch.tasks)

    def wanted(self) -> int:
        """How many pods its attempts are worth."""
        return wanted_pods(self.active, self.terms)

    def staying(self) -> list[Worker]:
        """The pods that may be given more."""
        return [worker for worker in self.workers if not worker.leaving]

    def share(self, step: str) -> float:
        """How many tasks of a step one pod is to run."""
        return tasks_per_pod(self.active[step], self.terms[step])

    def most(self, step: str) -> int:
        """How many tasks of a step a pod may have in hand."""
        return most_at_a_time(self.paces.get(step), self.share(step))

    def wants_more(self, worker: Worker) -> bool:
        """Whether a pod is to be given its next tasks now."""
        return wants_more(worker.steps, self.paces, {step: self.share(step) for step in worker.steps})

    def next_chunk(
        self, pods: int, worker: Worker | None = None, begun: Mapping[str, int] | None = None
    ) -> list[Packed]:
        """Take from the queue what a pod is given next: attempts of one step, none where it may have none of them.

        Args:
            pods: How many pods share what waits.
            worker: The pod, None for a new one.
            begun: By step, how many new pods begin with it beside those that are there.
        """
        for step in self.queue.steps():
            if self._may_have(step, worker, begun or {}):
                return self.queue.take(step, chunk(self.queue.waiting(step), pods, self.most(step)))
        return []

    def _may_have(self, step: str, worker: Worker | None, begun: Mapping[str, int]) -> bool:
        """Whether a pod may be given a step's tasks: pods with other settings of how few there are may be here too."""
        limit = self.terms[step].pods
        if limit is None or (worker is not None and step in worker.steps):
            return True
        return begun.get(step, 0) + sum(step in each.steps for each in self.workers) < limit

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
        begun = Counter(each.ref.step for (each,) in chunks)
        for _ in range(new):
            if taken := self.next_chunk(pods, None, begun):
                begun[taken[0].ref.step] += 1
                chunks.append(taken)
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
            packed.worker.let_go(packed)


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


def order_of(packed: Iterable[Packed]) -> bytes:
    """The order for these attempts, which may be of several batches."""
    alike = (list(group) for _, group in groupby(packed, key=lambda each: id(each.batch)))
    return encode_order(
        [
            several[0].whole._replace(tasks=tuple(each.whole.tasks[each.index] for each in several))
            for several in alike
        ]
    )
