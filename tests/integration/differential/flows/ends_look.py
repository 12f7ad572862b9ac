"""What a program finds of two runs of ``Ends``: one that failed, and the one that was resumed from it."""

import json

from metaflow import Flow, Task, namespace

namespace(None)
resumed, failed = list(Flow("Ends"))[:2]
out = {"ids": [failed.successful, resumed.successful, resumed.origin_pathspec == failed.pathspec]}
why = failed["gathered"].task.exception
out["why"] = [why.type, why.exception]
out["tags"] = [sorted(run.user_tags) for run in (failed, resumed)]
for name, run in (("failed", failed), ("resumed", resumed)):
    steps = {step.id: list(step) for step in run}
    out[f"{name}: tasks"] = {step: len(tasks) for step, tasks in steps.items()}
    met = run["ways_meet"].task.data
    out[f"{name}: types"] = met.types
    out[f"{name}: told"] = met.told
    out[f"{name}: frames"] = met.inner
    out[f"{name}: nested"] = run["outer_join"].task.data.nested
    out[f"{name}: nobody"] = run["start"].task.data.nobody
    late = run["slow"].task.data.late
    out[f"{name}: late"] = [late.type, str(late.exception).startswith("Step slow timed out after")]
    out[f"{name}: same"] = "\n".join(late.stacktrace.splitlines()[:1])
    out[f"{name}: taken over"] = {
        step: sorted({(task.origin_pathspec or "").split("/")[1:2] == [failed.id] for task in tasks})
        for step, tasks in steps.items()
    }
    facts = {
        step: [sorted(name for name in task.metadata_dict if name.startswith("origin-")) for task in tasks]
        for step, tasks in steps.items()
    }
    # Which attempt it was of the other run is told here only; and there, of a run that is no resumed one, a run "None".
    out[f"{name}: origins"] = run is resumed and {
        step: [[fact for fact in each if fact != "origin-attempt"] for each in told]
        for step, told in facts.items()
    }
    out[f"{name}: children"] = {
        step: sorted(child.parent.id for task in tasks for child in task.child_tasks)
        for step, tasks in steps.items()
        # Metaflow finds none of a gang, nor in nested foreachs that were taken over.
        if step not in ("gang", "fast", "outer", "inner_most")
    }
ended = resumed["gathered"].task.data
out["gathered"] = [ended.ranks, ended.mains, ended.resumed, ended.tags]
origin = resumed["start"].task.origin_pathspec
out["origin"] = [
    Task(origin).data.ways == resumed["start"].task.data.ways,
    resumed["start"].origin_pathspec is not None,
]
again = failed["gathered"].task.data
out["what it had set"] = [name in again for name in ("ranks", "mains", "resumed", "tags")]
print(json.dumps(out))
