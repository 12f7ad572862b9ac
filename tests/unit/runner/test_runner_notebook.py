"""A flow in a notebook's cell: its source becomes a file."""

import linecache
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import headway
from headway import FlowSpec, NBRunner, Runner, step
from headway.errors import UsageError
from headway.runner.notebook import cell_of

TYPED = """%matplotlib inline
!pip list
from headway import FlowSpec, step

class InCell(FlowSpec):
    TEXT = '''
%d items
!
'''

    @step
    def start(self):
        pass
"""
COMMANDS = SimpleNamespace(run_line_magic=print, getoutput=print)
#: As a notebook keeps it.
CELL = TYPED.replace("%matplotlib inline", "get_ipython().run_line_magic('matplotlib', 'inline')").replace(
    "!pip list", "files = get_ipython().getoutput('pip list')"
)


SAME_CELL = """from headway import FlowSpec, NBRunner, step

class InCell(FlowSpec):
    @step
    def start(self):
        helper()

run = NBRunner(InCell).nbrun()
@cached
def helper():
    return 1
print(run); import json
"""


def flow_of(cell: str, kept: bool = True) -> type:
    """A class as a notebook makes it: compiled under a name of its own, whose lines are kept for tracebacks."""
    name = "/tmp/ipykernel_1/2.py"
    linecache.cache.pop(name, None)
    if kept:
        linecache.cache[name] = (len(cell), None, cell.splitlines(keepends=True), name)
    names: dict[str, object] = {"__name__": "__main__", "get_ipython": lambda: COMMANDS}
    exec(compile(cell.partition("run = ")[0], name, "exec"), names)
    found = names["InCell"]
    assert isinstance(found, type)
    return found


@pytest.fixture
def flow() -> type:
    return flow_of(CELL)


def test_the_cell_without_the_notebooks_own_commands(flow: type) -> None:
    assert cell_of(flow).startswith("\n\nfrom headway import FlowSpec, step\n\nclass InCell(FlowSpec):")
    assert "\n%d items\n!\n" in cell_of(flow), "no command, although its line begins as one"


def test_the_cell_may_be_the_one_that_runs_the_flow() -> None:
    cell = cell_of(flow_of(SAME_CELL))
    assert "nbrun" not in cell, "its process would run it again, and that one's again"
    assert "print" not in cell
    assert "@cached\ndef helper():\n    return 1\n" in cell, "steps may call it"
    assert cell.endswith("import json")


def test_a_cell_that_a_magic_ran_is_found_in_the_history(monkeypatch: pytest.MonkeyPatch) -> None:
    history = SimpleNamespace(
        input_hist_raw=["", "class InCell: old", "%%time\n%%capture\n" + TYPED, "InCell("]
    )
    kept = {TYPED: CELL}
    shell = SimpleNamespace(history_manager=history, transform_cell=lambda cell: kept.get(cell, cell))
    monkeypatch.setattr(sys.modules["__main__"], "get_ipython", lambda: shell, raising=False)
    for cell in (CELL, "class InCell: pass"):
        assert cell_of(flow_of(cell, kept=False)).startswith(
            "\n\nfrom headway import FlowSpec, step\n\nclass"
        )
    history.input_hist_raw.append("class Other: pass")
    with pytest.raises(UsageError, match="NoCell stands in no cell"):
        cell_of(type("NoCell", (), {}))


def test_its_file_is_there_until_it_is_cleaned_up(flow: type, tmp_path: Path) -> None:
    runner = NBRunner(flow, base_dir=str(tmp_path))
    (file,) = tmp_path.iterdir()
    assert file.name.startswith("InCell_")
    assert file.read_text().endswith("\n\nif __name__ == '__main__':\n    InCell()\n")
    assert runner.runner.flow_file == str(file)
    runner.cleanup()
    runner.cleanup()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"env": {"A": 3}}, "env: the value of 'A' is 3"),
        ({"profile": 3}, "profile is 3"),
        ({"base_dir": "nowhere"}, "base_dir: .*nowhere does not exist"),
    ],
)
def test_what_it_is_given_wrong_leaves_no_file(
    flow: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=words):
        NBRunner(flow, **given)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("given", [3, int, SimpleNamespace()])
def test_what_is_no_flow(given: Any) -> None:
    with pytest.raises(TypeError, match=r"which is no flow\.\nGive it the flow's class"):
        NBRunner(given)


def test_its_processes_are_not_the_notebooks_servers(
    flow: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JPY_PARENT_PID", "77")
    runner = NBRunner(flow, base_dir=str(tmp_path), env={"A": "b"})
    assert (runner.runner.env_vars["JPY_PARENT_PID"], runner.runner.env_vars["A"]) == ("", "b")
    runner.cleanup()


class InFile(FlowSpec):
    @step
    def start(self) -> None: ...


def test_a_class_in_a_file_is_for_the_other_runner() -> None:
    with pytest.raises(UsageError, match="InFile stands in no cell"):
        NBRunner(InFile)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(FileNotFoundError, match=r"There is no flow file nope\.py"):
        Runner("nope.py")


def test_in_a_pod_the_names_can_be_imported_and_say_so_when_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(headway._PLACES, "Runner", "headway.not_shipped")
    monkeypatch.setattr(headway, "_LAUNCHERS", {"headway.not_shipped"})
    monkeypatch.delitem(vars(headway), "Runner", raising=False)
    stand_in = headway.Runner
    monkeypatch.delitem(vars(headway), "Runner")
    with pytest.raises(UsageError, match="Runner is not there in a pod"):
        stand_in("flow.py")
