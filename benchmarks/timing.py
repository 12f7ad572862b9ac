"""Runs whole processes and says what they took: time, processor time, memory."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

#: Seconds that a process has to clean up after itself once it is told to stop.
_FAREWELL = 30.0
_STARTED = str(Path(__file__).with_name("started.py"))


class BenchmarkError(Exception):
    """A contender failed; its figures would mean nothing."""


@dataclass(frozen=True)
class Ran:
    """A process that ended well.

    Attributes:
        seconds: From its start to its end.
        cpu: Seconds of processor time, its children's included.
        peak: The most bytes that one process of the tree held; at least those of what started it, about 10 MB.
        stdout: What it printed.
    """

    seconds: float
    cpu: float
    peak: int
    stdout: str

    @property
    def measures(self) -> dict[str, float]:
        """The three figures by name."""
        return {"seconds": self.seconds, "cpu": self.cpu, "peak": float(self.peak)}


def _environment() -> dict[str, str]:
    """This process's, with compiled modules kept, as they are for everybody: else each start compiles them all."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def process(command: Sequence[str], cwd: Path, env: Mapping[str, str], limit: float) -> Ran:
    """Run a command to its end.

    Args:
        command: Its words.
        cwd: Where.
        env: Variables beyond those of this process.
        limit: Seconds after which it is stopped, first with SIGINT so that it can clean up.

    Raises:
        BenchmarkError: It failed or took too long; with the end of what it printed.
    """
    with (
        tempfile.TemporaryFile("w+") as out,
        tempfile.TemporaryFile("w+") as err,
        tempfile.TemporaryFile("w+") as took,
    ):
        child = subprocess.Popen(
            [sys.executable, "-I", "-S", _STARTED, str(took.fileno()), *command],
            cwd=cwd,
            env={**_environment(), **env},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            pass_fds=(took.fileno(),),
            start_new_session=True,
        )
        late = threading.Event()
        timer = threading.Timer(limit, lambda: (late.set(), stop_group(child.pid)))
        timer.start()
        try:
            child.wait()
        except KeyboardInterrupt:
            stop_group(child.pid)
            child.wait()
            raise
        finally:
            timer.cancel()
        for file in (out, err, took):
            file.seek(0)
        said, figures = out.read(), took.read().split()
        code = int(figures[3]) if figures else child.returncode
        if code:
            why = f"stopped after {limit:.0f} s" if late.is_set() else f"exit code {code}"
            raise BenchmarkError(f"{why}: {' '.join(command[1:])}\n{said[-1500:]}\n{err.read()[-3000:]}")
        return Ran(float(figures[0]), float(figures[1]), int(figures[2]), said)


def stop_group(pid: int) -> None:
    """SIGINT for the leader of a group of its own, and SIGKILL for all of it where that is not heard."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGINT)
    threading.Thread(target=_kill_later, args=(pid,), daemon=True).start()


def _kill_later(pid: int) -> None:
    end = time.monotonic() + _FAREWELL
    while time.monotonic() < end:
        if not Path(f"/proc/{pid}").exists():
            return
        time.sleep(0.2)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
