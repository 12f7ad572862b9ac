"""``kubernetes list``, ``kill`` and ``sweep``: the flow's pods, whoever started them, and what they left."""

from collections.abc import Sequence
from datetime import datetime

from headway.cli.context import program
from headway.cli.embedded import point_at_running_cluster
from headway.cli.program import Program
from headway.config.general import user as configured_user
from headway.errors import NotFoundError, UsageError
from headway.launch.clusterpods import is_known, kill_pods, list_pods, whereabouts, which_runs
from headway.launch.resume import where_runs_are
from headway.launch.sweeping import sweep as sweep_namespaces


def list_(*, run_id: str | None, user: str | None, my_runs: bool) -> None:
    """Print the pods, a line each."""
    this = program()
    run, whose = _which(this, run_id, user, my_runs)
    found = list_pods(this.flow, whereabouts(this.graph(), this.configuration), run, whose)
    for pod in found.pods:
        about = f"Run: {pod.run} Pod: {pod.name} Started At: {_when(pod.started)}"
        this.write(f"{about} Status: {_state(pod.phase, pod.why)}")
    for job in found.jobs:
        state = "Suspended" if job.suspended else "Without pods"
        about = f"Run: {job.run} Job: {job.name} Created At: {_when(job.created)}"
        this.write(f"{about} Status: {_state(state, job.why)}")
    _tell_hidden(this, found.hidden)
    if not found.pods and not found.jobs:
        this.write(f"No Kubernetes pods found {_of(run, whose)}.", error=True)


def kill(*, run_id: str | None, user: str | None, my_runs: bool) -> None:
    """End the pods, and the runs with them."""
    this = program()
    run, whose = _which(this, run_id, user, my_runs)
    options = this.options
    roots = where_runs_are(this.configuration, options.datastore, options.datastore_root)
    killed = kill_pods(
        this.flow,
        whereabouts(this.graph(), this.configuration),
        roots,
        run,
        whose,
        configured_user(this.configuration),
        lambda line: this.write(line, error=True),
    )
    _tell_hidden(this, killed.hidden)
    nothing = not killed.pods and not killed.jobs
    if run_id is not None and nothing and not is_known(this.flow, run_id, roots):
        raise NotFoundError(
            f"Nothing of a run {run_id} of {this.flow} is on the cluster, nor in a datastore that is configured here.",
            f"To see the pods of your runs: {this.command('kubernetes list --my-runs')}",
        )
    if nothing:
        this.write(f"No active Kubernetes pods found {_of(run, whose)}.", error=True)


def sweep(*, dry_run: bool) -> None:
    """Take away what runs that are over left in the cluster."""
    this = program()
    point_at_running_cluster()
    options = this.options
    found = sweep_namespaces(
        this.flow,
        whereabouts(this.graph(), this.configuration),
        where_runs_are(this.configuration, options.datastore, options.datastore_root),
        this.write,
        dry_run=dry_run,
    )
    if not found:
        this.write(f"Nothing is left of runs of {this.flow} that are over.", error=True)


def _which(
    this: Program, run_id: str | None, user: str | None, my_runs: bool
) -> tuple[str | None, str | None]:
    if user is not None and my_runs:
        raise UsageError("--user and --my-runs exclude each other.", "Say one of them.")
    point_at_running_cluster()
    whose = configured_user(this.configuration) if my_runs else user
    return which_runs(this.flow, this.configuration, run_id, whose)


def _state(word: str, why: str) -> str:
    return f"{word}: {why}" if why else word


def _when(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}Z" if at else "-"


def _tell_hidden(this: Program, looked_into: Sequence[str]) -> None:
    if looked_into:
        this.write(
            f"You may not list pods and Jobs of all namespaces: looked into {', '.join(looked_into)}.",
            error=True,
        )


def _of(run: str | None, user: str | None) -> str:
    return f"for run {run}" if run is not None else f"for user {user}"
