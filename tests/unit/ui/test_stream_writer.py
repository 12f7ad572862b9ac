"""Lines on real streams: colours only where they belong, and no run that ends because nobody reads."""

import io
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from headway.ui.writer import StreamWriter, wants_colour


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "environ", "expected"),
    [
        (Terminal(), {}, True),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (Terminal(), {"TERM": "xterm"}, True),
        (io.StringIO(), {}, False),
    ],
)
def test_where_colours_belong(stream: io.StringIO, environ: Mapping[str, str], expected: bool) -> None:
    assert wants_colour(stream, environ) is expected


def test_each_stream_has_its_own_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    out, err = io.StringIO(), Terminal()
    write = StreamWriter(out, err)
    write("data", style="good")
    write("trouble", error=True, style="bad")
    write("plain", error=True)
    write("unknown", error=True, style="no such style")
    assert out.getvalue() == "data\n"
    assert err.getvalue() == "\x1b[31mtrouble\x1b[0m\nplain\nunknown\n"


def pipe_without_reader(encoding: str = "utf-8") -> io.TextIOWrapper:
    read, write = os.pipe()
    os.close(read)
    return io.TextIOWrapper(os.fdopen(write, "wb"), encoding=encoding)


def test_a_reader_that_left_is_not_missed() -> None:
    out = pipe_without_reader()
    err = io.StringIO()
    write = StreamWriter(out, err)
    for number in range(3):
        write(f"line {number}")
    write("still here", error=True)
    out.close()
    assert err.getvalue() == "still here\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_stream_that_cannot_be_written_does_not_end_a_run() -> None:
    with Path("/dev/full").open("w") as out:
        write = StreamWriter(out, io.StringIO())
        write("lost")
        write("lost, too")


def test_a_character_that_the_stream_cannot_show() -> None:
    buffer = io.BytesIO()
    out = io.TextIOWrapper(buffer, encoding="ascii")
    StreamWriter(out, io.StringIO())("Schüßel … 🚀")
    assert buffer.getvalue() == b"Sch\\xfc\\xdfel \\u2026 \\U0001f680\n"


def test_the_processes_own_streams_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    write = StreamWriter()
    write("one")
    write("two", error=True)
    assert capsys.readouterr() == ("one\n", "two\n")


@pytest.mark.parametrize("how", [">&-", "2>&-", ">&- 2>&-"])
def test_streams_that_are_not_there_are_not_missed(tmp_path: Path, how: str) -> None:
    """As a scheduler starts a program whose words nobody wants; no file that is opened takes their place."""
    program = (
        "from headway.ui.writer import StreamWriter\n"
        "write = StreamWriter()\n"
        "write('data')\n"
        "write('words', error=True)\n"
        f"file = open({str(tmp_path / 'file')!r}, 'w')\n"
        "print('more', file.fileno() > 2, flush=True)\n"
        "import subprocess, sys; sys.exit(subprocess.call(['sh', '-c', 'echo child; echo child >&2']))\n"
    )
    done = subprocess.run(
        ["sh", "-c", f'"$0" -c "$1" {how}', sys.executable, program],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ("" if how.startswith(">") else "data\nmore True\nchild\n")
    assert done.stderr == ("" if "2>" in how else "words\nchild\n")
    assert (tmp_path / "file").read_text() == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("error", [False, True])
def test_what_was_lost_of_standard_output_is_known(error: bool) -> None:
    with Path("/dev/full").open("w") as full:
        write = StreamWriter(io.StringIO() if error else full, full if error else io.StringIO())
        write("some", error=error)
        assert write.lost is not error


def test_what_a_reader_left_unread_is_not_lost() -> None:
    out = pipe_without_reader()
    write = StreamWriter(out, io.StringIO())
    write("some")
    out.close()
    assert not write.lost
