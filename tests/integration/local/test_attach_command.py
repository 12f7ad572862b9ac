"""``python flow.py attach`` after launchers that were killed at any moment, with steps on this machine."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import headway
from headway.store import layout
from headway.store.folder import FolderStore
from headway.store.run_records import RunEnd

SOURCE = str(Path(headway.__file__).parents[1])

FLOW = """
import os, time
from headway import FlowSpec, step

class Going(FlowSpec):
    @step
    def start(self):
        self.items = list(range(4))
        self.next(self.work, foreach="items")

    @step
    def work(self):
        time.sleep(float(os.environ.get("HOLD", "0.3")))
        while "GATE" in os.environ and not os.path.exists(os.environ["GATE"]):
            time.sleep(0.05)
        self.made = self.input * 10
        if os.environ.get("BREAK") == str(self.input):
            raise ValueError("broken")
        self.next(self.join)

    @step
    def join(self, inputs):
        self.total = sum(each.made for each in inputs)
        self.next(self.end)

    @step
    def end(self):
        time.sleep(0.3)
        print("total", self.total)


if __name__ == "__main__":
    Going()
"""


class Machine:
    """A folder with a flow in it, and a datastore of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = FolderStore(str(folder / "data"))
        (folder / "flow.py").write_text(FLOW)
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("HEADWAY", "METAFLOW"))
        }
        self.environ = {
            **kept,
            "PYTHONPATH": SOURCE,
            "HEADWAY_USER": "ann",
            "HEADWAY_DATASTORE_SYSROOT_LOCAL": self.store.url,
        }

    def begin(self, *words: str, **env: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "flow.py", *words],
            cwd=self.folder,
            env={**self.environ, **env},
            text=True,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def finish(self, process: "subprocess.Popen[str]", code: int = 0) -> str:
        try:
            told, _ = process.communicate(timeout=150)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        assert process.returncode == code, told
        return told

    def begun(self) -> bool:
        """Whether the run has its parameters, without which there is nothing to attach to."""
        return any(
            "_parameters" in info.key and info.key.endswith("record.json") for info in self.store.list("")
        )

    def driven(self) -> bool:
        """Whether a launcher has taken the run, which it does a moment after that."""
        return self.begun() and any(info.key.endswith("lease.json") for info in self.store.list(""))

    def end(self) -> RunEnd:
        (run,) = [
            info.key.rpartition("/")[2].removesuffix(".json")
            for info in self.store.list(layout.runs("Going"))
        ]
        return RunEnd.decode(self.store.get(layout.run_end("Going", run)))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize("seed", range(3))
def test_however_often_it_is_killed_the_run_ends_right(machine: Machine, seed: int) -> None:
    dice = random.Random(seed)
    process = machine.begin("run")
    while not machine.begun():
        time.sleep(0.02)
    for _ in range(3):
        time.sleep(dice.uniform(0.0, 2.5))
        if process.poll() is not None:
            break
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        process = machine.begin("attach")
    told, _ = process.communicate(timeout=150)
    if "has ended: it succeeded" not in told:  # else the last kill came when all was done
        assert process.returncode == 0, told
    end = machine.end()
    assert end.outcome == "succeeded"
    assert sorted(name.split("/")[0] for name in end.winners) == ["end", "join", "start", *["work"] * 4]
    # Not in what the last launcher told: the one before may have been killed when only the run's end was missing.
    logs = [info.key for info in machine.store.list("") if info.key.endswith("stdout.log")]
    assert any("total 60" in machine.store.get(key).decode() for key in logs)


def test_what_has_ended_or_lives_cannot_be_attached_to(machine: Machine) -> None:
    gate = machine.folder / "gate"
    process = machine.begin("run", GATE=str(gate))
    while not machine.driven():
        time.sleep(0.02)
    told = machine.finish(machine.begin("attach"), code=1)
    assert "is driven by another launcher: ann on" in told
    gate.touch()
    machine.finish(process)
    told = machine.finish(machine.begin("attach"), code=2)
    assert "has ended: it succeeded" in told


def test_a_resumed_run_that_is_killed_still_takes_over_what_it_can(machine: Machine) -> None:
    first = machine.finish(machine.begin("run", BREAK="2"), code=1)
    # Whichever of the others were over when one failed.
    done = {line.split("]")[0] for line in first.splitlines() if "Task finished successfully" in line}
    assert "[start/1" in done
    process = machine.begin("resume", "--run-id", "second", HOLD="600")
    while not any("run/second/task/work" in info.key for info in machine.store.list("")):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    told = machine.finish(machine.begin("resume", "--run-id", "second", "--reentrant"))
    assert "Run second of Going goes on here" in told
    assert "total 60" in told
    # Only what the first run had not done was ever run.
    assert not done & {line.split("]")[0] for line in told.splitlines() if "Task is starting" in line}
    told = machine.finish(machine.begin("resume", "--run-id", "second", "--reentrant"))
    assert "has ended already (succeeded)" in told


def test_whoever_runs_the_flow_again_is_told_how_to_go_on_with_the_run_that_was_killed(
    machine: Machine,
) -> None:
    process = machine.begin("run", HOLD="600")
    while not machine.driven():
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    told = machine.finish(machine.begin("run"))
    assert "has no end: its launcher died. `attach " in told
    told = machine.finish(machine.begin("run"))
    assert "has no end" not in told
