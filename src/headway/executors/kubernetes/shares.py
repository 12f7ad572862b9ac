"""Which Jobs of a run may have more pods: first come first served, and of the gangs one at a time.

This is asked at every end and every creation, so that its cost must not grow with the Jobs that wait. Those that were
given pods are counted each time as they stand, without a tally that could go wrong: there are not many more of them
than pods. Those that were given none hold no room, whatever becomes of them, and are looked at in their order, only as
far as there is room.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Container, Iterable, Iterator
from heapq import merge
from operator import attrgetter

from headway.executors.kubernetes.gathering import is_gathering
from headway.executors.kubernetes.slots import Demand, hand_out
from headway.executors.kubernetes.tracked import TrackedJob

_place = attrgetter("place")


class Shares:
    """Shares one limit of pods among the Jobs of a run.

    Args:
        limit: Pods at a time over all Jobs, at least 1.
        clock: Monotonic seconds.
    """

    def __init__(self, limit: int, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._clock = clock
        # Both in the order in which the Jobs came, which is not that in which they were admitted.
        self._given: list[TrackedJob] = []
        self._waiting: list[TrackedJob] = []

    def admit(self, job: TrackedJob) -> None:
        """From now on the Job may be given pods; or it has some, where another launcher created it."""
        insort(self._waiting if job.created is None else self._given, job, key=_place)

    def give(self, busy: Container[str]) -> list[tuple[TrackedJob, int]]:
        """Give what is free to those that wait for it.

        Args:
            busy: Names of the Jobs about which a call is under way: what they can use beyond it is kept for them.

        Returns:
            The Jobs that may have more pods at a time than now, and how many.
        """
        # One that is withdrawn while it is being created may take nodes yet.
        self._given = [job for job in self._given if job.attempts and (job.name in busy or not job.deleting)]
        hungry, used = self._count()
        free = self._limit - used
        if free <= 0:
            return []
        looked_at: list[TrackedJob] = []
        line = merge(hungry, self._waiting, key=_place)
        more = hand_out(self._limit, free, self._demands(line, busy, looked_at))
        chosen = [(job, more[job.name]) for job in looked_at if job.name in more and job.name not in busy]
        for job in looked_at:
            if _is_over(job):
                self._leave_line(job)
            elif job.name in more and self._leave_line(job):
                insort(self._given, job, key=_place)
        return chosen

    def _count(self) -> tuple[list[TrackedJob], int]:
        """Those that were given pods and can use more, and how many all of them have."""
        hungry: list[TrackedJob] = []
        used = 0
        for job in self._given:
            unfinished = len(job.attempts)
            if job.deleting:
                continue
            if job.parallelism < unfinished:
                hungry.append(job)
                used += job.parallelism
            else:
                used += unfinished
        return hungry, used

    def _demands(
        self, line: Iterable[TrackedJob], busy: Container[str], looked_at: list[TrackedJob]
    ) -> Iterator[Demand]:
        """Their claims, without the gangs that would take the nodes that an earlier one is gathering on."""
        free: bool | None = None
        for job in line:
            looked_at.append(job)
            if _is_over(job):
                continue
            gang = job.batch.gang is not None
            if gang and job.created is None and job.name not in busy:
                free = self._none_gathers(busy) if free is None else False
                if not free:
                    continue
            yield Demand(job.name, job.widest, job.parallelism, gang)

    def _none_gathers(self, busy: Container[str]) -> bool:
        now = self._clock()
        gangs = (job for job in self._given if job.batch.gang is not None)
        return not any(job.name in busy or is_gathering(job, now) for job in gangs)

    def _leave_line(self, job: TrackedJob) -> bool:
        """Take a Job out of those that wait; whether it was there."""
        at = bisect_left(self._waiting, job.place, key=_place)
        there = at < len(self._waiting) and self._waiting[at] is job
        if there:
            del self._waiting[at]
        return there


def _is_over(job: TrackedJob) -> bool:
    """Whether it will never want a pod again: what was withdrawn stays so, and ended attempts do not come back."""
    return job.deleting or not job.attempts
