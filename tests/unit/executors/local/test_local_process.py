"""One local attempt's pipes, read on the event loop to their last byte."""

import asyncio
import os

import pytest

from headway.executors.local import process
from headway.executors.local.process import Pipes, as_file
from headway.runtime.channel import Report
from headway.runtime.logbook import Logbook
from headway.runtime.zygote import read_at
from headway.store.records import Transition

REPORT = Report(transition=Transition(("end",)))


class Ends:
    """Pipes, with copies of their write ends as a child has them."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, bytes]] = []
        self.book = Logbook()
        self.pipes = Pipes(
            self.book, lambda lines: self.lines.extend((each.stream, each.text) for each in lines)
        )
        self.stdout, self.stderr, self.report = (os.dup(fd) for fd in self.pipes.writes)
        self.pipes.handed_over()

    def close(self) -> None:
        for fd in (self.stdout, self.stderr, self.report):
            os.close(fd)


async def test_lines_are_shown_as_they_come_and_the_rest_at_the_end() -> None:
    ends = Ends()
    os.write(ends.stdout, b"one\ntw")
    os.write(ends.stderr, b"trouble\n")
    await asyncio.sleep(0.01)
    assert sorted(ends.lines) == [("stderr", b"trouble"), ("stdout", b"one")]
    os.write(ends.stdout, b"o")
    os.write(ends.report, REPORT.encode())
    ends.close()
    assert await ends.pipes.drain() == REPORT
    assert ends.lines[-1] == ("stdout", b"two")
    assert ends.book.lines == {"stdout": 2, "stderr": 1}


async def test_no_report_is_none() -> None:
    ends = Ends()
    ends.close()
    assert await ends.pipes.drain() is None
    assert ends.lines == []


async def test_somebody_who_holds_the_pipes_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_DRAIN", 0.01)
    ends = Ends()
    os.write(ends.report, REPORT.encode())
    os.write(ends.stdout, b"last")
    assert await ends.pipes.drain() == REPORT
    assert ends.lines == [("stdout", b"last")]
    ends.close()


async def test_more_than_a_pipe_holds() -> None:
    ends = Ends()
    data = b"".join(b"%d\n" % number for number in range(100_000))
    await asyncio.to_thread(write_all, ends.stdout, data)
    ends.close()
    await ends.pipes.drain()
    assert [text for _, text in ends.lines] == data.split(b"\n")[:-1]


def write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


@pytest.mark.parametrize("size", [0, 1, 100, 3 << 20])
def test_a_batch_as_a_file_can_be_read_more_than_once(size: int) -> None:
    data = os.urandom(size)
    fd = as_file(data)
    try:
        assert read_at(fd) == data
        assert read_at(fd) == data
    finally:
        os.close(fd)


def test_a_batch_as_a_file_where_there_are_no_memory_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create")
    fd = as_file(b"content")
    assert read_at(fd) == b"content"
    os.close(fd)
