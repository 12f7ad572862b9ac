"""What a program finds of a run of ``Given``."""

import json

from metaflow import Flow, namespace

namespace(None)
run = Flow("Given").latest_run
out = {f"value {place}": value for place, value in enumerate(run.data.values)}
out["seen by mutators"] = run["start"].task.data.shown
out["environment"] = run["told"].task.data.environment
out["inside"] = run["told"].task.data.inside
print(json.dumps(out))
