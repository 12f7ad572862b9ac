"""Prints a run as JSON, through nothing but the public client: ``print_run.py FLOW RUN|latest``."""

import json
import sys
from typing import Any

from headway import Flow


def main(flow: str, run_id: str) -> None:
    run = Flow(flow).latest_run if run_id == "latest" else Flow(flow)[run_id]
    steps = {step.id: sorted((shown(task) for task in step), key=lambda task: int(task["id"])) for step in run}
    whole = {"id": run.id, "successful": run.successful, "finished": run.finished, "steps": steps}
    json.dump(whole, sys.stdout, default=repr)


def shown(task: Any) -> dict[str, Any]:
    return {
        "id": task.id,
        "attempt": task.current_attempt,
        "successful": task.successful,
        "finished": task.finished,
        "data": {artifact.id: artifact.data for artifact in task},
        "metadata": dict(task.metadata_dict),
        "stdout": task.stdout,
        "stderr": task.stderr,
        "exception": str(task.exception) if task.exception else "",
    }


main(*sys.argv[1:])
