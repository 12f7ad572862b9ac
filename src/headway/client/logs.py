"""The log of an attempt: as stored once it is over, before that what it has sent so far."""

from typing import Dict, List, Tuple

from headway.client.run_data import RunData
from headway.errors import KeyNotFoundError
from headway.store import layout
from headway.store.logs import LogLine, decode_chunk, parse_feed_key, parse_lines
from headway.store.records import AttemptRef

STDOUT, STDERR = "stdout", "stderr"


def log_lines(run: RunData, ref: AttemptRef, stream: str) -> List[LogLine]:
    """The lines of one stream of an attempt, in the order in which they were written.

    Of an attempt that still runs only those are there that its pod has sent; a local attempt's
    log is stored when it ends.
    """
    try:
        return parse_lines(run.store.get(layout.log(run.flow, run.run, *ref, stream)), stream)
    except KeyNotFoundError:
        # Also of one that ended: whoever wrote its record may have been unable to store the log.
        return parse_lines(_sent(run, ref).get(stream, b""), stream)


def _sent(run: RunData, ref: AttemptRef) -> Dict[str, bytes]:
    """By stream, the stored lines that an attempt has sent while it ran."""
    listed: List[Tuple[int, str]] = []
    for info in run.store.list(layout.feed(run.flow, run.run)):
        parsed = parse_feed_key(info.key)
        if parsed is not None and parsed.ref == ref:
            listed.append((parsed.seq, info.key))
    sent: Dict[str, bytes] = {}
    for _, key in sorted(listed):
        for stream, lines in decode_chunk(run.store.get(key)).items():
            sent[stream] = sent.get(stream, b"") + lines
    return sent
