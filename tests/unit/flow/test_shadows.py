"""Files that hide modules from Headway: found by where a module was loaded from."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from headway.cli import errors
from headway.flow.shadows import hidden_module
from headway.ui.writer import StreamWriter


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the program."""
    main = ModuleType("__main__")
    main.__file__ = str(tmp_path / "flow.py")
    monkeypatch.setitem(sys.modules, "__main__", main)
    return tmp_path


def load(monkeypatch: pytest.MonkeyPatch, name: str, file: Path) -> None:
    module = ModuleType(name)
    module.__file__ = str(file)
    monkeypatch.setitem(sys.modules, name, module)


def test_nothing_is_hidden_by_what_stands_elsewhere_or_is_nobody_elses(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(monkeypatch, "queue", folder / "below" / "queue.py")
    load(monkeypatch, "helpers", folder / "helpers.py")
    assert hidden_module(ImportError("no Queue")) is None


@pytest.mark.parametrize("file", ["queue.py", "queue/__init__.py"])
def test_a_file_that_hides_a_module_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], file: str
) -> None:
    load(monkeypatch, "queue", folder / file)
    told = f"{folder / file} hides the module queue that Headway needs (AttributeError: no SimpleQueue)."
    assert hidden_module(AttributeError("no SimpleQueue")) == told
    assert hidden_module(ValueError("no SimpleQueue")) is None
    assert errors.report(AttributeError("no SimpleQueue"), StreamWriter()) == 2
    assert capsys.readouterr().err == f"This cannot be done:\n    {told}\n    Rename it.\n"
