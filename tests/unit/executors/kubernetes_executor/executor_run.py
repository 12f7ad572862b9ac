"""A run's executor over the fake API server, as tests of it want it at hand."""

import asyncio
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from pod_player import PlayedPod, PodPlayer

from headway.executors.base import Started, Waiting
from headway.executors.kubernetes.executor import KubernetesExecutor
from headway.store.batch import Batch, Code
from headway.store.records import AttemptRef, Record
from headway.testing.executor_suite import ExecutorSuite, Heard, refs_of
from headway.testing.fake_kubernetes import FakeKubernetes
from headway.testing.memory_store import MemoryStore

Player = TypeVar("Player", bound=PodPlayer)


class Run(Generic[Player]):
    """A run's executor, opened; what it says, and the cluster and datastore behind it."""

    def __init__(
        self,
        executor: KubernetesExecutor,
        fake: FakeKubernetes,
        store: MemoryStore,
        player: Player,
        code: Code,
    ) -> None:
        self.executor = executor
        self.fake = fake
        self.store = store
        self.player = player
        self.heard = Heard(patience=120)
        self._suite = ExecutorSuite()
        self._code = code

    def batch(self, step: str, tasks: int = 1) -> Batch:
        return self._suite.batch(self._code, step, tasks)

    async def start(self, step: str, tasks: int = 1) -> tuple[AttemptRef, ...]:
        """Start a batch of this step."""
        return await self.start_batch(self.batch(step, tasks))

    async def start_batch(self, batch: Batch) -> tuple[AttemptRef, ...]:
        await self.executor.start(batch)
        return refs_of(batch)

    async def until(self, condition: Callable[[], Any], patience: float = 30.0) -> None:
        """Let time pass until this holds."""
        for _ in range(int(patience * 20)):
            if condition():
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"it never came true; heard: {self.heard.events}")

    async def pod_of(self, ref: AttemptRef) -> PlayedPod:
        """The pod that makes an attempt, once it runs."""
        await self.heard.until(lambda: self.heard.of(Started, ref), f"the start of {ref}")
        return self.player.by_ref(ref)

    async def end(self, ref: AttemptRef) -> Record:
        (record,) = await self.heard.end_of(ref)
        return record

    def waits(self) -> list[tuple[str, str]]:
        """What was told of what stands still: (reason, message), from the first word to the last."""
        return [(event.reason, event.message) for event in self.heard.of(Waiting)]

    def jobs(self) -> list[dict[str, Any]]:
        return list(self.fake.state.all("jobs"))
