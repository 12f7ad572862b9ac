"""The one interface to an object store: few calls, synchronous, safe to use from several threads.

Synchronous because it runs in pods, where an event loop would cost more than the
calls themselves; the launcher calls it from a bounded pool of threads.
"""

from typing import Iterable, Iterator, List, NamedTuple, Optional, Protocol, Sequence, Tuple, Union

Buffer = Union[bytes, bytearray, memoryview]


class ObjectInfo(NamedTuple):
    """One listed object: its key relative to the store's root, its size in bytes."""

    key: str
    size: int


class ObjectStore(Protocol):
    """Objects under string keys ("a/b/c", relative to the root), written whole and replaced whole.

    Every method raises :class:`~headway.errors.StoreConfigurationError` for a missing bucket or
    wrong credentials and :class:`~headway.errors.StoreUnavailableError` once its retries are spent.
    """

    @property
    def url(self) -> str:
        """The root as a person would write it, without credentials: ``s3://bucket/prefix``, ``/path``."""
        ...

    def get(self, key: str) -> bytes:
        """The whole object. Raises KeyNotFoundError."""
        ...

    def get_range(self, key: str, start: int, end: int) -> bytes:
        """Bytes [start, end) of the object; shorter at its end. Raises KeyNotFoundError."""
        ...

    def read_into(self, key: str, start: int, into: memoryview) -> int:
        """Fill a view with the object's bytes from ``start`` on, without a copy in between where that can be.

        Returns how many there were: fewer than the view has at the object's end. Raises KeyNotFoundError.
        """
        ...

    def get_tagged(self, key: str) -> Tuple[bytes, str]:
        """The object and the tag of this version of it, for :meth:`replace`. Raises KeyNotFoundError."""
        ...

    def put(self, key: str, data: Union[Buffer, Sequence[Buffer]]) -> None:
        """Write or overwrite, whole or not at all; several buffers are written one after the other."""
        ...

    def put_if_absent(self, key: str, data: Buffer) -> None:
        """Write unless the key exists. Raises KeyExistsError; exactly one of several racing writers succeeds."""
        ...

    def replace(self, key: str, data: Buffer, tag: str) -> str:
        """Overwrite only the version with this tag and return the new tag. Raises KeyExistsError."""
        ...

    def size(self, key: str) -> Optional[int]:
        """The object's size in bytes, None where there is no such object."""
        ...

    def list(self, prefix: str, after: str = "") -> Iterator[ObjectInfo]:
        """Objects whose key starts with prefix (any string), in byte order, only keys > after."""
        ...

    def delete(self, keys: Iterable[str]) -> None:
        """Delete these objects; a missing one is no error."""
        ...


def join_buffers(data: Union[Buffer, Sequence[Buffer]]) -> List[Buffer]:
    """The buffers of a put, as a list."""
    if isinstance(data, (bytes, bytearray, memoryview)):
        return [data]
    return list(data)
