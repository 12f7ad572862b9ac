"""What an attempt prints, line by line, stamped where it is read and kept within a limit."""

from time import time
from typing import Callable, Dict, List, NamedTuple

from headway.store.logs import RUNTIME, TASK, encode_line

#: A line longer than this is cut into several, so that a progress bar without line ends is seen too.
LONGEST_LINE = 64 * 1024

TRUNCATED = "[The log is cut here: it reached the limit of {limit} MB (--max-log-size).]"


class StampedLine(NamedTuple):
    """One line as read: the stream, seconds since the epoch, the bytes without their line end."""

    stream: str
    time: float
    text: bytes


class Logbook:
    """Collects the lines of both streams of one attempt.

    Args:
        limit: Bytes kept per stream; what comes after is counted but not kept.
        clock: Seconds since the epoch.
    """

    def __init__(self, limit: int = 10 * 1000 * 1000, clock: Callable[[], float] = time) -> None:
        self._limit = limit
        self._clock = clock
        self._partial: Dict[str, bytes] = {}
        self._kept: Dict[str, List[bytes]] = {}
        self._bytes: Dict[str, int] = {}
        self.lines: Dict[str, int] = {}

    def feed(self, stream: str, data: bytes) -> List[StampedLine]:
        """Take what was read from a stream; returns the lines that are whole now."""
        pieces = (self._partial.pop(stream, b"") + data).split(b"\n")
        rest = pieces.pop()
        if len(rest) > LONGEST_LINE:
            pieces.append(rest)
            rest = b""
        if rest:
            self._partial[stream] = rest
        return self._take(stream, pieces)

    def finish(self) -> List[StampedLine]:
        """The unfinished last lines, once the streams have ended."""
        lines: List[StampedLine] = []
        for stream, rest in list(self._partial.items()):
            lines += self._take(stream, [rest])
        self._partial.clear()
        return lines

    def note(self, text: str, stream: str = "stderr") -> List[StampedLine]:
        """A line of our own in the person's log."""
        return self._take(stream, [text.encode()], source=RUNTIME)

    def content(self, stream: str) -> bytes:
        """Everything kept of a stream, as it is stored."""
        return b"".join(self._kept.get(stream, ()))

    def _take(self, stream: str, texts: List[bytes], source: str = TASK) -> List[StampedLine]:
        now = self._clock()
        out: List[StampedLine] = []
        for whole in texts:
            text = whole
            if self._bytes.get(stream, 0) > self._limit:
                continue
            encoded = encode_line(text, int(now * 1000), source)
            self._bytes[stream] = self._bytes.get(stream, 0) + len(encoded)
            if self._bytes[stream] > self._limit:
                text = TRUNCATED.format(limit=self._limit // 1_000_000).encode()
                encoded = encode_line(text, int(now * 1000), RUNTIME)
            self._kept.setdefault(stream, []).append(encoded)
            self.lines[stream] = self.lines.get(stream, 0) + 1
            out.append(StampedLine(stream, now, text))
        return out
