"""A large pickle that is read while its later blocks still come.

To make a value of a pickle takes longer than to fetch, to unpack and to hash its bytes, and holds up Python's
own code all the while. So threads bring block after block, each checked before it can be read, and unpickling
waits for nothing but the block that it reads next.
"""

from typing import Any, Callable, Iterator, List, Optional, Sequence, TypeVar

from headway.store.base import Buffer
from headway.store.parallel import run_parallel

T = TypeVar("T")

_THREADS = 4


class _StoppedError(Exception):
    """What was still to come does not come."""


class Arriving:
    """A file for ``pickle`` over content that comes block by block; one reads, others bring, in any order.

    Args:
        count: How many blocks there are.
        size: Bytes in each, but for the last.
    """

    def __init__(self, count: int, size: int) -> None:
        #: Those that came and were not read to their end.
        self._blocks: List[Optional[memoryview]] = [None] * count
        self._size = size
        self._at = 0
        self._over = False
        # Here and not above, as in parallel.py: what is unpickled is the user's.
        from threading import Condition

        self._change = Condition()

    def came(self, number: int, content: Buffer) -> None:
        """Take a block.

        Raises:
            _StoppedError: Nobody wants more of them.
        """
        with self._change:
            if self._over:
                raise _StoppedError
            self._blocks[number] = memoryview(content)
            self._change.notify()

    def stop(self) -> None:
        """Note that nothing comes, or is wanted, any more."""
        with self._change:
            self._over = True
            self._change.notify()

    def read(self, size: int) -> bytes:
        """So many bytes, fewer at the end."""
        piece = self._piece(size)
        if piece.nbytes == size:
            return bytes(piece)
        data = bytearray(piece)
        while piece.nbytes and len(data) < size:
            piece = self._piece(size - len(data))
            data += piece
        return bytes(data)

    def readinto(self, into: Any) -> int:
        """Fill a buffer; the number of bytes, fewer than its size at the end."""
        view = memoryview(into).cast("B")
        done = 0
        while done < view.nbytes:
            piece = self._piece(view.nbytes - done)
            if not piece.nbytes:
                break
            view[done : done + piece.nbytes] = piece
            done += piece.nbytes
        return done

    def readline(self) -> bytes:
        """A line: ``pickle`` wants a file to have them, and asks for none of what its newer protocols write."""
        line = bytearray()
        while not line.endswith(b"\n"):
            letter = self.read(1)
            if not letter:
                break
            line += letter
        return bytes(line)

    def _piece(self, most: int) -> memoryview:
        """What comes next, within one block; empty at the end."""
        number, start = divmod(self._at, self._size)
        if number == len(self._blocks):
            return memoryview(b"")
        block = self._blocks[number] or self._awaited(number)
        piece = block[start : start + most]
        self._at += piece.nbytes
        if start + piece.nbytes == self._size:
            self._blocks[number] = None
        return piece

    def _awaited(self, number: int) -> memoryview:
        with self._change:
            while True:
                block = self._blocks[number]
                if block is not None:
                    return block
                if self._over:
                    raise _StoppedError
                self._change.wait()


def use_arriving(
    arriving: Arriving, calls: Sequence[Callable[[], object]], others: Sequence[Any], use: Callable[..., T]
) -> T:
    """What becomes of a pickle whose blocks are brought meanwhile; all threads are gone on return.

    Args:
        arriving: The pickle.
        calls: Bring all blocks, of the pickle and of other frames.
        others: The other frames.
        use: Called with the pickle and an iterable of the other frames, which waits until they are there.

    Raises:
        BaseException: What the first failing call raised, else what ``use`` did.
    """
    from threading import Thread

    failures: List[BaseException] = []

    def bring() -> None:
        try:
            run_parallel(calls, _THREADS)
        except BaseException as error:  # raised below, whatever it is
            failures.append(error)
            arriving.stop()

    # A daemon: after an interrupt the interpreter's exit must not wait for it.
    worker = Thread(target=bring, daemon=True)
    try:
        worker.start()
    except RuntimeError:  # a pod may allow no more threads
        bring()

    def ended() -> None:
        if worker.ident is not None:
            worker.join()
        if failures and not isinstance(failures[0], _StoppedError):
            raise failures[0]

    def complete() -> Iterator[Any]:
        ended()
        yield from others

    try:
        value = use(arriving, complete())
    except Exception:
        arriving.stop()
        ended()  # what is not there, or not what was stored, explains more than what came of it
        raise
    except BaseException:
        arriving.stop()
        raise
    ended()
    return value
