"""@pypi: packages on a stock image that has neither them nor, for all it knows, a network."""

import pytest
from harness.launch import Launch
from harness.workspace import Workspace, Workspaces

OTHER_PYTHON = """
from headway import FlowSpec, pypi, step


class OtherFlow(FlowSpec):
    @pypi(packages={"iniconfig": "2.0.0"}, python="3.9")
    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    OtherFlow()
"""

Started = dict[str, tuple[Workspace, Launch]]


@pytest.fixture(scope="module")
def started(workspaces: Workspaces) -> Started:
    """Every run, started side by side."""
    pods, other, nothing = workspaces(), workspaces(), workspaces()
    other.write("other.py", OTHER_PYTHON)
    nothing.write("other.py", OTHER_PYTHON.replace('"2.0.0"', '"0.0.99"'))
    return {
        "pods": (pods, pods.start("packaged.py", "run", "--with", "kubernetes")),
        "other": (other, other.start("other.py", "run", "--with", "kubernetes")),
        "nothing": (nothing, nothing.start("other.py", "run", "--with", "kubernetes")),
    }


def test_steps_find_the_packages_that_they_ask_for_and_no_others(started: Started) -> None:
    workspace, launch = started["pods"]
    result = launch.wait()
    assert result.returncode == 0, result.all
    assert "Packages: 1 for step start, " in result.stderr
    assert "Packages: 2 for step train, " in result.stderr
    assert "start has iniconfig in packages" in result.stdout
    assert "train has numpy True iniconfig " in result.stdout
    assert "/packages/numpy/" in result.stdout
    assert "total 45" in result.about("end/3")
    assert "/packages/numpy/" not in result.about("end/3")
    listed = workspace.run_flow("packaged.py", "--with", "kubernetes", "package", "list")
    assert "iniconfig 2.0.0  (step start, " in listed.stdout


def test_a_pod_with_another_python_says_which_it_has(started: Started) -> None:
    _, launch = started["other"]
    result = launch.wait()
    assert result.returncode == 1, result.all
    assert "@pypi(python=…)='3.9' is not possible" in result.all
    assert " has Python 3." in result.all


def test_what_cannot_be_resolved_is_said_before_anything_runs(started: Started) -> None:
    workspace, launch = started["nothing"]
    result = launch.wait()
    assert result.returncode == 2, result.all
    assert "The packages iniconfig==0.0.99 cannot be resolved for Python 3.9, linux/x86_64:" in result.stderr
    assert not workspace.pods()
