"""How many warm pods there should be, and how much each is given at a time: pure arithmetic."""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

#: Seconds of work that a pod is given ahead of time, so that it never waits for the launcher.
AHEAD = 2.0

#: Seconds for which a pod without ``reuse`` waits: for what is tried again at once, and for slow news.
BRIEF = 3


@dataclass(frozen=True, slots=True)
class Terms:
    """How few pods a step is to have.

    Attributes:
        pack: Tasks that one pod is to run.
        pods: Pods that have tasks of it in hand at a time, None where that is not limited.
        foreach: The step that fans out to it, however many steps lie between; "" outside every foreach.
    """

    pack: int = 1
    pods: int | None = None
    foreach: str = ""


def tasks_per_pod(tasks: int, terms: Terms) -> float:
    """How many of a step's tasks one pod is to run.

    Args:
        tasks: How many there are: those that have not ended, as nobody knows how many are yet to come where each
            task of a foreach leads to one.
        terms: The step's.
    """
    return max(float(terms.pack), tasks / terms.pods if terms.pods else 1.0)


def wanted_pods(active: Mapping[str, int], terms: Mapping[str, Terms]) -> int:
    """How many pods the tasks that have not ended are worth.

    The steps of one foreach share theirs: a task that ends makes room for the one that follows it.

    Args:
        active: By step, how many there are.
        terms: By step.
    """
    worth: dict[tuple[str, str], float] = defaultdict(float)
    most: dict[tuple[str, str], float] = defaultdict(float)
    for step, count in active.items():
        said = terms[step]
        together = (said.foreach, "" if said.foreach else step)
        worth[together] += count / tasks_per_pod(count, said)
        most[together] = max(most[together], said.pods or math.inf)
    # So that three thirds of a pod are one pod.
    return math.ceil(sum(min(worth[each], most[each]) for each in worth) - 1e-6)


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


def wants_more(in_hand: Mapping[str, int], paces: Mapping[str, float], shares: Mapping[str, float]) -> bool:
    """Whether a pod is to get its next tasks before it has done what it has: not behind what may take long.

    Args:
        in_hand: By step, how many tasks it has.
        paces: By step, seconds that a task takes; a step not named is not known.
        shares: By step, how many tasks one pod is to run.
    """
    seconds = sum(count * paces.get(step, AHEAD / shares[step]) for step, count in in_hand.items())
    return seconds <= AHEAD / 2 + 1e-6


def pace(before: float | None, seconds: float) -> float:
    """What a task takes, after one more has told: recent ones count most."""
    return seconds if before is None else before + 0.2 * (seconds - before)
