"""The record: made of what was reported, created once, and the truth whoever was first."""

import threading

import pytest
from runtime_cases import FLOW, RUN, make_batch

from headway.errors import StoreUnavailableError
from headway.runtime import commit as module
from headway.runtime.channel import Report
from headway.runtime.commit import PATIENCE, commit, lost, patiently, record_of, store_logs
from headway.runtime.logbook import Logbook
from headway.store import layout
from headway.store.logs import parse_lines
from headway.store.records import (
    FAILED,
    LOST,
    SUCCEEDED,
    USER,
    ArtifactRef,
    AttemptRef,
    Failure,
    Record,
    Transition,
)
from headway.testing.memory_store import MemoryStore

REF = AttemptRef("start", "1", 0)
GIVEN_UP = Failure(USER, "Cancelled", "Stopped.")


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def test_a_success_keeps_artifacts_and_transition() -> None:
    batch = make_batch(tasks=3, frames=(("split", "1", 0, 3, "items"),))
    report = Report({"x": ArtifactRef("0" * 64, 1, "int")}, Transition(("end",)))
    record = record_of(
        batch, batch.tasks[2], report, None, {"python-version": "3.11"}, 1.0, 2.0, {"stdout": 3}
    )
    assert record == Record(
        ref=AttemptRef("start", "3", 0),
        outcome=SUCCEEDED,
        frames=(("split", "1", 2, 3, "items"),),
        artifacts=report.artifacts,
        transition=report.transition,
        metadata={"python-version": "3.11"},
        started=1.0,
        ended=2.0,
        inputs=batch.inputs,
        log_lines={"stdout": 3},
    )
    assert Record.decode(record.encode()) == record


def test_a_failure_leads_nowhere_and_keeps_what_was_stored_and_when_it_was() -> None:
    batch = make_batch()
    artifacts = {"x": ArtifactRef("0" * 64, 1, "int")}
    report = Report(artifacts, Transition(("end",)), failed=1.5, facts={"artifacts-not-kept": "{}"})
    record = record_of(batch, batch.tasks[0], report, GIVEN_UP, {}, 1.0, 2.0, {})
    assert (record.outcome, record.failure) == (FAILED, GIVEN_UP)
    assert (record.artifacts, record.transition) == (artifacts, None)
    assert (record.ended, record.metadata["artifacts-not-kept"]) == (1.5, "{}")
    assert lost(batch, batch.tasks[0], GIVEN_UP, {}, 5.0).artifacts == {}


def test_no_report_and_no_reason_is_no_success() -> None:
    batch = make_batch()
    assert record_of(batch, batch.tasks[0], None, None, {}, 1.0, 2.0, {}).outcome == FAILED


def test_the_first_writer_wins_and_the_second_learns_of_it(store: MemoryStore) -> None:
    batch = make_batch()
    given_up = lost(batch, batch.tasks[0], GIVEN_UP, {}, 5.0)
    assert given_up.outcome == LOST
    done = Record(REF, SUCCEEDED)
    assert commit(store, FLOW, RUN, given_up) == given_up
    assert commit(store, FLOW, RUN, done) == given_up
    assert Record.decode(store.get(layout.record(FLOW, RUN, *REF))) == given_up


def test_of_many_writers_at_once_all_hear_of_one_truth(store: MemoryStore) -> None:
    records = [Record(REF, SUCCEEDED, metadata={"writer": str(number)}) for number in range(8)]
    barrier = threading.Barrier(len(records))
    truths: list[Record] = []

    def write(record: Record) -> None:
        barrier.wait()
        truths.append(commit(store, FLOW, RUN, record))

    threads = [threading.Thread(target=write, args=(record,)) for record in records]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(truths) == len(records)
    assert len({truth.metadata["writer"] for truth in truths}) == 1


def test_a_datastore_in_trouble_is_told(store: MemoryStore) -> None:
    store.fail_next(StoreUnavailableError("no answer"))
    with pytest.raises(StoreUnavailableError):
        commit(store, FLOW, RUN, Record(REF, SUCCEEDED))


def test_what_would_be_lost_waits_for_the_datastore(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "PAUSE", 0)
    for _ in range(3):
        store.fail_next(StoreUnavailableError("no answer."), "put_if_absent")
    record = Record(REF, SUCCEEDED)
    assert patiently(lambda: commit(store, FLOW, RUN, record)) == record
    told = capsys.readouterr().err
    assert told == "no answer. What the step made is kept until the datastore answers again.\n", "told once"


def test_what_would_help_is_said_too(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "PAUSE", 0)
    store.fail_next(StoreUnavailableError("the disk is full", "Make room there."), "put_if_absent")
    patiently(lambda: commit(store, FLOW, RUN, Record(REF, SUCCEEDED)))
    assert capsys.readouterr().err == (
        "the disk is full. Make room there. What the step made is kept until the datastore answers again.\n"
    )


def test_a_datastore_that_stays_away_is_given_up(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 0)
    tries: list[int] = []

    def write() -> None:
        tries.append(0)
        raise StoreUnavailableError("no answer.")

    times = iter([0.0, 100.0, PATIENCE, PATIENCE + 1])
    with pytest.raises(StoreUnavailableError):
        patiently(write, clock=lambda: next(times))
    assert len(tries) == 3


def test_logs_are_stored_by_stream_and_nothing_for_silence(store: MemoryStore) -> None:
    batch, book = make_batch(), Logbook()
    book.feed("stdout", b"hello\n")
    store_logs(store, batch, batch.tasks[0], book)
    (info,) = store.list(layout.tasks(FLOW, RUN))
    assert info.key == layout.log(FLOW, RUN, *REF, "stdout")
    assert [line.text for line in parse_lines(store.get(info.key))] == ["hello"]
