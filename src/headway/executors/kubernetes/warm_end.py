"""How the attempts of a warm pod end whose pod is over: one of them answers for it, the others had no turn."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from headway.executors.kubernetes.settle import Settler
from headway.executors.kubernetes.warm import Packed, Worker
from headway.runtime.commit import STREAMS
from headway.store.records import INFRASTRUCTURE, LOST, NOT_BEGUN, USER, Failure, Record

P = ParamSpec("P")
T = TypeVar("T")

Lines = tuple[tuple[str, float, str], ...]

#: Seconds for which the state of a pod that was asked to stop is waited for, and how often it is looked at.
_REASON_PATIENCE, _POLL = 3.0, 0.1


class WarmEnd:
    """Settles what a warm pod had in hand.

    Args:
        settler: Reads and writes records.
        threads: For its calls.
    """

    def __init__(self, settler: Settler, threads: ThreadPoolExecutor) -> None:
        self._settler = settler
        self._threads = threads

    async def settle_hand(
        self, worker: Worker, failure: Failure, namespace: str
    ) -> list[tuple[Packed, Record]]:
        """The records of all that an ended pod had in hand.

        Args:
            worker: The pod.
            failure: Why it ended.
            namespace: Where it ran.
        """
        hand = [packed for packed in worker.hand.values() if not packed.settling]
        records = await asyncio.gather(*(self._in_thread(self._read, packed) for packed in hand))
        without = [packed for packed, record in zip(hand, records, strict=True) if record is None]
        to_blame = next(
            (each for each in without if each.ref == worker.ran_last), without[0] if without else None
        )
        written = await asyncio.gather(
            *(
                self.settle(each, worker, self._why(each, worker, failure, to_blame), namespace)
                for each in without
            )
        )
        by_ref = {record.ref: record for record in written}
        return [(packed, record or by_ref[packed.ref]) for packed, record in zip(hand, records, strict=True)]

    async def settle(self, packed: Packed, worker: Worker | None, failure: Failure, namespace: str) -> Record:
        """The record of one of them, written as lost where it left none."""
        facts: dict[str, str] = {}
        if worker is not None and worker.pod:
            facts = {"kubernetes-pod-name": worker.pod, "kubernetes-pod-namespace": namespace}
        verdict = packed.cancelled or failure
        return await self._in_thread(self._write, packed, verdict, facts)

    def is_whole(self, packed: Packed, record: Record) -> bool:
        """Whether nothing is missing of what a person is to see: no line, no reason."""
        if packed.cancelled is None and record.failure is not None and record.failure.reason == "Terminated":
            return False
        return all(count <= packed.shown.get(stream, 0) for stream, count in record.log_lines.items())

    async def completed(self, packed: Packed, record: Record) -> tuple[Record, Lines]:
        """The record with the reason why its pod was stopped, and the lines that were not shown yet."""
        failure = record.failure
        worker = packed.worker
        if failure is not None and failure.reason == "Terminated" and worker and packed.cancelled is None:
            for _ in range(int(_REASON_PATIENCE / _POLL)):
                if worker.stopped is not None:
                    told = worker.stopped._replace(traceback=failure.traceback, type=failure.type)
                    record = record._replace(failure=told)
                    break
                await asyncio.sleep(_POLL)
        return record, await self._in_thread(self._unshown, packed, record)

    def _why(self, packed: Packed, worker: Worker, failure: Failure, to_blame: Packed | None) -> Failure:
        if packed is not to_blame:
            return _not_begun(worker)
        return _own(worker, failure, ran=packed.ref == worker.ran_last)

    def _read(self, packed: Packed) -> Record | None:
        return self._settler.read(packed.whole, packed.ref)

    def _write(self, packed: Packed, failure: Failure, facts: Mapping[str, str]) -> Record:
        task = packed.whole.tasks[packed.index]
        had_turn = packed.worker is not None and failure.reason != NOT_BEGUN
        return self._settler.settle(
            packed.whole, task, failure, facts, began=packed.began_at, keep_log=had_turn
        )

    def _unshown(self, packed: Packed, record: Record) -> Lines:
        rest: list[tuple[str, float, str]] = []
        for stream in STREAMS:
            shown = packed.shown.get(stream, 0)
            if record.log_lines.get(stream, 0) > shown:
                rest += self._settler.log_after(packed.whole, packed.ref, stream, shown)
        return tuple(sorted(rest, key=lambda line: line[1]))

    async def _in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(work, *args, **kwargs))


def is_gone_for_good(record: Record) -> bool:
    """Whether the task's next attempt is to have a new pod: this one was failed by the place where it ran."""
    failure = record.failure
    if failure is None or failure.reason == NOT_BEGUN:
        return False
    return record.outcome == LOST or failure.kind == INFRASTRUCTURE


def _own(worker: Worker, failure: Failure, *, ran: bool) -> Failure:
    """The failure as the attempt's that ran: whatever ends a warm pod as a whole is not the step's own exit.

    Nor is its deadline, where nothing says that this very attempt ran into it.
    """
    overdue = (failure.kind, failure.reason) == (USER, "DeadlineExceeded") and not ran
    if failure.reason != "Exit" and not overdue:
        return failure
    # A code of the runtime's own, as it was asked to stop, says nothing to people.
    message = failure.message if failure.kind == USER else _not_begun(worker).message
    return failure._replace(kind=INFRASTRUCTURE, reason="PodEnded", message=message)


def _not_begun(worker: Worker) -> Failure:
    return Failure(
        INFRASTRUCTURE,
        NOT_BEGUN,
        f"The pod {worker.pod or 'of this task'} ended before the task had its turn, or before its result was kept.",
    )
