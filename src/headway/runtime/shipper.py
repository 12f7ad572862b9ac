"""Sends log lines to the datastore while the step runs, in small chunks, from a thread of its own."""

import threading
from time import time
from typing import List

from headway.errors import StoreError
from headway.runtime.logbook import StampedLine, by_stream
from headway.store.base import ObjectStore
from headway.store.batch import Batch, TaskSpec
from headway.store.logs import END, LOG, encode_chunk, feed_key
from headway.store.records import AttemptRef

#: Seconds between two chunks of one attempt.
INTERVAL = 0.5


class LogShipper:
    """Collects lines and writes them as feed objects; a datastore in trouble only delays them.

    Args:
        store: The datastore.
        batch: The batch the attempt belongs to.
        task: Which of its tasks.
    """

    def __init__(self, store: ObjectStore, batch: Batch, task: TaskSpec) -> None:
        self._store = store
        self._flow, self._run = batch.flow, batch.run
        self._ref = AttemptRef(batch.step, task.task, task.attempt)
        self._waiting: List[StampedLine] = []
        self._sequence = 0
        self._change = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._ship, name="headway-logs", daemon=True)
        self._started = False

    def add(self, lines: List[StampedLine]) -> None:
        """Hand over lines; returns at once."""
        if not lines:
            return
        with self._change:
            self._waiting += lines
            if not self._started:
                self._started = True
                self._thread.start()
            self._change.notify()

    def close(self) -> None:
        """Stop shipping; what was not shipped yet goes with :meth:`end`."""
        with self._change:
            self._closed = True
            self._change.notify()
        if self._started:
            self._thread.join(timeout=10)

    def end(self) -> None:
        """Say that the attempt's record is there, with the last lines.

        A failure is of no account: the launcher finds the record by itself, only later.
        """
        try:
            self._put(self._key(END), self._take())
        except StoreError:
            return

    def _ship(self) -> None:
        with self._change:
            while not self._closed:
                if not self._waiting:
                    self._change.wait()
                    continue
                key, lines = self._key(LOG), self._take()
                self._change.release()
                try:
                    self._put_until_it_is_there(key, lines)
                finally:
                    self._change.acquire()
                self._change.wait_for(lambda: self._closed, INTERVAL)

    def _put_until_it_is_there(self, key: str, lines: List[StampedLine]) -> None:
        """Repeated under the same key, so that no line is seen twice; the whole log is stored at the end in any case."""
        while not self._closed:
            try:
                self._put(key, lines)
            except StoreError:
                with self._change:
                    self._change.wait_for(lambda: self._closed, INTERVAL)
            else:
                return
        with self._change:
            # They go with the end's own lines, before them.
            self._waiting[:0] = lines

    def _take(self) -> List[StampedLine]:
        lines, self._waiting = self._waiting, []
        return lines

    def _key(self, kind: str) -> str:
        self._sequence += 1
        return feed_key(self._flow, self._run, int(time() * 1000), self._ref, self._sequence - 1, kind)

    def _put(self, key: str, lines: List[StampedLine]) -> None:
        self._store.put(key, encode_chunk(by_stream(lines)))
