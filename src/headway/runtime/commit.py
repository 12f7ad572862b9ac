"""Makes an attempt's result true: logs first, then the record, created once and by one writer only."""

import sys
import time
from typing import Callable, Dict, Optional, TypeVar

from headway.errors import KeyExistsError, StoreUnavailableError
from headway.runtime.channel import Report
from headway.runtime.logbook import Logbook
from headway.store import layout
from headway.store.base import ObjectStore
from headway.store.batch import Batch, TaskSpec
from headway.store.records import CAUGHT, FAILED, LOST, SUCCEEDED, UNPERSISTED, AttemptRef, Failure, Record

STREAMS = ("stdout", "stderr")

#: For so many seconds a datastore that does not answer is waited for before what a step made is given up.
PATIENCE = 3600.0
#: Seconds between two tries, each of which lasts as long as the store's own retries.
PAUSE = 5.0

T = TypeVar("T")

#: Metadata of a gang's tasks: how many ranks there are, which this is, and whether it is the first.
WORLD_SIZE, NODE_INDEX, TASK_TYPE = "parallel-world-size", "parallel-node-index", "internal_task_type"
CONTROL_TASK = "control_task"

#: Metadata of a task that stands for one of an earlier run.
ORIGIN_RUN, ORIGIN_TASK, ORIGIN_ATTEMPT = "origin-run-id", "origin-task-id", "origin-attempt"


def record_of(
    batch: Batch,
    task: TaskSpec,
    report: Optional[Report],
    failure: Optional[Failure],
    metadata: Dict[str, str],
    started: float,
    ended: float,
    log_lines: Dict[str, int],
) -> Record:
    """The record of an attempt from what its process reported.

    Args:
        batch: The batch the attempt belongs to.
        task: Which of its tasks.
        report: What the process said, None where it said nothing.
        failure: Why it failed, None where it succeeded.
        metadata: Facts about the attempt.
        started: Seconds since the epoch.
        ended: Seconds since the epoch.
        log_lines: Lines per stream.
    """
    done = report if failure is None else None
    return Record(
        ref=AttemptRef(batch.step, task.task, task.attempt),
        outcome=FAILED if done is None else SUCCEEDED,
        frames=batch.frames_of(task),
        # Those of one that failed are for people to look at: nothing that runs reads them.
        artifacts=report.artifacts if report else {},
        transition=done.transition if done else None,
        failure=failure,
        metadata={
            **metadata,
            **(report.facts if report else {}),
            **_gang_facts(batch, task),
            **_spun_facts(batch),
            **({CAUGHT: "True"} if done and done.caught else {}),
        },
        started=started,
        # To store what a failed step had set takes its time: which of a gang's ranks failed first must not hang on it.
        ended=report.failed if report and report.failed else ended,
        # Those of a task that is done again alone are another run's.
        inputs=batch.inputs if batch.spun is None else (),
        log_lines=dict(log_lines),
    )


def _gang_facts(batch: Batch, task: TaskSpec) -> Dict[str, str]:
    if batch.gang is None:
        return {}
    rank = batch.tasks.index(task)
    facts = {WORLD_SIZE: str(len(batch.tasks)), NODE_INDEX: str(rank)}
    return facts if rank else {**facts, TASK_TYPE: CONTROL_TASK}


def _spun_facts(batch: Batch) -> Dict[str, str]:
    if batch.spun is None:
        return {}
    facts = origin_facts(batch.spun.run, batch.spun.task, batch.spun.attempt)
    return facts if batch.spun.persist else {**facts, UNPERSISTED: "true"}


def origin_facts(run: str, task: str, attempt: int) -> Dict[str, str]:
    """What a task says of the one of an earlier run that it stands for."""
    return {ORIGIN_RUN: run, ORIGIN_TASK: task, ORIGIN_ATTEMPT: str(attempt)}


def patiently(write: Callable[[], T], clock: Callable[[], float] = time.monotonic) -> T:
    """Write something down that would otherwise be lost, however long the datastore is away, up to an hour.

    A step may have computed for days when the datastore is in trouble for a few minutes.

    Args:
        write: Does it; called again after a failure, so that doing it twice must do no harm.
        clock: Seconds.

    Raises:
        StoreUnavailableError: The datastore did not come back.
    """
    begun, told = clock(), False
    while True:
        try:
            return write()
        except StoreUnavailableError as error:
            if clock() - begun > PATIENCE:
                raise
            if not told:
                hint = f"{error.hint} " if error.hint else ""
                sys.stderr.write(
                    f"{error.message.rstrip('.')}. {hint}What the step made is kept until the datastore answers "
                    "again.\n"
                )
                told = True
            time.sleep(PAUSE)


def note_end(book: Logbook, failure: Optional[Failure]) -> None:
    """Say in the log why an attempt failed that left no traceback there, as one that a signal ended.

    People look there first. While it runs nobody is shown it, as a run tells it by itself.
    """
    if failure is not None and not failure.traceback:
        book.note(f"Task failed: {failure.message}")


def store_logs(store: ObjectStore, batch: Batch, task: TaskSpec, book: Logbook) -> None:
    """Put both streams' logs in place; a stream without lines leaves no object."""
    for stream in STREAMS:
        content = book.content(stream)
        if content:
            store.put(layout.log(batch.flow, batch.run, batch.step, task.task, task.attempt, stream), content)


def commit(store: ObjectStore, flow: str, run: str, record: Record) -> Record:
    """Create the record, or learn that another writer was first.

    Returns:
        The record that is true: this one, or the one that was there.
    """
    key = layout.record(flow, run, *record.ref)
    try:
        store.put_if_absent(key, record.encode())
    except KeyExistsError:
        return Record.decode(store.get(key))
    return record


def lost(batch: Batch, task: TaskSpec, failure: Failure, metadata: Dict[str, str], now: float) -> Record:
    """The record that the launcher writes in place of an attempt that it gives up."""
    return record_of(batch, task, None, failure, metadata, now, now, {})._replace(outcome=LOST)
