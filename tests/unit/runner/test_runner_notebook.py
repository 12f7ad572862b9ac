"""A flow in a notebook's cell: its source becomes a file."""

import linecache
from pathlib import Path

import pytest

import headway
from headway import FlowSpec, NBRunner, Runner, step
from headway.errors import UsageError
from headway.runner.notebook import cell_of

CELL = """%matplotlib inline
!pip list
from headway import FlowSpec, step

class InCell(FlowSpec):
    @step
    def start(self):
        pass
"""


@pytest.fixture
def flow() -> type:
    """A class as a notebook makes it: compiled under a name of its own, whose lines are kept for tracebacks."""
    name = "/tmp/ipykernel_1/2.py"
    linecache.cache[name] = (len(CELL), None, CELL.splitlines(keepends=True), name)
    names: dict[str, object] = {"__name__": "__main__"}
    exec(compile(CELL.replace("%", "#").replace("!", "#"), name, "exec"), names)
    found = names["InCell"]
    assert isinstance(found, type)
    return found


def test_the_cell_without_the_notebooks_own_commands(flow: type) -> None:
    assert cell_of(flow).startswith("from headway import FlowSpec, step\n\nclass InCell(FlowSpec):")
    assert "pip" not in cell_of(flow)


def test_its_file_is_there_until_it_is_cleaned_up(flow: type, tmp_path: Path) -> None:
    runner = NBRunner(flow, base_dir=str(tmp_path))
    (file,) = tmp_path.iterdir()
    assert file.name.startswith("InCell_")
    assert file.read_text().endswith("\n\nif __name__ == '__main__':\n    InCell()\n")
    assert runner.runner.flow_file == str(file)
    runner.cleanup()
    runner.cleanup()
    assert list(tmp_path.iterdir()) == []


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
