"""``kubernetes list`` and ``kubernetes kill``: a flow's pods and Jobs in the cluster, whoever started them."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from headway.config.connection import Connection, connection_of
from headway.config.general import datastore_roots
from headway.config.resolve import resolve_kubernetes
from headway.config.sources import Configuration
from headway.errors import KeyExistsError, NotFoundError, UsageError
from headway.executors.kubernetes.inventory import Found, Inventory
from headway.flow.graph import Graph
from headway.launch.lease import read_lease
from headway.launch.past import PastRun, find_past_run, latest_run
from headway.launch.steps import plan_steps
from headway.launch.stopping import LOOK_SECONDS, ask_to_stop
from headway.schedule.instructions import INTERRUPTED
from headway.store import layout
from headway.store.run_records import RunEnd

#: Seconds that a launcher is given to end its run once it has been asked to, the tasks' grace excepted.
_PATIENCE = 3 * LOOK_SECONDS
_POLL = 0.5

Say = Callable[[str], object]


class Whereabouts(NamedTuple):
    """Where a flow's pods are if it is started now.

    Attributes:
        namespaces: The configured one, and those that its steps name; looked into where not every one may be.
        connection: The cluster that its steps name, the configured one where none does.
    """

    namespaces: frozenset[str]
    connection: Connection


def whereabouts(graph: Graph, configuration: Configuration) -> Whereabouts:
    """Where the flow's pods may be.

    Raises:
        SettingsError: A setting cannot be used.
    """
    steps = plan_steps(graph, configuration)
    pods = {name: step.kubernetes for name, step in steps.items() if step.kubernetes is not None}
    anywhere = resolve_kubernetes("", configuration=configuration).settings
    namespaces = frozenset(each.namespace for each in (anywhere, *pods.values()))
    return Whereabouts(namespaces, connection_of(pods or {"": anywhere}))


def which_runs(
    flow: str, configuration: Configuration, run: str | None, user: str | None
) -> tuple[str | None, str | None]:
    """The run and the person whose pods are meant: as said, else the newest run that was started from here.

    Raises:
        UsageError: Both are said, or nothing is and no run was started from here.
    """
    if run is not None and user is not None:
        raise UsageError("--run-id and --user or --my-runs exclude each other.", "Say whose, or which run.")
    if run is None and user is None:
        here = str(datastore_roots(configuration)["local"].value)
        run = latest_run(flow, here, "--run-id ID (or say whose: --my-runs)")
    return run, user


def list_pods(flow: str, where: Whereabouts, run: str | None, user: str | None) -> Found:
    """The pods of these runs, and the Jobs that have none.

    Args:
        flow: The flow.
        where: Where its pods may be.
        run: Only this run.
        user: Only this person's runs.

    Raises:
        ClusterConfigurationError: The cluster cannot be asked.
    """

    async def ask() -> Found:
        async with Inventory(flow, where.namespaces, where.connection) as inventory:
            return await inventory.look(run, user, why=True)

    return asyncio.run(ask())


def kill_pods(
    flow: str,
    where: Whereabouts,
    roots: Sequence[str],
    run: str | None,
    user: str | None,
    who: str,
    say: Say,
) -> Found:
    """End the pods of these runs, and their Jobs that have none, and the runs with them.

    A launcher that is alive is asked to stop, so that it does not try again what is taken from it. If it
    does not, or there is none any more, the Jobs are deleted from here and the run is noted as interrupted.
    Where the run is in none of the datastores, a mark on its Jobs asks the launcher before they are deleted.

    Args:
        flow: The flow.
        where: Where its pods may be.
        roots: The datastores in which its runs are looked for.
        run: Only this run.
        user: Only this person's runs.
        who: Who asks, for words.
        say: Told what is done.

    Returns:
        The pods and Jobs that were active.
    """
    return asyncio.run(_kill(flow, where, roots, run, user, who, say))


def is_known(flow: str, run: str, roots: Sequence[str]) -> bool:
    """Whether a run is in one of these datastores."""
    return _find(flow, run, roots) is not None


async def _kill(
    flow: str,
    where: Whereabouts,
    roots: Sequence[str],
    run: str | None,
    user: str | None,
    who: str,
    say: Say,
) -> Found:
    async with Inventory(flow, where.namespaces, where.connection) as inventory:
        active = (await inventory.look(run, user)).active
        for each in active.runs:
            for pod in active.pods:
                if pod.run == each:
                    say(f"Killing Kubernetes pod {pod.name} (run {each}, step {pod.step}).")
            for job in active.jobs:
                if job.run == each:
                    say(f"Killing Kubernetes Job {job.name} (run {each}, step {job.step}), which has no pod.")
            past = await asyncio.to_thread(_find, flow, each, roots)
            if past is None:
                say(
                    f"Run {each} is in no datastore that is configured here: its launcher is told by its Jobs, and "
                    "they are deleted."
                )
            elif await _stopped_by_its_launcher(past, who, say):
                continue
            await inventory.end(each, who)
            if past is not None:
                await asyncio.to_thread(_note_end, past, who)
        return active


def _find(flow: str, run: str, roots: Sequence[str]) -> PastRun | None:
    try:
        return find_past_run(flow, run, roots)
    except NotFoundError:
        return None


async def _stopped_by_its_launcher(past: PastRun, who: str, say: Say) -> bool:
    lease = await asyncio.to_thread(read_lease, past.store, past.flow, past.run)
    if lease is None or lease.is_free:
        return False
    held = "is" if lease.seems_held(time.time()) else "was last"
    say(f"Run {past.run} {held} driven by {lease.owner}: it is asked to stop.")
    await asyncio.to_thread(ask_to_stop, past.store, past.flow, past.run, who)
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        if await asyncio.to_thread(past.end) is not None:
            return True
        await asyncio.sleep(_POLL)
    say(f"Run {past.run} has not ended yet; its Jobs are deleted from here.")
    return False


def _note_end(past: PastRun, who: str) -> None:
    end = RunEnd(INTERRUPTED, time.time(), None, f"stopped by {who}")
    with contextlib.suppress(KeyExistsError):
        # Its launcher has come to an end after all, and that stands.
        past.store.put_if_absent(layout.run_end(past.flow, past.run), end.encode())
