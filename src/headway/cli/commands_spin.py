"""``spin``: what was typed becomes one task of an earlier run, done again."""

import sys

from headway.cli import errors
from headway.cli.commands_run import check_numbers, reporter
from headway.cli.configs import given_configs
from headway.cli.program import Program
from headway.config.general import is_on
from headway.flow.configure import read_given
from headway.flow.declared import as_written
from headway.launch.resume import find_origin_run, where_runs_are
from headway.launch.spin import SpinRequest, spin
from headway.launch.spin_task import parse_pathspec
from headway.schedule.instructions import INTERRUPTED
from headway.store.records import SUCCEEDED
from headway.ui.background import BackgroundWriter
from headway.version import VERSION

_WHOSE_CONFIGS = (
    "Decorators go by the configurations that are given here; the step itself reads those of its run, "
    "or what --artifacts-module gives."
)


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
    run, step, task = parse_pathspec(pathspec, this.flow)
    roots = where_runs_are(this.configuration, options.datastore, options.datastore_root)
    past = find_origin_run(this.flow, run, this.configuration, roots, "spin RUN/STEP")
    configs = as_written(this.flow_class).configs
    given = read_given(configs, given_configs(options.configs, options.config_values, {}))
    this.stored_configs = {**past.values(configs), **given}
    this.recall(past)
    request = SpinRequest(
        graph=this.graph(defaults=False),
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
        if given:
            this.write(_WHOSE_CONFIGS, error=True)
    with BackgroundWriter(this.write) as write:
        end = spin(request, this.configuration, reporter(this, write))
    if end.outcome != SUCCEEDED:
        sys.exit(errors.INTERRUPTED if end.outcome == INTERRUPTED else errors.FAILED)
    if persist and not options.quiet:
        this.write("What it made is kept: headway.inspect_spin('.') shows it to the client.", error=True)
