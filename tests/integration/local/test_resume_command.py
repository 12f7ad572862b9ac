"""``python flow.py resume`` as a person types it, with steps on this machine."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import headway
from headway.store import layout
from headway.store.folder import FolderStore
from headway.store.records import Record
from headway.store.run_records import RunEnd, RunRecord

SOURCE = str(Path(headway.__file__).parents[1])

FLOW = """
import os, time
from headway import FlowSpec, Parameter, current, step

class Many(FlowSpec):
    size = Parameter("size", default=3)
    WORD = os.environ.get("WORD", "first")

    @step
    def start(self):
        self.items = list(range(self.size))
        self.next(self.work, foreach="items")

    @step
    def work(self):
        print("working on", self.input)
        if os.environ.get("BREAK") == str(self.input):
            time.sleep(0.5)
            raise ValueError("broken")
        if os.environ.get("HANG") == str(self.input):
            time.sleep(600)
        self.made = self.input * 10
        self.next(self.join)

    @step
    def join(self, inputs):
        self.total = sum(each.made for each in inputs)
        self.rounds = 0
        self.next(self.again)

    @step
    def again(self):
        self.rounds += 1
        self.way = "on" if self.rounds < 3 else "out"
        if os.environ.get("BREAK") == f"round {self.rounds}":
            raise ValueError("broken")
        self.next({"on": self.again, "out": self.end}, condition="way")

    @step
    def end(self):
        print("total", self.total, "origin", current.origin_run_id, self.WORD, self.rounds)


if __name__ == "__main__":
    Many()
"""


class Machine:
    """A folder with a flow in it, and a datastore of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = FolderStore(str(folder / "data"))
        (folder / "flow.py").write_text(FLOW)
        self.environ = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("HEADWAY", "METAFLOW"))
            },
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
            stderr=subprocess.PIPE,
        )

    def run(self, *words: str, code: int = 0, **env: str) -> str:
        """Both streams of a command that ends with this code."""
        process = self.begin(*words, **env)
        try:
            out, err = process.communicate(timeout=150)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        assert process.returncode == code, f"{out}\n{err}"
        return out + err

    @property
    def runs(self) -> list[str]:
        return [
            info.key.rpartition("/")[2].removesuffix(".json") for info in self.store.list(layout.runs("Many"))
        ]

    def record(self, run: str, *ref: object) -> Record:
        step, task = map(str, ref)
        return Record.decode(self.store.get(layout.record("Many", run, step, task, 0)))

    def end(self, run: str) -> RunEnd:
        return RunEnd.decode(self.store.get(layout.run_end("Many", run)))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_rest_is_run_with_the_parameters_that_there_were(machine: Machine) -> None:
    told = machine.run("run", "--size", "5", code=1, BREAK="3")
    assert "To run the rest: python " in told
    (first,) = machine.runs
    told = machine.run("resume", "--tag", "again", "--run-id-file", "id", WORD="second")
    first, second = machine.runs
    assert (machine.folder / "id").read_text() == second
    assert "[work] 4 of 5 tasks are taken over from run" in told
    assert [line for line in told.splitlines() if "working on" in line] == ["[work/5] working on 3"]
    # Constants are the code's, parameters the run's.
    assert f"total 100 origin {first} second 3" in told
    record = RunRecord.decode(machine.store.get(layout.run_record("Many", second)))
    assert (record.origin, record.tags, record.parameters) == (first, ("again",), {"size": "5"})
    assert machine.record(second, "work", 2).metadata["origin-task-id"] == "2"
    assert machine.record(second, "_parameters", 0).metadata["origin-run-id"] == first
    # No data was copied: the same content is referred to.
    assert (
        machine.record(second, "work", 2).artifacts["made"]
        == machine.record(first, "work", 2).artifacts["made"]
    )
    told = machine.run("logs", f"{second}/work")
    assert sorted(line for line in told.splitlines() if "working" in line) == [
        f"[work/{n}] working on {n - 2}" for n in range(2, 7)
    ]


def test_a_loop_goes_on_in_the_round_that_failed_and_from_a_step_all_is_run(machine: Machine) -> None:
    machine.run("run", code=1, BREAK="round 2")
    told = machine.run("resume")
    assert "Task is starting" in told
    assert [line.split()[0] for line in told.splitlines() if "Task is starting" in line] == [
        "[again/7]", "[again/8]", "[end/9]",
    ]  # fmt: skip
    told = machine.run("resume", "join")
    assert [line.split()[0] for line in told.splitlines() if "Task is starting" in line] == [
        "[join/5]", "[again/6]", "[again/7]", "[again/8]", "[end/9]",
    ]  # fmt: skip


def test_a_run_whose_launcher_was_killed_is_resumed(machine: Machine) -> None:
    process = machine.begin("run", HANG="2")
    try:
        for _ in range(2400):
            done = [each for each in machine.store.list("") if each.key.endswith("record.json")]
            if sum("/work/" in each.key for each in done) == 2:
                break
            time.sleep(0.05)
        told = machine.run("resume", code=1)
        assert "still goes on" in told
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    # The launcher's process is known to be gone, so nobody waits for its lease to run out.
    told = machine.run("resume")
    assert [line for line in told.splitlines() if "working on" in line] == ["[work/4] working on 2"]


def test_what_cannot_be_resumed_is_refused(machine: Machine) -> None:
    told = machine.run("resume", code=2)
    assert "No run of Many was started from here" in told
    (machine.folder / ".metaflow" / "Many" / "17" / "_meta").mkdir(parents=True)
    assert "Metaflow's own runs of Many are in" in machine.run("resume", code=2)
    machine.run("run")
    told = machine.run("resume", "wrok", code=2)
    assert "has no step 'wrok'" in told
    assert "Did you mean work?" in told
    assert "Its steps are start, work, join, again, end." in told
    told = machine.run("resume", "--origin-run-id", "17", code=1)
    assert "Run Many/17 is one of Metaflow's own" in told
    told = machine.run("resume", "--origin-run-id", "18", code=1)
    assert "There is no run Many/18" in told
    assert machine.runs[0] in told
    assert "ids of digits are given by Headway" in machine.run("resume", "--run-id", "17", code=2)
    assert "resume takes no --size" in machine.run("resume", "--size", "3", code=2)
    assert len(machine.runs) == 1


def test_a_run_of_ones_own_id_that_only_takes_over(machine: Machine) -> None:
    machine.run("run", code=1, BREAK="1")
    told = machine.run("resume", "--clone-only", "--run-id", "nightly-7", "--resume-identifier", "leader")
    assert "working on" not in told
    assert machine.end("nightly-7").outcome == "interrupted"
    told = machine.run("resume", "--run-id", "nightly-7", code=2)
    assert "There is a run Many/nightly-7" in told
    # The newest run is the one that only took over; the rest is run from it.
    told = machine.run("resume")
    assert [line for line in told.splitlines() if "working on" in line] == ["[work/3] working on 1"]
