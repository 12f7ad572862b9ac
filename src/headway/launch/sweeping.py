"""``kubernetes sweep``: takes away what runs left in the cluster and nothing else would."""

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial

from headway.errors import NotFoundError
from headway.executors.kubernetes.archive import imported_aliases, runtime_archive
from headway.executors.kubernetes.names import runtime_config_map_name
from headway.executors.kubernetes.sweep import OURS, Leftover, Sweeper, sweeper
from headway.launch.clusterpods import Whereabouts
from headway.launch.lease import read_lease
from headway.launch.past import find_past_run, known_runs
from headway.store.parallel import run_parallel

#: Runs of the past whose secrets are looked for: the newest; those of older ones went with their Jobs.
MOST_RUNS = 200

#: Seconds for which a run is left alone that nobody seems to drive: its launcher may only be starting, or
#: have another clock than this machine.
_LONG_AGO = 600.0

_READERS = 16

Say = Callable[[str], object]


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
    over = await asyncio.to_thread(_runs_over, flow, roots)
    current = await asyncio.to_thread(_current)
    async with sweeper(sorted(where.namespaces), where.connection) as broom:
        everywhere = await broom.look_everywhere()
        active = await broom.active_runs(flow)
        found = await broom.secrets(flow, [run for run in over if run not in active])
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


def _runs_over(flow: str, roots: Sequence[str]) -> list[str]:
    """The newest runs that ended, or that no launcher has driven for a while."""
    newest = sorted({run for root in roots for run in known_runs(root, flow)})[-MOST_RUNS:]
    verdicts = run_parallel([partial(is_over, flow, run, roots) for run in newest], _READERS)
    return [run for run, over in zip(newest, verdicts, strict=True) if over]


def is_over(flow: str, run: str, roots: Sequence[str], clock: Callable[[], float] = time.time) -> bool:
    """Whether nothing of a run is under way any more, and nothing will be.

    Args:
        flow: The flow.
        run: The run.
        roots: The datastores that tell.
        clock: Seconds since the epoch.
    """
    try:
        past = find_past_run(flow, run, roots)
    except NotFoundError:
        return False
    if past.end() is not None:
        return True
    lease = read_lease(past.store, past.flow, past.run)
    before = clock() - _LONG_AGO
    return past.record.created < before if lease is None else lease.is_over(before)
