"""``run --dry-run``: what a run would send to the cluster, with no cluster and no datastore asked."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from headway.config.data import data_environment
from headway.config.datastore import Choice, choose_datastore
from headway.config.describe import Row, rows
from headway.config.general import branch_owner, datastore_roots
from headway.config.general import user as configured_user
from headway.config.kubernetes import KubernetesSettings
from headway.config.resolve import BUILT_IN, Resolved
from headway.config.shared import unseen_folder
from headway.config.sources import Configuration
from headway.errors import HeadwayError, SettingsError
from headway.executors.kubernetes.archive import imported_aliases, runtime_archive
from headway.executors.kubernetes.executor import DEFAULT_LIMIT
from headway.executors.kubernetes.preview import Previewer, Shown, as_yaml
from headway.flow.graph import FOREACH, Graph
from headway.launch.executors import pod_environment
from headway.launch.outset import Outset
from headway.launch.overrides import Override
from headway.launch.project import resolve_project
from headway.launch.rehearsal import rehearse
from headway.launch.request import RunRequest
from headway.launch.step_runs import batch_factory
from headway.launch.steps import PlannedStep, plan_steps
from headway.launch.way import check_way
from headway.schedule.instructions import StartBatch
from headway.store.forward import credentials_to_forward
from headway.store.run_records import RunRecord

#: Stands where the id of a run will be.
RUN = "dry-run"


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
    """The manifests of a run's pods, in the order in which a run would create them.

    What only a run can know stands for itself: its id and what is made of it, how wide a foreach is. Where
    a namespace turns out to enforce Pod Security *restricted*, pods get that profile too.

    Raises:
        HeadwayError: A setting cannot be used.
    """
    steps = plan_steps(request.graph, configuration, request.overrides)
    notes = [warning for step in steps.values() for warning in step.warnings]
    outset = _outset(request, configuration, steps, notes)
    lent = _lent(request, outset.choice.url, notes)
    parts = []
    for start, shown in shown_batches(outset, outset.remote, lent):
        comments = _comments(steps[start.step], start, request.graph, shown)
        parts.append("\n".join([*comments, as_yaml(shown.manifests)]))
    here = [step.name for step in steps.values() if step.kubernetes is None]
    if here:
        notes.append(f"On this machine: {', '.join(here)}.")
    if lent and parts:
        notes.append(
            "What the run's Secret lends is not shown: pods of these manifests, applied by hand, do not reach the "
            "datastore by it."
        )
    if not parts:
        notes.append("No step runs on Kubernetes, so nothing would be sent. Add --with kubernetes.")
    return Preview(tuple(notes), "".join(parts))


def shown_batches(
    outset: Outset, settings: Mapping[str, KubernetesSettings], lent: Sequence[str]
) -> Iterator[tuple[StartBatch, Shown]]:
    """The first batch of each step that runs as pods, with what a run would create for it.

    Args:
        outset: The run as it is meant to be.
        settings: By step.
        lent: The variables of the run's Secret.
    """
    request = outset.request
    record = RunRecord(outset.flow, RUN, outset.user, 0.0, request.tags)
    code = request.origin.code
    factory = batch_factory(outset, record, code, {}, code)
    previewer = Previewer(
        settings,
        outset.choice.url,
        pod_environment(outset, outset.choice.url),
        runtime_archive(imported_aliases(sys.modules)).sha256,
        request.max_workers or DEFAULT_LIMIT,
        lent,
        (outset.flow, RUN),
    )
    for start in rehearse(request.graph, outset.policies):
        if start.step in settings:
            yield start, previewer.show(factory.make(start))


def _outset(
    request: RunRequest, configuration: Configuration, steps: Mapping[str, PlannedStep], notes: list[str]
) -> Outset:
    user = configured_user(configuration)
    return Outset(
        request,
        configuration,
        steps,
        _datastore(request, configuration, steps, notes),
        user,
        "",
        resolve_project(request.graph, branch_owner(configuration, user), request.branch, request.production),
        data_environment(configuration),
    )


def _lent(request: RunRequest, url: str, notes: list[str]) -> tuple[str, ...]:
    """The variables of the run's Secret; their values are nobody's to see."""
    if not request.forward_credentials:
        return ()
    try:
        return tuple(credentials_to_forward(url))
    except HeadwayError as error:
        notes.append(_would_end(error))
        return ()


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
        choice = choose_datastore(
            request.datastore,
            request.datastore_root,
            roots,
            not request.pods_see_folders,
            default,
            unseen_folder(pods),
        )
    except SettingsError as error:
        # The manifests are worth seeing before there is a bucket.
        notes.append(_would_end(error))
        return Choice("s3", "s3://bucket/prefix")
    try:
        notes += check_way(choice.url, {} if request.pods_see_folders else pods)
    except HeadwayError as error:
        notes.append(_would_end(error))
    return choice


def _would_end(error: HeadwayError) -> str:
    return f"A run would end here: {error.message} {error.hint or ''}".strip()


def _comments(step: PlannedStep, start: StartBatch, graph: Graph, shown: Shown) -> Iterator[str]:
    reuse = step.kubernetes is not None and step.kubernetes.reuse
    yield f"# Step {step.name}{_said_of(step.name, start, graph, shown, reuse=reuse)}"
    for row in _rows(step) or ():
        if row.source != BUILT_IN:
            yield f"#   {row.name} = {row.value}   ({row.source})"


def _said_of(step: str, start: StartBatch, graph: Graph, shown: Shown, *, reuse: bool) -> str:
    if shown.warm and not shown.manifests:
        earlier = "pods that an earlier step leaves (reuse)" if reuse else "the foreach's pods"
        return f": taken by {earlier}; where those are not enough, by more like them."
    pods = "pods that take several tasks each" if shown.warm else "all tasks"
    if start.gang:
        gang = graph[step].gang
        known = any(step in node.targets and node.num_parallel for node in graph) or (
            gang is not None and gang.attributes.get("num_nodes")
        )
        return f": one Job for {len(start.tasks)} ranks{'' if known else ', as many as are assumed here'}."
    if any(step in node.targets and node.kind == FOREACH for node in graph):
        return f": one Job for {pods} of the foreach, {len(start.tasks)} of which are shown."
    if shown.warm:
        return ": pods that go on to other tasks (reuse)." if reuse else f": {pods}."
    return "."
