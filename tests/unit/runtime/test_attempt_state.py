"""What a task can read: fetched when touched, once, several at a time where there are several."""

import pytest
from runtime_cases import FLOW, RUN, make_batch, store_task

from headway.errors import KeyNotFoundError, StoreError, StoreUnavailableError
from headway.runtime.state import sources
from headway.store import layout
from headway.store.records import AttemptRef
from headway.testing.memory_store import MemoryStore

REFS = [AttemptRef("train", str(number), number % 2) for number in range(10)]


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    for number, ref in enumerate(REFS):
        store_task(store, ref, {"score": number}, (("split", "1", number, 10, "items"),))
    store.calls.clear()
    return store


def test_nothing_is_read_before_it_is_touched(store: MemoryStore) -> None:
    sources(store, FLOW, RUN, REFS)
    assert store.calls == []


def test_touching_one_of_many_reads_the_records_of_all_and_no_artifact(store: MemoryStore) -> None:
    several = sources(store, FLOW, RUN, REFS)
    assert list(several[3].names()) == ["score"]
    assert several[4].frames() == (("split", "1", 4, 10, "items"),)
    assert sorted(key for _, key in store.calls) == sorted(layout.record(FLOW, RUN, *ref) for ref in REFS)


def test_an_artifact_is_loaded_from_its_own_attempt(store: MemoryStore) -> None:
    several = sources(store, FLOW, RUN, REFS)
    assert [source.load("score") for source in several] == list(range(10))
    assert several[0].ref("score") != several[1].ref("score")
    assert several[0].ref("missing") is None
    with pytest.raises(KeyError):
        several[0].load("missing")


def test_a_missing_record_is_told(store: MemoryStore) -> None:
    (source,) = sources(store, FLOW, RUN, [AttemptRef("train", "99", 0)])
    with pytest.raises(KeyNotFoundError):
        source.names()


def test_an_error_says_from_where_and_stays_of_its_kind(store: MemoryStore) -> None:
    source = sources(store, FLOW, RUN, REFS)[1]
    store.fail_next(StoreUnavailableError("no answer", "Try later."), "get_range")
    with pytest.raises(
        StoreUnavailableError, match=r"no answer \(wanted from train/1 \(attempt 1\)\)"
    ) as caught:
        source.load("score")
    assert caught.value.hint == "Try later."


def test_content_that_somebody_deleted_is_told(store: MemoryStore) -> None:
    source = sources(store, FLOW, RUN, REFS)[0]
    ref = source.ref("score")
    assert ref is not None
    store.delete([layout.blob(FLOW, ref.sha256)])
    with pytest.raises(StoreError, match="no longer in") as caught:
        source.load("score")
    assert not isinstance(caught.value, StoreUnavailableError)


def test_a_task_is_told_its_own_part_of_a_wide_batch() -> None:
    batch = make_batch(tasks=1200, frames=(("start", "1", 0, 1200, "items"),))
    task = batch.tasks[1100]
    own = batch.of(task)
    assert own.tasks == (task,)
    assert own.frames_of(task) == batch.frames_of(task)
    assert len(own.encode()) < 1000
