"""Where the ranks of a gang wait for each other, before any of them begins its step.

Each rank notes its address in the datastore; once all are there, rank 0 creates the verdict. The
launcher, and each rank that has waited too long, may create it first: then no rank begins, and all
may be started again. Whoever comes second reads what is there, so all of them agree, and no name
has to be resolved and no port opened for that.
"""

import json
import os
import time
from typing import Callable, List, NamedTuple, Optional

from headway.errors import HeadwayError, KeyExistsError, KeyNotFoundError
from headway.store import layout
from headway.store.base import ObjectStore
from headway.store.batch import Batch, Gang

#: Seconds for which a rank waits longer than the launcher would: it decides only where no launcher does.
_MARGIN = 120.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 0.5


class Verdict(NamedTuple):
    """What was decided for a gang.

    Attributes:
        addresses: The IP address of each rank; empty where none may begin.
        why: Why none may begin, "" where all do.
    """

    addresses: List[str]
    why: str = ""


class GangGivenUpError(HeadwayError):
    """Not all ranks of the gang came; no rank begins."""


def gather(
    store: ObjectStore,
    batch: Batch,
    gang: Gang,
    rank: int,
    pause: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Batch:
    """Wait until all ranks are there.

    Args:
        store: The datastore.
        batch: The batch; its tasks are the ranks in order.
        gang: How long to wait.
        rank: Which of them this is.
        pause: Sleeps so many seconds.
        clock: Monotonic seconds.

    Returns:
        The batch, with rank 0's address.

    Raises:
        GangGivenUpError: It was decided that none begins.
    """
    folder, ranks = layout.gang(batch.flow, batch.run, batch.name), len(batch.tasks)
    store.put(f"{folder}{rank:05d}", os.environ.get("HEADWAY_POD_IP", "").encode())
    until, wait = clock() + gang.patience + _MARGIN, _FIRST_PAUSE
    verdict = look(store, batch)
    while verdict is None:
        if rank == 0:
            # The verdict, which may come at any moment, stands beside the ranks.
            present = [info.key for info in store.list(folder) if info.key != _key(batch)]
            if len(present) >= ranks:
                addresses = [store.get(f"{folder}{each:05d}").decode() for each in range(ranks)]
                verdict = decide(store, batch, Verdict(addresses))
                break
        if clock() > until:
            verdict = decide(
                store, batch, Verdict([], "Not all ranks came, and no launcher said what to do.")
            )
            break
        pause(wait)
        wait = min(wait * 1.5, _LONGEST_PAUSE)
        verdict = look(store, batch)
    if verdict.why:
        raise GangGivenUpError(verdict.why)
    return batch._replace(gang=gang._replace(address=verdict.addresses[0]))


def look(store: ObjectStore, batch: Batch) -> Optional[Verdict]:
    """What was decided, None where nothing is yet."""
    try:
        return Verdict(*json.loads(store.get(_key(batch))))
    except KeyNotFoundError:
        return None


def decide(store: ObjectStore, batch: Batch, verdict: Verdict) -> Verdict:
    """Decide, unless that was done; what was decided."""
    try:
        store.put_if_absent(_key(batch), json.dumps(verdict).encode())
    except KeyExistsError:
        return Verdict(*json.loads(store.get(_key(batch))))
    return verdict


def _key(batch: Batch) -> str:
    return layout.gang(batch.flow, batch.run, batch.name) + "verdict"
