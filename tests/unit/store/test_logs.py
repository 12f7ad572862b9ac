"""Log lines and the feed."""

import itertools
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.store.logs import (
    END,
    LOG,
    MAX_TEXT,
    RUNTIME,
    TASK,
    FeedKey,
    LogLine,
    decode_chunk,
    encode_chunk,
    encode_line,
    feed_key,
    format_time,
    merge_lines,
    parse_feed_key,
    parse_lines,
)
from headway.store.records import AttemptRef

MS = 1795336885123
STAMP = b"2026-11-22T08:41:25.123Z"


def test_a_line_as_it_is_stored() -> None:
    assert encode_line(b"hello world\n", MS) == STAMP + b" task hello world\n"
    assert encode_line(b"hello", MS, RUNTIME) == STAMP + b" runtime hello\n"
    assert encode_line(b"", MS) == STAMP + b" task \n"
    assert encode_line(b"more", MS, continues=True) == STAMP + b" task+ more\n"


def test_a_line_comes_back() -> None:
    data = (
        encode_line(b"one", MS) + encode_line("zwö\tx\r\n".encode(), MS + 1, RUNTIME) + encode_line(b"\n", MS)
    )
    assert parse_lines(data, "stderr") == [
        LogLine(MS, TASK, "one", "stderr"),
        LogLine(MS + 1, RUNTIME, "zwö\tx\r", "stderr"),
        LogLine(MS, TASK, "", "stderr"),
    ]


def test_several_lines_at_once_are_stamped_each() -> None:
    assert [line.text for line in parse_lines(encode_line(b"a\n\nb\n", MS))] == ["a", "", "b"]


@given(st.lists(st.tuples(st.text().filter(lambda t: "\n" not in t), st.integers(0, 1 << 42)), max_size=20))
@settings(max_examples=50, deadline=None)
def test_whatever_was_written_is_read(lines: list[tuple[str, int]]) -> None:
    data = b"".join(encode_line(text.encode("utf-8", "replace"), ms) for text, ms in lines)
    expected = [(ms, text.encode("utf-8", "replace").decode()) for text, ms in lines]
    assert [(line.ms, line.text) for line in parse_lines(data)] == expected


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_garbage_is_read_as_text(data: bytes) -> None:
    lines = parse_lines(encode_line(b"before", MS) + data + b"\n" + encode_line(b"behind", MS + 5))
    assert lines[0].text == "before"
    assert lines[-1] == LogLine(MS + 5, TASK, "behind")


def test_what_bears_no_stamp_has_the_time_of_the_line_before() -> None:
    data = b"torn\n" + encode_line(b"a", MS) + b"2026-13-99T08:41:25.123Z task no date\n\xff\xfe\n\n"
    assert parse_lines(data) == [
        LogLine(0, TASK, "torn"),
        LogLine(MS, TASK, "a"),
        LogLine(MS, TASK, "2026-13-99T08:41:25.123Z task no date"),
        LogLine(MS, TASK, "��"),
    ]


def test_a_very_long_line_is_cut_and_put_together_again() -> None:
    text = b"x" * (3 * MAX_TEXT + 5)
    data = encode_line(text + b"\n", MS)
    assert all(len(line) <= MAX_TEXT + 40 for line in data.split(b"\n"))
    assert parse_lines(data) == [LogLine(MS, TASK, text.decode())]


def test_a_line_that_comes_in_pieces_is_put_together() -> None:
    data = (
        encode_line(b"10%", MS)
        + encode_line(b"...20%", MS + 9, continues=True)
        + encode_line(b"next", MS + 10)
    )
    assert parse_lines(data) == [LogLine(MS, TASK, "10%...20%"), LogLine(MS + 10, TASK, "next")]


def test_a_piece_whose_beginning_is_elsewhere_says_so() -> None:
    data = encode_line(b"rest", MS, continues=True) + encode_line(b"line", MS)
    assert parse_lines(data) == [LogLine(MS, TASK, "rest", continues=True), LogLine(MS, TASK, "line")]


def test_a_piece_of_the_task_is_not_glued_to_a_line_of_the_runtime() -> None:
    data = encode_line(b"warning", MS, RUNTIME) + encode_line(b"rest", MS, continues=True)
    assert [line.text for line in parse_lines(data)] == ["warning", "rest"]


def test_streams_are_merged_by_time() -> None:
    out = parse_lines(b"".join(encode_line(b"o%d" % n, n) for n in (1, 4, 6)), "stdout")
    err = parse_lines(b"".join(encode_line(b"e%d" % n, n) for n in (2, 4, 5)), "stderr")
    assert [line.text for line in merge_lines(out, err)] == ["o1", "e2", "o4", "e4", "e5", "o6"]


def test_a_clock_that_went_back_does_not_disorder_a_stream() -> None:
    out = [LogLine(ms, TASK, f"o{number}") for number, ms in enumerate([5, 1, 7])]
    err = [LogLine(ms, TASK, f"e{number}") for number, ms in enumerate([4, 6])]
    assert [line.text for line in merge_lines(out, err)] == ["e0", "o0", "o1", "e1", "o2"]


def test_times() -> None:
    assert format_time(0) == b"1970-01-01T00:00:00.000Z"
    assert format_time(MS) == STAMP
    assert parse_lines(b"2024-02-29T23:59:59.999Z task leap\n")[0].ms == 1709251199999


def test_a_chunk_carries_several_streams() -> None:
    streams = {"stdout": encode_line(b"a\nb", MS), "stderr": encode_line(b"c", MS)}
    payload = encode_chunk(streams)
    assert decode_chunk(payload) == streams
    assert decode_chunk(b"") == {}
    assert decode_chunk(payload[:-3]) == {**streams, "stderr": streams["stderr"][:-3]}
    assert decode_chunk(b"not a chunk\n") == {}


def test_feed_keys() -> None:
    ref = AttemptRef("train", "12", 3)
    key = feed_key("Flow", "77", MS, ref, 4, LOG)
    assert key == f"v1/Flow/run/77/feed/{MS}.train.12.3.4.log"
    assert parse_feed_key(key) == FeedKey(MS, ref, 4, LOG)
    assert feed_key("Flow", "77", 5, ref, 0, END) < key, "keys sort by time"


@pytest.mark.parametrize(
    "name", ["", "x", "1.a.b.c", "ms.train.1.0.0.log", "1.train.1.0.0.log.gz", "1.train.1.x.0.log"]
)
def test_what_is_no_feed_key(name: str) -> None:
    assert parse_feed_key(f"v1/Flow/run/77/feed/{name}") is None


def test_a_kind_of_a_later_version_is_passed_on() -> None:
    found = parse_feed_key("v1/Flow/run/77/feed/0000000000001.train.1.0.0.metrics")
    assert found is not None
    assert found.kind == "metrics"


def test_reading_is_fast_enough_for_large_logs() -> None:
    data = b"".join(encode_line(b"epoch %d loss 0.123" % n, MS + n) for n in range(20_000))
    started = time.process_time()
    assert len(parse_lines(data)) == 20_000
    assert time.process_time() - started < 1.0  # 30 ms on a quiet machine
    assert next(itertools.islice(merge_lines(parse_lines(data)), 19_999, None)).ms == MS + 19_999
