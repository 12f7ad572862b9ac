"""A flow started from the command line, as a person starts it: its lines with the moment they were seen."""

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO

_RUN = re.compile(r"^Run (\d+) of \w+ starts", re.MULTILINE)

#: Seconds after which a flow that has not ended is a failure of the test.
PATIENCE = 300.0


@dataclass(frozen=True)
class Line:
    """A line that the launcher printed: when it was read (seconds since the epoch), on which stream."""

    seen: float
    stream: str
    text: str


@dataclass(frozen=True)
class Result:
    """How a launcher ended.

    Attributes:
        returncode: Its exit code, negative for a signal.
        lines: Everything it printed, in the order it was read.
        seconds: From start to exit.
    """

    returncode: int
    lines: tuple[Line, ...]
    seconds: float

    @cached_property
    def stdout(self) -> str:
        return self._text("stdout")

    @cached_property
    def stderr(self) -> str:
        return self._text("stderr")

    @cached_property
    def all(self) -> str:
        """Both streams, for assertion messages."""
        return f"{shown(self.lines)}exit {self.returncode} after {self.seconds:.1f} s"

    @cached_property
    def run_id(self) -> str:
        """The id of the run that it announced."""
        found = _RUN.search(self.stderr)
        assert found, f"no run was started:\n{self.all}"
        return found.group(1)

    def about(self, name: str) -> list[str]:
        """The lines behind ``[name]``, without that prefix, stdout and stderr."""
        prefix = f"[{name}] "
        return [line.text.removeprefix(prefix) for line in self.lines if line.text.startswith(prefix)]

    def _text(self, stream: str) -> str:
        return "".join(line.text + "\n" for line in self.lines if line.stream == stream)


class Launch:
    """A launcher that runs.

    It leads a process group of its own, and Ctrl-C goes to the whole group, as a terminal sends it.

    Args:
        command: What to start.
        cwd: Where.
        environ: With which variables, and no others.
    """

    def __init__(self, command: Sequence[str], cwd: Path, environ: Mapping[str, str]) -> None:
        self._begun = self._ended = time.monotonic()
        self._process = subprocess.Popen(
            command,
            cwd=cwd,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._lines: list[Line] = []
        self._changed = threading.Condition()
        self._readers = [
            threading.Thread(target=self._read, args=(name, stream), daemon=True)
            for name, stream in (("stdout", self._process.stdout), ("stderr", self._process.stderr))
        ]
        for reader in self._readers:
            reader.start()

    def wait(self, seconds: float = PATIENCE) -> Result:
        """Until it has ended and all it printed is read."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"not over after {seconds:g} s:\n{shown(self._lines)}") from None
        for reader in self._readers:
            reader.join(60)
        return Result(code, tuple(self._lines), self._ended - self._begun)

    def until(self, pattern: str, seconds: float = 150.0) -> re.Match[str]:
        """Wait for a line in which the pattern is found; the match."""
        wanted = re.compile(pattern)
        deadline = time.monotonic() + seconds
        looked = 0
        with self._changed:
            while True:
                for line in self._lines[looked:]:
                    if match := wanted.search(line.text):
                        return match
                looked = len(self._lines)
                ended = self._process.poll() is not None and not any(r.is_alive() for r in self._readers)
                assert not ended, f"over before {pattern!r} was seen:\n{shown(self._lines)}"
                left = deadline - time.monotonic()
                assert left > 0, f"no {pattern!r} within {seconds:g} s:\n{shown(self._lines)}"
                self._changed.wait(min(left, 0.5))

    def interrupt(self) -> None:
        """Ctrl-C."""
        self._signal(signal.SIGINT)

    def kill(self) -> None:
        """SIGKILL to the launcher and whatever it started on this machine."""
        self._signal(signal.SIGKILL)

    @property
    def pid(self) -> int:
        """The launcher's process, which leads its group."""
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def _signal(self, number: int) -> None:
        if self.running:
            os.killpg(self._process.pid, number)

    def _read(self, name: str, stream: IO[str]) -> None:
        with stream:
            for text in stream:
                with self._changed:
                    self._lines.append(Line(time.time(), name, text.rstrip("\n")))
                    self._changed.notify_all()
        with self._changed:
            # Both streams end when the process does: nothing else holds them.
            self._ended = time.monotonic()
            self._changed.notify_all()


def shown(lines: Sequence[Line]) -> str:
    """Lines as they came, with the seconds since the first of them, for people."""
    return "".join(f"{line.seen - lines[0].seen:5.1f} {line.stream[3:]}: {line.text}\n" for line in lines)
