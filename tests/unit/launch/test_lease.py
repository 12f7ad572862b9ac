"""One launcher at a time holds a run; who lost it is told, and whom to ask."""

import os
import subprocess
import sys

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from headway.errors import KeyExistsError, StoreError, StoreUnavailableError
from headway.launch.lease import (
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


class Clock:
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


def lease(store: MemoryStore, holder: Holder, clock: Clock) -> Lease:
    return Lease(store, "F", "7", holder, clock)


def test_a_free_run_is_taken_with_one_write(store: MemoryStore, clock: Clock) -> None:
    ann = lease(store, ANN, clock)
    assert ann.remaining == 0
    ann.acquire()
    assert ann.remaining == 60
    now = clock.now
    assert read_lease(store, "F", "7") == LeaseRecord("a1", "laptop", 11, "ann", now, now + 60, 0)


def test_a_run_nobody_drove_has_no_lease(store: MemoryStore) -> None:
    assert read_lease(store, "F", "7") is None


def test_a_held_run_is_refused_with_who_where_since_when_and_what_next(
    store: MemoryStore, clock: Clock
) -> None:
    lease(store, ANN, clock).acquire()
    clock.now += 59
    bob = lease(store, BOB, clock)
    with pytest.raises(LeaseHeldError) as error:
        bob.acquire()
    assert str(error.value) == (
        "Run F/7 is driven by another launcher: ann on laptop (process 11), since 2001-09-09 01:46:40 UTC.\n"
        "If that launcher is dead, its lease runs out at 2001-09-09 01:47:40 UTC: try again then. "
        "If it lives, stop it first (kill 11 on laptop)."
    )
    assert bob.remaining == 0


def test_a_lease_that_ran_out_is_taken_over_and_the_old_holder_told(store: MemoryStore, clock: Clock) -> None:
    ann, bob = lease(store, ANN, clock), lease(store, BOB, clock)
    ann.acquire()
    clock.now += 60
    assert ann.remaining == 0
    bob.acquire()
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
    assert read_lease(store, "F", "7") == LeaseRecord(
        "a1", "laptop", 11, "ann", started, clock.now + 60, beat=10
    )
    with pytest.raises(LeaseHeldError):
        lease(store, BOB, clock).acquire()


def test_a_late_renewal_holds_if_nobody_came(store: MemoryStore, clock: Clock) -> None:
    ann = lease(store, ANN, clock)
    ann.acquire()
    clock.now += 3600
    assert ann.remaining < 0
    ann.renew()
    assert ann.remaining == 60


def test_a_released_run_is_free_at_once(store: MemoryStore, clock: Clock) -> None:
    ann, bob = lease(store, ANN, clock), lease(store, BOB, clock)
    ann.acquire()
    ann.renew()
    clock.now += 1
    ann.release()
    assert ann.remaining == 0
    stored = read_lease(store, "F", "7")
    assert stored
    assert (stored.expires, stored.beat) == (clock.now, 1)
    bob.acquire()
    ann.release()
    bob.renew()


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
    lease(store, BOB, clock).acquire()
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
    stored = read_lease(store, "F", "7")
    assert stored
    assert (stored.holder, stored.beat, stored.expires) == ("a1", 2, clock.now + 60)


def test_of_two_that_find_it_run_out_one_takes_it(clock: Clock) -> None:
    class Raced(MemoryStore):
        rival: Lease | None = None

        def replace(self, key: str, data: Buffer, tag: str) -> str:
            rival, self.rival = self.rival, None
            if rival:
                rival.acquire()
            return super().replace(key, data, tag)

    store = Raced()
    lease(store, Holder("c3", "desk", 33, "cat"), clock).acquire()
    clock.now += 61
    ann, bob = lease(store, ANN, clock), lease(store, BOB, clock)
    store.rival = bob
    with pytest.raises(LeaseHeldError, match="bob on server"):
        ann.acquire()
    assert bob.remaining == 60


def test_a_lease_that_vanished_is_lost(store: MemoryStore, clock: Clock) -> None:
    ann = lease(store, ANN, clock)
    ann.acquire()
    ann.renew()
    store.delete([KEY])
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
    """Three launchers after one run: at no time do two of them believe that they hold it."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.store = MemoryStore()
        self.leases = [lease(self.store, Holder(f"h{n}", "host", n, "ann"), self.clock) for n in range(3)]
        self.owner: int | None = None
        self.until = 0.0

    who = st.integers(0, 2)

    def free_for(self, who: int) -> bool:
        return self.owner in (None, who) or self.clock.now >= self.until

    @rule()
    def lose_replies(self) -> None:
        lose_replies(self.store)

    @rule(seconds=st.sampled_from((1, 20, 59, 60, 200)))
    def wait(self, seconds: int) -> None:
        self.clock.now += seconds

    @rule(who=who)
    def acquire(self, who: int) -> None:
        free = self.free_for(who)
        try:
            self.leases[who].acquire()
        except LeaseHeldError:
            assert not free
        else:
            assert free
            self.owner, self.until = who, self.clock.now + 60

    @rule(who=who)
    def renew(self, who: int) -> None:
        try:
            self.leases[who].renew()
        except LeaseLostError:
            assert self.owner != who
        else:
            assert self.owner == who
            self.until = self.clock.now + 60

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
    assert record.is_over(record.acquired) is bool(process_place())
    if process_place():
        Lease(store, "Sample", "7", BOB).acquire()


def test_a_process_that_lives_or_is_elsewhere_keeps_its_lease(store: MemoryStore) -> None:
    for number, place in enumerate((process_place(), "another boot", "")):
        run = str(number)
        Lease(
            store,
            "Sample",
            run,
            Holder("x", "laptop", os.getpid() if number == 0 else 4_194_300, "ann", place),
        ).acquire()
        record = read_lease(store, "Sample", run)
        assert record is not None
        assert not record.is_over(record.acquired)
        assert record.is_over(record.expires)
