"""How many warm pods there should be, and how much each is given at a time: pure arithmetic."""

import math
from collections.abc import Iterable, Mapping

#: Seconds of work that a pod is given ahead of time, so that it never waits for the launcher.
AHEAD = 2.0

#: Seconds for which a pod without ``reuse`` waits: for what is tried again at once, and for slow news.
BRIEF = 3


def tasks_per_pod(tasks: int, pack: int, pods: int | None) -> float:
    """How many tasks of a fan-out one pod is to run.

    Args:
        tasks: How many there are.
        pack: The setting.
        pods: The setting, None where it does not limit.
    """
    return max(float(pack), tasks / pods if pods else 1.0)


def wanted_pods(active: Mapping[str, int], shares: Mapping[str, float]) -> int:
    """How many pods the tasks that have not ended are worth.

    Args:
        active: By step, how many there are.
        shares: By step, how many tasks one pod is to run.
    """
    # So that three thirds of a pod are one pod.
    return math.ceil(sum(count / shares[step] for step, count in active.items()) - 1e-6)


def most_at_a_time(seconds: float | None, share: float) -> int:
    """How many tasks a pod may have in hand.

    Args:
        seconds: What a task of this step takes, None while that is not known.
        share: How many tasks one pod is to run.
    """
    if seconds is None:
        return max(1, int(share))
    return max(1, int(AHEAD / max(seconds, 0.001)))


def chunk(queued: int, pods: int, most: int) -> int:
    """How many tasks the next pod is given: half of what would be its part, so that the rest evens out.

    Args:
        queued: Tasks that no pod has.
        pods: Pods that share them.
        most: What :func:`most_at_a_time` allows.
    """
    return max(1, min(most, math.ceil(queued / (2 * max(pods, 1)))))


def wants_more(in_hand: Iterable[str], paces: Mapping[str, float], shares: Mapping[str, float]) -> bool:
    """Whether a pod is to get its next tasks before it has done what it has: not behind what may take long.

    Args:
        in_hand: The steps of the tasks it has.
        paces: By step, seconds that a task takes; a step not named is not known.
        shares: By step, how many tasks one pod is to run.
    """
    return sum(paces.get(step, AHEAD / shares[step]) for step in in_hand) <= AHEAD / 2 + 1e-6


def pace(before: float | None, seconds: float) -> float:
    """What a task takes, after one more has told: recent ones count most."""
    return seconds if before is None else before + 0.2 * (seconds - before)
