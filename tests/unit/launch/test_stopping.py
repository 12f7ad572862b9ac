"""A run that somebody else asks to stop: heard in time, told once, whatever the datastore does meanwhile."""

import asyncio

from headway.errors import StoreUnavailableError
from headway.launch.stopping import LOOK_SECONDS, ask_to_stop, asked_by, heeded
from headway.store import layout
from headway.testing.memory_store import MemoryStore


async def test_nobody_asks() -> None:
    store, told = MemoryStore(), list[str]()
    async with heeded(store, "Sample", "7", told.append):
        await asyncio.sleep(10 * LOOK_SECONDS)
    assert told == []
    assert asked_by(store, "Sample", "7") is None


async def test_somebody_asks_and_is_heard_once() -> None:
    store, told = MemoryStore(), list[str]()
    async with heeded(store, "Sample", "7", told.append):
        await asyncio.sleep(3 * LOOK_SECONDS)
        ask_to_stop(store, "Sample", "8", "eve")
        ask_to_stop(store, "Sample", "7", "bob")
        await asyncio.sleep(1.5 * LOOK_SECONDS)
        assert told == ["stopped by bob"]
        await asyncio.sleep(5 * LOOK_SECONDS)
    assert told == ["stopped by bob"]


class Troubled(MemoryStore):
    """Fails the first looks."""

    fails = 3

    def get(self, key: str) -> bytes:
        self.fails -= 1
        if self.fails >= 0:
            raise StoreUnavailableError("down")
        return super().get(key)


async def test_a_datastore_in_trouble_is_asked_again() -> None:
    store, told = Troubled(), list[str]()
    ask_to_stop(store, "Sample", "7", "bob")
    async with heeded(store, "Sample", "7", told.append):
        await asyncio.sleep(5 * LOOK_SECONDS)
    assert told == ["stopped by bob"]


def test_what_stands_there_and_is_no_request() -> None:
    store = MemoryStore()
    store.put(layout.stop("Sample", "7"), b"\x00")
    assert asked_by(store, "Sample", "7") is None
