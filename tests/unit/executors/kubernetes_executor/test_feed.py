"""The feed: each report once, in order, whatever the clocks and the datastore do."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.errors import StoreUnavailableError
from headway.executors.kubernetes import feed as feed_module
from headway.executors.kubernetes.feed import (
    FeedReader,
    next_pause,
    reports,
    texts,
)
from headway.executors.kubernetes.feed_window import MANY, WHOLE_EVERY, WINDOW_MS
from headway.store import layout
from headway.store.logs import (
    END,
    LOG,
    NOTE,
    FeedKey,
    Section,
    encode_chunk,
    encode_line,
    encode_note,
    feed_key,
    parse_feed_key,
    parse_lines,
    reported_log,
)
from headway.store.records import AttemptRef
from headway.testing.memory_store import MemoryStore

FLOW, RUN = "Sample", "7"
BEGIN = 1_800_000_000_000
ONE, TWO = AttemptRef("train", "1", 0), AttemptRef("train", "2", 0)


@pytest.fixture(scope="module")
def readers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(int).result()  # the thread is there before the first test looks
        yield pool


class Feed:
    """A feed, its reader, and the launcher's clock."""

    def __init__(
        self, readers: ThreadPoolExecutor, many: int = MANY, store: MemoryStore | None = None
    ) -> None:
        self.store = store or MemoryStore()
        self.now = BEGIN
        self._readers = readers
        self._reader = FeedReader(self.store, FLOW, RUN, BEGIN, lambda: self.now / 1000, many)
        self._sequences: dict[AttemptRef, int] = {}

    def put(self, ref: AttemptRef, *lines: str, at: int | None = None, kind: str = LOG) -> None:
        """Report lines, at this moment by the pod's own clock."""
        ms = self.now if at is None else at
        sequence = self._sequences[ref] = self._sequences.get(ref, -1) + 1
        data = b"".join(encode_line(line.encode(), ms) for line in lines)
        self.store.put(feed_key(FLOW, RUN, ms, ref, sequence, kind), encode_chunk({"stdout": data}))

    def heard(self) -> list[tuple[AttemptRef, int, bool, list[str]]]:
        return [
            (report.ref, report.sequence, report.ended, [line.text for line in report.lines])
            for report in self._reader.poll(self._readers)
        ]


@pytest.fixture
def feed(readers: ThreadPoolExecutor) -> Feed:
    return Feed(readers)


def test_each_report_is_heard_once_and_in_order(feed: Feed) -> None:
    assert feed.heard() == []
    feed.put(ONE, "a", "b", at=BEGIN + 1)
    feed.put(TWO, "c", at=BEGIN + 2)
    feed.put(ONE, at=BEGIN + 3, kind=END)
    assert feed.heard() == [(ONE, 0, False, ["a", "b"]), (TWO, 0, False, ["c"]), (ONE, 1, True, [])]
    assert feed.heard() == []


def test_what_is_old_is_not_listed_again(feed: Feed) -> None:
    for second in range(0, 200, 10):
        feed.now = BEGIN + second * 1000
        feed.put(ONE, str(second))
        assert [lines for *_, lines in feed.heard()] == [[str(second)]]
    (last,) = [key for method, key in feed.store.calls if method == "list"][-1:]
    assert last == layout.feed(FLOW, RUN)
    assert feed._reader._window.floor == BEGIN + 190_000 - WINDOW_MS


def test_a_pod_whose_clock_is_a_little_behind_is_heard(feed: Feed) -> None:
    feed.now = BEGIN + 100_000
    feed.put(ONE, "now")
    feed.heard()
    feed.put(TWO, "from behind", at=feed.now - WINDOW_MS + 1)
    assert feed.heard() == [(TWO, 0, False, ["from behind"])]


def test_a_pod_whose_clock_is_ahead_hides_nobody(feed: Feed) -> None:
    feed.put(ONE, "from the future", at=BEGIN + 3_600_000)
    assert feed.heard() == [(ONE, 0, False, ["from the future"])]
    feed.now += 1000
    feed.put(TWO, "now")
    assert feed.heard() == [(TWO, 0, False, ["now"])]
    feed.put(ONE, "more", at=BEGIN + 3_601_000)
    assert feed.heard() == [(ONE, 1, False, ["more"])]


def test_a_launcher_whose_clock_is_behind_hears_everybody_once(feed: Feed) -> None:
    for number in range(5):
        feed.put(ONE, str(number), at=BEGIN + 600_000 + number)
        assert feed.heard() == [(ONE, number, False, [str(number)])]


def test_what_could_not_be_listed_is_heard_the_next_time(feed: Feed) -> None:
    feed.put(ONE, "a")
    feed.store.fail_next(StoreUnavailableError("no answer"), "list")
    with pytest.raises(StoreUnavailableError):
        feed.heard()
    assert feed.heard() == [(ONE, 0, False, ["a"])]


@pytest.mark.parametrize("reports", [1, 3])
def test_what_could_not_be_read_is_heard_the_next_time(feed: Feed, reports: int) -> None:
    for number in range(reports):
        feed.put(ONE, str(number), at=BEGIN + number)
    feed.store.fail_next(StoreUnavailableError("no answer"), "get")
    with pytest.raises(StoreUnavailableError):
        feed.heard()
    assert [lines for *_, lines in feed.heard()] == [[str(number)] for number in range(reports)]


def test_what_is_gone_by_the_time_it_is_read_has_no_lines(feed: Feed) -> None:
    feed.put(ONE, "a", kind=END)
    (info,) = feed.store.list(layout.feed(FLOW, RUN))
    listed = [info]

    class Vanishing(MemoryStore):
        def list(self, prefix: str, after: str = "") -> Iterator[object]:  # type: ignore[override]
            return iter(listed)

    reader = FeedReader(Vanishing(), FLOW, RUN, BEGIN, lambda: BEGIN / 1000)
    with ThreadPoolExecutor(1) as readers:
        (report,) = reader.poll(readers)
    assert (report.ended, report.lines) == (True, ())


def test_what_is_none_of_ours_is_left_alone(feed: Feed) -> None:
    feed.store.put(f"{layout.feed(FLOW, RUN)}{BEGIN:013d}.a-newer-kind-of-key", b"")
    assert feed.heard() == []


def test_the_memory_of_keys_stays_small(feed: Feed) -> None:
    feed._reader._seen = {f"old{number}": BEGIN - 60_000 for number in range(5000)}
    feed.now = BEGIN + 1000
    feed.put(ONE, "a")
    assert len(feed.heard()) == 1
    assert len(feed._reader._seen) == 1
    assert feed.heard() == []


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(-20_000, 60_000), st.booleans()), max_size=25))
@settings(max_examples=40, deadline=None)
def test_whatever_the_clocks_nothing_is_missed_or_heard_twice(reports: list[tuple[int, int, bool]]) -> None:
    """Pods whose clocks are behind by less than the window, or ahead by whatever."""
    with ThreadPoolExecutor(1) as readers:
        feed = Feed(readers)
        heard: list[tuple[AttemptRef, int]] = []
        put: list[tuple[AttemptRef, int]] = []
        for number, (pod, skew, look) in enumerate(reports):
            feed.now += 700
            ref = AttemptRef("train", f"{pod}x{number}", 0)
            feed.put(ref, "line", at=feed.now + skew)
            put.append((ref, 0))
            if look:
                heard += [(ref, sequence) for ref, sequence, *_ in feed.heard()]
        heard += [(ref, sequence) for ref, sequence, *_ in feed.heard()]
        assert sorted(heard) == sorted(put)


_steps = st.lists(
    st.one_of(
        st.tuples(st.just("report"), st.integers(-45_000, 3_000)),
        st.tuples(st.just("wait"), st.sampled_from([40, 300, 500, 2_000])),
        st.just(("look", 0)),
    ),
    max_size=60,
)


@given(_steps)
@settings(max_examples=150, deadline=None)
def test_where_most_looks_are_short_nothing_is_missed_that_whole_ones_find(
    steps: list[tuple[str, int]],
) -> None:
    """Whatever the clocks, and be it beyond the window: the same reports, once, and a few seconds later at most."""
    with ThreadPoolExecutor(1) as readers:
        whole = Feed(readers, many=1_000_000)
        short = Feed(readers, many=0, store=whole.store)
        heard: dict[AttemptRef, int] = {}
        expected: dict[AttemptRef, int] = {}

        def look() -> None:
            for feed, found in ((whole, expected), (short, heard)):
                for ref, *_ in feed.heard():
                    assert ref not in found, "once"
                    found[ref] = feed.now
            late = [ref for ref, at in expected.items() if ref not in heard]
            assert all(whole.now - expected[ref] < WHOLE_EVERY * 1000 for ref in late)

        for number, (what, value) in enumerate([*steps, ("look", 0), ("wait", 5_000), ("look", 0)]):
            if what == "report":
                whole.put(AttemptRef("train", str(number), 0), at=whole.now + value)
            elif what == "wait":
                whole.now = short.now = whole.now + value
            else:
                look()
        assert expected.keys() <= heard.keys()


def test_what_is_known_is_not_looked_into_again(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    monkeypatch.setattr(feed_module, "parse_feed_key", lambda key: parsed.append(key) or parse_feed_key(key))
    for number in range(5):
        feed.put(ONE, "line", at=BEGIN + number)
        assert len(feed.heard()) == 1
    assert len(parsed) == 5


def test_the_log_of_a_dead_attempt_is_what_it_had_reported(feed: Feed) -> None:
    feed.put(ONE, "second", at=BEGIN + 5)
    feed.put(TWO, "another's", at=BEGIN)
    feed.put(ONE, "third", at=BEGIN)  # its clock was set back; its own numbers tell the order
    log = reported_log(feed.store, FLOW, RUN, ONE)
    assert [line.text for line in parse_lines(log["stdout"])] == ["second", "third"]


def test_both_streams_of_a_chunk_by_time() -> None:
    out = encode_line(b"one", BEGIN) + encode_line(b"three", BEGIN + 2000)
    payload = encode_chunk({"stdout": out, "stderr": encode_line(b"two", BEGIN + 1000)})
    (report,) = reports(FeedKey(BEGIN, ONE, 0, LOG), payload)
    assert texts(report.lines) == (
        ("stdout", BEGIN / 1000, "one"),
        ("stderr", BEGIN / 1000 + 1, "two"),
        ("stdout", BEGIN / 1000 + 2, "three"),
    )


def test_a_note_tells_of_several_attempts() -> None:
    sections = [
        Section(ONE, {"stdout": encode_line(b"one", BEGIN)}, b'{"a record": 1}'),
        Section(TWO, {}, begun=True),
    ]
    pod = AttemptRef("_pod", "train-1", 0)
    ended, begun = reports(FeedKey(BEGIN, pod, 4, NOTE), encode_note(sections))
    assert (ended.ref, ended.ended, ended.record) == (ONE, True, b'{"a record": 1}')
    assert texts(ended.lines) == (("stdout", BEGIN / 1000, "one"),)
    assert (begun.ref, begun.ended, begun.begun, begun.lines) == (TWO, False, True, ())


def test_a_torn_note_tells_what_it_can() -> None:
    sections = [Section(ONE, {"stdout": encode_line(b"one", BEGIN)}, b"{}"), Section(TWO, {}, b"{}")]
    payload = encode_note(sections)
    pod = AttemptRef("_pod", "train-1", 0)
    assert [each.ref for each in reports(FeedKey(BEGIN, pod, 4, NOTE), payload[:-1])] == [ONE]
    assert reports(FeedKey(BEGIN, pod, 4, NOTE), b"") == []


def test_lines_in_notes_are_the_log_of_one_that_died() -> None:
    store = MemoryStore()
    pod = AttemptRef("_pod", "train-1", 0)
    for number, text in enumerate((b"one", b"two")):
        note = encode_note([Section(ONE, {"stdout": encode_line(text, BEGIN)}), Section(TWO, {})])
        store.put(feed_key(FLOW, RUN, BEGIN + number, pod, number, NOTE), note)
    log = reported_log(store, FLOW, RUN, ONE)
    assert [line.text for line in parse_lines(log["stdout"])] == ["one", "two"]


def test_it_looks_often_while_something_young_runs() -> None:
    assert next_pause(None) == 1.0
    assert next_pause(0.0) == 0.04
    assert next_pause(0.0, took=0.05) == 0.2, "a fifth of the time at most"
    assert next_pause(0.0, took=5.0) == 0.5
    assert next_pause(5.0) == 0.25
    assert next_pause(3600.0) == 0.5
