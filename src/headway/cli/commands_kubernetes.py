"""``kubernetes list``, ``kill`` and ``sweep``: the flow's pods, whoever started them, and what they left."""

from headway.cli.context import program
from headway.cli.embedded import point_at_running_cluster
from headway.cli.program import Program
from headway.config.general import user as configured_user
from headway.errors import NotFoundError, UsageError
from headway.launch.clusterpods import is_known, kill_pods, list_pods, namespaces_of, which_runs
from headway.launch.resume import where_runs_are
from headway.launch.sweeping import sweep as sweep_namespaces


def list_(*, run_id: str | None, user: str | None, my_runs: bool) -> None:
    """Print the pods, a line each."""
    this = program()
    run, whose = _which(this, run_id, user, my_runs)
    pods = list_pods(this.flow, namespaces_of(this.graph(), this.configuration), run, whose)
    for pod in pods:
        started = f"{pod.started:%Y-%m-%d %H:%M:%S}Z" if pod.started else "-"
        this.write(f"Run: {pod.run} Pod: {pod.name} Started At: {started} Status: {pod.phase}")
    if not pods:
        this.write(f"No Kubernetes pods found {_of(run, whose)}.", error=True)


def kill(*, run_id: str | None, user: str | None, my_runs: bool) -> None:
    """End the pods, and the runs with them."""
    this = program()
    run, whose = _which(this, run_id, user, my_runs)
    options = this.options
    roots = where_runs_are(this.configuration, options.datastore, options.datastore_root)
    killed = kill_pods(
        this.flow,
        namespaces_of(this.graph(), this.configuration),
        roots,
        run,
        whose,
        configured_user(this.configuration),
        lambda line: this.write(line, error=True),
    )
    if run_id is not None and not killed and not is_known(this.flow, run_id, roots):
        raise NotFoundError(
            f"Nothing of a run {run_id} of {this.flow} is on the cluster, nor in a datastore that is configured here.",
            f"To see the pods of your runs: {this.command('kubernetes list --my-runs')}",
        )
    if not killed:
        this.write(f"No active Kubernetes pods found {_of(run, whose)}.", error=True)


def sweep(*, dry_run: bool) -> None:
    """Take away what runs that are over left in the cluster."""
    this = program()
    point_at_running_cluster()
    options = this.options
    found = sweep_namespaces(
        this.flow,
        namespaces_of(this.graph(), this.configuration),
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


def _of(run: str | None, user: str | None) -> str:
    return f"for run {run}" if run is not None else f"for user {user}"
