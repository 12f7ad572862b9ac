"""Questions are asked only where somebody can answer."""

import io
import sys

import pytest

from headway.ui.prompt import ask


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("typed", "agreed"), [("y\n", True), ("YES\n", True), ("\n", False), ("no\n", False), ("", False)]
)
def test_only_a_yes_is_one(monkeypatch: pytest.MonkeyPatch, typed: str, agreed: bool) -> None:
    err = Terminal()
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    monkeypatch.setattr(sys, "stderr", err)
    assert ask("Ship 2 GB?") is agreed
    assert err.getvalue() == "Ship 2 GB? [y/N] "


@pytest.mark.parametrize("stream", ["stdin", "stderr"])
def test_nobody_there_has_not_agreed(monkeypatch: pytest.MonkeyPatch, stream: str) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(sys, stream, io.StringIO("y\n"))
    assert ask("Ship 2 GB?") is False


def test_no_stdin_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert ask("Ship 2 GB?") is False
