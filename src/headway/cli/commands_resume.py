"""``resume``: what was typed becomes a request to the launcher, with what an earlier run has done."""

from collections.abc import Sequence

from headway.cli.commands_attach import go_on
from headway.cli.commands_run import check_numbers, finish, reporter, triggers
from headway.cli.embedded import use_embedded_cluster
from headway.cli.parameters import missing_parameters, shown_parameters
from headway.cli.program import Program
from headway.cli.project import project_of
from headway.cli.store_kind import store_kind
from headway.config.general import is_on
from headway.errors import NotFoundError, UsageError
from headway.flow.members import configs_of
from headway.launch.attach import check_attachable
from headway.launch.past import PastRun, find_past_run
from headway.launch.request import RunRequest
from headway.launch.resume import find_origin_run, resumption, where_runs_are
from headway.launch.run import run_flow
from headway.store.tags import check_tags
from headway.ui.background import BackgroundWriter
from headway.version import VERSION


def resume(
    this: Program,
    *,
    step: str | None,
    origin_run_id: str | None,
    run_id: str | None,
    clone_only: bool,
    reentrant: bool,
    resume_identifier: str | None,
    late: Sequence[str],
    tags: Sequence[str],
    max_workers: int | None,
    max_num_splits: int,
    max_log_size: int,
    run_id_file: str | None,
    runner_attribute_file: str | None,
    forward_credentials: bool,
    overrides: Sequence[str],
) -> None:
    """Run what an earlier run has not done, or from a step on."""
    check_numbers(max_workers, max_num_splits, max_log_size)
    check_tags(tags)
    options = this.options
    if options.configs or options.config_values:
        raise UsageError(
            "resume takes no configurations: the run has those of the run that it resumes.",
            "Leave --config and --config-value out, or start a new run.",
        )
    roots = where_runs_are(this.configuration, options.datastore, options.datastore_root)
    past = find_origin_run(this.flow, origin_run_id, this.configuration, roots)
    this.stored_configs = past.values(configs_of(this.flow_class))
    this.recall(past)
    graph = this.graph(tuple(late))
    if not options.quiet:
        this.write(f"Headway {VERSION} resumes {this.flow}.", error=True)
        for note in graph.notes:
            this.write(note, error=True)
    if reentrant and run_id is not None and (there := _run_of_that_id(this, run_id, roots)) is not None:
        _enter_again(this, there, roots, max_workers, forward_credentials)
        return
    resumes = resumption(past, graph, step, run_id, clone_only, resume_identifier)
    changes = this.overrides(overrides)
    values = missing_parameters(
        this,
        past.parameters().artifacts,
        lambda: store_kind(this, graph, changes, past.store.url),
        lambda: project_of(this, graph),
    )
    values |= this.constants
    request = RunRequest(
        graph=graph,
        origin=this.origin,
        parameters=values,
        given=shown_parameters(this, {}, values),
        tags=tuple(dict.fromkeys(tags)),
        parameter_changes=this.parameter_changes,
        datastore=options.datastore,
        datastore_root=options.datastore_root,
        max_workers=max_workers,
        max_num_splits=max_num_splits,
        max_log_size=max_log_size,
        package_suffixes=options.package_suffixes,
        package_max_size=options.package_max_size,
        packages_anew=options.packages_anew,
        run_id_file=run_id_file,
        runner_attribute_file=runner_attribute_file,
        pods_see_folders=use_embedded_cluster(this, graph),
        forward_credentials=forward_credentials or is_on(this.configuration, "FORWARD_CREDENTIALS"),
        overrides=changes,
        resumes=resumes,
        branch=options.branch,
        production=options.production,
        triggers=triggers(this),
        packaged=this.packaged,
    )
    with BackgroundWriter(this.write) as write:
        end = run_flow(request, this.configuration, reporter(this, write))
    if not clone_only:
        finish(this, end)


def _run_of_that_id(this: Program, run_id: str, roots: tuple[str, ...]) -> PastRun | None:
    try:
        return find_past_run(this.flow, run_id, roots)
    except NotFoundError:
        return None


def _enter_again(
    this: Program, there: PastRun, roots: tuple[str, ...], max_workers: int | None, forward_credentials: bool
) -> None:
    """``--reentrant``: whoever comes first drives the run, who comes after its death goes on with it."""
    end = there.end()
    if end is not None:
        this.write(f"Run {there.pathspec} has ended already ({end.outcome}).", error=True)
        finish(this, end)
        return
    check_attachable(there, this.written_graph)
    go_on(this, there, roots, max_workers, forward_credentials)
