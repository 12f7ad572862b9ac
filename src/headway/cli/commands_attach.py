"""``attach``: a run whose launcher died is driven on by this one."""

from headway.cli.commands_run import check_numbers, finish, reporter
from headway.cli.embedded import use_embedded_cluster
from headway.cli.program import Program
from headway.errors import NotFoundError
from headway.flow.members import configs_of
from headway.launch.attach import check_attachable, how_launched
from headway.launch.claim import RESUME_STEP, Resumption
from headway.launch.past import PastRun, find_past_run
from headway.launch.request import RunRequest
from headway.launch.resume import find_origin_run, where_runs_are
from headway.launch.run import run_flow
from headway.ui.background import BackgroundWriter
from headway.version import VERSION


def attach(this: Program, *, run: str | None, max_workers: int | None, forward_credentials: bool) -> None:
    """Drive a run on from where its launcher died."""
    check_numbers(max_workers, 1, 1)
    options = this.options
    roots = where_runs_are(this.configuration, options.datastore, options.datastore_root)
    past = find_origin_run(this.flow, run, this.configuration, roots, "attach ID")
    this.stored_configs = past.values(configs_of(this.flow_class))
    this.recall(past)
    check_attachable(past, this.written_graph)
    go_on(this, past, roots, max_workers, forward_credentials)


def go_on(
    this: Program, past: PastRun, roots: tuple[str, ...], max_workers: int | None, forward_credentials: bool
) -> None:
    """Drive it on as it was started, but for what is said anew."""
    options, launched, record = this.options, how_launched(past), past.record
    if not options.quiet:
        this.write(f"Headway {VERSION} attaches to {past.pathspec}.", error=True)
    request = RunRequest(
        graph=past.graph,
        origin=this.origin,
        tags=record.tags,
        namespace=launched.namespace,
        datastore=options.datastore,
        datastore_root=options.datastore_root,
        max_workers=max_workers or launched.max_workers,
        max_num_splits=launched.max_num_splits,
        max_log_size=launched.max_log_size,
        pods_see_folders=use_embedded_cluster(this, past.graph),
        forward_credentials=forward_credentials or launched.forward_credentials,
        overrides=this.overrides(launched.overrides),
        parameter_changes=this.parameter_changes,
        branch=launched.branch,
        production=launched.production,
        resumes=_resumed(past, (past.store.url, *roots)),
        attaches=past,
    )
    with BackgroundWriter(this.write) as write:
        end = run_flow(request, this.configuration, reporter(this, write))
    finish(this, end)


def _resumed(past: PastRun, roots: tuple[str, ...]) -> Resumption | None:
    """What the run itself goes on from, where that is still there; else what it has not taken over is run."""
    record = past.record
    if record.origin is None:
        return None
    try:
        return Resumption(find_past_run(record.flow, record.origin, roots), record.metadata.get(RESUME_STEP))
    except NotFoundError:
        return None
