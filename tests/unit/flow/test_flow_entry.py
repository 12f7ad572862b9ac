"""What constructing a flow does, and what its file does not do to others."""

import sys
from pathlib import Path

import pytest

from headway.flow import entry


@pytest.fixture
def hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A flow called like a module of the standard library that nobody has imported, in the first folder."""
    monkeypatch.delitem(sys.modules, "this", raising=False)
    file = tmp_path / "this.py"
    file.write_text("raise RuntimeError('the flow ran a second time')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return file


def test_a_flow_called_like_a_standard_module_does_not_stand_in_its_way(
    hidden: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sys.path[:]
    entry.keep_standard_module(str(hidden))
    import this

    assert this.__file__ != str(hidden)
    assert "Beautiful" in capsys.readouterr().out
    assert sys.path == before


@pytest.mark.skipif(sys.version_info < (3, 10), reason="the names of standard modules are not known there")
def test_a_module_of_another_platform_is_left_alone(tmp_path: Path) -> None:
    assert "winreg" not in sys.modules
    entry.keep_standard_module(str(tmp_path / "winreg.py"))
    assert "winreg" not in sys.modules


def test_other_files_load_nothing(tmp_path: Path) -> None:
    before = set(sys.modules)
    entry.keep_standard_module(str(tmp_path / "train.py"))
    entry.keep_standard_module("")
    assert set(sys.modules) == before
