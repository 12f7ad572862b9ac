"""A flow runs however it is started: a file, a module of a package, text on the command line, no main guard."""

import sys
from pathlib import Path

from harness.workspace import Workspace

SEED = """from headway import FlowSpec, step, kubernetes
class TestFlow(FlowSpec):
    @kubernetes
    @step
    def start(self):
        print('Running on Kubernetes!')
        self.next(self.end)
    @step
    def end(self):
        pass

TestFlow()"""

PACKAGE = {
    "shop/__init__.py": "",
    "shop/prices.py": "def price(item):\n    return {'tea': 3}[item]\n",
    "shop/data/rates.json": '{"tax": 2}',
    "shop/flow.py": """
import json
from pathlib import Path

from headway import FlowSpec, step
from sibling import greeting
from . import prices


class ShopFlow(FlowSpec):
    @step
    def start(self):
        rates = json.loads((Path(__file__).parent / "data" / "rates.json").read_text())
        self.total = prices.price("tea") + rates["tax"]
        self.next(self.end)

    @step
    def end(self):
        print(greeting(self.total))


if __name__ == "__main__":
    ShopFlow()
""",
    "sibling.py": "def greeting(total):\n    return f'that makes {total}'\n",
}

NO_GUARD = """
from headway import FlowSpec, step
import helper

class Value:
    def __init__(self, number):
        self.number = number

class UnguardedFlow(FlowSpec):
    @step
    def start(self):
        self.value = Value(helper.ANSWER)
        self.next(self.end)

    @step
    def end(self):
        self.answer = self.value.number

UnguardedFlow()
"""


def test_text_on_the_command_line(workspace: Workspace) -> None:
    command = [sys.executable, "-c", SEED, "run", "--with", "kubernetes", "--datastore=s3"]
    result = workspace.start_command(command).wait()
    assert result.returncode == 0, result.all
    assert "[start/1] Running on Kubernetes!" in result.stdout
    assert f"Run {result.run_id} succeeded" in result.stderr
    run = workspace.read("TestFlow", "latest")
    assert run.successful
    assert run.task("end").metadata["kubernetes-pod-name"].startswith("testflow-end-")


def test_a_module_of_a_package(workspace: Workspace) -> None:
    write(workspace.folder, PACKAGE)
    command = [sys.executable, "-m", "shop.flow", "--package-suffixes=.json", "run", "--with", "kubernetes"]
    result = workspace.start_command(command).wait()
    assert result.returncode == 0, result.all
    assert "[end/2] that makes 5" in result.stdout
    assert workspace.read("ShopFlow", result).task("end").data["total"] == 5


def test_no_main_guard_and_options_before_the_command(workspace: Workspace) -> None:
    write(workspace.folder, {"helper.py": "ANSWER = 42\n"})
    result = workspace.run_flow(NO_GUARD, "--with=kubernetes:memory=66", "--datastore=s3", "run")
    assert result.returncode == 0, result.all
    assert workspace.read("UnguardedFlow", result).task("end").data["answer"] == 42
    assert workspace.pods()[0]["spec"]["containers"][0]["resources"]["requests"]["memory"] == "66M"
    listed = workspace.run_flow(NO_GUARD, "package", "list")
    assert listed.returncode == 0, listed.all
    assert {line.split()[-1] for line in listed.stdout.splitlines()} == {"flow.py", "helper.py"}


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_steps_that_leave_early_and_a_run_after_another(workspace: Workspace) -> None:
    first = workspace.run_flow("leaving.py", "run")
    assert first.returncode == 0, first.all
    assert first.about("end/12")[1] == "total 24 before None", first.all
    assert "would fail" not in first.stderr
    second = workspace.run_flow("leaving.py", "--trigger", f"LeavingFlow/{first.run_id}", "run")
    assert second.returncode == 0, second.all
    run = workspace.read("LeavingFlow", second)
    assert (len(run.steps["work"]), run.task("end").data["total"], run.task("end").data["before"]) == (
        2,
        21,
        24,
    )
