"""A flow's command line, away from this machine's own configuration."""

import os
import sys
from pathlib import Path

import pytest
from cli_flows import CommandLine

from headway.client import namespaces, places, stores
from headway.store.folder import FolderStore

# Runs are written into a datastore by what the client's tests write them with.
sys.path.append(str(Path(__file__).parents[1] / "client"))


@pytest.fixture(autouse=True)
def _a_machine_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in [each for each in os.environ if each.startswith(("HEADWAY", "METAFLOW"))]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("HOME", str(tmp_path))
    # A cluster is configured, so none is started here.
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    monkeypatch.setenv("HEADWAY_USER", "ann")
    # Set by --config-name for all that a command starts.
    monkeypatch.setenv("HEADWAY_PROFILE", "")
    monkeypatch.chdir(tmp_path)
    # What a command sets for its process ends with the test.
    monkeypatch.setattr(stores, "_opened", {})
    monkeypatch.setattr(places, "_chosen", None)
    monkeypatch.setattr(namespaces, "_chosen", namespaces._Default)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


@pytest.fixture
def folder(tmp_path: Path) -> FolderStore:
    """The datastore of the working directory."""
    (tmp_path / ".headway").mkdir()
    return FolderStore(str(tmp_path / ".headway"))
