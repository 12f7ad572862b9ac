"""Leaving a cluster: what still runs is taken away and waited for, what nobody knows of is deleted."""

import asyncio
import contextlib
from collections.abc import Mapping

from headway.config.kubernetes import KubernetesSettings
from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.errors import ApiError
from headway.executors.kubernetes.api.kinds import JOB
from headway.executors.kubernetes.submitter import Submitter
from headway.executors.kubernetes.tracked import Jobs

#: Seconds beyond their grace for which stopped pods are waited for.
_STOP_MARGIN = 15.0
_POLL = 0.1


class Departure:
    """Takes a run's Jobs out of the cluster.

    Args:
        client: The cluster.
        selector: The labels of every object of the run.
        jobs: All Jobs in hand.
        submitter: Deletes them.
    """

    def __init__(self, client: KubernetesClient, selector: str, jobs: Jobs, submitter: Submitter) -> None:
        self._client = client
        self._selector = selector
        self._jobs = jobs
        self._submitter = submitter

    async def clear(self, settings: Mapping[str, KubernetesSettings], *, cancelled: bool, now: bool) -> None:
        """Withdraw what still runs and wait until it is gone, though not for ever.

        Args:
            settings: By step: where the run's pods are, and the grace they were promised.
            cancelled: Whether attempts were cancelled, so that there may be Jobs nobody waits for any more.
            now: Without the grace.
        """
        unfinished = [job for job in self._jobs if job.busy]
        for job in unfinished:
            self._submitter.withdraw(job, now=now)
        for job in self._jobs:
            if job.company and not job.deleting:
                # What runs beside a step may not know that it is to end.
                self._submitter.withdraw(job, now=False)
        if not cancelled and not unfinished:
            # The Job of a lost attempt may be on its way out.
            await self._calls_return(_STOP_MARGIN)
            return
        grace = max((each.termination_grace_period_seconds for each in settings.values()), default=0)
        await self._wait_until_gone(_STOP_MARGIN + (0 if now else grace))
        for namespace in sorted({each.namespace for each in settings.values()}):
            await self._sweep(namespace)

    async def _wait_until_gone(self, patience: float) -> None:
        until = self._client.clock.monotonic() + patience
        await self._calls_return(patience)
        while self._client.clock.monotonic() < until and self._is_busy():  # noqa: ASYNC110
            await asyncio.sleep(_POLL)

    def _is_busy(self) -> bool:
        return any(job.live_pods or job.attempts for job in self._jobs)

    async def _calls_return(self, patience: float) -> None:
        with contextlib.suppress(asyncio.TimeoutError):
            # A cluster that does not answer must not keep a person waiting for ever; all has a time to live.
            await asyncio.wait_for(self._submitter.settled(), patience)

    async def _sweep(self, namespace: str) -> None:
        """Delete what the cluster has of this run and we know nothing of, or know to be unwanted."""
        with contextlib.suppress(ApiError):
            listed = await self._client.list(JOB, namespace, label_selector=self._selector)
            for found in listed.items:
                name = found.metadata.name
                known = self._jobs.get(name)
                unwanted = known.attempts or known.deleting if known else not self._jobs.is_done(name)
                if not found.ended and unwanted:
                    await self._client.delete(JOB, namespace, name)
