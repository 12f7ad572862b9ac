"""What a Runner is made with is looked at where it is made, and told by its name."""

import re
from pathlib import Path
from typing import Any

import pytest

from headway import Runner
from headway.errors import UsageError


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    written = tmp_path / "flow.py"
    written.write_text("")
    return written


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"env": {"A": 3}}, "env: the value of 'A' is 3 (int).\nWrite '3'."),
        ({"env": {"A": None}}, "env: the value of 'A' is None (NoneType).\nLeave it out."),
        ({"env": {3: "a"}}, "env: the name 3 is no text (int).\nWrite '3'."),
        ({"env": ["A=3"]}, "env is ['A=3'] (list).\nGive it a dict"),
        ({"cwd": 3}, "cwd is 3 (int).\nGive it a path."),
        ({"flow_file": 3}, "flow_file is 3 (int).\nGive it a path."),
        ({"flow_file": b"flow.py"}, "flow_file is b'flow.py' (bytes).\nGive it a path."),
        ({"profile": 3}, "profile is 3 (int).\nGive it the name of a configuration."),
        ({"file_read_timeout": "60"}, "file_read_timeout is '60' (str).\nGive it seconds"),
        ({"file_read_timeout": True}, "file_read_timeout is True (bool)."),
    ],
)
def test_of_another_type(file: Path, given: dict[str, Any], words: str) -> None:
    with pytest.raises(TypeError, match=re.escape(words)) as caught:
        Runner(**{"flow_file": str(file), **given})
    assert isinstance(caught.value, UsageError)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"cwd": "nowhere"}, "nowhere does not exist."),
        ({"cwd": "flow.py"}, "flow.py is no folder."),
        ({"flow_file": "folder"}, "folder is a folder, and no flow file."),
        ({"flow_file": "nope.py"}, "There is no flow file nope.py in "),
    ],
)
def test_what_is_not_there(file: Path, given: dict[str, Any], words: str) -> None:
    with pytest.raises(FileNotFoundError, match=re.escape(words)) as caught:
        Runner(**{"flow_file": str(file), **given})
    assert isinstance(caught.value, UsageError)


def test_paths_of_either_kind(file: Path) -> None:
    runner = Runner(file, cwd=file.parent / "folder", env={"A": "3"}, profile="", file_read_timeout=0.5)  # type: ignore[arg-type]
    assert (runner.flow_file, runner.cwd, runner.env_vars["A"]) == (
        str(file),
        str(file.parent / "folder"),
        "3",
    )
    assert Runner("flow.py", cwd="folder").flow_file == str(file), "where it is not found in cwd"
