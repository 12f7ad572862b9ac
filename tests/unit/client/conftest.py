"""A client that sees only what a test wrote: no configuration of this machine, no datastore opened before."""

import os
from pathlib import Path

import pytest

from headway.client import namespaces, places, stores
from headway.store.folder import FolderStore
from headway.testing.memory_store import MemoryStore


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("HEADWAY_", "METAFLOW_")):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    project = tmp_path / "project"
    (project / ".headway").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HEADWAY_USER", "ann")
    monkeypatch.chdir(project)
    monkeypatch.setattr(stores, "_opened", {})
    monkeypatch.setattr(places, "_chosen", None)
    monkeypatch.setattr(namespaces, "_chosen", namespaces._Default)


@pytest.fixture
def folder(tmp_path: Path) -> FolderStore:
    """The datastore of the working directory."""
    return FolderStore(str(tmp_path / "project" / ".headway"))


@pytest.fixture
def far() -> MemoryStore:
    """A datastore elsewhere, which counts its calls."""
    store = MemoryStore("far")
    stores.keep_store(store)
    return store


@pytest.fixture
def only_far(far: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    """The same, and the only one that the client looks in."""
    monkeypatch.setattr(places, "_chosen", far.url)
    return far
