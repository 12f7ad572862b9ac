"""How an attempt ends: what it costs."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from test_shares import job_of

from headway.executors.base import Ended, ExecutorEvent, Output
from headway.executors.kubernetes.ends import EndHooks, Ends
from headway.executors.kubernetes.pools import Pools
from headway.executors.kubernetes.settle import Settler
from headway.executors.kubernetes.tracked import Jobs, TrackedJob
from headway.executors.kubernetes.warm import PoolHooks
from headway.executors.kubernetes.warm_end import WarmEnd
from headway.store import layout
from headway.store.records import INFRASTRUCTURE, SUCCEEDED, Failure, Record
from headway.testing.memory_store import MemoryStore

GONE = Failure(INFRASTRUCTURE, "PodDeleted", "It is gone.")


class Threads(ThreadPoolExecutor):
    """Counts how often one of them is asked for."""

    asked = 0

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        self.asked += 1
        return super().submit(call, *args, **kwargs)


@pytest.fixture
def threads() -> Iterator[Threads]:
    with Threads(2) as threads:
        yield threads


@pytest.mark.parametrize("lines", [0, 2])
async def test_an_end_visits_a_thread_once(threads: Threads, lines: int) -> None:
    store, jobs, told = MemoryStore(), Jobs(), list[ExecutorEvent]()
    job = job_of(0)
    jobs.add(job)
    attempt = job.attempts[0]
    record = Record(attempt.ref, SUCCEEDED, log_lines={"stdout": lines})
    store.put(layout.record("Flow", "1", *attempt.ref), record.encode())
    store.put(layout.log("Flow", "1", *attempt.ref, "stdout"), b"1700000000000 a line\n" * lines)
    hooks = EndHooks(told.append, lambda *_: None, lambda *_: None)
    await Ends(Settler(store), threads, jobs, lambda: 0.0, hooks).settle(job, attempt, GONE)
    assert [event.record for event in told if isinstance(event, Ended)] == [record]
    assert sum(len(event.lines) for event in told if isinstance(event, Output)) == lines
    assert threads.asked == 1


class Walked(Jobs):
    """Counts the walks over all Jobs."""

    walks = 0

    def __iter__(self) -> Iterator[TrackedJob]:
        self.walks += 1
        return super().__iter__()


async def test_an_end_costs_the_pools_nothing_where_there_are_none(threads: Threads) -> None:
    store, jobs = MemoryStore(), Walked()
    hooks = PoolHooks(lambda _: None, lambda _: None, lambda work: work.close(), lambda *_: None)
    pools = Pools(store, threads, jobs, 4, WarmEnd(Settler(store), threads), hooks, lambda: 0.0)
    pools.dispatch()
    await asyncio.sleep(0)
    assert not jobs.walks
