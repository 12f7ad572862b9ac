"""``parallel_map`` and its kin: a function over many values, each in a process of its own, forked from this one.

Forked, so that functions defined in a step, closures and data in memory need no pickling on the way in; what
a function returns comes back pickled through a pipe, whatever its size. Works in steps, in pods too.
"""

import os
import pickle
import sys
from typing import Any, Callable, Dict, Iterable, Iterator, List, NoReturn, Optional, Tuple, TypeVar

from headway.errors import HeadwayError, UsageError

A = TypeVar("A")
R = TypeVar("R")

#: What stands before the result in the pipe: whether the function returned.
_RETURNED, _RAISED = b"r", b"x"


class MulticoreError(HeadwayError):
    """A process of ``parallel_map`` failed; what the function raised there, if it did, is the cause."""

    headline = "Parallel call failed"


def parallel_map(
    func: Callable[[A], R],
    iterable: Iterable[A],
    max_parallel: Optional[int] = None,
    dir: Optional[str] = None,  # noqa: A002 - the name that code has for it
) -> List[R]:
    """Call a function with each of many values, several at a time, each in a process of its own.

    Args:
        func: The function; what it returns must be picklable.
        iterable: The values.
        max_parallel: Processes at a time; by default one for each processor that this process may use.
        dir: Taken for the sake of existing code; no files are written.

    Returns:
        What it returned, in the order of the values.

    Raises:
        MulticoreError: The function raised something, which is the cause and whose traceback is on stderr; or
            its process died, or what it returned cannot be pickled. Processes that still run are ended.
    """
    results = dict(_calls(func, iterable, max_parallel))
    return [results[number] for number in range(len(results))]


def parallel_imap_unordered(
    func: Callable[[A], R],
    iterable: Iterable[A],
    max_parallel: Optional[int] = None,
    dir: Optional[str] = None,  # noqa: A002 - the name that code has for it
) -> Iterator[R]:
    """As :func:`parallel_map`, but each result comes as soon as it is there.

    Values are taken from the iterable as processes become free; whoever stops asking ends those that run.
    """
    for _, result in _calls(func, iterable, max_parallel):
        yield result


def _calls(
    func: Callable[[A], R], iterable: Iterable[A], max_parallel: Optional[int]
) -> Iterator[Tuple[int, R]]:
    """(number, result) of each call, as they end."""
    limit = _processors() if max_parallel is None else max_parallel
    if limit < 1:
        raise UsageError(f"max_parallel={max_parallel} is not possible: at least 1 is needed.")
    import selectors  # a step pays for this only where it is used

    values = enumerate(iterable)
    running: Dict[int, _Call] = {}
    with selectors.DefaultSelector() as selector:
        try:
            while True:
                while len(running) < limit:
                    following = next(values, None)
                    if following is None:
                        break
                    call = _Call(func, *following)
                    running[call.fd] = call
                    selector.register(call.fd, selectors.EVENT_READ)
                if not running:
                    return
                for key, _ in selector.select():
                    call = running[key.fd]
                    if call.read():
                        continue
                    selector.unregister(key.fd)
                    del running[key.fd]
                    yield call.number, call.result()
        finally:
            for call in running.values():
                call.end()


class _Call:
    """One call in a process of its own."""

    def __init__(self, func: Callable[[Any], Any], number: int, value: Any) -> None:
        self.number = number
        self._parts: List[bytes] = []
        # What is buffered would be printed by both.
        sys.stdout.flush()
        sys.stderr.flush()
        self.fd, theirs = os.pipe()
        try:
            self._pid = os.fork()
        except OSError:
            os.close(self.fd)
            os.close(theirs)
            raise
        if not self._pid:
            _answer(func, value, theirs)
        os.close(theirs)

    def read(self) -> bool:
        """Take what is there; whether more may follow."""
        part = os.read(self.fd, 1 << 20)
        self._parts.append(part)
        return bool(part)

    def result(self) -> Any:
        """What the function returned, once all is read.

        Raises:
            MulticoreError: The function raised something, or the process left no result.
        """
        os.close(self.fd)
        _, status = os.waitpid(self._pid, 0)
        data = b"".join(self._parts)
        if not data:
            died = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit code {status >> 8}"
            raise MulticoreError(
                f"The process for value {self.number} ended with {died} and left no result.",
                "Signal 9 is often the kernel's when memory runs out: fewer at a time need less (max_parallel=…).",
            )
        try:
            said = pickle.loads(memoryview(data)[1:])
        except Exception as error:
            words = f"What the process for value {self.number} sent cannot be read: {type(error).__name__}: {error}"
            raise MulticoreError(words) from error
        if data[:1] == _RETURNED:
            return said
        words, cause = said
        raise MulticoreError(f"The call for value {self.number} raised {words}.") from cause

    def end(self) -> None:
        """Kill it; nobody wants its result."""
        import signal  # as above

        os.close(self.fd)
        try:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        except OSError:
            # It has ended, and somebody else was told.
            self._parts.clear()


def _answer(func: Callable[[Any], Any], value: Any, fd: int) -> NoReturn:
    """The forked process: call, send, leave; nothing that the parent has set up for its own end is run."""
    code = 1
    try:
        _send(fd, _said(func, value))
        code = 0
    except BaseException as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):
                code = code or 1
        os._exit(code)


def _said(func: Callable[[Any], Any], value: Any) -> bytes:
    try:
        return _RETURNED + pickle.dumps(func(value), protocol=pickle.HIGHEST_PROTOCOL)
    except BaseException as error:
        import traceback  # only for calls that fail

        traceback.print_exc()
        words = f"{type(error).__name__}: {error}"
        travels: Optional[BaseException] = error
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:
            travels = None
        return _RAISED + pickle.dumps((words, travels), protocol=pickle.HIGHEST_PROTOCOL)


def _send(fd: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
