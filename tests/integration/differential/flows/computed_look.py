"""What a program finds of a run of ``Computed``."""

import json

from metaflow import Flow, namespace

namespace(None)
run = Flow("Computed").latest_run

out = {
    "given": [run.data.dry_run, run.data.override],
    "stacks": run.data.stacks,
    "items": run.data.items,
    "called": run["start"].task.data.called,
    "functions": [name in run["start"].task.data for name in ("ends", "bound", "builtin")],
}
for task in run["yields"]:
    out[f"yields {task.metadata_dict['foreach-execution-path']}"] = task.data.conflict
for task in run["listing"]:
    out[f"listing {task.index}"] = [task.data.lambda_seen, task.data.counts, task.data.inherited]
for task in run["most"]:
    path = task.metadata_dict["foreach-execution-path"]
    out[f"most {path}"] = [task.index, task.data.stack, task.data.outer]
print(json.dumps(out))
