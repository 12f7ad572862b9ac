"""What a warm pod reports of its attempts: lines, beginnings and ends of many in one small object."""

import threading
from time import time
from typing import Dict, List

from headway.errors import StoreError
from headway.runtime.logbook import StampedLine, by_stream
from headway.store.base import ObjectStore
from headway.store.logs import NOTE, Section, encode_note, feed_key
from headway.store.records import AttemptRef

#: Seconds between two notes while there is more to do.
INTERVAL = 0.3


class Notes:
    """Collects what there is to report and writes it from a thread of its own, in order.

    A datastore in trouble only delays it: a note is repeated under its key until it is there.

    Args:
        store: The datastore.
        flow: The flow's name.
        run: The run's id.
        worker: The name under which this pod reports; the attempt in its feed keys is always 0.
    """

    def __init__(self, store: ObjectStore, flow: str, run: str, worker: str) -> None:
        self._store = store
        self._flow, self._run = flow, run
        self._ref = AttemptRef("_pod", worker, 0)
        self._sections: Dict[AttemptRef, Section] = {}
        self._sequence = 0
        self._change = threading.Condition()
        self._hurry = False
        self._closed = False
        self._thread = threading.Thread(target=self._write, name="headway-notes", daemon=True)
        self._thread.start()

    def began(self, ref: AttemptRef) -> None:
        """An attempt begins."""
        with self._change:
            self._sections[ref] = self._of(ref)._replace(begun=True)
            self._change.notify_all()

    def lines(self, ref: AttemptRef, lines: List[StampedLine]) -> None:
        """An attempt printed."""
        if not lines:
            return
        with self._change:
            section = self._sections[ref] = self._of(ref)
            for stream, encoded in by_stream(lines).items():
                section.lines[stream] = section.lines.get(stream, b"") + encoded
            self._change.notify_all()

    def ended(self, ref: AttemptRef, record: bytes, *, hurry: bool) -> None:
        """An attempt's record is in place.

        Args:
            ref: Which.
            record: The record, encoded; b"" lets the launcher read it.
            hurry: Nothing else is under way: say it now.
        """
        with self._change:
            self._sections[ref] = self._of(ref)._replace(record=record, begun=False)
            self._hurry = self._hurry or hurry
            self._change.notify_all()

    def close(self, patience: float = 10.0) -> None:
        """Write what there is and stop; given up after so many seconds, as records are the truth."""
        with self._change:
            self._closed = True
            self._change.notify_all()
        self._thread.join(patience)

    def _of(self, ref: AttemptRef) -> Section:
        return self._sections.get(ref) or Section(ref, {})

    def _write(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._sections or self._closed)
                if not self._sections:
                    return
                self._change.wait_for(lambda: self._hurry or self._closed, INTERVAL)
                sections, self._sections = list(self._sections.values()), {}
                self._hurry = False
            self._put_until_it_is_there(encode_note(sections))

    def _put_until_it_is_there(self, payload: bytes) -> None:
        key = feed_key(self._flow, self._run, int(time() * 1000), self._ref, self._sequence, NOTE)
        self._sequence += 1
        while True:
            try:
                self._store.put(key, payload)
                return
            except StoreError:
                with self._change:
                    if self._change.wait_for(lambda: self._closed, INTERVAL):
                        return
