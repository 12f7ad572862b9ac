"""All ranks of a gang begin, or none does."""

from collections.abc import Iterator

import pytest
from runtime_cases import make_batch

from headway.runtime.barrier import GangGivenUpError, Verdict, decide, gather, look
from headway.store import layout
from headway.store.base import ObjectInfo, ObjectStore
from headway.store.batch import Batch, Gang
from headway.testing.memory_store import MemoryStore

GANG = Gang(29500, 60.0)
BATCH = make_batch("train", 3, gang=GANG)


class Time:
    """Seconds that pass where somebody waits; then what was planned happens."""

    def __init__(self) -> None:
        self.now = 0.0
        self.plan: dict[float, object] = {}

    def pause(self, seconds: float) -> None:
        self.now += seconds
        for when in [each for each in self.plan if each <= self.now]:
            happens = self.plan.pop(when)
            assert callable(happens)
            happens()

    def clock(self) -> float:
        return self.now


def come(store: ObjectStore, rank: int, address: str) -> None:
    store.put(f"{layout.gang(BATCH.flow, BATCH.run, BATCH.name)}{rank:05d}", address.encode())


def arrive(store: ObjectStore, time: Time, rank: int) -> Batch:
    return gather(store, BATCH, GANG, rank, time.pause, time.clock)


def test_rank_0_begins_once_the_last_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWAY_POD_IP", "10.0.0.1")
    store, time = MemoryStore(), Time()
    come(store, 1, "10.0.0.2")
    time.plan[20.0] = lambda: come(store, 2, "10.0.0.3")
    assert arrive(store, time, 0).gang == GANG._replace(address="10.0.0.1")
    assert 20.0 <= time.now < 21.0
    assert look(store, BATCH) == Verdict(["10.0.0.1", "10.0.0.2", "10.0.0.3"])
    assert arrive(store, time, 2).gang == GANG._replace(address="10.0.0.1")


def test_another_rank_waits_for_what_rank_0_says() -> None:
    store, time = MemoryStore(), Time()
    time.plan[5.0] = lambda: decide(store, BATCH, Verdict(["10.0.0.9"] * 3))
    assert arrive(store, time, 1).gang == GANG._replace(address="10.0.0.9")


@pytest.mark.parametrize("rank", [0, 1])
def test_no_rank_begins_once_the_launcher_gave_up(rank: int) -> None:
    store, time = MemoryStore(), Time()
    time.plan[60.0] = lambda: decide(store, BATCH, Verdict([], "Only 2 of 3 ranks were there."))
    with pytest.raises(GangGivenUpError, match="Only 2 of 3"):
        arrive(store, time, rank)


@pytest.mark.parametrize("rank", [0, 1])
def test_without_a_launcher_a_rank_does_not_wait_for_ever(rank: int) -> None:
    store, time = MemoryStore(), Time()
    with pytest.raises(GangGivenUpError, match="no launcher"):
        arrive(store, time, rank)
    assert 180.0 <= time.now < 182.0
    for each in range(3):
        come(store, each, "10.0.0.1")
    with pytest.raises(GangGivenUpError):
        arrive(store, time, 0)


class GivenUpMeanwhile(MemoryStore):
    """The launcher gives the gang up between rank 0's two questions."""

    def list(self, prefix: str, after: str = "") -> Iterator[ObjectInfo]:
        decide(self, BATCH, Verdict([], "Only 2 of 3 ranks were there."))
        return super().list(prefix, after)


def test_a_gang_that_is_given_up_while_rank_0_counts() -> None:
    store, time = GivenUpMeanwhile(), Time()
    come(store, 1, "10.0.0.2")
    with pytest.raises(GangGivenUpError, match="Only 2 of 3"):
        arrive(store, time, 0)


def test_whoever_decides_second_learns_what_was_decided() -> None:
    store = MemoryStore()
    all_there = Verdict(["10.0.0.1", "10.0.0.2", "10.0.0.3"])
    assert decide(store, BATCH, all_there) == all_there
    assert decide(store, BATCH, Verdict([], "too late")) == all_there
