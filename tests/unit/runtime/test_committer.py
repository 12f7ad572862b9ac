"""Results of a warm pod, written behind the next task's back: none is lost without the pod noticing."""

import pytest
from runtime_cases import FLOW, RUN, make_batch

from headway.errors import HeadwayError
from headway.runtime.committer import Committer
from headway.runtime.notes import Notes
from headway.store import layout
from headway.store.base import Buffer
from headway.store.records import SUCCEEDED, AttemptRef, Record
from headway.testing.memory_store import MemoryStore


class Broken(MemoryStore):
    """Its first records meet an error that nobody thought of."""

    breaks = 0

    def put_if_absent(self, key: str, data: Buffer) -> None:
        if self.breaks:
            self.breaks -= 1
            raise RuntimeError("nobody thought of it")
        super().put_if_absent(key, data)


def record(task: int) -> Record:
    return Record(AttemptRef("start", str(task), 0), SUCCEEDED)


def test_every_record_is_there_once_all_is_written() -> None:
    store = MemoryStore()
    notes = Notes(store, FLOW, RUN, "pod")
    committer = Committer(store, make_batch(), notes)
    for task in range(20):
        committer.add(record(task), {"stdout": b"line"}, last=task == 19)
    committer.drain()
    notes.close()
    for task in range(20):
        assert Record.decode(store.get(layout.record(FLOW, RUN, "start", str(task), 0))) == record(task)
    assert not committer.given_up


def test_an_error_that_nobody_thought_of_sends_the_pod_away_and_holds_up_nothing() -> None:
    store = Broken()
    store.breaks = 8
    notes = Notes(store, FLOW, RUN, "pod")
    committer = Committer(store, make_batch(), notes)
    for task in range(12):
        committer.add(record(task), {}, last=False)
    with pytest.raises(HeadwayError, match="RuntimeError: nobody thought of it"):
        committer.drain()
    assert committer.error is not None
    notes.close()
    assert store.size(layout.record(FLOW, RUN, "start", "11", 0)) is not None
