"""What a program finds of two runs of ``Trouble``: one that went well, one that raised at its end."""

import json
import pickle
import subprocess
import sys
from pathlib import Path

from metaflow import Flow, Task, namespace

#: The index of the part that a signal ends; what is said of that is each one's own.
SIGNAL = 3

namespace(None)
runs = list(Flow("Trouble"))[::-1]
out = {}
for name, run in zip(("well", "raised"), runs, strict=True):
    out[f"{name}: run"] = [run.successful, run.finished, run.finished_at is None, run.end_task is None]
    task = run["end"].task
    out[f"{name}: end"] = [task.successful, task.finished, task.stdout, task.exception is None]
    failed = task.exception
    out[f"{name}: why"] = failed and [str(failed.type).rsplit(".")[-1], str(failed).splitlines()[-1]]
run = runs[0]
out["found"] = run["join"].task.data.found
out["not caught"] = run["guarded"].task.data.refused
tasks = sorted(run["part"], key=lambda task: task.index)
for task in tasks:
    name = f"part {task.index}"
    why = task.data.why
    out[f"{name}: why"] = why and task.index != SIGNAL and str(why.exception).splitlines()[-1]
    out[f"{name}: ends"] = [task.successful, task.finished, task.exception is None]
    out[f"{name}: tries"] = task.data.tries if "tries" in task.data else None
    facts = sorted(task.metadata, key=lambda fact: fact.created_at)
    # Metaflow does not say it of an attempt whose process died.
    out[f"{name}: attempt_ok"] = [
        fact.value for fact in facts if fact.name == "attempt_ok" and task.index != SIGNAL
    ]
    # Metaflow also gives attempts that never were.
    attempts = [Task(task.pathspec, attempt) for attempt in range(1 if task.index == 0 else 2)]
    out[f"{name}: out"] = [
        [line for line in each.stdout.splitlines() if " out " in line] for each in attempts
    ]
    out[f"{name}: err"] = [
        [line for line in each.stderr.splitlines() if " err " in line] for each in attempts
    ]
    out[f"{name}: lines"] = [
        [type(when).__name__, when.tzinfo is None, line]
        for when, line in attempts[0].loglines("stdout")
        if " out " in line
    ]
    out[f"{name}: sizes"] = [each.stdout_size > 0 for each in attempts]
    out[f"{name}: current"] = task.current_attempt
out["signal"] = "segmentation fault" in Task(tasks[SIGNAL].pathspec, 0).stderr

# The command line, as programs use it.
command = [sys.executable, str(Path(__file__).with_name("trouble.py")), "--quiet", "--no-pylint"]
logs = subprocess.run(
    [*command, "logs", f"{run.id}/part", "--stdout"], check=True, capture_output=True, text=True
)
out["logs"] = sorted(logs.stdout.splitlines())
asked = [
    "dump",
    f"{run.id}/join",
    "--private",
    "--include",
    "found,_current_step,_task_ok,name",
    "--file",
    "dumped",
]
subprocess.run([*command, *asked], check=True, capture_output=True)
dumped = pickle.loads(Path("dumped").read_bytes())
out["dumped"] = [[key.split("/")[1], sorted(values.items())] for key, values in dumped.items()]
print(json.dumps(out))
