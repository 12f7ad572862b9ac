"""``@catch`` in the process of an attempt: what becomes of the exception that would have been the last.

Loaded only where a step has failed and is caught. An exception is caught in the process that raised it,
so that what the step had set until then is kept; a step whose process died is caught by a fallback, an
attempt on the launcher's machine in which nothing of the step runs. So is a gang, whose ranks are stopped
once one has failed: each rank's fallback tells how the first of them did.
"""

import sys
from typing import Any, Optional

from headway.errors import FailureHandledByCatchError, HeadwayError, KeyNotFoundError, TaskFailedError
from headway.flow.task import Transition
from headway.runtime.type_names import type_name
from headway.store import layout
from headway.store.base import ObjectStore
from headway.store.batch import Batch, TaskSpec
from headway.store.records import RESOURCES, STOPPED, USER, Failure, Record


def catches(batch: Batch, task: TaskSpec, failure: Failure) -> bool:
    """Whether this attempt ends here as if its step had succeeded; failures that are not the code's own do not."""
    return batch.catch is not None and task.last and failure.kind in (USER, RESOURCES)


def catch(flow: Any, batch: Batch, error: Exception, failure: Failure) -> Optional[Transition]:
    """Leave the exception in the flow object, and say how the run goes on."""
    said = batch.catch
    assert said is not None, "asked only of steps with @catch"
    kind = type_name(error)
    words = f"{kind.replace('builtins.', '')}: {error}"
    hint = ""
    if isinstance(error, HeadwayError):
        words, hint = error.message, error.hint or ""
    if said.print_exception:
        sys.stderr.write(f"@catch of step {batch.step} goes on after:\n{failure.traceback or words}")
        sys.stderr.write("" if failure.traceback.endswith("\n") else "\n")
    if said.var is not None:
        reason, whose, left = failure.reason, failure.kind, None
        if isinstance(error, FailureHandledByCatchError):
            reason, whose, left = error.reason, error.kind, error.left
        made = TaskFailedError(words, hint, kind, failure.traceback, reason, whose)
        setattr(flow, said.var, left or made)
    return Transition(said.targets) if said.targets else None


def fallback_error(store: ObjectStore, batch: Batch, task: TaskSpec) -> FailureHandledByCatchError:
    """What a fallback finds in place of the step's own exception: how the step's last attempt ended."""
    told = f"Step {batch.step} failed for good after {task.attempt} attempt{'s' if task.attempt != 1 else ''}"
    for number in reversed(range(task.attempt)):
        failure = _first_failure(store, batch, task, number)
        if failure is None:
            # Only what was lost before it had a record; the one before tells at least something.
            continue
        left = None
        if batch.gang is not None and failure.type:
            parts = (
                failure.message,
                failure.hint,
                failure.type,
                failure.traceback,
                failure.reason,
                failure.kind,
            )
            left = TaskFailedError(*parts)
        words = f"{told}: {failure.message}"
        return FailureHandledByCatchError(words, failure.hint or None, failure.reason, failure.kind, left)
    return FailureHandledByCatchError(f"{told}.")


def _first_failure(store: ObjectStore, batch: Batch, task: TaskSpec, number: int) -> Optional[Failure]:
    """Why an attempt failed; of a gang, whose other ranks were stopped for it, why the first of its ranks did."""
    failed = []
    for rank in batch.tasks if batch.gang is not None else [task]:
        key = layout.record(batch.flow, batch.run, batch.step, rank.task, number)
        try:
            record = Record.decode(store.get(key))
        except KeyNotFoundError:
            continue
        if record.failure is not None:
            failed.append((record.failure.reason in STOPPED, record.ended, record.failure))
    return min(failed, key=lambda each: each[:2])[2] if failed else None
