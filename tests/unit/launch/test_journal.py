"""The journal keeps every entry once and in order, whatever the store does; one launcher alone writes it."""

from contextlib import suppress
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.errors import KeyExistsError, StoreError, StoreUnavailableError
from headway.launch.journal import Decision, Entry, Journal, decode_entry, encode_entry, read_journal
from headway.launch.lease import LeaseLostError
from headway.schedule import (
    AttemptCancelled,
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    Event,
    Plan,
    PlanNode,
    RetriesDue,
    RetryDue,
    RunStarted,
    Scheduler,
    StepPolicy,
    StopRequested,
)
from headway.store.records import USER, AttemptRef, Failure, Transition
from headway.testing.memory_store import MemoryStore

PREFIX = "v1/F/run/7/journal/"
thorough = settings(derandomize=True, deadline=None)

# Text as exceptions hold it: file names that are no UTF-8 come as lone surrogates.
texts = st.text(st.characters(exclude_categories=()), max_size=20)
refs = st.builds(AttemptRef, texts, texts, st.integers(0, 10))
transitions = st.builds(
    Transition, st.lists(texts, max_size=3).map(tuple), st.none() | texts, st.none() | st.integers(0, 10**6)
)
entries = st.one_of(
    st.builds(RunStarted),
    st.builds(AttemptStarted, refs),
    st.builds(AttemptSucceeded, refs, st.none() | transitions),
    st.builds(AttemptFailed, refs, st.builds(Failure, texts, texts, texts, texts, texts, texts)),
    st.builds(AttemptCancelled, refs),
    st.builds(RetryDue, refs),
    st.builds(RetriesDue, st.lists(refs, max_size=3).map(tuple)),
    st.builds(StopRequested, texts),
    st.builds(Decision, texts, st.dictionaries(texts, st.integers() | texts | st.lists(texts), max_size=3)),
)


def journal(store: MemoryStore, holder: str = "one", at: float = 100.0, window: int = 0) -> Journal:
    return Journal(store, "F", "7", holder, clock=lambda: at, window=window)


@pytest.mark.budget(5)
@thorough
@given(entries)
def test_every_entry_survives_its_line(entry: Entry) -> None:
    line = encode_entry(entry)
    assert b"\n" not in line
    assert decode_entry(line) == entry
    assert type(decode_entry(line)) is type(entry)


def test_every_event_has_a_line() -> None:
    covered = {type(entry) for entry in (RunStarted(), StopRequested("x"), *some_events())}
    assert covered == set(Event.__args__)
    for entry in some_events():
        assert decode_entry(encode_entry(entry)) == entry


def some_events() -> list[Event]:
    ref = AttemptRef("start", "1", 0)
    return [
        AttemptStarted(ref),
        AttemptSucceeded(ref, Transition(("a", "b"))),
        AttemptFailed(ref, Failure(USER, "Exit", "it broke")),
        AttemptCancelled(ref),
        RetryDue(ref),
        RetriesDue((ref, ref)),
    ]


def test_a_flush_is_one_object_and_an_empty_one_is_none() -> None:
    store = MemoryStore()
    writing = journal(store)
    writing.flush()
    writing.append(RunStarted())
    writing.append(Decision("submitted", {"batch": "start-1"}))
    writing.flush()
    writing.flush()
    writing.append(StopRequested("Ctrl-C"))
    assert read_journal(store, "F", "7") == [RunStarted(), Decision("submitted", {"batch": "start-1"})]
    writing.flush()
    assert [info.key for info in store.list("")] == [PREFIX + "00000000.json", PREFIX + "00000001.json"]
    assert read_journal(store, "F", "7")[-1] == StopRequested("Ctrl-C")


def test_a_window_says_who_wrote_it_and_when() -> None:
    store = MemoryStore()
    writing = journal(store, holder="me", at=12.5)
    writing.append(RunStarted())
    writing.flush()
    header, line = store.get(PREFIX + "00000000.json").splitlines()
    assert header == b'{"format":1,"at":12.5,"holder":"me"}'
    assert line == b'{"entry":"RunStarted"}'


def test_a_run_without_a_journal_reads_as_empty() -> None:
    assert read_journal(MemoryStore(), "F", "7") == []


def test_another_launchers_window_means_that_the_run_is_lost() -> None:
    store = MemoryStore()
    old, new = journal(store, "old"), journal(store, "new")
    new.append(Decision("attached"))
    new.flush()
    old.append(RunStarted())
    for _ in range(2):
        with pytest.raises(LeaseLostError, match="no longer drives run F/7"):
            old.flush()
    assert read_journal(store, "F", "7") == [Decision("attached")]


def test_the_same_entries_from_another_launcher_are_not_taken_for_ours() -> None:
    store = MemoryStore()
    old, new = journal(store, "old"), journal(store, "new")
    for each in (old, new):
        each.append(RunStarted())
    new.flush()
    with pytest.raises(LeaseLostError):
        old.flush()


def test_reopening_goes_on_where_the_first_launcher_stopped() -> None:
    store = MemoryStore()
    first = journal(store)
    for event in (RunStarted(), StopRequested("x")):
        first.append(event)
        first.flush()
    second, entries = Journal.reopen(store, "F", "7", "two")
    assert entries == [RunStarted(), StopRequested("x")]
    second.append(Decision("attached"))
    second.flush()
    assert read_journal(store, "F", "7") == [*entries, Decision("attached")]
    first.append(RunStarted())
    with pytest.raises(LeaseLostError):
        first.flush()


def test_replaying_the_journal_rebuilds_the_scheduler() -> None:
    plan = Plan.of("start", [PlanNode("start", ("end",)), PlanNode("end", end=True)])
    policies = {"start": StepPolicy({USER: 1})}
    scheduler, store = Scheduler(plan, policies), MemoryStore()
    writing = journal(store)
    start = AttemptRef("start", "1", 0)
    for event in (
        RunStarted(),
        AttemptFailed(start, Failure(USER, "Exit", "it broke")),
        RetryDue(start._replace(attempt=1)),
    ):
        writing.append(event)
        scheduler.handle(event)
    writing.append(Decision("submitted", {"batch": "start-2"}))
    writing.flush()
    again = Scheduler(plan, policies)
    for entry in read_journal(store, "F", "7"):
        if not isinstance(entry, Decision):
            again.handle(entry)
    assert again.active() == scheduler.active() == (start._replace(attempt=1),)


# A write may fail before the object is there, after it, or find what the store's own first try left.
faults = st.lists(st.sampled_from(("", "unsent", "unheard", "repeated")), min_size=1, max_size=20)


@pytest.mark.budget(5)
@thorough
@given(faults, st.lists(st.integers(0, 3), min_size=20, max_size=20))
def test_whatever_the_store_does_each_entry_is_there_once_and_in_order(
    faults: list[str], appended: list[int]
) -> None:
    store = MemoryStore()
    writing = journal(store)
    told: list[Entry] = []
    for i, fault in enumerate(faults):
        for n in range(appended[i]):
            told.append(Decision(f"{i}.{n}"))
            writing.append(told[-1])
        error = KeyExistsError if fault == "repeated" else StoreUnavailableError
        if fault:
            store.fail_next(error("timed out"), "put_if_absent", after_effect=fault != "unsent")
        with suppress(StoreUnavailableError):
            writing.flush()
        # What is there is always a beginning of what was told: nothing twice, nothing out of order.
        there = read_journal(store, "F", "7")
        assert there == told[: len(there)]
    for _ in faults:
        with suppress(StoreUnavailableError):
            writing.flush()
    assert read_journal(store, "F", "7") == told


def test_entries_appended_while_a_flush_runs_are_not_lost() -> None:
    store = MemoryStore()
    writing = journal(store)
    told = [Decision(str(n)) for n in range(2000)]

    def append() -> None:
        for entry in told:
            writing.append(entry)

    thread = Thread(target=append)
    thread.start()
    while thread.is_alive():
        writing.flush()
    thread.join()
    writing.flush()
    assert read_journal(store, "F", "7") == told


def test_a_missing_window_is_told_not_skipped() -> None:
    store = MemoryStore()
    writing = journal(store)
    for n in range(3):
        writing.append(Decision(str(n)))
        writing.flush()
    store.delete([PREFIX + "00000001.json"])
    with pytest.raises(StoreError, match=r"00000001\.json is missing"):
        read_journal(store, "F", "7")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not enough values"),
        (b"\xff\n", "decode"),
        (b"[]\n", "object"),
        (b'{"format":2}\n', "its format is 2"),
        (b'{"format":1}\n{"entry":"Dance"}\n', "unknown journal entry 'Dance'"),
        (b'{"format":1}\n{"entry":"RetryDue","ref":["a"]}\n', "length"),
    ],
)
def test_a_window_that_cannot_be_read_is_named(data: bytes, words: str) -> None:
    store = MemoryStore()
    store.put(PREFIX + "00000000.json", data)
    with pytest.raises(StoreError, match=words) as error:
        read_journal(store, "F", "7")
    assert PREFIX + "00000000.json" in str(error.value)


def test_a_field_that_a_newer_version_added_is_ignored() -> None:
    assert decode_entry(b'{"entry":"StopRequested","reason":"x","mood":"bad"}') == StopRequested("x")
