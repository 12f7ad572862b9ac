"""Writes the logs and records of a warm pod's tasks while the next ones run."""

import threading
from functools import partial
from typing import Dict, List, NamedTuple, Optional

from headway.errors import HeadwayError
from headway.runtime.commit import commit, patiently
from headway.runtime.notes import Notes
from headway.store import layout
from headway.store.base import ObjectStore
from headway.store.batch import Batch
from headway.store.records import Record

#: Tasks whose records may be on their way at once.
_AT_ONCE = 4


class Work(NamedTuple):
    """What came of one attempt: its record, and by stream its stored log."""

    record: Record
    logs: Dict[str, bytes]
    last: bool


class Committer:
    """A few threads that make results true: logs first, then the record, then the note of it.

    Args:
        store: The datastore.
        batch: A batch of the run; only its flow and run are looked at.
        notes: Where ends are reported.

    Attributes:
        given_up: Whether an attempt had been given up before its record was written: the pod is to leave.
        error: What the datastore refused, None while it takes everything.
    """

    def __init__(self, store: ObjectStore, batch: Batch, notes: Notes) -> None:
        self._store = store
        self._flow, self._run = batch.flow, batch.run
        self._notes = notes
        self._waiting: List[Work] = []
        self._under_way = 0
        self._threads = 0
        self._closed = False
        self._change = threading.Condition()
        self.given_up = False
        self.error: Optional[HeadwayError] = None

    def add(self, record: Record, logs: Dict[str, bytes], *, last: bool) -> None:
        """Have a result written; waits while too many are on their way.

        Args:
            record: The record.
            logs: By stream.
            last: Whether nothing else is known to be done after it.
        """
        with self._change:
            self._change.wait_for(lambda: len(self._waiting) < _AT_ONCE)
            self._waiting.append(Work(record, logs, last))
            if self._threads < _AT_ONCE and self._under_way + len(self._waiting) > self._threads:
                self._threads += 1
                threading.Thread(target=self._serve, name="headway-commit", daemon=True).start()
            self._change.notify_all()

    def drain(self) -> None:
        """Until everything is written; nothing more can be added.

        Raises:
            HeadwayError: Something could not be.
        """
        with self._change:
            self._closed = True
            self._change.notify_all()
            self._change.wait_for(lambda: not self._waiting and not self._under_way)
        if self.error is not None:
            raise self.error

    def _serve(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: bool(self._waiting) or self._closed)
                if not self._waiting:
                    return
                work = self._waiting.pop(0)
                self._under_way += 1
                self._change.notify_all()
            try:
                self._write(work)
            except HeadwayError as error:
                self.error = error
            except Exception as error:
                # Unheard of, it would cost a thread, and the pod would go on as if all were well.
                words = f"Internal error: a result cannot be written: {type(error).__name__}: {error}"
                self.error = HeadwayError(words)
            finally:
                with self._change:
                    self._under_way -= 1
                    self._change.notify_all()

    def _write(self, work: Work) -> None:
        ref = work.record.ref
        for stream, content in work.logs.items():
            key = layout.log(self._flow, self._run, *ref, stream)
            patiently(partial(self._store.put, key, content))
        truth = patiently(lambda: commit(self._store, self._flow, self._run, work.record))
        if truth.outcome != work.record.outcome:
            self.given_up = True
            return
        with self._change:
            # The last one to be written lets the launcher know at once.
            hurry = work.last or (self._under_way == 1 and not self._waiting)
        self._notes.ended(ref, truth.encode(), hurry=hurry)
