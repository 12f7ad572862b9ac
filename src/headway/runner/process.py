"""A process whose output is kept in files, so that it can be read at any time, as often as wanted."""

import asyncio
import codecs
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, TextIO

#: Seconds between two looks at a process and its output.
_PAUSE = 0.02
#: Seconds that a process has to end once it was asked to, before it is killed.
_GRACE = 30.0

Stream = Literal["stdout", "stderr"]
STREAMS: tuple[Stream, Stream] = ("stdout", "stderr")


class RunningProcess:
    """A command that runs or ran.

    Args:
        command: The program and its arguments.
        folder: Where its output is kept.
        cwd: The working directory.
        env: Its whole environment.

    Attributes:
        command: The program and its arguments.
        timed_out: Whether it was ended because it took too long.
    """

    def __init__(self, command: Sequence[str], folder: Path, cwd: str, env: Mapping[str, str]) -> None:
        self.command = list(command)
        self.timed_out = False
        self._folder = folder
        with self.file("stdout").open("wb") as out, self.file("stderr").open("wb") as err:
            # In a session of its own, so that Ctrl-C reaches it once, through `stop`, and not twice.
            self._popen = subprocess.Popen(
                self.command,
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its number."""
        return self._popen.pid

    @property
    def returncode(self) -> int | None:
        """Its exit code, None while it runs."""
        return self._popen.poll()

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        """The process itself."""
        return self._popen

    @property
    def log_files(self) -> dict[str, str]:
        """Where its output is, by stream."""
        return {stream: str(self.file(stream)) for stream in STREAMS}

    def file(self, stream: Stream) -> Path:
        """Where its output is."""
        return self._folder / f"{stream}.log"

    def output(self, stream: Stream) -> str:
        """What it printed so far."""
        try:
            return self.file(stream).read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:  # cleaned up
            return ""

    async def wait(self, timeout: float | None = None, show: Sequence[Stream] = ()) -> int:
        """Wait for its end.

        Args:
            timeout: Seconds after which it is asked to end, and killed if it does not.
            show: Streams that are meanwhile printed on those of this process.

        Returns:
            Its exit code.
        """
        shown = asyncio.gather(*(self._copy(stream, getattr(sys, stream)) for stream in show))
        try:
            await asyncio.wait_for(self._ended(), timeout)
        except asyncio.TimeoutError:
            self.timed_out = True
            await self.stop()
        except BaseException:
            shown.cancel()
            raise
        await shown
        return self._popen.wait()

    async def stop(self) -> None:
        """Ask it to end, as Ctrl-C would, and kill it where it does not."""
        if self.returncode is None:
            self._popen.terminate()
        try:
            await asyncio.wait_for(self._ended(), _GRACE)
        except asyncio.TimeoutError:
            self._popen.kill()

    async def lines(self, stream: Stream, position: int = 0) -> AsyncIterator[tuple[int, str]]:
        """The lines that it prints, as they come, until it has ended.

        Args:
            stream: "stdout" or "stderr".
            position: Where to begin, in bytes: what came with the last line read.

        Yields:
            Where the next line begins, and the line.
        """
        with self.file(stream).open("rb") as file:
            file.seek(position)
            rest = b""
            while True:
                # Asked first: what is read after the end is all there is.
                over = self.returncode is not None
                rest += file.read()
                *whole, rest = rest.split(b"\n")
                if over and rest:
                    whole.append(rest)
                    rest = b""
                for line in whole:
                    position += len(line) + 1
                    yield position, line.decode("utf-8", "replace")
                if over:
                    return
                await asyncio.sleep(_PAUSE)

    async def _copy(self, stream: Stream, target: TextIO) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        with self.file(stream).open("rb") as file:
            while True:
                over = self.returncode is not None
                if text := decoder.decode(file.read(), final=over):
                    target.write(text)
                    target.flush()
                if over:
                    return
                await asyncio.sleep(_PAUSE)

    async def _ended(self) -> None:
        while self.returncode is None:  # noqa: ASYNC110 - a process is no part of any event loop
            await asyncio.sleep(_PAUSE)
