"""A few calls side by side in threads that are all gone on return: children are forked from this process.

Not ``concurrent.futures``: its import alone costs more than most of the transfers it would speed up.
"""

from collections import deque
from threading import Thread
from typing import Callable, Deque, List, Optional, Sequence, Tuple, TypeVar

T = TypeVar("T")


def run_parallel(calls: Sequence[Callable[[], T]], threads: int) -> List[T]:
    """Make every call and return the results in the order of the calls.

    Args:
        calls: What to call; their order is the order in which they start.
        threads: At most so many at a time. With one call, or one thread, no thread is started.

    Raises:
        BaseException: What the first failing call raised; calls not yet begun are not made.
    """
    if threads <= 1 or len(calls) <= 1:
        return [call() for call in calls]
    waiting: Deque[Tuple[int, Callable[[], T]]] = deque(enumerate(calls))
    results: List[Optional[T]] = [None] * len(calls)
    failures: List[BaseException] = []

    def work() -> None:
        while waiting:
            try:
                index, call = waiting.popleft()
            except IndexError:  # another worker took the last one
                return
            try:
                results[index] = call()
            except BaseException as error:  # handed to the caller's thread, whatever it is
                failures.append(error)
                waiting.clear()

    # Daemons: an interrupt in the caller's thread must not wait for transfers at interpreter exit.
    workers = [Thread(target=work, daemon=True) for _ in range(min(threads, len(calls)) - 1)]
    try:
        for worker in workers:
            worker.start()
        work()
    finally:
        waiting.clear()
        for worker in workers:
            if worker.ident is not None:
                worker.join()
    if failures:
        raise failures[0]
    return results  # type: ignore[return-value]  # every slot is filled once no call failed
