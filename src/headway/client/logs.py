"""The log of an attempt: as stored once it is over, before that what it has sent so far."""

import time
from typing import Container, Dict, Iterable, List, Mapping, Optional, Tuple

from headway.client.lookup import find_run, read_run
from headway.client.run_data import RunData
from headway.errors import KeyNotFoundError
from headway.store import layout
from headway.store.logs import (
    END,
    LOG,
    NOTE,
    RUNTIME,
    LogLine,
    decode_chunk,
    decode_note,
    encode_chunk,
    encode_line,
    encode_note,
    parse_feed_key,
    parse_lines,
    reported_log,
)
from headway.store.records import AttemptRef

STDOUT, STDERR = "stdout", "stderr"


def log_lines(run: RunData, ref: AttemptRef, stream: str) -> List[LogLine]:
    """The lines of one stream of an attempt, in the order in which they were written.

    Of an attempt that still runs only those are there that its pod has sent; a local attempt's
    log is stored when it ends. The log of one that was taken over is the one of its origin.
    """
    try:
        return parse_lines(run.store.get(layout.log(run.flow, run.run, *ref, stream)), stream)
    except KeyNotFoundError:
        origin = _origin(run, ref)
        if origin is not None:
            return log_lines(*origin, stream)
        # Also of one that ended: whoever wrote its record may have been unable to store the log.
        return parse_lines(reported_log(run.store, run.flow, run.run, ref).get(stream, b""), stream)


def _origin(run: RunData, ref: AttemptRef) -> Optional[Tuple[RunData, AttemptRef]]:
    """The attempt whose result this one took over, None where it was run, or where that run is gone."""
    record = run.record_of(ref)
    facts = record.metadata if record is not None else {}
    if "origin-run-id" not in facts or "origin-task-id" not in facts:
        return None
    # It is mostly in the same datastore, and else where runs are looked for.
    found = read_run(run.root, run.flow, facts["origin-run-id"]) or find_run(run.flow, facts["origin-run-id"])
    if found is None:
        return None
    return found, AttemptRef(ref.step, facts["origin-task-id"], int(facts.get("origin-attempt", "0")))


def scrub_log(run: RunData, ref: AttemptRef, streams: Iterable[str]) -> None:
    """Put a line that says so in the place of what an attempt printed, and take it out of what it has sent."""
    gone = list(streams)
    for stream in gone:
        line = encode_line(b"[scrubbed]", int(time.time() * 1000), RUNTIME)
        run.store.put(layout.log(run.flow, run.run, *ref, stream), line)
    for info in run.store.list(layout.feed(run.flow, run.run)):
        parsed = parse_feed_key(info.key)
        if parsed is None or (parsed.ref != ref and parsed.kind != NOTE):
            continue
        sent = run.store.get(info.key)
        left = _without(sent, parsed.kind, ref, gone)
        if left != sent:
            run.store.put(info.key, left)


def _without(sent: bytes, kind: str, ref: AttemptRef, gone: Container[str]) -> bytes:
    """A feed object without an attempt's lines of these streams; all else that it says stays."""

    def rest(streams: Mapping[str, bytes]) -> Dict[str, bytes]:
        return {name: data for name, data in streams.items() if name not in gone}

    if kind in (LOG, END):
        return encode_chunk(rest(decode_chunk(sent)))
    if kind != NOTE:
        return sent
    sections = decode_note(sent)
    if all(section.ref != ref for section in sections):
        return sent
    return encode_note(
        section._replace(lines=rest(section.lines)) if section.ref == ref else section for section in sections
    )
