"""Files and values into objects: small ones side by side, large ones in parts, with little of either in memory."""

import io
import os
from functools import partial
from itertools import islice
from threading import Lock
from typing import BinaryIO, Iterable, Iterator, List, Mapping, NamedTuple, Protocol, Sequence, TypeVar, Union

from headway.datatools.buckets import Buckets
from headway.datatools.errors import S3InvalidObjectError, S3NotFoundError, S3OperationError, said_of
from headway.datatools.scope import Place
from headway.store.base import Buffer
from headway.store.net.transfers import PART_SIZE, part_size
from headway.store.parallel import run_parallel
from headway.store.s3.transfers import MOST_PARTS, upload_parts

T = TypeVar("T")

#: Of the larger objects and of parts so many at a time, each of which is in memory while it is sent.
_LARGE_THREADS = 8
_SMALL = 1 << 20

#: A generator is asked for so many values at a time, which are in memory together.
_BATCH = 200


class Source(Protocol):
    """Content that can be read at any place, from several threads."""

    @property
    def size(self) -> int: ...

    def read(self, start: int, end: int) -> Sequence[Buffer]: ...


class Upload(NamedTuple):
    """What is to be stored, where, and what the object is to carry."""

    place: Place
    source: Source
    headers: Mapping[str, str]


class _Bytes:
    def __init__(self, data: Buffer) -> None:
        self._view = memoryview(data).cast("B")
        self.size = self._view.nbytes

    def read(self, start: int, end: int) -> Sequence[Buffer]:
        return [self._view[start:end]]


class _Stream:
    """A binary file that somebody has opened."""

    def __init__(self, file: BinaryIO, begin: int) -> None:
        self._file = file
        self._begin = begin
        self._lock = Lock()
        self.size = file.seek(0, os.SEEK_END) - begin

    def read(self, start: int, end: int) -> Sequence[Buffer]:
        with self._lock:
            self._file.seek(self._begin + start)
            return _exactly(self._file, end - start)


class _File:
    def __init__(self, path: str) -> None:
        self._path = path
        self.size = os.stat(path).st_size

    def read(self, start: int, end: int) -> Sequence[Buffer]:
        with open(self._path, "rb", buffering=0) as file:
            file.seek(start)
            return _exactly(file, end - start)


def source_of(value: object, key: object, *, from_here: bool = False) -> Source:
    """What reads a value.

    Args:
        value: Text, bytes, or a binary file that can seek.
        key: For the error.
        from_here: Read a file from where it stands, and not from its beginning.

    Raises:
        S3InvalidObjectError: It is none of these.
    """
    check_value(value, key)
    if isinstance(value, str):
        return _Bytes(value.encode())
    if isinstance(value, (io.RawIOBase, io.BufferedIOBase)):
        return _Stream(value, value.tell() if from_here else 0)  # type: ignore[arg-type]  # it reads bytes
    assert isinstance(value, (bytes, bytearray, memoryview)), "checked above"
    return _Bytes(value)


def check_value(value: object, key: object) -> None:
    """Refuse what cannot be stored.

    Raises:
        S3InvalidObjectError: It is neither text nor bytes nor a binary file that can seek.
    """
    if isinstance(value, (io.RawIOBase, io.BufferedIOBase)):
        if value.readable() and value.seekable():
            return
        raise S3InvalidObjectError(f"{key!r}: the file cannot be read from its beginning.")
    if not isinstance(value, (str, bytes, bytearray, memoryview)):
        raise S3InvalidObjectError(
            f"{key!r}: a {type(value).__name__} cannot be stored: text, bytes or a binary file can.",
            "Make bytes of it first: json.dumps, pickle.dumps, or open the file with 'rb'.",
        )


def file_source(path: object) -> Source:
    """What reads a local file.

    Raises:
        S3NotFoundError: There is no such file.
    """
    check_file(path)
    return _File(os.fspath(path))  # type: ignore[call-overload]  # checked above


def check_file(path: object) -> None:
    """Refuse a file that is not there.

    Raises:
        S3NotFoundError: There is no such file.
    """
    if not isinstance(path, (str, os.PathLike)) or not os.path.isfile(path):
        raise S3NotFoundError(f"There is no local file {path!r}.")


def upload(buckets: Buckets, uploads: Sequence[Upload], *, overwrite: bool) -> List[bool]:
    """Store all of this; whether each was stored, which it is not where it was there and may not be replaced.

    Raises:
        S3ClientError: One of them could not be stored; the first that fails says why.
    """
    stored = [False] * len(uploads)

    def put_small(index: int) -> None:
        stored[index] = _put_whole(buckets, uploads[index], overwrite=overwrite)

    sizes = [one.source.size for one in uploads]
    small = [index for index, size in enumerate(sizes) if size <= _SMALL]
    larger = [index for index, size in enumerate(sizes) if _SMALL < size <= PART_SIZE]
    run_parallel([partial(put_small, index) for index in small], buckets.threads)
    run_parallel([partial(put_small, index) for index in larger], min(buckets.threads, _LARGE_THREADS))
    for index, size in enumerate(sizes):
        if size > PART_SIZE:
            stored[index] = _put_in_parts(buckets, uploads[index], overwrite=overwrite)
    return stored


def batches(items: Iterable[T]) -> Iterator[List[T]]:
    """The items, some at a time, so that what a generator makes is not in memory all at once."""
    left = iter(items)
    while True:
        batch = list(islice(left, _BATCH))
        if not batch:
            return
        yield batch


def _put_whole(buckets: Buckets, one: Upload, *, overwrite: bool) -> bool:
    if not overwrite and buckets.head(one.place) is not None:
        return False
    condition = {} if overwrite else {"if-none-match": "*"}
    with said_of(one.place.url):
        body = [part for part in one.source.read(0, one.source.size) if len(part)]
        headers = {**one.headers, **condition}
        answer = buckets.session(one.place.bucket).call(
            "PUT", one.place.key, headers=headers, body=body, accept=(200, 412), doing="writing"
        )
    # An earlier try of this very call may be what the condition found.
    return answer.status == 200 or answer.doubtful


def _put_in_parts(buckets: Buckets, one: Upload, *, overwrite: bool) -> bool:
    if not overwrite and buckets.head(one.place) is not None:
        return False
    size, total = part_size(one.source.size, MOST_PARTS), one.source.size
    parts = [partial(one.source.read, start, min(start + size, total)) for start in range(0, total, size)]
    with said_of(one.place.url):
        session = buckets.session(one.place.bucket)
        upload_parts(session, one.place.key, parts, total, one.headers, _LARGE_THREADS)
    return True


def _exactly(file: Union[BinaryIO, io.FileIO], count: int) -> List[Buffer]:
    pieces: List[Buffer] = []
    while count:
        piece = file.read(count)
        if not piece:
            raise S3OperationError("The file became shorter while it was uploaded.")
        pieces.append(piece)
        count -= len(piece)
    return pieces
