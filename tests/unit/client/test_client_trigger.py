"""``current.trigger`` and ``Run.trigger``: the runs that a run was started after."""

import pytest
from recorded_runs import digits

from headway.client import NotFoundError, Run
from headway.client.trigger import Trigger, TriggerEvent, triggered_by
from headway.errors import UsageError
from headway.store import layout
from headway.store.folder import FolderStore
from headway.store.run_records import TRIGGERS, RunRecord


def test_a_run_tells_what_it_triggers(folder: FolderStore) -> None:
    digits(folder, "100")
    trigger = triggered_by(["Digits/100"])
    event = trigger.event
    assert event is not None
    assert (event.name, event.id, event.type) == ("metaflow.Digits.end", "Digits/100/end/6", "run")
    assert event.timestamp == Run("Digits/100/end/6".rpartition("/end")[0])["end"].task.finished_at
    assert trigger.run == Run("Digits/100")
    for name in ("Digits", "Digits/100"):
        assert name in trigger
        assert trigger[name] == Run("Digits/100")
    assert trigger["metaflow.Digits.end"] == event
    assert "Others" not in trigger
    with pytest.raises(KeyError):
        trigger["Others"]


def test_it_is_kept_as_text(folder: FolderStore) -> None:
    digits(folder, "100")
    digits(folder, "101")
    trigger = triggered_by(["Digits/100", "Digits/101"])
    assert list(Trigger.decode(trigger.encode())) == list(trigger)
    assert trigger.runs == [Run("Digits/100"), Run("Digits/101")]


def test_of_several_events_the_latest_comes_first() -> None:
    events = [TriggerEvent("a", "A/1/end/2", None, "run"), TriggerEvent("b", "B/1/end/2", None, "run")]
    assert [event.name for event in Trigger(events)] == ["a", "b"]
    assert Trigger([]).event is None
    assert Trigger([]).events is None
    assert Trigger([]).run is None


def test_a_run_knows_what_it_was_started_after(folder: FolderStore) -> None:
    digits(folder, "100")
    digits(folder, "101")
    key = layout.run_record("Digits", "101")
    record = RunRecord.decode(folder.get(key))
    told = {TRIGGERS: triggered_by(["Digits/100"]).encode()}
    folder.put(key, record._replace(metadata=told).encode())
    trigger = Run("Digits/101").trigger
    assert trigger is not None
    assert trigger.run == Run("Digits/100")
    assert Run("Digits/100").trigger is None


@pytest.mark.parametrize("pathspec", ["Digits", "Digits/100/end", "/", "Digits/"])
def test_what_is_no_run_is_refused(folder: FolderStore, pathspec: str) -> None:
    with pytest.raises(UsageError, match=f"--trigger={pathspec} is no run"):
        triggered_by([pathspec])


def test_a_run_that_is_not_there_is_named(folder: FolderStore) -> None:
    with pytest.raises(NotFoundError, match="--trigger=Digits/7: "):
        triggered_by(["Digits/7"])
