"""A run read back the way a person reads it: by ``from headway import Flow`` in a fresh process."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SCRIPT = Path(__file__).with_name("print_run.py")


@dataclass(frozen=True)
class AttemptView:
    """One attempt as the client shows it; reason, kind and message are empty where it did not fail.

    ``ended`` is in seconds since the epoch, 0 while it runs.
    """

    successful: bool
    data: Mapping[str, Any]
    stdout: str
    stderr: str
    ended: float
    pod: str
    reason: str
    kind: str
    message: str


@dataclass(frozen=True)
class TaskView:
    """A task as the client shows it; values that JSON cannot hold are shown by their repr."""

    id: str
    successful: bool
    finished: bool
    data: Mapping[str, Any]
    metadata: Mapping[str, str]
    stdout: str
    stderr: str
    attempts: tuple[AttemptView, ...]


@dataclass(frozen=True)
class RunView:
    """A run as the client shows it: its tasks by step, in the order of their ids."""

    id: str
    successful: bool
    finished: bool
    steps: Mapping[str, tuple[TaskView, ...]]

    def task(self, step: str) -> TaskView:
        """The only task of a step."""
        (task,) = self.steps[step]
        return task


def read_run(flow: str, run_id: str, cwd: Path, environ: Mapping[str, str]) -> RunView:
    """Read a run through the public client, from a folder and with variables as a person would.

    Args:
        flow: The flow's name.
        run_id: Which run, or "latest".
        cwd: The folder that the flow was started in.
        environ: The variables.
    """
    done = subprocess.run(
        [sys.executable, str(_SCRIPT), flow, run_id],
        cwd=cwd,
        env=dict(environ),
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
    assert done.returncode == 0, f"the client cannot read {flow}/{run_id}:\n{done.stderr}"
    raw = json.loads(done.stdout)
    steps = {name: tuple(_task(task) for task in tasks) for name, tasks in raw.pop("steps").items()}
    return RunView(**raw, steps=steps)


def _task(raw: dict[str, Any]) -> TaskView:
    attempts = tuple(AttemptView(**attempt) for attempt in raw.pop("attempts"))
    return TaskView(**raw, attempts=attempts)
