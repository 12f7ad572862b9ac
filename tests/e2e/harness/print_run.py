"""Prints a run as JSON, through nothing but the public client: ``print_run.py FLOW RUN|latest``."""

import json
import sys
from typing import Any

from headway import Flow, Task
from headway.errors import HeadwayError


def main(flow: str, run_id: str) -> None:
    run = Flow(flow).latest_run if run_id == "latest" else Flow(flow)[run_id]
    assert run is not None, f"no run of {flow}"
    steps = {step.id: sorted((shown(task) for task in step), key=age) for step in run}
    whole = {"id": run.id, "successful": run.successful, "finished": run.has_ended, "steps": steps}
    json.dump(whole, sys.stdout, default=repr)


def age(task: Any) -> tuple[int, int, str]:
    """Ids count up; those of a gang's workers begin with that of its first rank."""
    number = task["id"].partition("-")[0].partition("_")[0]
    return int(number), len(task["id"]), task["id"]


def shown(task: Any) -> dict[str, Any]:
    return {
        "id": task.id,
        "successful": task.successful,
        "finished": task.has_ended,
        "data": data_of(task),
        "metadata": dict(task.metadata_dict),
        "stdout": task.stdout,
        "stderr": task.stderr,
        "attempts": [
            attempt_shown(Task(task.pathspec, attempt=number)) for number in range(task.current_attempt + 1)
        ],
    }


def data_of(task: Any) -> dict[str, Any]:
    return {artifact.id: value_of(artifact) for artifact in task}


def value_of(artifact: Any) -> Any:
    try:
        return artifact.data
    except HeadwayError as error:  # its class stands in the flow's own file, which is not loaded here
        return f"<{type(error).__name__}>"


def attempt_shown(task: Any) -> dict[str, Any]:
    why = task.exception
    return {
        # What @catch stood in for was no success of the step, but counts as one of the attempt.
        "successful": task.successful or task.metadata_dict.get("caught") == "True",
        "data": data_of(task),
        "stdout": task.stdout,
        "stderr": task.stderr,
        "ended": task.finished_at.timestamp() if task.finished_at else 0.0,
        "pod": task.metadata_dict.get("kubernetes-pod-name", ""),
        "reason": why.reason if why else "",
        "kind": why.kind if why else "",
        "message": why.message if why else "",
    }


main(*sys.argv[1:])
