"""The ``headway`` command."""

import subprocess
import sys
from pathlib import Path

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


def test_it_is_a_module_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "headway", "version"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{VERSION}\n", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_a_full_disk_is_told_in_words() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "headway", "--help"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (
        1,
        "What was asked for cannot be written: No space left on device.\n",
    )
