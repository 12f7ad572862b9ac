"""Which calls of a pipeline are given the same as in the run that is resumed."""

from array import array
from typing import Any

import pytest

from headway.call import CONSTANTS, Place
from headway.launch.call_arguments import CallArguments
from headway.launch.past import PastRun
from headway.runtime.commit import commit
from headway.runtime.state import PARAMETERS
from headway.store.artifacts import ArtifactStore
from headway.store.records import SUCCEEDED, Record
from headway.store.run_records import RunRecord
from headway.testing.memory_store import MemoryStore

FLOW = "training"


class Plain:
    """Knows no equality of its own."""

    def __init__(self, value: object) -> None:
        self.value = value


class Table:
    """As a data frame: asked whether it equals another one it has no single answer."""

    def __init__(self, rows: list[int]) -> None:
        self.rows = rows

    def __eq__(self, other: object) -> Any:
        raise ValueError("ambiguous")

    __hash__ = None  # type: ignore[assignment]


def compared(then: dict[str, object], now: dict[str, object]) -> CallArguments:
    store = MemoryStore()
    for run, given in (("1", then), ("2", now)):
        values = {f"{CONSTANTS}{name}": value for name, value in given.items()}
        stored = ArtifactStore(store, FLOW).save_many(values)
        commit(store, FLOW, run, Record(PARAMETERS, SUCCEEDED, artifacts=stored))
    return CallArguments(PastRun(store, RunRecord(FLOW, "1", "ann", 1.0)), store, "2")


SHARED = b"as one".decode()


@pytest.mark.parametrize(
    ("then", "now", "same"),
    [
        ({"rate": 0.1}, {"rate": 0.1}, True),
        ({"rate": 0.1}, {"rate": 0.5}, False),
        ({"rate": 1}, {"rate": True}, False),
        ({"rate": [1, (2, {"a": 3})]}, {"rate": [1, (2, {"a": 3})]}, True),
        ({"rate": [1, 2]}, {"rate": [1]}, False),
        ({"of": [Place(0, "a")]}, {"of": [Place(0, "a")]}, True),
        ({"of": [Place(0, "a")]}, {"of": [Place(1, "a")]}, False),
        ({"of": Plain([1])}, {"of": Plain([1])}, True),
        ({"of": Plain([1])}, {"of": Plain([2])}, False),
        ({"of": Table([1])}, {"of": Table([1])}, True),
        ({"of": Table([1])}, {"of": Table([2])}, False),
        ({"of": array("d", [float("nan")])}, {"of": array("d", [float("nan")])}, True),
        # One text in two places is written once, two alike are written twice.
        ({"a": SHARED, "b": SHARED}, {"a": SHARED, "b": b"as one".decode()}, True),
    ],
)
def test_values_are_compared_and_not_their_bytes(
    then: dict[str, object], now: dict[str, object], same: bool
) -> None:
    assert compared({"train": then}, {"train": now}).same("train") is same


def test_a_call_that_is_given_nothing_of_the_kind_is_the_same_and_no_other() -> None:
    arguments = compared({"train": {"rate": 1}}, {"report": {"title": "a"}})
    assert [arguments.same(name) for name in ("load", "train", "report")] == [True, False, False]


def test_what_cannot_be_made_here_any_more_is_another_value(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = compared({"train": {"of": Plain(1)}}, {"train": {"of": Plain(2)}})
    monkeypatch.delattr(f"{__name__}.Plain")
    assert not arguments.same("train")
