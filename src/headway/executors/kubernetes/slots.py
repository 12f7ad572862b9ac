"""Shares one limit of running pods among the Jobs of a run: pure arithmetic, first come first served."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Demand:
    """One Job's claim.

    Attributes:
        job: Its name.
        unfinished: Attempts of it that have not ended.
        parallelism: Pods it may have at a time now; 0 while it is not created.
        whole: Whether it can use nothing less than a pod for each attempt: a gang.
    """

    job: str
    unfinished: int
    parallelism: int
    whole: bool = False


def allot(limit: int, demands: Iterable[Demand]) -> dict[str, int]:
    """How many pods each Job may have at a time.

    A Job never loses what it has: its pods run already. What its ended attempts leave free goes to
    the earliest Job that can use more. A gang that does not fit yet holds back what comes after it;
    one that is larger than the limit starts once nothing else runs.

    Args:
        limit: Pods at a time over all Jobs, at least 1.
        demands: In the order in which the Jobs came.

    Returns:
        By Job, only those that may have more than now.
    """
    waiting = list(demands)
    free = limit - sum(min(item.unfinished, item.parallelism) for item in waiting)
    return hand_out(limit, free, waiting)


def hand_out(limit: int, free: int, demands: Iterable[Demand]) -> dict[str, int]:
    """How what is free goes to those that can use more, by the rules of `allot`.

    Args:
        limit: Pods at a time over all Jobs, at least 1.
        free: How many of them there may still be.
        demands: In the order in which the Jobs came; no more of them is drawn than there is something to give.

    Returns:
        By Job, only those that may have more than now.
    """
    more: dict[str, int] = {}
    rest = iter(demands)
    while free > 0 and (item := next(rest, None)) is not None:
        wanted = item.unfinished - min(item.unfinished, item.parallelism)
        if item.whole and wanted > free and free < limit:
            break
        extra = wanted if item.whole else min(free, wanted)
        if extra > 0:
            more[item.job] = min(item.unfinished, item.parallelism) + extra
            free -= extra
    return more
