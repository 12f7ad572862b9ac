"""Objects too large for one request: multipart uploads, a few parts at a time."""

from functools import partial
from typing import Any, List, Mapping, Optional, Sequence

from headway.errors import StoreError
from headway.store.base import Buffer
from headway.store.net.session import Session
from headway.store.net.transfers import THREADS, Part, part_size, split_parts
from headway.store.parallel import run_parallel

#: Of one object.
MOST_PARTS = 10_000


def put_in_parts(session: Session[Any, Any], key: str, views: Sequence[memoryview], total: int) -> None:
    """Write an object that is in memory by multipart upload; on failure nothing of it is left.

    Args:
        session: Of the bucket.
        key: The full key.
        views: The content.
        total: Its length in bytes.
    """
    parts: List[Part] = [
        partial(_as_it_is, part) for part in split_parts(views, part_size(total, MOST_PARTS))
    ]
    upload_parts(session, key, parts, total, threads=THREADS)


def upload_parts(
    session: Session[Any, Any],
    key: str,
    parts: Sequence[Part],
    total: int,
    headers: Optional[Mapping[str, str]] = None,
    threads: int = THREADS,
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
    from headway.store.net.markup import text_of  # most objects are small

    started = session.call("POST", key, [("uploads", "")], headers=headers, doing="writing")
    upload = text_of(started.body.decode(), "UploadId")

    def send(number: int, part: Part) -> str:
        query = [("partNumber", str(number)), ("uploadId", upload)]
        return session.call("PUT", key, query, body=part(), doing="writing").headers.get("etag", "")

    try:
        tags = run_parallel([partial(send, number, part) for number, part in enumerate(parts, 1)], threads)
        _complete(session, key, upload, tags, total)
    except BaseException:
        try:
            session.call("DELETE", key, [("uploadId", upload)], accept=(200, 204, 404), doing="writing")
        except StoreError:
            _ = None  # what made the upload fail is what counts
        raise


def _as_it_is(part: Sequence[Buffer]) -> Sequence[Buffer]:
    return part


def _complete(session: Session[Any, Any], key: str, upload: str, tags: Sequence[str], total: int) -> None:
    from headway.store.net.markup import escape  # as above

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
