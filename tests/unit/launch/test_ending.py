"""How a run's end is written down."""

from headway.errors import StoreUnavailableError
from headway.launch.ending import record_end
from headway.schedule.instructions import RunEnded
from headway.store import layout
from headway.store.base import Buffer
from headway.store.records import FAILED, SUCCEEDED
from headway.store.run_records import RunEnd, RunRecord
from headway.testing.memory_store import MemoryStore

RECORD = RunRecord("Sample", "7", "eve", 0.0)
KEY = layout.run_end("Sample", "7")


def test_the_first_who_ends_a_run_is_believed() -> None:
    store, told = MemoryStore(), list[str]()
    for outcome in (SUCCEEDED, FAILED):
        said = record_end(store, RECORD, RunEnded(outcome, message=""), {"end/1": 0}, told.append)
        assert said.outcome == outcome
    assert RunEnd.decode(store.get(KEY)).outcome == SUCCEEDED
    assert told == []


class Refusing(MemoryStore):
    def put_if_absent(self, key: str, data: Buffer) -> None:
        raise StoreUnavailableError("The server does not answer.")


def test_an_end_that_the_datastore_does_not_take_is_told() -> None:
    told: list[str] = []
    said = record_end(Refusing(), RECORD, RunEnded(SUCCEEDED, message=""), {}, told.append)
    assert said.outcome == SUCCEEDED
    (line,) = told
    assert "The server does not answer." in line
    assert "attach" in line
