"""A folder with a flow in it, run as a person would."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import headway
from headway.store import layout
from headway.store.artifacts import ArtifactStore
from headway.store.folder import FolderStore
from headway.store.records import AttemptRef, Record
from headway.store.run_records import RunEnd

SOURCE = str(Path(headway.__file__).parents[1])

FLOW = """
import os, random, signal, sys, threading, time
from headway import FlowSpec, Parameter, catch, current, environment, retry, step, timeout

{head}

class Sample(FlowSpec):
    alpha = Parameter("alpha", default=0.5)
    {constant}

    @step
    def start(self):
        self.items = [1, 2, 3]
        self.next(self.work, foreach="items")

    {decorators}
    @step
    def work(self):
        {body}
        self.result = self.input * self.alpha
        self.next(self.join)

    @step
    def join(self, inputs):
        self.total = sum(each.result for each in inputs)
        self.next(self.end)

    @step
    def end(self):
        print("total", self.total)


{tail}
"""


class Machine:
    """A folder with a flow in it, and a datastore of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = FolderStore(str(folder / "data"))
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

    def write(
        self, name: str = "flow.py", *, head: str = "", decorators: str = "", body: str = "pass",
        constant: str = "pass", tail: str = "if __name__ == '__main__':\n    Sample()",
    ) -> None:  # fmt: skip
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            FLOW.format(head=head, decorators=decorators, body=body, constant=constant, tail=tail)
        )

    def begin(self, *words: str, **options: object) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, *words],
            cwd=self.folder,
            env=self.environ,
            text=True,
            start_new_session=True,
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},  # type: ignore[call-overload]
        )

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        process = self.begin(*words)
        try:
            out, err = process.communicate(timeout=150)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            raise AssertionError(f"not over after minutes:\n{out}\n{err}") from None
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    @property
    def runs(self) -> list[str]:
        return [
            info.key.rpartition("/")[2].removesuffix(".json")
            for info in self.store.list(layout.runs("Sample"))
        ]

    def end(self) -> RunEnd:
        (run,) = self.runs
        return RunEnd.decode(self.store.get(layout.run_end("Sample", run)))

    def value(self, ref: AttemptRef, name: str) -> object:
        (run,) = self.runs
        record = Record.decode(self.store.get(layout.record("Sample", run, *ref)))
        return ArtifactStore(self.store, "Sample").load(name, record.artifacts[name])

    def processes(self) -> list[str]:
        """What still runs that was started here."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                environ = (entry / "environ").read_bytes()
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if self.store.url.encode() in environ and state != "Z":
                found.append(entry.name)
        return found

    def all_gone(self) -> bool:
        """Whether all of it is gone once a busy machine has had its time to end it."""
        return any(not self.processes() for _ in range(600) if not time.sleep(0.05))
