"""What must not begin, and that no clock of another machine decides it."""

import json

import pytest
from runtime_cases import FLOW, RUN, make_batch

from headway.launch.lease import DURATION_SECONDS, RENEW_SECONDS, Holder, Lease
from headway.runtime.verdict import refusal_of
from headway.store import layout
from headway.testing.memory_store import MemoryStore

HOUR = 3600.0


class Machine:
    """The launcher's machine: its clock, its claim, and what it does while a pod watches."""

    def __init__(self, store: MemoryStore, ahead: float) -> None:
        self.now = 1_000_000_000.0
        holder = Holder("a1", "laptop", 11, "ann")
        self.lease = Lease(store, FLOW, RUN, holder, lambda: self.now + ahead, lambda: self.now)
        self.lease.acquire()
        self.renewed = self.now

    def live(self, seconds: float) -> None:
        self.now += seconds
        if self.now - self.renewed >= RENEW_SECONDS:
            self.renewed = self.now
            self.lease.renew()

    def be_dead(self, seconds: float) -> None:
        self.now += seconds

    def give_back(self, seconds: float) -> None:
        self.now += seconds
        self.lease.release()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def refusal(store: MemoryStore, machine: Machine, pause: str) -> str:
    batch = make_batch()
    return refusal_of(store, batch, batch.tasks[0], machine.now, getattr(machine, pause))


@pytest.mark.parametrize("ahead", [0.0, 9 * HOUR, -9 * HOUR])
def test_a_pod_begins_while_its_launcher_lives_whatever_their_clocks_say(
    store: MemoryStore, ahead: float
) -> None:
    machine = Machine(store, ahead)
    begun = machine.now
    assert refusal(store, machine, "live") == ""
    assert machine.now - begun <= RENEW_SECONDS


def test_a_pod_that_nobody_waits_for_does_not_begin(store: MemoryStore) -> None:
    machine = Machine(store, 0.0)
    machine.now += 2 * HOUR
    begun = machine.now
    assert refusal(store, machine, "be_dead").startswith("No launcher has held this run for 119 minutes")
    assert machine.now - begun == DURATION_SECONDS, "for as long as a launcher's claim lasts it is watched"


def test_what_is_given_back_while_it_is_watched_is_held_by_nobody(store: MemoryStore) -> None:
    machine = Machine(store, -2 * HOUR)
    assert "No launcher" in refusal(store, machine, "give_back")


def test_a_claim_that_goes_while_it_is_watched_is_no_reason(store: MemoryStore) -> None:
    batch = make_batch()
    store.put(layout.lease(FLOW, RUN), json.dumps({"expires": 1.0}).encode())

    def vanish(_: float) -> None:
        store.delete([layout.lease(FLOW, RUN)])

    assert refusal_of(store, batch, batch.tasks[0], HOUR * 9, vanish) == ""


@pytest.mark.parametrize("said", [b"", b"[]", b"\xff"])
def test_a_claim_that_is_not_readable_is_no_reason(store: MemoryStore, said: bytes) -> None:
    batch = make_batch()
    store.put(layout.lease(FLOW, RUN), said)
    assert refusal_of(store, batch, batch.tasks[0], HOUR * 9) == ""
