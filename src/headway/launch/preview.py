"""``run --dry-run``: what a run would send to the cluster, with no cluster and no datastore asked."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from headway.config.data import data_environment
from headway.config.datastore import Choice, choose_datastore
from headway.config.describe import Row, rows
from headway.config.general import datastore_roots
from headway.config.general import user as configured_user
from headway.config.resolve import BUILT_IN, Resolved
from headway.config.shared import unseen_folder
from headway.config.sources import Configuration
from headway.errors import SettingsError
from headway.executors.kubernetes.archive import imported_aliases, runtime_archive
from headway.executors.kubernetes.preview import as_yaml, preview_manifests
from headway.flow.graph import FOREACH, Graph
from headway.launch.overrides import Override
from headway.launch.project import resolve_project
from headway.launch.request import RunRequest
from headway.launch.steps import PlannedStep, plan_steps
from headway.store.batch import Batch, TaskSpec
from headway.store.forward import child_environment

#: Stands where the id of a run will be.
RUN = "dry-run"
#: How many tasks of a foreach are shown: how many there will be, the run decides.
_TASKS = 2


@dataclass(frozen=True)
class Preview:
    """What would be sent.

    Attributes:
        notes: What a person should know of it, a line each.
        text: YAML documents with comments.
    """

    notes: tuple[str, ...]
    text: str


def preview_run(request: RunRequest, configuration: Configuration) -> Preview:
    """The manifests of a run's pods, step by step in the graph's order.

    Raises:
        HeadwayError: A setting cannot be used.
    """
    steps = plan_steps(request.graph, configuration, request.overrides)
    notes = [warning for step in steps.values() for warning in step.warnings]
    choice = _datastore(request, configuration, steps, notes)
    user = configured_user(configuration)
    env = child_environment(choice.url) | data_environment(configuration)
    runtime = runtime_archive(imported_aliases(sys.modules)).sha256
    parts = []
    for step in steps.values():
        if step.kubernetes is None:
            continue
        many = any(step.name in node.targets and node.kind == FOREACH for node in request.graph)
        batch = _batch(request, step, user, _TASKS if many else 1)
        manifests = preview_manifests(step.kubernetes, batch, choice.url, env, runtime)
        parts.append("\n".join([*_comments(step, many=many), as_yaml(manifests)]))
    here = [step.name for step in steps.values() if step.kubernetes is None]
    if here:
        notes.append(f"On this machine: {', '.join(here)}.")
    if request.forward_credentials:
        notes.append(
            "With --forward-credentials the pods also get the variables of a Secret that is the run's own."
        )
    if not parts:
        notes.append("No step runs on Kubernetes, so nothing would be sent. Add --with kubernetes.")
    return Preview(tuple(notes), "".join(parts))


def settings_rows(
    graph: Graph, configuration: Configuration, overrides: Sequence[Override]
) -> dict[str, list[Row] | None]:
    """Every step's settings, each with where it came from; None for a step that runs on this machine."""
    steps = plan_steps(graph, configuration, overrides)
    return {name: _rows(step) for name, step in steps.items()}


def _rows(step: PlannedStep) -> list[Row] | None:
    if step.kubernetes is None:
        return None
    return rows(Resolved(step.kubernetes, step.provenance))


def _datastore(
    request: RunRequest, configuration: Configuration, steps: Mapping[str, PlannedStep], notes: list[str]
) -> Choice:
    pods = {name: step.kubernetes for name, step in steps.items() if step.kubernetes is not None}
    roots = datastore_roots(configuration)
    default = configuration.get("DEFAULT_DATASTORE")
    try:
        return choose_datastore(
            request.datastore,
            request.datastore_root,
            roots,
            not request.pods_see_folders,
            default,
            unseen_folder(pods),
        )
    except SettingsError as error:
        # The manifests are worth seeing before there is a bucket.
        notes.append(f"A run would end here: {error.message} {error.hint or ''}".strip())
        return Choice("s3", "s3://bucket/prefix")


def _batch(request: RunRequest, step: PlannedStep, user: str, tasks: int) -> Batch:
    assert step.kubernetes is not None
    return Batch(
        flow=request.graph.name,
        run=RUN,
        step=step.name,
        name=f"{step.name}-1",
        code=request.origin.code,
        tasks=tuple(TaskSpec(str(number), 0) for number in range(1, tasks + 1)),
        timeout=step.timeout,
        user=user,
        tags=request.tags,
        grace=float(step.kubernetes.termination_grace_period_seconds),
        project=resolve_project(request.graph, user, request.branch, request.production),
    )


def _comments(step: PlannedStep, *, many: bool) -> Iterator[str]:
    yield f"# Step {step.name}" + (
        f": one Job for all tasks of the foreach, {_TASKS} of them shown." if many else "."
    )
    for row in _rows(step) or ():
        if row.source != BUILT_IN:
            yield f"#   {row.name} = {row.value}   ({row.source})"
