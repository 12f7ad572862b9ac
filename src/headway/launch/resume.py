"""From what ``resume`` was told to what it goes on from; refused where that would go wrong."""

import time
from collections.abc import Callable, Mapping

from headway.config.general import datastore_roots
from headway.config.sources import Configuration, Sourced
from headway.errors import CommandError, HeadwayError
from headway.flow.graph import Graph
from headway.flow.names import closest
from headway.launch.claim import Resumption, check_run_id
from headway.launch.lease import LeaseHeldError, read_lease
from headway.launch.past import PastRun, find_past_run, latest_run
from headway.store import layout
from headway.store.base import ObjectStore


def where_runs_are(
    configuration: Configuration, datastore: str | None, datastore_root: str | None
) -> tuple[str, ...]:
    """The datastores in which a run of the past is looked for, the likeliest first.

    Args:
        configuration: Names the roots.
        datastore: ``--datastore``: only this kind.
        datastore_root: ``--datastore-root``: only there.
    """
    if datastore_root is not None:
        return (datastore_root,)
    roots: Mapping[str, Sourced] = datastore_roots(configuration)
    if datastore is not None and datastore in roots:
        return (str(roots[datastore].value),)
    return tuple(str(root.value) for root in roots.values())


def find_origin_run(
    flow: str,
    run: str | None,
    configuration: Configuration,
    roots: tuple[str, ...],
    named: str = "--origin-run-id ID",
) -> PastRun:
    """The run that is meant: the one named, else the newest that was started from here.

    Args:
        flow: The flow's name.
        run: The id that was typed, if any.
        configuration: Names the local datastore.
        roots: The datastores to look in.
        named: How the command at hand takes an id, for words.

    Raises:
        NotFoundError: It is nowhere.
        UsageError: None is named, and none was started from here.
    """
    here = str(datastore_roots(configuration)["local"].value)
    return find_past_run(flow, latest_run(flow, here, named) if run is None else run, roots)


def resumption(
    past: PastRun,
    graph: Graph,
    step: str | None,
    run_id: str | None = None,
    clone_only: bool = False,
    identifier: str | None = None,
    clock: Callable[[], float] = time.time,
) -> Resumption:
    """What a run goes on from.

    Args:
        past: The earlier run.
        graph: The flow's graph as it is now.
        step: The step from which on all is run again; None for what has not succeeded.
        run_id: ``--run-id``.
        clone_only: ``--clone-only``.
        identifier: ``--resume-identifier``.
        clock: Seconds since the epoch.

    Raises:
        CommandError: There is no such step.
        UsageError: The id cannot be one.
        LeaseHeldError: The earlier run still goes on.
    """
    if step is not None and step not in graph:
        near = closest(step, list(graph.nodes))
        raise CommandError(
            f"The flow {graph.name}, as it is now, has no step {step!r} to resume from."
            + (f" Did you mean {near}?" if near else ""),
            f"Its steps are {', '.join(node.name for node in graph.in_order())}.",
        )
    if run_id is not None:
        check_run_id(run_id)
    refuse_live(past, clock())
    return Resumption(past, step, run_id, clone_only, identifier)


def refuse_live(past: PastRun, now: float) -> None:
    """Raise where a launcher drives the run.

    Raises:
        LeaseHeldError: One does, as far as its lease tells.
    """
    lease = read_lease(past.store, past.flow, past.run)
    if lease is None or not lease.seems_held(now) or past.end() is not None:
        return
    raise LeaseHeldError(
        f"Run {past.pathspec} still goes on: {lease.owner} drives it.",
        f"Stop it first (kill {lease.pid} on {lease.host}), or name another run. If that launcher is dead, "
        f"its lease runs out in {max(1, round(lease.expires - now))} seconds: try again then.",
    )


def left_open(
    flow: str, local_root: str, store: ObjectStore, clock: Callable[[], float] = time.time
) -> str | None:
    """How to go on with the newest run from here, where its launcher died; None where there is nothing to say.

    Args:
        flow: The flow's name.
        local_root: The local datastore's folder.
        store: The only datastore that is asked: that of the run about to start.
        clock: Seconds since the epoch.
    """
    try:
        run = latest_run(flow, local_root)
        if (
            store.size(layout.run_record(flow, run)) is None
            or store.size(layout.run_end(flow, run)) is not None
        ):
            return None
        lease = read_lease(store, flow, run)
    except HeadwayError:
        # A courtesy, and no reason not to start.
        return None
    if lease is None or not lease.seems_over(clock()):
        return None
    return (
        f"Run {run}, the last from here, has no end: its launcher died. `attach {run}` goes on with it, "
        f"`resume --origin-run-id {run}` takes over what it has done."
    )
