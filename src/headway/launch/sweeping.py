"""``kubernetes sweep``: takes away what runs left in the cluster and nothing else would."""

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from headway.errors import NotFoundError
from headway.executors.kubernetes.archive import imported_aliases, runtime_archive
from headway.executors.kubernetes.names import runtime_config_map_name
from headway.executors.kubernetes.sweep import OURS, Leftover, Sweeper, sweeper
from headway.launch.clusterpods import Whereabouts
from headway.launch.lease import DURATION_SECONDS, LeaseRecord, read_lease
from headway.launch.past import find_past_run, known_runs
from headway.store.parallel import run_parallel

#: Runs of the past whose secrets are looked for: the newest; those of older ones went with their Jobs.
MOST_RUNS = 200

#: Seconds for which a run is left alone that nobody seems to drive: its launcher may only be starting.
_LONG_AGO = 600.0

_READERS = 16

Say = Callable[[str], object]


class Fate(NamedTuple):
    """What is known of a run.

    Attributes:
        over: Whether nothing of it is under way any more, and nothing will be, as far as clocks tell.
        claim: Its launcher's claim, where only watching that makes it certain.
    """

    over: bool
    claim: LeaseRecord | None = None


def sweep(flow: str, where: Whereabouts, roots: Sequence[str], say: Say, *, dry_run: bool) -> int:
    """Take away the lent credentials of a flow's runs that are over, and runtimes that no Job mounts.

    Args:
        flow: The flow.
        where: Where its pods may be.
        roots: The datastores that tell which runs are over.
        say: Told of every object, and of what may not be looked at.
        dry_run: Only say what would be taken away.

    Returns:
        How many objects were, or would be, taken away.

    Raises:
        ClusterConfigurationError: The cluster cannot be asked.
    """
    return asyncio.run(_sweep(flow, where, roots, say, dry_run=dry_run))


async def _sweep(flow: str, where: Whereabouts, roots: Sequence[str], say: Say, *, dry_run: bool) -> int:
    fates = await asyncio.to_thread(_fates, flow, roots)
    current = await asyncio.to_thread(_current)
    async with sweeper(sorted(where.namespaces), where.connection) as broom:
        everywhere = await broom.look_everywhere()
        active = await broom.active_runs(flow)
        over = {run: fate for run, fate in fates.items() if fate.over and run not in active}
        found = await broom.secrets(flow, [run for run, fate in over.items() if fate.claim is None])
        doubtful = [run for run, fate in over.items() if fate.claim is not None]
        if doubtful and await broom.secrets(flow, doubtful):
            words = "whether the launchers live of runs that have no end"
            say(f"For {DURATION_SECONDS:.0f} seconds it is watched {words}: {', '.join(doubtful)}.")
            await asyncio.sleep(DURATION_SECONDS)
            later = await asyncio.to_thread(_fates, flow, roots)
            found += await broom.secrets(
                flow, [run for run in doubtful if later.get(run) in (over[run], Fate(True))]
            )
        runtimes, hidden = await broom.runtimes(current)
        for each in (leftovers := [*found, *runtimes]):
            await _remove(broom, each, say, dry_run=dry_run)
    if not everywhere:
        say(
            f"You may not list config maps of all namespaces: looked into {', '.join(sorted(where.namespaces))}."
        )
    for namespace in hidden:
        say(
            f"You may not list config maps in {namespace}, so old runtimes stay there. Who may can type: "
            f"kubectl -n {namespace} delete configmap -l {OURS} (while no run is under way)."
        )
    return len(leftovers)


async def _remove(broom: Sweeper, each: Leftover, say: Say, *, dry_run: bool) -> None:
    what = f"{each.kind} {each.name} in {each.namespace}: {each.why}."
    if dry_run:
        say(f"Would delete {what}")
    elif await broom.remove(each):
        say(f"Deleted {what}")
    else:
        say(f"You may not delete {what}")


def _current() -> str:
    return runtime_config_map_name(runtime_archive(imported_aliases(sys.modules)).sha256)


def _fates(flow: str, roots: Sequence[str]) -> dict[str, Fate]:
    """What is known of the newest runs."""
    newest = sorted({run for root in roots for run in known_runs(root, flow)})[-MOST_RUNS:]
    fates = run_parallel([partial(fate_of, flow, run, roots) for run in newest], _READERS)
    return dict(zip(newest, fates, strict=True))


def fate_of(flow: str, run: str, roots: Sequence[str], clock: Callable[[], float] = time.time) -> Fate:
    """Whether a run ended, or no launcher has driven it for a while.

    Args:
        flow: The flow.
        run: The run.
        roots: The datastores that tell.
        clock: Seconds since the epoch.
    """
    try:
        past = find_past_run(flow, run, roots)
    except NotFoundError:
        return Fate(False)
    if past.end() is not None:
        return Fate(True)
    lease = read_lease(past.store, past.flow, past.run)
    before = clock() - _LONG_AGO
    if lease is None:
        return Fate(past.record.created < before)
    return Fate(lease.seems_over(before), None if lease.is_free else lease)
