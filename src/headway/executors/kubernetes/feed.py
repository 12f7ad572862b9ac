"""Hears what pods report through the datastore: log lines and the news that a record is there.

One listing answers for all pods of the run, whatever their number: feed keys begin with the time,
so only what came about the time of the last look or after it is listed (see ``feed_window``). A pod
whose clock is behind by more than the window is heard of all the same, later: by the pod watch, and
its log from the stored one. One whose clock is ahead is heard at once, and costs longer listings.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from headway.errors import KeyNotFoundError
from headway.executors.kubernetes.feed_window import MANY, FeedWindow
from headway.store import layout
from headway.store.base import ObjectStore
from headway.store.logs import (
    END,
    NOTE,
    FeedKey,
    LogLine,
    decode_chunk,
    decode_note,
    merge_lines,
    parse_feed_key,
    parse_lines,
)
from headway.store.records import AttemptRef


@dataclass(frozen=True, slots=True)
class Report:
    """One feed object.

    Attributes:
        ref: Who reports.
        sequence: Its number among the attempt's reports.
        ended: Whether it says that the attempt's record is in place.
        lines: The lines in it, by time.
        record: Its record, where a warm pod told it; b"" elsewhere.
        begun: Whether a warm pod says that it runs.
    """

    ref: AttemptRef
    sequence: int
    ended: bool
    lines: tuple[LogLine, ...]
    record: bytes = b""
    begun: bool = False


class FeedReader:
    """Reads a run's feed from where it was left.

    Args:
        store: The datastore.
        flow: The flow's name.
        run: The run's id.
        begin_ms: Milliseconds since the epoch before which nothing is of interest.
        clock: Seconds since the epoch.
        many: Keys beyond which most looks do not go over the whole window.
    """

    def __init__(
        self,
        store: ObjectStore,
        flow: str,
        run: str,
        begin_ms: int,
        clock: Callable[[], float] = time.time,
        many: int = MANY,
    ) -> None:
        self._store = store
        self._clock = clock
        self._prefix = layout.feed(flow, run)
        self._many = many
        self._window = FeedWindow(begin_ms, many)
        self._seen: dict[str, int] = {}

    def rewind(self) -> None:
        """Begin with what was reported first."""
        self._window = FeedWindow(0, self._many)

    def poll(
        self, readers: ThreadPoolExecutor, wanted: Callable[[AttemptRef], object] = bool
    ) -> list[Report]:
        """What is new since the last call, in the order in which it was reported; blocking.

        Args:
            readers: Read the reports.
            wanted: Whether anybody waits for what an attempt reports; other reports are passed over.
        """
        now, listed = self._clock(), 0
        after = f"{self._prefix}{self._window.begin(now):013d}"
        fresh: list[tuple[str, FeedKey]] = []
        for info in self._store.list(self._prefix, after=after):
            listed += 1
            # Nearly all are known where there are many.
            if info.key in self._seen or (parsed := parse_feed_key(info.key)) is None:
                continue
            if wanted(parsed.ref) or parsed.kind == NOTE:
                fresh.append((info.key, parsed))
            else:
                self._seen[info.key] = parsed.ms
        # Of what was written in one millisecond the keys' own order is not that of the numbers.
        fresh.sort(key=lambda item: (item[1].ms, item[1].seq))
        keys = [key for key, _ in fresh]
        contents = list(readers.map(self._read, keys) if len(keys) > 1 else map(self._read, keys))
        # Only now, so that what could not be read is new again the next time.
        self._seen.update((key, parsed.ms) for key, parsed in fresh)
        if self._window.end(now, listed, (parsed.ms for _, parsed in fresh)):
            self._forget()
        return [
            report
            for (_, parsed), payload in zip(fresh, contents, strict=True)
            for report in reports(parsed, payload)
        ]

    def clear(self) -> None:
        """Delete what was reported: every log is stored whole by now. Blocking."""
        self._store.delete([info.key for info in self._store.list(self._prefix)])

    def _read(self, key: str) -> bytes:
        try:
            return self._store.get(key)
        except KeyNotFoundError:
            return b""

    def _forget(self) -> None:
        """Keep only keys that another listing could still show."""
        if len(self._seen) > 4096:
            floor = self._window.floor
            self._seen = {key: ms for key, ms in self._seen.items() if ms >= floor}


def reports(key: FeedKey, payload: bytes) -> list[Report]:
    """What a feed object says: of the attempt in its key, or in a note of several."""
    if key.kind != NOTE:
        return [Report(key.ref, key.seq, key.kind == END, _lines(decode_chunk(payload)))]
    return [
        Report(each.ref, key.seq, bool(each.record), _lines(each.lines), each.record, each.begun)
        for each in decode_note(payload)
    ]


def _lines(streams: Mapping[str, bytes]) -> tuple[LogLine, ...]:
    """Lines of both streams by time."""
    return tuple(merge_lines(*(parse_lines(data, stream) for stream, data in streams.items())))


def next_pause(youngest: float | None, took: float = 0.0) -> float:
    """Seconds until the next look: often while something young runs, as it may end any moment.

    Args:
        youngest: Seconds for which the youngest pod has been on its node; None where none is.
        took: Seconds that the last look took: where there is much to see, a fifth of the time is for looking.
    """
    if youngest is None:
        return 1.0
    return min(0.5, max(0.04, youngest / 20, 4 * took))


def texts(lines: Iterable[LogLine]) -> tuple[tuple[str, float, str], ...]:
    """(stream, seconds since the epoch, text) of each line, for people."""
    return tuple((line.stream, line.ms / 1000, line.text) for line in lines)
