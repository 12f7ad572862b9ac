"""What containers wrote, in files, a stamp on every line."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from headway.localcluster.objects.meta import parse_timestamp

_CHUNK = 1 << 16
_MAX_LINE = 16 * 1024
_STAMP_LENGTH = 30


@dataclass(frozen=True)
class LogOptions:
    """What of a log to show.

    Attributes:
        follow: Go on until the container ends.
        timestamps: Begin each line with its time.
        tail: Only the last so many lines; None for all.
        since: Only lines from this epoch second on.
        limit: At most so many bytes; None for all.
    """

    follow: bool = False
    timestamps: bool = False
    tail: int | None = None
    since: float = 0.0
    limit: int | None = None


class ContainerLog:
    """The log of one start of a container: `<time> <line>` in a file.

    Args:
        path: The file; created here.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)
        self._partial: dict[int, bytes] = {}
        self._open: set[int] = set()
        self._grew = asyncio.Event()
        self.ended = asyncio.Event()

    def pipe(self) -> int:
        """A descriptor whose bytes become lines of this log; the caller closes it."""
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        self._open.add(reading)
        asyncio.get_running_loop().add_reader(reading, self._read, reading)
        return writing

    async def close(self) -> None:
        """Take what is still in the pipes and end the log."""
        for reading in tuple(self._open):
            self._read(reading)
        for reading in tuple(self._open):
            self._finish(reading)
        self._file.close()
        self.ended.set()
        self._wake()

    def _read(self, reading: int) -> None:
        try:
            data = os.read(reading, _CHUNK)
        except BlockingIOError:
            return
        if not data:
            self._finish(reading)
            return
        *lines, rest = (self._partial.pop(reading, b"") + data).split(b"\n")
        if len(rest) > _MAX_LINE:
            lines.append(rest)
            rest = b""
        self._partial[reading] = rest
        self._write(lines)

    def _finish(self, reading: int) -> None:
        if reading not in self._open:
            return
        self._open.discard(reading)
        asyncio.get_running_loop().remove_reader(reading)
        os.close(reading)
        if rest := self._partial.pop(reading, b""):
            self._write([rest])

    def _write(self, lines: list[bytes]) -> None:
        if not lines:
            return
        stamp = _stamp()
        self._file.write(b"".join(stamp + line + b"\n" for line in lines))
        self._wake()

    def _wake(self) -> None:
        self._grew.set()
        self._grew = asyncio.Event()

    async def read(self, options: LogOptions) -> AsyncIterator[bytes]:
        """The lines asked for, in pieces."""
        sent = 0
        with self.path.open("rb") as file:
            if options.tail is not None:
                _seek_tail(file.fileno(), options.tail)
                file.seek(0, os.SEEK_CUR)
            rest = b""
            while True:
                grew, ended = self._grew, self.ended.is_set()
                data = file.read(_CHUNK)
                if data:
                    *lines, rest = (rest + data).split(b"\n")
                    piece = b"".join(_shown(lines, options))
                    if options.limit is not None:
                        piece = piece[: options.limit - sent]
                    sent += len(piece)
                    if piece:
                        yield piece
                    if options.limit is not None and sent >= options.limit:
                        return
                elif ended or not options.follow:
                    return
                else:
                    await grew.wait()

    def last_bytes(self, count: int) -> str:
        """The end of the log without its stamps, for a termination message."""
        lines = self.path.read_bytes().split(b"\n")[-80:]
        text = b"\n".join(line[_STAMP_LENGTH + 1 :] for line in lines)
        return text[-count:].decode(errors="replace")


def _stamp() -> bytes:
    nanoseconds = time.time_ns()
    head = datetime.fromtimestamp(nanoseconds // 10**9, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{head}.{nanoseconds % 10**9:09d}Z ".encode()


def _shown(lines: list[bytes], options: LogOptions) -> list[bytes]:
    shown = []
    for line in lines:
        if options.since and parse_timestamp(line[:_STAMP_LENGTH].decode()) < options.since:
            continue
        shown.append((line if options.timestamps else line[_STAMP_LENGTH + 1 :]) + b"\n")
    return shown


def _seek_tail(descriptor: int, count: int) -> None:
    """Place a file at the beginning of its last `count` lines."""
    place = os.fstat(descriptor).st_size
    missing = count + 1
    while place > 0 and missing > 0:
        size = min(_CHUNK, place)
        block = os.pread(descriptor, size, place - size)
        for i in range(size - 1, -1, -1):
            if block[i] == 10:
                missing -= 1
                if missing == 0:
                    os.lseek(descriptor, place - size + i + 1, os.SEEK_SET)
                    return
        place -= size
    os.lseek(descriptor, 0, os.SEEK_SET)


class LogBook:
    """The logs of all containers of all pods on this machine.

    Args:
        folder: Where the files are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._logs: dict[tuple[str, str], list[ContainerLog]] = {}

    def begin(self, uid: str, container: str) -> ContainerLog:
        """A log for a new start of a container."""
        logs = self._logs.setdefault((uid, container), [])
        log = ContainerLog(self._folder / uid / f"{container}-{len(logs)}.log")
        logs.append(log)
        return log

    def find(self, uid: str, container: str, *, previous: bool = False) -> ContainerLog | None:
        """The log of a container's latest start, or of the one before."""
        logs = self._logs.get((uid, container), [])
        place = len(logs) - (2 if previous else 1)
        return logs[place] if place >= 0 else None

    def forget(self, uid: str) -> None:
        """Drop the logs of a pod that is gone."""
        for key in [key for key in self._logs if key[0] == uid]:
            del self._logs[key]
        shutil.rmtree(self._folder / uid, ignore_errors=True)
