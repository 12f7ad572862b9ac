"""Log lines, stamped where they are written, and the small objects that carry them while a task runs.

A stored line is ``2026-11-22T08:41:25.123Z task text``: time (UTC, milliseconds), source, text, newline.
The source is ``task`` or ``runtime``; with a ``+`` (``task+``) the text goes on where the line before
ended, because it was too long for one. The text is what was written, byte for byte. What bears no stamp
is garbage or torn, and is still given, as text, with the time of the line before.
"""

import json
import time
from functools import lru_cache
from typing import Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from headway.store import layout
from headway.store.base import ObjectStore
from headway.store.records import AttemptRef

#: Who wrote a line: the user's code, or Headway.
TASK, RUNTIME = "task", "runtime"

#: A longer line is stored in several pieces.
MAX_TEXT = 64 << 10

#: Kinds of feed objects: lines of a running attempt, the notice that its record is there, and what a
#: warm pod reports of all its attempts at once.
LOG, END, NOTE = "log", "end", "note"

_STAMP = 24
#: The ordinal of 1970-01-01.
_EPOCH = 719163
_TAGS = {
    b"task": (TASK, False),
    b"task+": (TASK, True),
    b"runtime": (RUNTIME, False),
    b"runtime+": (RUNTIME, True),
}


class LogLine(NamedTuple):
    """A line of a log.

    Attributes:
        ms: When it was written, milliseconds since the epoch.
        source: "task" or "runtime".
        text: Without the newline; bytes that are no UTF-8 are replaced.
        stream: "stdout" or "stderr".
        continues: Whether it goes on where an earlier line ended whose text is not in this data.
    """

    ms: int
    source: str
    text: str
    stream: str = "stdout"
    continues: bool = False


class FeedKey(NamedTuple):
    """What the key of a feed object says.

    Attributes:
        ms: When it was written, by its writer's clock, milliseconds since the epoch.
        ref: The attempt that wrote it.
        seq: Numbers the attempt's feed objects, from 0.
        kind: "log" or "end"; others are of later versions and to be left alone.
    """

    ms: int
    ref: AttemptRef
    seq: int
    kind: str


def encode_line(text: bytes, ms: int, source: str = TASK, continues: bool = False) -> bytes:
    """The stored form of a line (or of several, where the text holds newlines).

    Args:
        text: What was written; one newline at its end is not part of it.
        ms: When, milliseconds since the epoch.
        source: "task" or "runtime".
        continues: Whether the text goes on where the last one ended, because that had no newline.
    """
    stamp = format_time(ms)
    first = b" %b " % source.encode()
    again = b" %b+ " % source.encode()
    pieces: List[bytes] = []
    for line in (text[:-1] if text.endswith(b"\n") else text).split(b"\n"):
        pieces += (stamp, again if continues else first, line[:MAX_TEXT], b"\n")
        for start in range(MAX_TEXT, len(line), MAX_TEXT):
            pieces += (stamp, again, line[start : start + MAX_TEXT], b"\n")
        continues = False
    return b"".join(pieces)


def parse_lines(data: bytes, stream: str = "stdout") -> List[LogLine]:
    """The lines in stored data, long ones put together again.

    Args:
        data: Any stored bytes, also a part of a log.
        stream: Which stream the data is of.
    """
    lines: List[LogLine] = []
    ms, source = 0, TASK
    for raw in data.split(b"\n"):
        fields = raw.split(b" ", 2)
        tag = _TAGS.get(fields[1]) if len(fields) == 3 else None
        when = _parse_time(fields[0]) if tag else None
        if tag is None or when is None:
            if raw:
                lines.append(LogLine(ms, source, raw.decode("utf-8", "replace"), stream))
            continue
        ms, (source, continues) = when, tag
        text = fields[2].decode("utf-8", "replace")
        if continues and lines and lines[-1].source == source:
            lines[-1] = lines[-1]._replace(text=lines[-1].text + text)
        else:
            lines.append(LogLine(ms, source, text, stream, continues))
    return lines


def merge_lines(*streams: Iterable[LogLine]) -> Iterator[LogLine]:
    """The lines of several streams by time, each stream's own order kept even where its clock went back."""
    numbered = (_monotonic(stream, number) for number, stream in enumerate(streams))
    import heapq  # for readers only

    for _, _, line in heapq.merge(*numbered, key=lambda item: item[:2]):
        yield line


def encode_chunk(streams: Mapping[str, bytes]) -> bytes:
    """The payload of a ``log`` feed object: stored lines of one or more streams.

    Each stream is a line ``<stream> <bytes>`` and then so many bytes of stored lines.
    """
    return b"".join(b"%b %d\n%b" % (name.encode(), len(lines), lines) for name, lines in streams.items())


def decode_chunk(payload: bytes) -> Dict[str, bytes]:
    """The stored lines in a payload, by stream; what is torn at its end is given as far as it goes."""
    streams: Dict[str, bytes] = {}
    while payload:
        head, _, payload = payload.partition(b"\n")
        name, _, count = head.partition(b" ")
        if not count.isdigit():
            break
        size = int(count)
        streams[name.decode("utf-8", "replace")] = payload[:size]
        payload = payload[size:]
    return streams


class Section(NamedTuple):
    """What a note says of one attempt.

    Attributes:
        ref: Which.
        lines: Stored lines by stream.
        record: Its encoded record, once that is in place and by the same hand; b"" before.
        begun: Whether it runs now.
    """

    ref: AttemptRef
    lines: Dict[str, bytes]
    record: bytes = b""
    begun: bool = False


def encode_note(sections: Iterable[Section]) -> bytes:
    """The payload of a ``note``: for each attempt a head in JSON, its lines as a chunk, its record."""
    parts: List[bytes] = []
    for section in sections:
        chunk = encode_chunk(section.lines)
        parts += (
            json.dumps([*section.ref, section.begun, len(chunk), len(section.record)]).encode(),
            b"\n",
            chunk,
            section.record,
        )
    return b"".join(parts)


def decode_note(payload: bytes) -> List[Section]:
    """The sections of a note, as far as it goes where it is torn."""
    sections: List[Section] = []
    position = 0
    while position < len(payload):
        end = payload.find(b"\n", position)
        try:
            step, task, attempt, begun, chunk, record = json.loads(payload[position:end])
        except ValueError:
            break
        lines, position = end + 1, end + 1 + chunk + record
        if end < 0 or position > len(payload):
            break
        sections.append(
            Section(
                AttemptRef(step, task, attempt),
                decode_chunk(payload[lines : lines + chunk]),
                payload[lines + chunk : position],
                begun,
            )
        )
    return sections


def feed_key(flow: str, run: str, ms: int, ref: AttemptRef, seq: int, kind: str) -> str:
    """The key of a feed object; keys of a run sort by time."""
    return f"{layout.feed(flow, run)}{ms:013d}.{ref.step}.{ref.task}.{ref.attempt}.{seq}.{kind}"


def parse_feed_key(key: str) -> Optional[FeedKey]:
    """What a feed object's key says, None if it is none."""
    fields = key.rpartition("/")[2].split(".")
    if len(fields) != 6 or not (fields[0].isdigit() and fields[3].isdigit() and fields[4].isdigit()):
        return None
    ms, step, task, attempt, seq, kind = fields
    return FeedKey(int(ms), AttemptRef(step, task, int(attempt)), int(seq), kind)


def reported_log(store: ObjectStore, flow: str, run: str, ref: AttemptRef) -> Dict[str, bytes]:
    """By stream, the stored lines that an attempt has sent so far: its log until the whole one is stored."""
    listed: List[Tuple[int, str]] = []
    for info in store.list(layout.feed(flow, run)):
        parsed = parse_feed_key(info.key)
        if parsed is not None and (parsed.ref == ref or parsed.kind == NOTE):
            listed.append((parsed.seq, info.key))
    sent: Dict[str, bytes] = {}
    for _, key in sorted(listed):
        payload = store.get(key)
        if key.endswith(NOTE):
            chunks = [section.lines for section in decode_note(payload) if section.ref == ref]
        else:
            chunks = [decode_chunk(payload)]
        for stream, lines in ((stream, lines) for chunk in chunks for stream, lines in chunk.items()):
            sent[stream] = sent.get(stream, b"") + lines
    return sent


def format_time(ms: int) -> bytes:
    """The stamp of a moment: ``2026-11-22T08:41:25.123Z``."""
    seconds, rest = divmod(ms, 1000)
    return b"%b.%03dZ" % (_format_second(seconds), rest)


@lru_cache(maxsize=64)
def _format_second(seconds: int) -> bytes:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)).encode()


@lru_cache(maxsize=256)
def _parse_second(text: bytes) -> Optional[int]:
    """Seconds since the epoch of ``2026-11-22T08:41:25``."""
    from datetime import date  # for readers only

    try:
        year, month, day = int(text[0:4]), int(text[5:7]), int(text[8:10])
        days = date(year, month, day).toordinal() - _EPOCH
        return days * 86400 + int(text[11:13]) * 3600 + int(text[14:16]) * 60 + int(text[17:19])
    except ValueError:
        return None


def _parse_time(stamp: bytes) -> Optional[int]:
    if len(stamp) != _STAMP or stamp[10:11] != b"T" or stamp[19:20] != b"." or not stamp[20:23].isdigit():
        return None
    seconds = _parse_second(stamp[:19])
    return None if seconds is None else seconds * 1000 + int(stamp[20:23])


def _monotonic(lines: Iterable[LogLine], number: int) -> Iterator[Tuple[int, int, LogLine]]:
    latest = 0
    for line in lines:
        latest = max(latest, line.ms)
        yield latest, number, line
