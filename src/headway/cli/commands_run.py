"""``run``: what was typed becomes a request to the launcher."""

import sys
from collections.abc import Sequence
from typing import Any

from headway.cli import errors
from headway.cli.embedded import use_embedded_cluster, will_use_embedded_cluster
from headway.cli.parameters import given_values, run_parameters, shown_parameters
from headway.cli.program import Program
from headway.cli.project import project_of
from headway.cli.store_kind import store_kind
from headway.config.datastore import check_kind
from headway.config.general import is_on
from headway.errors import SettingsError, UsageError
from headway.launch.request import RunRequest
from headway.launch.run import run_flow
from headway.launch.steps import plan_steps
from headway.schedule.instructions import INTERRUPTED
from headway.store.records import SUCCEEDED
from headway.store.run_records import RunEnd
from headway.store.tags import check_tags
from headway.ui.background import BackgroundWriter
from headway.ui.plain import PlainReporter, Writer
from headway.version import VERSION


def run(
    this: Program,
    *,
    late: Sequence[str],
    tags: Sequence[str],
    max_workers: int | None,
    max_num_splits: int,
    max_log_size: int,
    user_namespace: str | None,
    run_id_file: str | None,
    runner_attribute_file: str | None,
    forward_credentials: bool,
    overrides: Sequence[str],
    dry_run: bool,
    **given: Any,
) -> None:
    """Run the flow to its end."""
    check_numbers(max_workers, max_num_splits, max_log_size)
    check_tags(tags)
    if this.pipeline is not None:
        # What its body calls depends on what it is called with.
        texts = given_values(this.declared.parameters, given, this.configuration.environ)
        this.arguments = this.called_with(run_parameters(this, texts))
    graph = this.graph(tuple(late))
    changes = this.overrides(overrides)
    check_kind(this.options.datastore)
    if not dry_run and will_use_embedded_cluster(this, graph):
        # What was typed is checked before a cluster is started for it; else the launcher does it soon enough.
        plan_steps(graph, this.configuration, changes)
    texts = given_values(this.declared.parameters, given, this.configuration.environ)
    if not this.options.quiet and not dry_run:
        this.write(f"Headway {VERSION} runs {this.flow}.", error=True)
        for note in graph.notes:
            this.write(note, error=True)
    values = run_parameters(
        this, texts, lambda: store_kind(this, graph, changes), lambda: project_of(this, graph)
    )
    if this.pipeline is not None:
        from headway.cli.pipelines import pipeline_tags  # for pipelines

        values |= {**(this.arguments or {}), **this.constants}
        tags = (*tags, *pipeline_tags(this.pipeline))
        check_tags(tags)
    request = RunRequest(
        graph=graph,
        origin=this.origin,
        parameters=values,
        given=shown_parameters(this, texts, values),
        parameter_changes=this.parameter_changes,
        tags=tuple(dict.fromkeys(tags)),
        namespace=user_namespace,
        datastore=this.options.datastore,
        datastore_root=this.options.datastore_root,
        max_workers=max_workers,
        max_num_splits=max_num_splits,
        max_log_size=max_log_size,
        package_suffixes=this.options.package_suffixes,
        package_max_size=this.options.package_max_size,
        packages_anew=this.options.packages_anew,
        run_id_file=run_id_file,
        runner_attribute_file=runner_attribute_file,
        pods_see_folders=(will_use_embedded_cluster if dry_run else use_embedded_cluster)(this, graph),
        forward_credentials=forward_credentials or is_on(this.configuration, "FORWARD_CREDENTIALS"),
        overrides=changes,
        branch=this.options.branch,
        production=this.options.production,
        triggers=triggers(this),
        packaged=this.packaged,
    )
    if dry_run:
        _show(this, request)
        return
    with BackgroundWriter(this.write) as write:
        end = run_flow(request, this.configuration, reporter(this, write))
    finish(this, end)


def reporter(this: Program, write: Writer) -> PlainReporter:
    """Tells of a run line by line, as it is configured.

    Args:
        this: The program.
        write: Writes lines.

    Raises:
        SettingsError: TASK_STDERR is neither of the two streams.
    """
    found = this.configuration.get("TASK_STDERR")
    if found is not None and found.value not in ("stdout", "stderr"):
        raise SettingsError("TASK_STDERR", found.value, "stdout or stderr is allowed", found.source)
    together = found is not None and found.value == "stdout"
    return PlainReporter(write, quiet=this.options.quiet, together=together)


def check_numbers(max_workers: int | None, max_num_splits: int, max_log_size: int) -> None:
    """Refuse what cannot be a number of something.

    Raises:
        UsageError: One is below 1.
    """
    numbers = {
        "--max-workers": max_workers,
        "--max-num-splits": max_num_splits,
        "--max-log-size": max_log_size,
    }
    for name, value in numbers.items():
        if value is not None and value < 1:
            raise UsageError(f"{name}={value} is not possible: at least 1 is needed.")


def triggers(this: Program) -> str:
    """What ``--trigger`` says, as text.

    Raises:
        HeadwayError: It names what is no run, or none that ended well.
    """
    if not this.options.triggers:
        return ""
    # The client is for runs that wait for others.
    from headway.cli.reading import trigger_told_for_typing
    from headway.client.trigger import triggered_by

    with trigger_told_for_typing(this.options.triggers):
        return triggered_by(this.options.triggers).encode()


def finish(this: Program, end: RunEnd) -> None:
    """Exit as the run ended; of one that did not succeed, but did something, say how to go on."""
    if end.outcome == SUCCEEDED:
        return
    if end.winners and not this.options.quiet:
        this.write(f"What is done is kept. To run the rest: {this.command('resume')}", error=True)
    sys.exit(errors.INTERRUPTED if end.outcome == INTERRUPTED else errors.FAILED)


def _show(this: Program, request: RunRequest) -> None:
    """Manifests on stdout, so that they can be piped; what else there is to know on stderr."""
    # The manifests' modules are for runs with pods.
    from headway.launch.preview import preview_run

    preview = preview_run(request, this.configuration)
    for note in preview.notes:
        this.write(note, error=True)
    if preview.text:
        this.write(preview.text.rstrip("\n"))
    if this.write.lost:
        sys.exit(errors.FAILED)
