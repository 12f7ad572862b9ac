"""The Job of new warm pods: what they begin with, and what they are called; nothing is written anywhere."""

from collections.abc import Sequence

from headway.executors.kubernetes.tracked import Attempt, TrackedJob, tracked_job
from headway.executors.kubernetes.warm import Packed, Pool, Worker, order_of
from headway.store import layout
from headway.store.records import AttemptRef


def warm_job(pool: Pool, chunks: Sequence[list[Packed]], number: int) -> TrackedJob:
    """One Job whose pods, members of the pool from now on, begin with these chunks.

    Args:
        pool: Theirs.
        chunks: What each begins with, at least one.
        number: How many such Jobs the run has made, with this one.
    """
    first = chunks[0][0].whole
    # The Job is named after, and labelled by, what its pods begin with.
    batch = first._replace(
        name=f"{first.name}-pods{number}",
        tasks=tuple(chunk[0].whole.tasks[chunk[0].index] for chunk in chunks),
        timeout=None,
    )
    workers: dict[int, Attempt] = {}
    for index, chunk in enumerate(chunks):
        worker = Worker(AttemptRef("_pod", f"{batch.name}-{index}", 0), index, pool=pool)
        for packed in chunk:
            worker.take(packed)
        pool.workers.append(worker)
        workers[index] = worker
    job = tracked_job(batch, pool.settings, workers)
    job.inbox = layout.inbox(batch.flow, batch.run, batch.name)
    job.idle_timeout = pool.idle_timeout
    job.orders = tuple(map(order_of, chunks))
    return job
