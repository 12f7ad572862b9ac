"""The launcher's claim while the run goes on: renewed in time, given back, and given up when it is lost."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from headway.errors import HeadwayError, StoreUnavailableError
from headway.launch.keeper import kept, take
from headway.launch.lease import (
    DURATION_SECONDS,
    RENEW_SECONDS,
    Holder,
    Lease,
    LeaseHeldError,
    LeaseLostError,
    read_lease,
)
from headway.testing.memory_store import MemoryStore

ANN = Holder("ann-1", "laptop", 1, "ann")
BOB = Holder("bob-1", "desktop", 2, "bob")


def clock() -> float:
    return asyncio.get_running_loop().time()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def make_lease(store: MemoryStore, holder: Holder = ANN, ahead: float = 0.0) -> Lease:
    # The loop's clock, which renewals read from their own thread.
    time = asyncio.get_running_loop().time
    return Lease(store, "Sample", "7", holder, lambda: time() + ahead, time)


async def held(
    store: MemoryStore, seconds: float, lost: Callable[[HeadwayError], None], ahead: float = 0.0
) -> None:
    lease = make_lease(store, ahead=ahead)
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
    for _ in range(8):
        store.fail_next(StoreUnavailableError("no answer"), "replace")
    holding = asyncio.ensure_future(held(store, 6000.0, lost.append))
    await asyncio.sleep(DURATION_SECONDS + 1)
    said: list[str] = []
    await take(make_lease(store, BOB), said.append)
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


@pytest.mark.parametrize("ahead", [-600.0, -61.0, 30.0, 6000.0])
async def test_a_launcher_that_lives_keeps_its_run_whatever_its_clock_says(
    store: MemoryStore, ahead: float
) -> None:
    lost: list[HeadwayError] = []
    holding = asyncio.ensure_future(held(store, 200.0, lost.append, ahead))
    await asyncio.sleep(20)
    said: list[str] = []
    begun = clock()
    with pytest.raises(LeaseHeldError, match="ann on laptop"):
        await take(make_lease(store, BOB), said.append)
    assert clock() - begun <= RENEW_SECONDS + 5, "its next renewal tells"
    (told,) = said
    assert told == (
        "The last launcher, ann on laptop (process 1), did not give the run back: for 60 seconds it is watched "
        "whether it lives."
    )
    await holding
    assert lost == []


@pytest.mark.parametrize("ahead", [-600.0, 0.0, 6000.0])
async def test_what_a_dead_launcher_left_is_taken_within_its_time(store: MemoryStore, ahead: float) -> None:
    make_lease(store, ahead=ahead).acquire()
    await asyncio.sleep(DURATION_SECONDS)
    begun = clock()
    await take(make_lease(store, BOB), lambda _: None)
    assert clock() - begun == pytest.approx(DURATION_SECONDS)


async def test_a_datastore_that_fails_while_a_claim_is_watched_is_told(store: MemoryStore) -> None:
    make_lease(store, ahead=-600.0).acquire()
    taking = asyncio.ensure_future(take(make_lease(store, BOB), lambda _: None))
    await asyncio.sleep(12)
    store.fail_next(StoreUnavailableError("no answer"), "get_tagged")
    with pytest.raises(StoreUnavailableError):
        await taking


@pytest.mark.usefixtures("busy_threads")
async def test_it_is_renewed_in_time_whoever_else_calls_the_datastore(store: MemoryStore) -> None:
    lost: list[HeadwayError] = []
    holding = asyncio.ensure_future(held(store, 3 * RENEW_SECONDS + 1, lost.append))
    done, _ = await asyncio.wait([holding], timeout=4 * RENEW_SECONDS)
    record = read_lease(store, "Sample", "7")
    assert record is not None
    assert (record.beat, record.released) == (3, True)
    assert done
    assert not lost
