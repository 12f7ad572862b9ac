"""The log of an attempt: as stored once it is over, before that what it has sent so far."""

import time
from typing import Iterable, List, Optional, Tuple

from headway.client.lookup import find_run, read_run
from headway.client.run_data import RunData
from headway.errors import KeyNotFoundError
from headway.store import layout
from headway.store.logs import (
    LOG,
    RUNTIME,
    LogLine,
    decode_chunk,
    encode_chunk,
    encode_line,
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
        if parsed is None or parsed.ref != ref or parsed.kind != LOG:
            continue
        sent = decode_chunk(run.store.get(info.key))
        run.store.put(info.key, encode_chunk({name: data for name, data in sent.items() if name not in gone}))
