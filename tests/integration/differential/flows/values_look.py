"""What a program finds of a run of ``Values``."""

import json
import pickle

from metaflow import DataArtifact, Flow, Run, Task, current, namespace
from metaflow.client.core import MetaflowData, MetaflowObject

namespace(None)
run = Flow("Values").latest_run
names = (
    "flow_name",
    "run_id",
    "step_name",
    "task_id",
    "retry_count",
    "origin_run_id",
    "pathspec",
    "username",
    "run",
    "task",
)
out = {"outside": {name: getattr(current, name) for name in names}}
out["outside, asked"] = {name: [name in current, current.get(name, "else")] for name in (*names, "nothing")}
out["outside, others"] = [current.tempdir, current.is_running_flow]

found = run.data._artifacts
out["artifacts"] = sorted(name for name in found if name != "name")
out["an artifact"] = [type(found["seen"]).__name__, found["seen"].data, found["seen"].id]
out["end"] = [run["join"].task.data.seen, run["join"].task.data.again, run["join"].task.data.refused]
out["kept"] = [run["join"].task.data.kept, "extra" in run["join"].task.data]
out["within"] = [run["start"].task.data.known, run["start"].task.data.within, run["start"].task.data.tempdir]
out["bases"] = [isinstance(each, MetaflowObject) for each in (run, run["start"], found["seen"])]
out["data"] = isinstance(run.data, MetaflowData)
out["private"] = [sorted(run._user_tags), run._tags == run.tags, run._created_at == run.created_at]
said = found["seen"]._object
out["said"] = [said[name] for name in ("name", "step_name", "flow_id", "attempt_id", "ds_type", "type")]
out["said of when"] = [type(said["ts_epoch"]).__name__, said["ts_epoch"] > 10**12]

tasks = sorted(run["train"], key=lambda task: task.index)
out["stacks"] = [task.metadata_dict.get("foreach-stack") for task in tasks]
out["paths"] = [task.metadata_dict["foreach-execution-path"] for task in tasks]
deep = sorted(run["fit"], key=lambda task: task.metadata_dict["foreach-execution-path"])
out["deep stacks"] = [task.metadata_dict.get("foreach-stack") for task in deep]
out["frames"] = [[list(frame) for frame in task["_foreach_stack"].data] for task in deep]
fact = next(fact for fact in tasks[0].metadata if fact.name == "attempt")
out["a fact"] = [fact.value, type(fact.created_at).__name__, fact.created_at > 10**12, fact.type]

task = run["start"].task
again = Task(task.pathspec, 0)
out["attempts"] = [again.id == task.id, again.data.common, Task(task.pathspec, "0").id == task.id]
out["an attempt of an artifact"] = DataArtifact(task.pathspec + "/common", 0).data
try:
    Run(run.pathspec, 0)
except Exception as error:
    out["an attempt of a run"] = isinstance(error, Exception)
out["pickled"] = pickle.loads(pickle.dumps(task)).data.common
out["run"] = [run.successful, run.finished, [step.id for step in run]]
print(json.dumps(out))
