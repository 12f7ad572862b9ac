"""The same flows and programs with Metaflow and with Headway: what they find is compared.

Metaflow is not among our dependencies. HEADWAY_TEST_METAFLOW_PYTHON names an interpreter that has it: the one
that ``python benchmarks/peer.py`` prints will do.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import headway

PYTHON = os.environ.get("HEADWAY_TEST_METAFLOW_PYTHON", "")
FLOWS = Path(__file__).parent / "flows"
SOURCE = Path(headway.__file__).parents[1]
#: Seconds for one command of either.
PATIENCE = 180

pytestmark = pytest.mark.skipif(
    not PYTHON, reason="HEADWAY_TEST_METAFLOW_PYTHON names no Python with metaflow"
)


class Engine:
    """Metaflow or Headway, in a folder of its own."""

    def __init__(self, name: str, python: str, folder: Path, paths: Sequence[Path]) -> None:
        self.name = name
        self._python = python
        self._folder = folder
        folder.mkdir()
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith(("HEADWAY", "METAFLOW"))
        }
        changed = {
            "METAFLOW_USER": "ann",
            "HOME": str(folder),
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
        }
        # The ranks of a gang are what `python` means there.
        changed["PATH"] = os.pathsep.join([str(Path(python).parent), os.environ.get("PATH", "")])
        self._environ = {**clean, **changed}

    def begin(self, *words: str) -> "subprocess.Popen[str]":
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        command = [self._python, *words]
        return subprocess.Popen(command, cwd=self._folder, env=self._environ, text=True, **pipes)  # type: ignore[call-overload, no-any-return]


@pytest.fixture
def engines(tmp_path: Path) -> tuple[Engine, Engine]:
    ours = (SOURCE, SOURCE.parent / "compat" / "metaflow" / "src")
    return (
        Engine("metaflow", PYTHON, tmp_path / "metaflow", ()),
        Engine("headway", sys.executable, tmp_path / "headway", ours),
    )


def both(engines: Sequence[Engine], *words: str) -> list[tuple[int, str, str]]:
    """Exit codes and words of a command, of both at the same time."""
    begun = [engine.begin(*words) for engine in engines]
    told = [process.communicate(timeout=PATIENCE) for process in begun]
    return [(process.returncode, *words) for process, words in zip(begun, told, strict=True)]


#: Each flow, the runs of it (as options, "resume" before them for one that goes on from the one before) with the exit
#: code of each, and how many things are compared.
CASES = [
    ("values", [((), 0)], 20),
    ("given", [((), 0)], 9),
    ("before", [((), 0), (("--refuse", "True"), 1)], 8),
    ("family", [((), 0)], 80),
    ("computed", [((), 0), (("--dry_run", "True", "--override", "typed"), 0)], 15),
    ("ends", [((), 1), (("resume",), 0)], 25),
    ("trouble", [((), 0), (("--last", "raise"), 1)], 50),
]


@pytest.mark.parametrize(("flow", "runs", "least"), CASES, ids=[name for name, *_ in CASES])
def test_both_find_the_same(
    engines: tuple[Engine, Engine], flow: str, runs: list[tuple[tuple[str, ...], int]], least: int
) -> None:
    for options, code in runs:
        words = options if options[:1] == ("resume",) else ("run", *options)
        for engine, (ended, out, err) in zip(
            engines, both(engines, str(FLOWS / f"{flow}.py"), *words), strict=True
        ):
            assert ended == code, f"{engine.name}:\n{out}\n{err}"
    found = []
    for engine, (ended, out, err) in zip(engines, both(engines, str(FLOWS / f"{flow}_look.py")), strict=True):
        assert ended == 0, f"{engine.name}:\n{out}\n{err}"
        found.append(json.loads(out.splitlines()[-1]))
    theirs, ours = found
    assert len(theirs) >= least
    differing = {name: (theirs.get(name), ours.get(name)) for name in {**theirs, **ours}}
    assert {name: pair for name, pair in differing.items() if pair[0] != pair[1]} == {}, "(Metaflow's, ours)"
