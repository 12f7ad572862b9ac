"""What a child reports arrives whole, or as nothing."""

import os
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.runtime.channel import BEGUN, OVER, Report, decode_parts, exit_status, provisional, send
from headway.store.records import USER, ArtifactRef, Failure, Transition

TEXT = st.text(st.characters(), max_size=20)
REPORTS = st.builds(
    Report,
    artifacts=st.dictionaries(TEXT, st.builds(ArtifactRef, TEXT, st.integers(0, 1 << 60), TEXT), max_size=4),
    transition=st.none()
    | st.builds(Transition, st.tuples(TEXT, TEXT), st.none() | TEXT, st.none() | st.integers(0, 1 << 30)),
    failure=st.none() | st.builds(Failure, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT),
    exited=st.none() | st.integers(-10, 300),
    failed=st.floats(0, 2e9),
    facts=st.dictionaries(TEXT, TEXT, max_size=2),
)


def received(report: Report) -> bytes:
    """What comes out of the pipe at the other end."""
    read, write = os.pipe()
    sender = threading.Thread(target=send, args=(write, report))
    sender.start()
    with open(read, "rb") as pipe:  # noqa: PTH123 - a descriptor, not a path
        data = pipe.read()
    sender.join()
    return data


@given(REPORTS)
@settings(max_examples=60, deadline=None)
def test_a_report_comes_back(report: Report) -> None:
    data = report.encode()
    assert decode_parts([data[:7], data[7:]]) == report


def test_a_report_larger_than_a_pipe_arrives() -> None:
    report = Report({f"name_{number}": ArtifactRef("0" * 64, number, "int") for number in range(20_000)})
    data = received(report)
    assert len(data) > 1 << 20
    assert decode_parts([data]) == report


@given(REPORTS, REPORTS, st.data())
@settings(max_examples=40, deadline=None)
def test_the_last_report_that_is_whole_counts(first: Report, second: Report, data: st.DataObject) -> None:
    told = BEGUN + OVER + provisional(first)
    assert decode_parts([told]) == first
    assert decode_parts([told, second.encode()]) == second
    assert decode_parts([told, provisional(second)]) == second
    torn = data.draw(st.integers(0, len(second.encode()) - 1))
    assert decode_parts([told, second.encode()[:torn]]) == first


@pytest.mark.parametrize("kept", [0, 1, 30, -1])
def test_a_torn_report_is_none(kept: int) -> None:
    data = Report(failure=Failure(USER, "Exception", "it fails")).encode()
    assert decode_parts([data[:kept]]) is None


@pytest.mark.parametrize("data", [b"null", b"[]", b"{}", b'"text"', b"\xff\xfe", b'{"transition": 3}'])
def test_garbage_is_no_report(data: bytes) -> None:
    assert decode_parts([data]) is None


def test_the_pipe_is_closed_even_when_nobody_reads() -> None:
    read, write = os.pipe()
    os.close(read)
    with pytest.raises(BrokenPipeError):
        send(write, Report())
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(write)


@pytest.mark.parametrize(("status", "expected"), [(0, (0, None)), (3 << 8, (3, None)), (9, (None, 9))])
def test_a_wait_status_is_a_code_or_a_signal(status: int, expected: tuple[int | None, int | None]) -> None:
    assert exit_status(status) == expected
