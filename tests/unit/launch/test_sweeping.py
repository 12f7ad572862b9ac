"""Which runs are over, so that what they were lent may be taken away."""

from pathlib import Path

import msgspec
import pytest

from headway.launch.lease import Holder, Lease
from headway.launch.sweeping import Fate, fate_of
from headway.store import layout
from headway.store.folder import FolderStore
from headway.store.records import SUCCEEDED
from headway.store.run_records import RunEnd, RunRecord

NOW = 1_800_000_000.0


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    store = FolderStore(str(tmp_path))
    record = RunRecord(flow="Sample", run="7", user="eve", created=NOW)
    store.put(layout.run_record("Sample", "7"), record.encode())
    return store


def fate(store: FolderStore, after: float) -> Fate:
    return fate_of("Sample", "7", [store.url], lambda: NOW + after)


def over(store: FolderStore, after: float) -> bool:
    return fate(store, after).over


def hold(store: FolderStore) -> Lease:
    elsewhere = msgspec.structs.replace(Holder.here("eve"), host="far", place="")
    lease = Lease(store, "Sample", "7", elsewhere, lambda: NOW)
    lease.acquire()
    return lease


def test_a_run_that_ended_is_over(store: FolderStore) -> None:
    hold(store)
    store.put(layout.run_end("Sample", "7"), RunEnd(SUCCEEDED, NOW).encode())
    assert fate(store, 1) == Fate(True)


def test_a_run_whose_lease_has_only_just_run_out_is_not(store: FolderStore) -> None:
    """Only watching its claim tells: it may be held still, by a launcher whose clock is behind this one's."""
    hold(store)
    assert not over(store, 30)
    assert not over(store, 120)
    assert over(store, 3600)


def test_a_run_that_is_only_just_there_is_not_over_for_want_of_a_lease(store: FolderStore) -> None:
    assert not over(store, 1)
    assert over(store, 3600)


def test_a_run_that_is_nowhere_is_nobodys_to_sweep(store: FolderStore) -> None:
    assert not fate_of("Sample", "8", [store.url]).over


def test_a_claim_that_is_not_renewed_is_the_same_later_and_one_that_is_is_not(store: FolderStore) -> None:
    lease = hold(store)
    before = fate(store, 3600)
    assert before == fate(store, 3660)
    assert before.claim is not None
    lease.renew()
    assert before != fate(store, 3660)


def test_what_was_given_back_need_not_be_watched(store: FolderStore) -> None:
    hold(store).release()
    assert fate(store, 1) == Fate(True)
