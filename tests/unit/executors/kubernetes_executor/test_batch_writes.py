"""What the launcher asks of the datastore while very many batches are being written to it."""

import asyncio
from collections.abc import Sequence
from threading import Event

from test_shares import job_of

from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.cluster import Prepared
from headway.executors.kubernetes.run_secret import RunSecret
from headway.executors.kubernetes.submitter import Hooks, Submitter
from headway.store.base import Buffer
from headway.testing.memory_store import MemoryStore


class SlowStore(MemoryStore):
    """A datastore in which no write is done before it is let through."""

    def __init__(self) -> None:
        super().__init__()
        self.through = Event()

    def put(self, key: str, data: Buffer | Sequence[Buffer]) -> None:
        self.through.wait()
        super().put(key, data)


async def test_they_hold_up_nothing_else(client: KubernetesClient) -> None:
    store, errors = SlowStore(), list[Exception]()
    hooks = Hooks(lambda *_: None, lambda *_: None, lambda _: None, errors.append)
    secret = RunSecret(client, "Flow", "1", {}, None)
    submitter = Submitter(Prepared(client, "runtime"), store, 1, {}, secret, hooks)
    # More than asyncio has threads on any machine.
    for number in range(40):
        submitter.submit(job_of(number))
    await asyncio.sleep(0)
    asked = asyncio.ensure_future(asyncio.to_thread(store.list, ""))
    done, _ = await asyncio.wait([asked], timeout=1.0)
    assert not [method for method, _ in store.calls if method == "put"]
    store.through.set()
    await submitter.settled()
    assert done, "who asks the datastore for something else meanwhile is answered"
    assert len([method for method, _ in store.calls if method == "put"]) == 40
    await submitter.stop()
    assert not errors
