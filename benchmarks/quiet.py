"""How busy the machine is, and waiting until it is not: what one contender left behind must not slow the next."""

import os
import time
from collections.abc import Callable
from pathlib import Path

#: A machine whose cores work for less than this share is quiet: a cluster on it that does nothing takes some of it.
QUIET = 0.25

#: Processor time so far, of all cores: (all, idle), in any unit.
Times = tuple[int, int]


def times_of(stat: str) -> Times:
    """The times in the text of ``/proc/stat``; waiting for a disk is idle, as nothing else is kept from running."""
    words = [int(word) for word in stat.partition("\n")[0].split()[1:9]]
    return sum(words), words[3] + words[4]


def busy(before: Times, after: Times) -> float:
    """The share of all cores that worked between the two."""
    passed = after[0] - before[0]
    return 1 - (after[1] - before[1]) / passed if passed else 0.0


def sample(seconds: float = 1.0) -> float:
    """The share of all cores that works in the next so many seconds.

    The load average would tell of the contender that has just ended for a minute after it.
    """
    before = times_of(Path("/proc/stat").read_text())
    time.sleep(seconds)
    return busy(before, times_of(Path("/proc/stat").read_text()))


def settle(
    limit: float = 60.0,
    look: Callable[[], float] = sample,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, float]:
    """Wait until the machine is quiet, or for so long.

    Args:
        limit: Seconds after which a machine that is not quiet has to do; 0 looks once.
        look: Tells the share of the cores that works.
        clock: Tells the time.

    Returns:
        How busy it is now (``busy``), its load average (``load``), and how long it was waited (``waited``).
    """
    begun = clock()
    share = look()
    while share > QUIET and clock() - begun < limit:
        share = look()
    return {"busy": share, "load": os.getloadavg()[0], "waited": clock() - begun}
