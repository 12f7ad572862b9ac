"""A home and a name for users whom the image does not know."""

import os
import pwd
from pathlib import Path

import pytest

from headway.runtime.home import give_home

NOBODY_KNOWS = 1_000_650_000


@pytest.fixture(autouse=True)
def _unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the test."""
    monkeypatch.setattr(os, "getuid", lambda: NOBODY_KNOWS)


def test_a_home_that_can_be_written_stays(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "USER": "ann", "HEADWAY_WORK": "/elsewhere"}
    give_home(environ)
    assert environ == {"HOME": str(tmp_path), "USER": "ann", "HEADWAY_WORK": "/elsewhere"}


@pytest.mark.parametrize("home", [None, "", "/not/there"])
def test_else_the_work_folder_is_home(tmp_path: Path, home: str | None) -> None:
    environ = {"HEADWAY_WORK": str(tmp_path), **({} if home is None else {"HOME": home})}
    give_home(environ)
    assert environ["HOME"] == str(tmp_path)


def test_who_has_no_name_gets_one(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    give_home(environ)
    assert environ["USER"] == "uid-1000650000"


def test_who_has_a_name_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: pwd.getpwall()[-1].pw_uid)
    environ = {"HOME": str(tmp_path)}
    give_home(environ)
    assert "USER" not in environ
    give_home(environ := {"HOME": str(tmp_path), "LOGNAME": "ann"})
    assert "USER" not in environ
