"""A few calls side by side in threads that are all gone on return: children are forked from this process.

Not ``concurrent.futures``: its import alone costs more than most of the transfers it would speed up.
"""

from collections import deque
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
    # Here and not above: what the calls load may be the user's, and ask in another thread for the real threading.
    from threading import Thread, get_ident

    waiting: Deque[Tuple[int, Callable[[], T]]] = deque(enumerate(calls))
    results: List[Optional[T]] = [None] * len(calls)
    failures: List[BaseException] = []
    caller = get_ident()

    def work() -> None:
        while waiting:
            try:
                index, call = waiting.popleft()
            except IndexError:  # another worker took the last one
                return
            try:
                results[index] = call()
            except BaseException as error:  # handed to the caller's thread, whatever it is
                waiting.clear()
                if get_ident() == caller and not isinstance(error, Exception):
                    raise  # an interrupt, which must not wait for the others' transfers
                failures.append(error)

    workers: List[Thread] = []
    for _ in range(min(threads, len(calls)) - 1):
        # Daemons: after an interrupt the interpreter's exit must not wait for them.
        worker = Thread(target=work, daemon=True)
        try:
            worker.start()
        except RuntimeError:  # a pod may allow no more threads; this one does it all, then
            break
        workers.append(worker)
    work()
    for worker in workers:
        worker.join()
    if failures:
        raise failures[0]
    return results  # type: ignore[return-value]  # every slot is filled once no call failed
