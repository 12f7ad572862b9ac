"""Looks after gangs whose ranks are not all there yet: gives one up that holds nodes in vain, and says so.

One that has waited for as long as it may is given up wherever that is; one whose missing ranks find no room, at
once where an older run's gang stands the same way: each may hold what the other lacks, and neither would ever begin.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from headway.errors import StoreError
from headway.executors.kubernetes.rivals import Rival, Rivals
from headway.executors.kubernetes.tracked import Attempt, Jobs, TrackedJob
from headway.runtime.barrier import Verdict, decide
from headway.runtime.limits import duration
from headway.store.base import ObjectStore

_TICK = 0.5
#: Seconds in which the first pod of a gang is expected to be placed, if there is room at all.
_PLACING = 5.0
_FIRST_DELAY, _LONGEST_DELAY = 2.0, 60.0
#: Doublings of the delay; more change nothing, and thousands would be no number any more.
_DOUBLINGS = 10
#: Seconds between two questions about other gangs, and for which a rank has found no room before one is asked.
_ASK, _SETTLED = 5.0, 3.0
#: Kubernetes' and our words for that; not while an autoscaler makes a node.
_NO_ROOM = ("Unschedulable", "NoScaleUp")
#: Seconds that an older gang is given at least to take what was left to it: its pods go, the scheduler looks again.
_AFTER_RIVAL = 10.0
#: How often room is made for one run's gangs: what does not help then is not what they lack.
_MOST_TIMES = 3


class Listener(Protocol):
    """Whom the gatherer tells."""

    def standing(self, job: TrackedJob, attempt: None, reason: str, message: str) -> None: ...

    def gathered(self) -> None:
        """All ranks of a gang are there, or it has no pods yet: another gang may have its turn."""
        ...

    def given_up(self, job: TrackedJob, delay: float) -> None:
        """No rank of the gang begins: it makes room now, and is tried again after so many seconds."""
        ...


def is_gathering(job: TrackedJob, now: float) -> bool:
    """Whether the gang holds nodes, or is about to, without being whole.

    Args:
        job: The gang's Job.
        now: Monotonic seconds.
    """
    if job.created is None or job.together or job.deleting or not job.attempts:
        return False
    placed = any(attempt.placed is not None for attempt in job.attempts.values())
    return placed or now - job.created < _PLACING


class Gatherer:
    """Watches the time of gangs.

    Args:
        store: The datastore.
        rivals: Finds gangs that stand in the way of each other.
        jobs: All Jobs in hand.
        clock: Monotonic seconds.
        listener: Whom to tell.
        jitter: Between 0 and 1; spreads gangs that stood in each other's way.
    """

    def __init__(
        self,
        store: ObjectStore,
        rivals: Rivals,
        jobs: Jobs,
        clock: Callable[[], float],
        listener: Listener,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._rivals = rivals
        self._jobs = jobs
        self._clock = clock
        self._listener = listener
        self._jitter = jitter
        self._asked = -_ASK
        self._made_room: Counter[Rival] = Counter()

    async def watch(self) -> None:
        """The loop to run."""
        while True:
            await asyncio.sleep(_TICK)
            waiting = False
            for job in self._jobs:
                if job.batch.gang is None or not job.attempts or job.deleting or job.together:
                    continue
                waiting = waiting or job.created is None
                await self._look(job)
            if waiting:
                self._listener.gathered()

    async def _look(self, job: TrackedJob) -> None:
        gang = job.batch.gang
        ranks = len(job.batch.tasks)
        if gang is None or job.created is None:
            return
        if len(job.attempts) < ranks or all(attempt.started for attempt in job.attempts.values()):
            # What happens from here on is for the ranks themselves to tell.
            job.together = True
            self._listener.gathered()
            return
        placed = [attempt.placed for attempt in job.attempts.values() if attempt.placed is not None]
        if not placed:
            return
        if self._clock() - min(placed) >= gang.patience:
            there = sum(attempt.started for attempt in job.attempts.values())
            words = f"{there} of {ranks} ranks were there after {duration(gang.patience)}"
            await self._give_up(
                job,
                words,
                (0.5 + self._jitter()) * min(_LONGEST_DELAY, _FIRST_DELAY * 2 ** min(job.tries, _DOUBLINGS)),
            )
        elif (rival := await self._rival_of(job)) is not None and job.attempts and not job.deleting:
            self._made_room[rival] += 1
            words = (
                f"{len(placed)} of {ranks} ranks have a node, there is none for the others, and a gang of the older "
                f"run {rival.pathspec} stands the same way"
            )
            await self._give_up(job, words, (1 + self._jitter()) * _AFTER_RIVAL)

    async def _rival_of(self, job: TrackedJob) -> Rival | None:
        """Whose gang is held up by the nodes that this one holds in vain, and comes first; asked now and then."""
        now = self._clock()
        if now - self._asked < _ASK or not any(_has_no_room(each, now) for each in job.attempts.values()):
            return None
        self._asked = now
        in_vain = {rival for rival, times in self._made_room.items() if times >= _MOST_TIMES}
        return await self._rivals.oldest(job.namespace, in_vain)

    async def _give_up(self, job: TrackedJob, words: str, delay: float) -> None:
        """Let no rank begin and try all later, unless they have all come in the last moment."""
        try:
            verdict = await asyncio.to_thread(decide, self._store, job.batch, Verdict([], f"Only {words}."))
        except StoreError:
            # Asked again at the next look.
            return
        if not verdict.why:
            job.together = True
            self._listener.gathered()
            return
        if job.unfit_since is not None:
            job.unfit_for += self._clock() - job.unfit_since
        delay = round(delay, 1)
        missing = sorted({each.standing.reason for each in job.attempts.values() if each.standing})
        why = f" ({', '.join(missing)})" if missing else ""
        message = f"{words}{why}; all make room, and are tried again in {duration(delay)}"
        self._listener.standing(job, None, "GangIncomplete", message)
        self._listener.given_up(job, delay)


def _has_no_room(attempt: Attempt, now: float) -> bool:
    """Whether the cluster has said for a moment that no node has room for it."""
    standing = attempt.standing
    if attempt.placed is not None or standing is None or standing.reason not in _NO_ROOM:
        return False
    return now - attempt.standing_since >= _SETTLED
