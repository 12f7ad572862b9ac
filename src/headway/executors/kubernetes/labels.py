"""Labels and annotations of Jobs and pods: who they belong to, for selectors and for people.

A label's value holds 63 characters of a small alphabet. What does not fit is shortened with a hash,
the same way each time, so that :func:`label_value` also builds the selector that finds it again; the
whole text then stands in an annotation of the same key.
"""

import re
from collections.abc import Mapping

from headway.config.kubernetes_values import is_label_value
from headway.executors.kubernetes.names import LABEL_LENGTH, short_hash
from headway.store.batch import Batch

FLOW, RUN, STEP, USER = "metaflow/flow_name", "metaflow/run_id", "metaflow/step_name", "metaflow/user"
TASK, ATTEMPT = "metaflow/task_id", "metaflow/attempt"
BATCH = "headway.dev/batch"
#: The annotation of a Job whose run is to stop: who asks. Left by who cannot reach the run's datastore.
STOPPED_BY = "headway.dev/stopped-by"
#: Tells a gang's objects, by the number of its ranks.
GANG = "headway.dev/gang"
#: What Kubernetes says of a pod's Job, and said before 1.27.
JOB_NAME_LABELS = ("batch.kubernetes.io/job-name", "job-name")
MANAGED_BY = "app.kubernetes.io/managed-by"

#: What every object of ours carries, whatever run it belongs to.
COMMON: Mapping[str, str] = {"app.kubernetes.io/part-of": "metaflow", MANAGED_BY: "headway"}

_OTHER = re.compile(r"[^A-Za-z0-9_.-]+")


def label_value(text: str) -> str:
    """The text as a label's value: itself where it can be one, else its beginning and a hash of it."""
    if is_label_value(text):
        return text
    digest = short_hash(text)
    start = _OTHER.sub("-", text)[: LABEL_LENGTH - len(digest) - 1].strip("-_.")
    return f"{start}-{digest}" if start else digest


def labels_of(batch: Batch, own: Mapping[str, str]) -> dict[str, str]:
    """The labels of a batch's Job and pods: the user's own, and ours over them."""
    return {
        **own,
        **{key: label_value(text) for key, text in _facts(batch).items()},
        **({} if batch.gang is None else {GANG: str(len(batch.tasks))}),
        "app.kubernetes.io/name": "metaflow-task",
        **COMMON,
    }


def annotations_of(batch: Batch, own: Mapping[str, str]) -> dict[str, str]:
    """The annotations of a batch's Job and pods: the user's own, and the whole of each fact over them.

    Task and attempt are told where they are the same for all pods: the template cannot tell them apart.
    """
    facts = _facts(batch)
    whole = {key: facts[key] for key in (FLOW, RUN, STEP, USER) if key in facts}
    cut = {key: text for key, text in facts.items() if not is_label_value(text)}
    tasks, attempts = {task.task for task in batch.tasks}, {task.attempt for task in batch.tasks}
    if len(tasks) == 1:
        whole[TASK] = next(iter(tasks))
    if len(attempts) == 1:
        whole[ATTEMPT] = str(next(iter(attempts)))
    if batch.project is not None:
        whole.update(
            {
                "metaflow/project_name": batch.project.name,
                "metaflow/branch_name": batch.project.branch,
                "metaflow/project_flow_name": batch.project.flow,
            }
        )
    return {**own, **whole, **cut}


def run_selector(flow: str, run: str) -> str:
    """The label selector of every object of one run."""
    return f"{FLOW}={label_value(flow)},{RUN}={label_value(run)}"


def _facts(batch: Batch) -> dict[str, str]:
    facts = {
        FLOW: batch.flow,
        RUN: batch.run,
        STEP: batch.step,
        USER: batch.user,
        "run": batch.run,
        "pipeline": batch.flow,
        BATCH: batch.name,
    }
    return {key: text for key, text in facts.items() if text}
