"""One launcher at a time holds a run, whatever their clocks say; who lost it is told, and whom to ask."""

import os
import subprocess
import sys

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from headway.errors import KeyExistsError, StoreError, StoreUnavailableError
from headway.launch.lease import (
    DURATION_SECONDS,
    Holder,
    Lease,
    LeaseHeldError,
    LeaseLostError,
    LeaseRecord,
    process_place,
    read_lease,
)
from headway.store.base import Buffer
from headway.testing.memory_store import MemoryStore

KEY = "v1/F/run/7/lease.json"
ANN = Holder("a1", "laptop", 11, "ann")
BOB = Holder("b2", "server", 22, "bob")
HOUR = 3600.0


class Clock:
    """The time that passes, as every machine's steady clock counts it."""

    def __init__(self, now: float = 1_000_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def lose_replies(store: MemoryStore) -> None:
    """The next write of either kind gets no answer; the store's own second try finds the first in place."""
    for method in ("put_if_absent", "replace"):
        store.fail_next(KeyExistsError("found on the second try"), method, after_effect=True)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def lease(store: MemoryStore, holder: Holder, clock: Clock, ahead: float = 0.0) -> Lease:
    """A launcher on a machine whose clock on the wall is ahead by so many seconds."""
    return Lease(store, "F", "7", holder, lambda: clock.now + ahead, clock)


def take(taker: Lease, clock: Clock) -> None:
    """Take a run, and watch the claim on it before where that is needed; nobody else does anything meanwhile."""
    watched = taker.doubtful()
    if watched is not None:
        clock.now += DURATION_SECONDS
    taker.acquire(watched)


def stored(store: MemoryStore) -> LeaseRecord:
    found = read_lease(store, "F", "7")
    assert found is not None
    return found


def test_a_free_run_is_taken_with_one_write(store: MemoryStore, clock: Clock) -> None:
    ann = lease(store, ANN, clock)
    assert ann.remaining == 0
    assert ann.doubtful() is None
    ann.acquire()
    assert ann.remaining == 60
    now = clock.now
    assert stored(store) == LeaseRecord("a1", "laptop", 11, "ann", now, now + 60, 0)


def test_a_run_nobody_drove_has_no_lease(store: MemoryStore) -> None:
    assert read_lease(store, "F", "7") is None


def test_a_held_run_is_refused_with_who_where_since_when_and_what_next(
    store: MemoryStore, clock: Clock
) -> None:
    lease(store, ANN, clock).acquire()
    clock.now += 59
    bob = lease(store, BOB, clock)
    assert bob.doubtful() is None, "it is not worth the wait"
    with pytest.raises(LeaseHeldError) as error:
        bob.acquire()
    assert str(error.value) == (
        "Run F/7 is driven by another launcher: ann on laptop (process 11), since 2001-09-09 01:46:40 UTC.\n"
        "If that launcher is dead, try again in 60 seconds. If it lives, stop it first (kill 11 on laptop)."
    )
    assert bob.remaining == 0


def test_a_lease_that_ran_out_is_taken_over_once_watched_and_the_old_holder_told(
    store: MemoryStore, clock: Clock
) -> None:
    ann, bob = lease(store, ANN, clock), lease(store, BOB, clock)
    ann.acquire()
    clock.now += 60
    assert ann.remaining == 0
    with pytest.raises(LeaseHeldError):
        bob.acquire()
    take(bob, clock)
    assert bob.remaining == 60
    with pytest.raises(LeaseLostError, match=r"bob on server \(process 22\) took it over"):
        ann.renew()
    assert ann.remaining == 0
    with pytest.raises(LeaseLostError):
        ann.renew()
    ann.release()
    assert bob.remaining == 60
    bob.renew()


def test_renewing_keeps_the_run_and_counts(store: MemoryStore, clock: Clock) -> None:
    ann = lease(store, ANN, clock)
    ann.acquire()
    started = clock.now
    for _ in range(10):
        clock.now += 15
        ann.renew()
    assert stored(store) == LeaseRecord("a1", "laptop", 11, "ann", started, clock.now + 60, beat=10)
    with pytest.raises(LeaseHeldError):
        lease(store, BOB, clock).acquire()


def test_a_late_renewal_holds_if_nobody_came(store: MemoryStore, clock: Clock) -> None:
    ann = lease(store, ANN, clock)
    ann.acquire()
    clock.now += 3600
    assert ann.remaining < 0
    ann.renew()
    assert ann.remaining == 60


@pytest.mark.parametrize("ahead", [0.0, HOUR, -HOUR])
def test_a_released_run_is_free_at_once_whatever_the_clocks_say(
    store: MemoryStore, clock: Clock, ahead: float
) -> None:
    ann, bob = lease(store, ANN, clock, ahead), lease(store, BOB, clock)
    ann.acquire()
    ann.renew()
    clock.now += 1
    ann.release()
    assert ann.remaining == 0
    assert (stored(store).expires, stored(store).beat) == (clock.now + ahead, 1)
    assert bob.doubtful() is None
    bob.acquire()
    ann.release()
    bob.renew()


@pytest.mark.parametrize("ahead", [40.0, HOUR, -40.0, -90.0, -HOUR])
def test_no_clock_takes_a_run_from_a_launcher_that_renews_its_claim(
    store: MemoryStore, clock: Clock, ahead: float
) -> None:
    """The clock on its wall, which the claim tells, is off by minutes or hours."""
    ann, bob = lease(store, ANN, clock, ahead), lease(store, BOB, clock)
    ann.acquire()
    for _ in range(20):
        watched = bob.doubtful()
        clock.now += 15
        ann.renew()
        assert watched is None or not bob.stands(watched)
        with pytest.raises(LeaseHeldError):
            bob.acquire(watched)
    assert ann.remaining == 60


@pytest.mark.parametrize("ahead", [0.0, 40.0, HOUR, -40.0, -90.0, -HOUR])
def test_no_clock_keeps_the_run_of_a_launcher_that_died(
    store: MemoryStore, clock: Clock, ahead: float
) -> None:
    ann, bob = lease(store, ANN, clock, ahead), lease(store, BOB, clock)
    ann.acquire()
    begun = clock.now
    while True:
        try:
            take(bob, clock)
            break
        except LeaseHeldError:
            clock.now += 20
    assert clock.now - begun <= 3 * DURATION_SECONDS


@pytest.mark.parametrize("ahead", [0.0, 40.0, HOUR, -40.0, -HOUR])
def test_what_clocks_tell_of_a_claim(store: MemoryStore, clock: Clock, ahead: float) -> None:
    lease(store, ANN, clock, ahead).acquire()
    found = stored(store)
    assert not found.is_free
    # Where they differ by more than a claim lasts, it cannot be held as long as it says.
    assert found.seems_held(clock.now) is (-60 < ahead <= 0)
    assert found.seems_over(clock.now) is (ahead <= -60)


def test_a_lease_never_taken_is_not_renewed_and_need_not_be_released(
    store: MemoryStore, clock: Clock
) -> None:
    ann = lease(store, ANN, clock)
    ann.release()
    with pytest.raises(LeaseLostError):
        ann.renew()
    assert read_lease(store, "F", "7") is None


def test_lost_replies_do_not_make_a_launcher_its_own_rival(store: MemoryStore, clock: Clock) -> None:
    ann = lease(store, ANN, clock)
    lose_replies(store)
    ann.acquire()
    assert ann.remaining == 60
    clock.now += 15
    ann.renew()
    assert ann.remaining == 60
    clock.now += 61
    take(lease(store, BOB, clock), clock)
    with pytest.raises(LeaseLostError):
        ann.renew()


def test_a_renewal_that_arrived_though_it_failed_is_found_by_the_next(clock: Clock) -> None:
    store = MemoryStore()
    ann = lease(store, ANN, clock)
    ann.acquire()
    store.fail_next(StoreUnavailableError("timed out"), "replace", after_effect=True)
    with pytest.raises(StoreUnavailableError):
        ann.renew()
    clock.now += 15
    ann.renew()
    found = stored(store)
    assert (found.holder, found.beat, found.expires) == ("a1", 2, clock.now + 60)


def test_of_two_that_find_it_run_out_one_takes_it(clock: Clock) -> None:
    class Raced(MemoryStore):
        rival: Lease | None = None

        def replace(self, key: str, data: Buffer, tag: str) -> str:
            rival, self.rival = self.rival, None
            if rival:
                rival.acquire(watched)
            return super().replace(key, data, tag)

    store = Raced()
    lease(store, Holder("c3", "desk", 33, "cat"), clock).acquire()
    clock.now += 61
    ann, bob = lease(store, ANN, clock), lease(store, BOB, clock)
    watched = ann.doubtful()
    assert watched is not None
    clock.now += 60
    store.rival = bob
    with pytest.raises(LeaseHeldError, match="bob on server"):
        ann.acquire(watched)
    assert bob.remaining == 60


def test_a_lease_that_vanished_is_lost(store: MemoryStore, clock: Clock) -> None:
    ann = lease(store, ANN, clock)
    ann.acquire()
    ann.renew()
    watched = stored(store)
    store.delete([KEY])
    assert not lease(store, BOB, clock).stands(watched)
    with pytest.raises(LeaseLostError, match="its lease is gone"):
        ann.renew()


@pytest.mark.parametrize("data", [b"", b"[]", b'{"holder":"x"}', b"\xff"])
def test_an_unreadable_lease_is_named(store: MemoryStore, clock: Clock, data: bytes) -> None:
    store.put(KEY, data)
    with pytest.raises(StoreError, match=f"memory://test/{KEY} is not readable"):
        lease(store, ANN, clock).acquire()


def test_a_field_that_a_newer_version_added_is_ignored() -> None:
    record = LeaseRecord("a1", "laptop", 11, "ann", 1.0, 2.0, 0)
    assert LeaseRecord.decode(record.encode()[:-1] + b',"mood":"bad"}') == record


def test_a_holder_is_this_process_and_unlike_every_other() -> None:
    first, second = Holder.here("ann"), Holder.here("ann")
    assert first.user == "ann"
    assert first.id != second.id
    assert (first.host, first.pid) == (second.host, second.pid)


class Launchers(RuleBasedStateMachine):
    """Three launchers after one run, no two of whose clocks agree: at no time do two believe that they hold it."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.store = MemoryStore()
        self.leases = [
            lease(self.store, Holder(f"h{n}", "host", n, "ann"), self.clock, ahead)
            for n, ahead in enumerate((0.0, 50.0, -7 * HOUR))
        ]
        self.owner: int | None = None
        self.watched: dict[int, tuple[LeaseRecord, float]] = {}

    who = st.integers(0, 2)

    @rule()
    def lose_replies(self) -> None:
        lose_replies(self.store)

    @rule(seconds=st.sampled_from((1, 20, 59, 60, 200)))
    def wait(self, seconds: int) -> None:
        self.clock.now += seconds

    @rule(who=who)
    def look(self, who: int) -> None:
        """Begin to watch the claim, or see that it changed."""
        taker, known = self.leases[who], self.watched.get(who)
        if known is None or not taker.stands(known[0]):
            self.watched.pop(who, None)
            found = taker.doubtful()
            if found is not None:
                self.watched[who] = found, self.clock.now

    @rule(who=who)
    def acquire(self, who: int) -> None:
        known = self.watched.get(who)
        ready = known is not None and self.clock.now - known[1] >= DURATION_SECONDS
        try:
            self.leases[who].acquire(known[0] if known and ready else None)
        except LeaseHeldError:
            assert self.owner not in (None, who)
        else:
            assert self.owner in (None, who) or ready
            self.owner = who
            self.watched.clear()

    @rule(who=who)
    def renew(self, who: int) -> None:
        try:
            self.leases[who].renew()
        except LeaseLostError:
            assert self.owner != who
        else:
            assert self.owner == who

    @rule(who=who)
    def release(self, who: int) -> None:
        self.leases[who].release()
        if self.owner == who:
            self.owner = None

    @invariant()
    def at_most_one_believes(self) -> None:
        believers = [n for n, each in enumerate(self.leases) if each.remaining > 0]
        assert believers in ([], [self.owner])


Launchers.TestCase.settings = settings(
    derandomize=True, deadline=None, max_examples=40, stateful_step_count=30
)
TestLaunchers = pytest.mark.budget(5)(Launchers.TestCase)


def test_the_lease_of_a_process_that_is_gone_need_not_be_waited_out(store: MemoryStore) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    place = process_place() or "here"
    dead = Holder("dead", "laptop", gone.pid, "ann", place)
    Lease(store, "Sample", "7", dead).acquire()
    record = read_lease(store, "Sample", "7")
    assert record is not None
    assert record.is_free is record.seems_over(record.acquired) is bool(process_place())
    if process_place():
        Lease(store, "Sample", "7", BOB).acquire()


def test_a_process_that_lives_or_is_elsewhere_keeps_its_lease(store: MemoryStore) -> None:
    for number, place in enumerate((process_place(), "another boot", "")):
        run = str(number)
        pid = os.getpid() if number == 0 else 4_194_300
        Lease(store, "Sample", run, Holder("x", "laptop", pid, "ann", place)).acquire()
        record = read_lease(store, "Sample", run)
        assert record is not None
        assert not record.is_free
        assert record.seems_held(record.acquired)
        assert record.seems_over(record.expires)
