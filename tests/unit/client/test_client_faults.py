"""What the client says when a value cannot be had."""

import sys
from types import ModuleType

import pytest
from recorded_runs import RecordedRun, digits

from headway.client import DataArtifact, Flow, Task
from headway.errors import StoreError, StoreUnavailableError
from headway.store.folder import FolderStore
from headway.store.layout import blob
from headway.store.unpicklable import ArtifactLoadError
from headway.testing.memory_store import MemoryStore


def test_a_module_that_is_missing_here_is_named(folder: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("only_in_the_image")
    module.Model = type("Model", (), {"__module__": module.__name__})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    RecordedRun(folder).attempt("start", "1", values={"model": module.Model()})
    monkeypatch.delitem(sys.modules, module.__name__)
    task = Task("Digits/1/start/1")
    assert "model" in task.data
    assert task["model"].type == "only_in_the_image.Model"
    with pytest.raises(ArtifactLoadError, match=r"needs the module 'only_in_the_image'.*Digits/1/start/1"):
        _ = task.data.model
    monkeypatch.setitem(sys.modules, module.__name__, module)
    assert isinstance(task.data.model, module.Model)


@pytest.mark.parametrize("damage", [b"", b"HWB1 and then nothing of use", None])
def test_a_damaged_value_is_told_and_not_given(folder: FolderStore, damage: bytes | None) -> None:
    digits(folder)
    artifact = DataArtifact("Digits/1/train/3/score")
    key = blob("Digits", artifact.sha)
    content = bytearray(folder.get(key))
    content[-2] ^= 1
    folder.put(key, content if damage is None else damage)
    with pytest.raises(StoreError, match=r"score is damaged.*artifact of Digits/1/train/3"):
        _ = artifact.data


def test_a_datastore_in_trouble_is_an_error_and_not_an_empty_answer(only_far: MemoryStore) -> None:
    digits(only_far)
    flow = Flow("Digits")
    only_far.fail_next(StoreUnavailableError("try later"), "list")
    with pytest.raises(StoreUnavailableError):
        _ = flow.latest_run
    run = flow.latest_run
    assert run is not None
    only_far.fail_next(StoreUnavailableError("try later"), "get")
    with pytest.raises(StoreUnavailableError):
        _ = run.finished
    assert run.finished
