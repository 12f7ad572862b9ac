"""The log of an attempt: as stored once it is over, before that what it has sent so far."""

from typing import List

from headway.client.run_data import RunData
from headway.errors import KeyNotFoundError
from headway.store import layout
from headway.store.logs import LogLine, parse_lines, reported_log
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
        return parse_lines(reported_log(run.store, run.flow, run.run, ref).get(stream, b""), stream)
