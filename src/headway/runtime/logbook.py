"""What an attempt prints, line by line, stamped where it is read and kept within a limit."""

from time import time
from typing import Callable, Dict, Iterable, List, NamedTuple, Set

from headway.store.logs import RUNTIME, TASK, encode_line

#: Of a longer line the pieces are given away as they come, so that a progress bar without line ends is seen too.
LONGEST_LINE = 64 * 1024

TRUNCATED = "[The log is cut here: it reached the limit of {limit} MB (--max-log-size).]"


class StampedLine(NamedTuple):
    """One line as read, or a piece of one.

    Attributes:
        stream: "stdout" or "stderr".
        time: Seconds since the epoch.
        text: The bytes without their line end.
        source: Who wrote it: the step or we.
        continues: Whether it goes on where the last one ended, because that was only a piece.
    """

    stream: str
    time: float
    text: bytes
    source: str = TASK
    continues: bool = False

    def encode(self) -> bytes:
        """As it is stored."""
        return encode_line(self.text, int(self.time * 1000), self.source, self.continues)


def by_stream(lines: Iterable[StampedLine]) -> Dict[str, bytes]:
    """The lines as they are stored; joined once, for there may be very many."""
    pieces: Dict[str, List[bytes]] = {}
    for line in lines:
        pieces.setdefault(line.stream, []).append(line.encode())
    return {stream: b"".join(encoded) for stream, encoded in pieces.items()}


class Logbook:
    """Collects the lines of both streams of one attempt.

    Args:
        limit: Bytes kept per stream; what comes after is dropped.
        clock: Seconds since the epoch.

    Attributes:
        lines: By stream, how many lines are given away, whatever the number of their pieces.
    """

    def __init__(self, limit: int = 10 * 1000 * 1000, clock: Callable[[], float] = time) -> None:
        self._limit = limit
        self._clock = clock
        self._partial: Dict[str, bytes] = {}
        self._kept: Dict[str, List[bytes]] = {}
        self._bytes: Dict[str, int] = {}
        # Streams whose last line was given away before its end.
        self._cut: Set[str] = set()
        self.lines: Dict[str, int] = {}

    def feed(self, stream: str, data: bytes) -> List[StampedLine]:
        """Take what was read from a stream; returns the lines that are whole now."""
        pieces = (self._partial.pop(stream, b"") + data).split(b"\n")
        rest = pieces.pop()
        lines = self._take(stream, pieces)
        if len(rest) > LONGEST_LINE:
            lines += self._take(stream, [rest])
            self._cut.add(stream)
        elif rest:
            self._partial[stream] = rest
        return lines

    def finish(self) -> List[StampedLine]:
        """The unfinished last lines, once the streams have ended."""
        lines: List[StampedLine] = []
        for stream, rest in list(self._partial.items()):
            lines += self._take(stream, [rest])
        self._partial.clear()
        return lines

    def note(self, text: str, stream: str = "stderr") -> None:
        """A line of our own in the person's log as it is stored; nobody is shown it while the attempt runs."""
        if self._bytes.get(stream, 0) <= self._limit:
            line = StampedLine(stream, self._clock(), text.encode(), RUNTIME)
            self._kept.setdefault(stream, []).append(line.encode())

    def content(self, stream: str) -> bytes:
        """Everything kept of a stream, as it is stored."""
        return b"".join(self._kept.get(stream, ()))

    def _take(self, stream: str, texts: List[bytes], source: str = TASK) -> List[StampedLine]:
        now = self._clock()
        out: List[StampedLine] = []
        for text in texts:
            line = StampedLine(stream, now, text, source, source == TASK and stream in self._cut)
            if line.continues:
                self._cut.discard(stream)
            if self._bytes.get(stream, 0) > self._limit or (line.continues and not text):
                continue
            encoded = line.encode()
            self._bytes[stream] = self._bytes.get(stream, 0) + len(encoded)
            if self._bytes[stream] > self._limit:
                words = TRUNCATED.format(limit=self._limit // 1_000_000).encode()
                line = StampedLine(stream, now, words, RUNTIME)
                encoded = line.encode()
            self._kept.setdefault(stream, []).append(encoded)
            self.lines[stream] = self.lines.get(stream, 0) + (not line.continues)
            out.append(line)
        return out
