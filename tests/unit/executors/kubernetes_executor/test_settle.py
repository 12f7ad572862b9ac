"""What became of an attempt: its own record, or from now on lost, and never both."""

import pytest

from headway.errors import StoreUnavailableError
from headway.executors.kubernetes.settle import Settler
from headway.runtime.commit import commit, store_logs
from headway.runtime.logbook import Logbook
from headway.store import layout
from headway.store.batch import Batch, Code, TaskSpec
from headway.store.logs import LOG, encode_chunk, encode_line, feed_key, parse_lines
from headway.store.records import INFRASTRUCTURE, LOST, SUCCEEDED, AttemptRef, Failure, Record
from headway.testing.memory_store import MemoryStore

FLOW, RUN, NOW = "Sample", "7", 1_800_000_000.0
REF = AttemptRef("train", "3", 1)
TASK = TaskSpec("3", 1, 0)
BATCH = Batch(FLOW, RUN, "train", "train-2", Code("path", "flow.py", ("__main__", FLOW)), (TASK,))
GONE = Failure(INFRASTRUCTURE, "PodDeleted", "The pod was deleted.")
FACTS = {"kubernetes-pod-name": "sample-train-x"}


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def settler(store: MemoryStore) -> Settler:
    return Settler(store, lambda: NOW)


def report(store: MemoryStore, sequence: int, **lines: str) -> None:
    """A chunk of lines that the attempt shipped before it died."""
    chunk = {stream: encode_line(text.encode(), int(NOW * 1000)) for stream, text in lines.items()}
    key = feed_key(FLOW, RUN, int(NOW * 1000) + sequence, REF, sequence, LOG)
    store.put(key, encode_chunk(chunk))


def test_a_record_that_is_there_is_the_truth(store: MemoryStore, settler: Settler) -> None:
    done = commit(store, FLOW, RUN, Record(REF, SUCCEEDED))
    store.calls.clear()
    assert settler.settle(BATCH, TASK, GONE, FACTS) == done
    assert [method for method, _ in store.calls] == ["get"], "nothing is written, and the feed is not read"


def test_an_attempt_without_one_is_lost_from_now_on(store: MemoryStore, settler: Settler) -> None:
    verdict = settler.settle(BATCH, TASK, GONE, FACTS)
    assert (verdict.outcome, verdict.failure, verdict.metadata) == (LOST, GONE, FACTS)
    assert (verdict.started, verdict.ended) == (NOW, NOW)
    late = Record(REF, SUCCEEDED)
    assert commit(store, FLOW, RUN, late) == verdict, "a pod that comes back late is told so"
    assert settler.settle(BATCH, TASK, GONE, {}) == verdict


@pytest.mark.parametrize(("began", "started"), [(NOW - 7200, NOW - 7200), (NOW + 5, NOW)])
def test_when_a_lost_attempt_began_is_told_where_its_pod_tells(
    settler: Settler, began: float, started: float
) -> None:
    verdict = settler.settle(BATCH, TASK, GONE, FACTS, began=began)
    assert (verdict.started, verdict.ended) == (started, NOW), "whatever another clock says"


def test_a_pod_that_commits_at_that_very_moment_wins(store: MemoryStore) -> None:
    done = Record(REF, SUCCEEDED)

    class Racing(MemoryStore):
        def put_if_absent(self, key: str, data: object) -> None:
            if key == layout.record(FLOW, RUN, *REF) and self.size(key) is None:
                super().put_if_absent(key, done.encode())
            super().put_if_absent(key, data)  # type: ignore[arg-type]

    racing = Racing()
    assert Settler(racing, lambda: NOW).settle(BATCH, TASK, GONE, FACTS) == done


def test_what_it_had_reported_becomes_its_log(store: MemoryStore, settler: Settler) -> None:
    report(store, 0, stdout="one")
    report(store, 1, stdout="two", stderr="trouble")
    verdict = settler.settle(BATCH, TASK, GONE, FACTS)
    assert verdict.log_lines == {"stdout": 2, "stderr": 1}
    kept = store.get(layout.log(FLOW, RUN, *REF, "stdout"))
    assert [line.text for line in parse_lines(kept)] == ["one", "two"]


def test_a_log_that_it_stored_itself_stays(store: MemoryStore, settler: Settler) -> None:
    book = Logbook(clock=lambda: NOW)
    book.feed("stdout", b"one\ntwo\nthree\n")
    store_logs(store, BATCH, TASK, book)
    report(store, 0, stdout="one")
    settler.settle(BATCH, TASK, GONE, FACTS)
    assert store.get(layout.log(FLOW, RUN, *REF, "stdout")) == book.content("stdout")


def test_a_datastore_in_trouble_settles_nothing(store: MemoryStore, settler: Settler) -> None:
    for method in ("get", "list", "put_if_absent"):
        store.fail_next(StoreUnavailableError("no answer"), method)
        with pytest.raises(StoreUnavailableError):
            settler.settle(BATCH, TASK, GONE, FACTS)
        assert settler.read(BATCH, REF) is None
    assert settler.settle(BATCH, TASK, GONE, FACTS).outcome == LOST


def test_a_lost_answer_to_the_verdict_is_found_again(store: MemoryStore, settler: Settler) -> None:
    store.fail_next(StoreUnavailableError("no answer"), "put_if_absent", after_effect=True)
    with pytest.raises(StoreUnavailableError):
        settler.settle(BATCH, TASK, GONE, FACTS)
    assert settler.settle(BATCH, TASK, GONE, FACTS).outcome == LOST


def test_the_rest_of_a_log(store: MemoryStore, settler: Settler) -> None:
    book = Logbook(clock=lambda: NOW)
    book.feed("stdout", b"one\ntwo\nthree\n")
    store_logs(store, BATCH, TASK, book)
    assert settler.log_after(BATCH, REF, "stdout", 1) == (("stdout", NOW, "two"), ("stdout", NOW, "three"))
    assert settler.log_after(BATCH, REF, "stdout", 3) == ()
    assert settler.log_after(BATCH, REF, "stderr", 0) == ()
