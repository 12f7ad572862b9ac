"""Brings warm pods their orders, and word that nothing more is to come."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from headway.errors import StoreError
from headway.executors.base import datastore_away
from headway.executors.kubernetes.warm import Packed, PoolHooks, Worker, order_of

#: Seconds between two tries while the datastore is in trouble.
_STORE_PAUSE = 5.0


class Courier:
    """Writes to the inboxes of warm pods.

    Args:
        threads: For calls to the datastore.
        hooks: What the executor does for pools.
        brought: (pod, attempts, whether it takes them): an order is there, or its pod had left before it.
    """

    def __init__(
        self,
        threads: ThreadPoolExecutor,
        hooks: PoolHooks,
        brought: Callable[[Worker, list[Packed], bool], None],
    ) -> None:
        self._threads = threads
        self._hooks = hooks
        self._brought = brought

    def send(self, worker: Worker, chunk: list[Packed]) -> None:
        """Bring a pod the order for these attempts."""
        worker.writing = True
        self._hooks.spawn(self._bring(worker, chunk))

    async def _bring(self, worker: Worker, chunk: list[Packed]) -> None:
        assert worker.inbox is not None
        order, loop = order_of(chunk), asyncio.get_running_loop()
        while True:
            try:
                taken = await loop.run_in_executor(self._threads, worker.inbox.write, order)
                break
            except StoreError as error:
                self._hooks.sink(datastore_away(chunk[0].ref.step, None, error))
                await asyncio.sleep(_STORE_PAUSE)
        worker.writing = False
        self._brought(worker, chunk, taken)

    def farewell(self, worker: Worker) -> None:
        """Tell a pod, in the background, that nothing more is to come."""
        worker.leaving = True
        self._hooks.spawn(self.say_farewell(worker))

    async def say_farewell(self, worker: Worker) -> None:
        """Tell a pod that nothing more is to come."""
        assert worker.inbox is not None
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, worker.inbox.leave)
        except StoreError:
            # It leaves by itself, only later.
            return
