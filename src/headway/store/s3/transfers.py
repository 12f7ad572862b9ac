"""Objects too large for one request: written in parts and read in ranges, a few at a time."""

from contextlib import suppress
from functools import partial
from typing import Callable, List, Mapping, Optional, Sequence

from headway.errors import StoreError, StoreUnavailableError
from headway.store.base import Buffer
from headway.store.parallel import run_parallel
from headway.store.s3.answers import escape, text_of
from headway.store.s3.session import Session

#: What is larger goes in parts of at least this size, and comes in ranges of it.
PART_SIZE = 8 << 20
MULTIPART_THRESHOLD = 2 * PART_SIZE

_MAX_PARTS = 10_000
_THREADS = 4

#: Gives the content of a part when it is to be sent.
Part = Callable[[], Sequence[Buffer]]


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


def part_size(total: int) -> int:
    """How long the parts of an object are: as short as its length allows."""
    return max(PART_SIZE, -(-total // _MAX_PARTS))


def put_in_parts(session: Session, key: str, views: Sequence[memoryview], total: int) -> None:
    """Write an object that is in memory by multipart upload; on failure nothing of it is left.

    Args:
        session: Of the bucket.
        key: The full key.
        views: The content.
        total: Its length in bytes.
    """
    parts: List[Part] = [partial(_as_it_is, part) for part in split_parts(views, part_size(total))]
    upload_parts(session, key, parts, total, threads=_THREADS)


def upload_parts(
    session: Session,
    key: str,
    parts: Sequence[Part],
    total: int,
    headers: Optional[Mapping[str, str]] = None,
    threads: int = _THREADS,
) -> None:
    """Write an object by multipart upload, each part fetched when it is sent; on failure nothing of it is left.

    Args:
        session: Of the bucket.
        key: The full key.
        parts: Give the content, piece by piece; each may be asked only once.
        total: Its length in bytes.
        headers: What the object is to carry.
        threads: Parts at a time, and so in memory.
    """
    started = session.call("POST", key, [("uploads", "")], headers=headers, doing="writing")
    upload = text_of(started.body.decode(), "UploadId")

    def send(number: int, part: Part) -> str:
        query = [("partNumber", str(number)), ("uploadId", upload)]
        return session.call("PUT", key, query, body=part(), doing="writing").headers.get("etag", "")

    try:
        tags = run_parallel([partial(send, number, part) for number, part in enumerate(parts, 1)], threads)
        _complete(session, key, upload, tags, total)
    except BaseException:
        with suppress(StoreError):  # what made the upload fail is what counts
            session.call("DELETE", key, [("uploadId", upload)], accept=(200, 204, 404), doing="writing")
        raise


def _as_it_is(part: Sequence[Buffer]) -> Sequence[Buffer]:
    return part


def _complete(session: Session, key: str, upload: str, tags: Sequence[str], total: int) -> None:
    numbered = (f"<PartNumber>{n}</PartNumber><ETag>{escape(tag)}</ETag>" for n, tag in enumerate(tags, 1))
    listed = "".join(f"<Part>{part}</Part>" for part in numbered)
    body = [f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()]
    query = [("uploadId", upload)]
    answer = session.call("POST", key, query, body=body, accept=(200, 404), doing="writing")
    if answer.status == 404:
        # The upload is gone: either an earlier try completed it and its answer was lost, or it is an error.
        found = session.call("HEAD", key, accept=(200, 404), doing="writing")
        if not answer.doubtful or found.headers.get("content-length") != str(total):
            raise session.fail(answer, "POST", key, "writing")


def get_in_ranges(session: Session, key: str, first: bytes, total: int, tag: Optional[str]) -> bytes:
    """The whole object, of which the first bytes are here already.

    Args:
        session: Of the bucket.
        key: The full key.
        first: The beginning of the object.
        total: The object's length.
        tag: Of the version that the beginning is from; the rest is from the same one.
    """
    content = bytearray(total)
    content[: len(first)] = first
    ranges = [(start, min(start + PART_SIZE, total)) for start in range(len(first), total, PART_SIZE)]
    condition = {"if-match": tag} if tag else {}
    view = memoryview(content)

    def fetch(start: int, end: int) -> None:
        headers = {"range": f"bytes={start}-{end - 1}", **condition}
        answer = session.call("GET", key, headers=headers, accept=(206, 412), into=view[start:end])
        if answer.status == 412:
            raise StoreUnavailableError(f"{key} was overwritten while it was read", "Try again.")
        if answer.body:  # of another length than was asked for
            raise StoreUnavailableError(f"the server cut {key} off after {start + len(answer.body)} bytes")

    run_parallel([partial(fetch, start, end) for start, end in ranges], _THREADS)
    return bytes(content)
