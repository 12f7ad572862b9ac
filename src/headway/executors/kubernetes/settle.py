"""Finds out what became of an attempt whose pod is over, and makes that true if nobody has yet."""

import contextlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from headway.errors import KeyExistsError, KeyNotFoundError
from headway.executors.kubernetes.feed import texts
from headway.runtime.commit import commit, lost
from headway.store import layout
from headway.store.base import ObjectStore
from headway.store.batch import Batch, TaskSpec
from headway.store.logs import parse_lines, reported_log
from headway.store.records import OUT_OF_MEMORY, AttemptRef, Failure, Record
from headway.store.stored_batch import read_batch


@dataclass(frozen=True, slots=True)
class Beat:
    """The last sign of life of a pod.

    Attributes:
        at: When, by the pod's clock (seconds since the epoch).
        peak: The most memory that its container had held by then, in bytes; 0 where it is not known.
    """

    at: float
    peak: int


class Settler:
    """Reads records, and writes them in place of attempts that left none; blocking calls.

    Args:
        store: The datastore.
        clock: Seconds since the epoch.
    """

    def __init__(self, store: ObjectStore, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock

    def read(self, batch: Batch, ref: AttemptRef) -> Record | None:
        """The attempt's record, None where there is none yet."""
        try:
            return Record.decode(self._store.get(layout.record(batch.flow, batch.run, *ref)))
        except KeyNotFoundError:
            return None

    def batch(self, batch: Batch) -> Batch | None:
        """The batch of this name as it was stored for its pods, None where it was not."""
        return read_batch(self._store, batch.flow, batch.run, batch.name)

    def settle(
        self,
        batch: Batch,
        task: TaskSpec,
        failure: Failure,
        facts: Mapping[str, str],
        ended: float | None = None,
        *,
        began: float | None = None,
        keep_log: bool = True,
    ) -> Record:
        """The attempt's record; where it left none, it is lost from now on, whatever it still does.

        Args:
            batch: The batch the attempt belongs to.
            task: Which of its tasks.
            failure: Why, where it left no record.
            facts: What is known of its pod.
            ended: When it ended (seconds since the epoch), None where nobody knows.
            began: When it began to run, likewise.
            keep_log: Whether it may have reported lines.
        """
        ref = AttemptRef(batch.step, task.task, task.attempt)
        record = self.read(batch, ref)
        if record is not None:
            return record
        lines = self._keep_log(batch, ref) if keep_log else {}
        if failure.reason == OUT_OF_MEMORY:
            failure = self._with_peak(batch, ref, failure, ended)
        when = self._clock() if ended is None else ended
        verdict = lost(batch, task, failure, dict(facts), when)._replace(log_lines=lines)
        if began is not None:
            verdict = verdict._replace(started=min(began, when))
        return commit(self._store, batch.flow, batch.run, verdict)

    def explain(self, batch: Batch, record: Record) -> None:
        """Keep a better reason for an attempt's failure than its pod could know; all else of the record stands."""
        self._store.put(layout.record(batch.flow, batch.run, *record.ref), record.encode())

    def beat(self, batch: Batch, ref: AttemptRef) -> Beat | None:
        """When the attempt's pod was last alive, None where it never said."""
        try:
            said = json.loads(self._store.get(layout.heart(batch.flow, batch.run, *ref)))
            return Beat(float(said["at"]), int(said.get("peak", 0)))
        except (KeyNotFoundError, ValueError, KeyError, TypeError):
            return None

    def forget_beats(self, flow: str, run: str) -> None:
        """Delete what pods said of being alive: all of them have ended."""
        self._store.delete([info.key for info in self._store.list(layout.hearts(flow, run))])

    def _with_peak(self, batch: Batch, ref: AttemptRef, failure: Failure, ended: float | None) -> Failure:
        """The kernel took the whole container, but what it held was told before."""
        beat = self.beat(batch, ref)
        if beat is None or not beat.peak:
            return failure
        # Both are told by the node's own clock.
        when = f" {max(0, ended - beat.at):.0f} seconds" if ended is not None else ""
        held = f"It had held up to {beat.peak // 1_000_000} MB{when} before."
        return failure._replace(message=f"{failure.message} {held}")

    def log_after(
        self, batch: Batch, ref: AttemptRef, stream: str, shown: int
    ) -> tuple[tuple[str, float, str], ...]:
        """The lines of a finished attempt's log from the given one on."""
        try:
            data = self._store.get(layout.log(batch.flow, batch.run, *ref, stream))
        except KeyNotFoundError:
            return ()
        return texts(parse_lines(data, stream)[shown:])

    def _keep_log(self, batch: Batch, ref: AttemptRef) -> dict[str, int]:
        """Store as its log what an attempt had reported before it died."""
        counts: dict[str, int] = {}
        for stream, data in reported_log(self._store, batch.flow, batch.run, ref).items():
            with contextlib.suppress(KeyExistsError):
                # The attempt stored its log after all; that one is whole.
                self._store.put_if_absent(layout.log(batch.flow, batch.run, *ref, stream), data)
            counts[stream] = len(parse_lines(data, stream))
        return counts
