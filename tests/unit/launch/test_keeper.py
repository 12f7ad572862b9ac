"""The launcher's claim while the run goes on: renewed in time, given back, and given up when it is lost."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from headway.errors import HeadwayError, StoreUnavailableError
from headway.launch.keeper import kept
from headway.launch.lease import DURATION_SECONDS, RENEW_SECONDS, Holder, Lease, LeaseLostError, read_lease
from headway.testing.memory_store import MemoryStore

ANN = Holder("ann-1", "laptop", 1, "ann")
BOB = Holder("bob-1", "desktop", 2, "bob")


def clock() -> float:
    return asyncio.get_running_loop().time()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def make_lease(store: MemoryStore, holder: Holder = ANN) -> Lease:
    # The loop's clock, which renewals read from their own thread.
    return Lease(store, "Sample", "7", holder, asyncio.get_running_loop().time)


async def held(store: MemoryStore, seconds: float, lost: Callable[[HeadwayError], None]) -> None:
    lease = make_lease(store)
    lease.acquire()
    async with kept(lease, lost):
        await asyncio.sleep(seconds)


async def test_it_is_renewed_before_it_runs_out_and_given_back(store: MemoryStore) -> None:
    lost: list[HeadwayError] = []
    holding = asyncio.ensure_future(held(store, 600.0, lost.append))
    for _ in range(59):
        await asyncio.sleep(10)
        record = read_lease(store, "Sample", "7")
        assert record is not None
        assert record.expires > clock()
    await holding
    record = read_lease(store, "Sample", "7")
    assert record is not None
    assert record.expires <= clock()
    assert lost == []
    make_lease(store, BOB).acquire()


async def test_trouble_with_the_datastore_is_no_reason_to_give_up(store: MemoryStore) -> None:
    lost: list[HeadwayError] = []
    for _ in range(8):
        store.fail_next(StoreUnavailableError("no answer"), "replace")
    await held(store, DURATION_SECONDS * 4, lost.append)
    assert lost == []


async def test_another_launcher_that_took_it_is_told_once(store: MemoryStore) -> None:
    lost: list[HeadwayError] = []
    for _ in range(4):
        store.fail_next(StoreUnavailableError("no answer"), "replace")
    holding = asyncio.ensure_future(held(store, 6000.0, lost.append))
    await asyncio.sleep(DURATION_SECONDS + 1)
    make_lease(store, BOB).acquire()
    await holding
    (error,) = lost
    assert isinstance(error, LeaseLostError)
    assert "bob on desktop" in error.message
    record = read_lease(store, "Sample", "7")
    assert record is not None
    assert record.holder == "bob-1", "what is not ours is not given back"


async def test_a_datastore_that_is_gone_at_the_end_is_no_error(store: MemoryStore) -> None:
    lease = make_lease(store)
    lease.acquire()
    async with kept(lease, lambda error: None):
        store.fail_next(StoreUnavailableError("no answer"))


async def test_an_error_within_gives_it_back_too(store: MemoryStore) -> None:
    lease = make_lease(store)
    lease.acquire()
    with pytest.raises(ValueError, match="within"):
        async with kept(lease, lambda error: None):
            raise ValueError("within")
    make_lease(store, BOB).acquire()


class SlowLease(Lease):
    """A lease whose renewal takes its time, and tells what it does."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store, "Sample", "7", ANN, asyncio.get_running_loop().time)
        self.calls: list[str] = []
        self.renewing, self.go_on = asyncio.Event(), threading.Event()
        self._loop = asyncio.get_running_loop()

    def renew(self) -> None:
        self.calls.append("renew begins")
        self._loop.call_soon_threadsafe(self.renewing.set)
        self.go_on.wait(10)
        super().renew()
        self.calls.append("renew ends")

    def release(self) -> None:
        self.calls.append("release")
        super().release()


async def test_it_is_given_back_only_once_a_renewal_under_way_has_returned(store: MemoryStore) -> None:
    lease = SlowLease(store)
    lease.acquire()

    async def let_it_go_on() -> None:
        for _ in range(100):
            await asyncio.sleep(0)
        lease.go_on.set()

    async with kept(lease, lambda error: None):
        await lease.renewing.wait()
        later = asyncio.ensure_future(let_it_go_on())
    await later
    assert lease.calls == ["renew begins", "renew ends", "release"]
    make_lease(store, BOB).acquire()


async def test_what_nobody_thought_of_is_heard_at_once(store: MemoryStore) -> None:
    lost: list[HeadwayError] = []
    store.fail_next(ZeroDivisionError("odd"), "replace")  # type: ignore[arg-type]  # what no store should raise
    lease = make_lease(store)
    lease.acquire()
    async with kept(lease, lost.append):
        await asyncio.sleep(RENEW_SECONDS + 1)
        (error,) = lost
    assert "ZeroDivisionError: odd" in error.message
