"""Run ids sort by age, and of launchers that start at once each gets its own."""

import pytest

from headway.errors import KeyExistsError, StoreError
from headway.launch.run_ids import claim_run
from headway.store.run_records import RunRecord
from headway.testing.memory_store import MemoryStore

RECORD = RunRecord("F", "", "ann", 1_700_000_000.25, metadata={"script": "f.py"})


def now() -> float:
    return 1_700_000_000.25


def test_an_id_is_the_microsecond_and_the_record_is_there() -> None:
    store = MemoryStore()
    claimed = claim_run(store, RECORD, "me", now)
    assert claimed.run == "1700000000250000"
    assert claimed.metadata == {"script": "f.py", "launcher": "me"}
    assert RunRecord.decode(store.get("v1/F/runs/1700000000250000.json")) == claimed


def test_launchers_of_the_same_microsecond_get_ids_of_their_own() -> None:
    store = MemoryStore()
    ids = [claim_run(store, RECORD, f"launcher {n}", now).run for n in range(5)]
    assert ids == [str(1_700_000_000_250_000 + n) for n in range(5)]


def test_flows_do_not_share_ids() -> None:
    store = MemoryStore()
    first = claim_run(store, RECORD, "me", now)
    assert claim_run(store, RECORD._replace(flow="G"), "you", now).run == first.run


def test_a_claim_whose_reply_was_lost_is_still_ours() -> None:
    store = MemoryStore()
    store.fail_next(KeyExistsError("found on the second try"), "put_if_absent", after_effect=True)
    claimed = claim_run(store, RECORD, "me", now)
    assert [info.key for info in store.list("")] == [f"v1/F/runs/{claimed.run}.json"]


def test_a_store_that_refuses_everything_is_found_out() -> None:
    store = MemoryStore()
    for n in range(1000):
        store.put(f"v1/F/runs/{1_700_000_000_250_000 + n}.json", b"{}")
    with pytest.raises(StoreError, match="1000 in a row from 1700000000250000"):
        claim_run(store, RECORD, "me", now)
