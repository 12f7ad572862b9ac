"""The ``headway`` command."""

import sys

import pytest

from headway.cli.main import main
from headway.version import VERSION


def exit_code(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["headway", *words])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


def test_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(monkeypatch, "version") == 0
    assert capsys.readouterr().out == f"{VERSION}\n"


def test_help(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(monkeypatch, "--help") == 0
    assert "python flow.py --help" in capsys.readouterr().out


@pytest.mark.parametrize("words", [("walk",), ("version", "--no-such-option")])
def test_usage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert exit_code(monkeypatch, *words) == 2
    assert words[-1] in capsys.readouterr().err
