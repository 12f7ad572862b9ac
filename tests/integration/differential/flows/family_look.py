"""What a program finds of a run of ``Family``."""

import json

from metaflow import Flow, Run, namespace
from metaflow.exception import MetaflowInvalidPathspec, MetaflowNotFound

#: Headway's go by names of their own, too.
ERRORS = {MetaflowNotFound: "not found", MetaflowInvalidPathspec: "invalid"}

namespace(None)
run = Flow("Family").latest_run


def named(task):
    """A name of the task that does not depend on who numbered it."""
    step = task.parent.id
    mark = {"turn": "rounds", "rank": "place"}.get(step)
    return f"{step}[{getattr(task.data, mark) if mark else task.index}]"


out = {"steps": sorted(step.id for step in run)}
out["values"] = [run["join"].task[name].data for name in ("sides", "unhandled", "nothing_merged", "missing")]
out["ends"] = [run.data.home, run.data.project, run.data.common, run.data.only_left, "side" in run.data]
out["collected"] = [run["collect"].task.data.told, run["collect"].task.data.stack]
out["ranks"] = run["ranks"].task.data.places
tasks = [task for step in run for task in step]
out["names"] = sorted(map(named, tasks))
for task in tasks:
    around = [sorted(map(named, task.parent_tasks)), sorted(map(named, task.child_tasks))]
    # Metaflow takes all rounds of a loop for parents of each other.
    if not any("turn[" in name for name in (named(task), *around[0], *around[1])):
        out[f"parents and children of {named(task)}"] = around
    out[f"path of {named(task)}"] = task.metadata_dict.get("foreach-execution-path")
    out[f"pathspecs of {named(task)}"] = [
        sorted(task.parent_task_pathspecs) == sorted(parent.pathspec for parent in task.parent_tasks),
        sorted(task.child_task_pathspecs) == sorted(child.pathspec for child in task.child_tasks),
    ]
for step in run:
    out[f"around {step.id}"] = [
        sorted(each.id for each in step.parent_steps),
        sorted(each.id for each in step.child_steps),
    ]
out["control"] = [
    [named(task) for task in run["rank"].control_tasks()],
    named(run["rank"].control_task),
    list(run["many"].control_tasks()),
]
found = [tag for tag in run.tags if tag.startswith(("project", "user:", "runtime:"))]
out["tags"] = [sorted(found), sorted(run.user_tags), run["end"].task.tags == run.tags]
out["by tag"] = [
    len(list(Flow("Family").runs("project:kin"))),
    len(list(Flow("Family").runs("project:kin", "nothing"))),
    len(list(run["each"].tasks("project:kin"))),
    len(list(run.steps("nothing"))),
]
run.add_tags(["one", "two"])
run.replace_tag("one", "three")
out["tagged"] = [
    sorted(run.user_tags),
    sorted(Run(run.pathspec).user_tags),
    "two" in run["end"].task["project"].tags,
]
lost = []
for ask in (
    lambda: run["nowhere"],
    lambda: run["end"]["77"],
    lambda: run["end"].task["nothing"],
    lambda: Run("Family/1"),
    lambda: Run("Family/1/end"),
    lambda: Run("Family"),
):
    try:
        lost.append(str(ask()))
    except Exception as error:
        lost.append(
            [isinstance(error, KeyError), [name for kind, name in ERRORS.items() if isinstance(error, kind)]]
        )
out["lost"] = lost
print(json.dumps(out))
