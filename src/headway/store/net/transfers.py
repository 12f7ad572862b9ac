"""Objects too large for one request: cut into parts, and read in ranges, a few at a time."""

from functools import partial
from typing import Callable, List, Mapping, Sequence

from headway.errors import StoreUnavailableError
from headway.store.base import Buffer
from headway.store.net.answers import Answer
from headway.store.parallel import run_parallel

#: What is larger goes in parts of at least this size, and comes in ranges of it.
PART_SIZE = 8 << 20
MULTIPART_THRESHOLD = 2 * PART_SIZE

#: Parts or ranges at a time.
THREADS = 4

#: Gives the content of a part when it is to be sent.
Part = Callable[[], Sequence[Buffer]]

#: Reads a range of one version of an object, given its header, into a view of its length: 206, or 412 where
#: the object is another one by now.
Fetch = Callable[[Mapping[str, str], memoryview], Answer]


def flat_views(buffers: Sequence[Buffer]) -> List[memoryview]:
    """The buffers as views of bytes, empty ones left out."""
    views = (memoryview(buffer).cast("B") for buffer in buffers)
    return [view for view in views if view.nbytes]


def split_parts(views: Sequence[memoryview], size: int) -> List[List[memoryview]]:
    """Cut a sequence of buffers into parts of this size (the last may be shorter), copying nothing."""
    parts: List[List[memoryview]] = [[]]
    room = size
    for view in views:
        taken = 0
        while taken < view.nbytes:
            if not room:
                parts.append([])
                room = size
            piece = view[taken : taken + room]
            parts[-1].append(piece)
            room -= piece.nbytes
            taken += piece.nbytes
    return parts


def part_size(total: int, most_parts: int) -> int:
    """How long the parts of an object are: as short as its length allows.

    Args:
        total: The object's length in bytes.
        most_parts: So many parts an object may have at most.
    """
    return max(PART_SIZE, -(-total // most_parts))


def get_in_ranges(fetch: Fetch, key: str, first: bytes, total: int) -> bytes:
    """The whole object, of which the first bytes are here already.

    Args:
        fetch: Reads a range.
        key: The full key, for errors.
        first: The beginning of the object.
        total: The object's length.
    """
    content = bytearray(total)
    content[: len(first)] = first
    ranges = [(start, min(start + PART_SIZE, total)) for start in range(len(first), total, PART_SIZE)]
    view = memoryview(content)

    def get(start: int, end: int) -> None:
        answer = fetch({"range": f"bytes={start}-{end - 1}"}, view[start:end])
        if answer.status == 412:
            raise StoreUnavailableError(f"{key} was overwritten while it was read", "Try again.")
        if answer.body:  # of another length than was asked for
            raise StoreUnavailableError(f"the server cut {key} off after {start + len(answer.body)} bytes")

    run_parallel([partial(get, start, end) for start, end in ranges], THREADS)
    return bytes(content)
