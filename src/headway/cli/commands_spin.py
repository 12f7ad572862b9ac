"""``spin``: what was typed becomes one task of an earlier run, done again."""

import sys

from headway.cli import errors
from headway.cli.commands_run import check_numbers, reporter
from headway.cli.program import Program
from headway.config.general import is_on
from headway.errors import UsageError
from headway.flow.members import configs_of
from headway.launch.resume import find_origin_run, where_runs_are
from headway.launch.spin import SpinRequest, spin
from headway.launch.spin_task import parse_pathspec
from headway.schedule.instructions import INTERRUPTED
from headway.store.records import SUCCEEDED
from headway.ui.background import BackgroundWriter
from headway.version import VERSION


def spin_step(
    this: Program,
    *,
    pathspec: str,
    skip_decorators: bool,
    artifacts_module: str | None,
    persist: bool | None,
    max_log_size: int,
    run_id_file: str | None,
    runner_attribute_file: str | None,
) -> None:
    """Do one task of an earlier run again, alone."""
    check_numbers(None, 1, max_log_size)
    options = this.options
    if persist is None:
        persist = is_on(this.configuration, "SPIN_PERSIST")
    if options.configs or options.config_values:
        raise UsageError(
            "spin takes no configurations: the task has those of its run.",
            "Leave --config and --config-value out, or start a new run.",
        )
    run, step, task = parse_pathspec(pathspec, this.flow)
    roots = where_runs_are(this.configuration, options.datastore, options.datastore_root)
    past = find_origin_run(this.flow, run, this.configuration, roots, "spin RUN/STEP")
    this.stored_configs = past.values(configs_of(this.flow_class))
    this.recall(past)
    request = SpinRequest(
        graph=this.graph(),
        origin=this.origin,
        past=past,
        step=step,
        task=task,
        skip_decorators=skip_decorators,
        artifacts=artifacts_module,
        persist=persist,
        max_log_size=max_log_size,
        run_id_file=run_id_file,
        runner_attribute_file=runner_attribute_file,
        parameter_changes=this.parameter_changes,
        branch=options.branch,
        production=options.production,
    )
    if not options.quiet:
        this.write(f"Headway {VERSION} spins {step} of {this.flow}.", error=True)
        for note in request.graph.notes:
            this.write(note, error=True)
    with BackgroundWriter(this.write) as write:
        end = spin(request, this.configuration, reporter(this, write))
    if end.outcome != SUCCEEDED:
        sys.exit(errors.INTERRUPTED if end.outcome == INTERRUPTED else errors.FAILED)
    if persist and not options.quiet:
        this.write("What it made is kept: headway.inspect_spin('.') shows it to the client.", error=True)
