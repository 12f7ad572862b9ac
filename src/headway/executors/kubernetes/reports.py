"""What pods report through the datastore, brought to the attempts that it is about."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from headway.errors import StoreError
from headway.executors.base import Output, Sink, Waiting, datastore_away
from headway.executors.kubernetes.feed import FeedReader, Report, next_pause, texts
from headway.executors.kubernetes.tracked import Attempt, Jobs, TrackedJob
from headway.store.records import INFRASTRUCTURE, Failure

#: Seconds between two looks into the feed while the datastore is in trouble.
_STORE_PAUSE = 5.0
#: Seconds between two looks at whether there is anybody to report.
_POLL = 0.1


class ReportHooks(NamedTuple):
    """Whom reports concern.

    Attributes:
        tell: Takes events for the launcher.
        warm: Is given each report first; whether it was about an attempt of a warm pod.
        over: Called with an attempt that says that it has a record.
    """

    tell: Sink
    warm: Callable[[Report], bool]
    over: Callable[[TrackedJob, Attempt, Failure], None]


class Reports:
    """Reads the run's feed as often as there may be something in it.

    Args:
        feed: The feed.
        threads: For calls to the datastore.
        jobs: All Jobs in hand.
        clock: Monotonic seconds.
        hooks: Whom reports concern.
    """

    def __init__(
        self,
        feed: FeedReader,
        threads: ThreadPoolExecutor,
        jobs: Jobs,
        clock: Callable[[], float],
        hooks: ReportHooks,
    ) -> None:
        self._feed = feed
        self._threads = threads
        self._jobs = jobs
        self._clock = clock
        self._hooks = hooks

    async def listen(self) -> None:
        """For ever."""
        loop = asyncio.get_running_loop()
        troubled = False
        while True:
            began = self._clock()
            placed = [attempt.placed for _, attempt in self._jobs.attempts() if attempt.placed is not None]
            youngest = self._clock() - max(placed) if placed else None
            if youngest is not None:
                try:
                    for report in await loop.run_in_executor(
                        self._threads, self._feed.poll, self._threads, self._jobs.find
                    ):
                        self._heard(report)
                    if troubled:
                        troubled = False
                        self._hooks.tell(Waiting("", None, "", ""))
                except StoreError as error:
                    troubled = True
                    self._hooks.tell(datastore_away("", None, error))
                    await asyncio.sleep(_STORE_PAUSE)
            took = self._clock() - began
            await asyncio.sleep(next_pause(youngest, took) if youngest is not None else _POLL)

    def _heard(self, report: Report) -> None:
        if self._hooks.warm(report):
            return
        found = self._jobs.find(report.ref)
        if found is None:
            return
        job, attempt = found
        # Once its end is being settled, what is not shown yet comes from its log.
        if report.lines and not attempt.settling:
            attempt.show(report.lines)
            self._hooks.tell(Output(attempt.ref, texts(report.lines)))
        if report.ended:
            missing = Failure(
                INFRASTRUCTURE, "RecordMissing", "The pod reported a record that is not in the datastore."
            )
            self._hooks.over(job, attempt, missing)
