"""What a program finds of two runs of ``Before``: the older one went well, the newer one did not."""

import json

from metaflow import Flow, namespace

namespace(None)
newer, older = list(Flow("Before"))[:2]
out = {}
for name, run in (("well", older), ("badly", newer)):
    end, guarded = run["end"].task, run["guarded"].task
    out[f"{name}: run"] = [
        run.successful,
        run["start"].task.data.settled,
        run.finished,
        run.finished_at is None,
    ]
    out[f"{name}: end task"] = [end.finished, end.finished_at is None, run.data is None]
    lines = end.stdout.splitlines()
    out[f"{name}: end"] = [
        end.successful,
        [line for line in lines if line.startswith(("outer", "inner", "the"))],
    ]
    lines = guarded.stdout.splitlines()
    said = [line for line in lines if line.startswith(("outer", "inner", "the"))]
    failed = guarded.data.failed
    out[f"{name}: guarded"] = [said, failed and str(failed.exception).splitlines()[-1]]
print(json.dumps(out))
