"""A datastore in memory, for tests, in which the next call can be made to fail."""

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from threading import Lock

from headway.errors import KeyExistsError, KeyNotFoundError
from headway.store.base import Buffer, ObjectInfo, join_buffers
from headway.store.keys import check_key, check_prefix


class MemoryStore:
    """An :class:`~headway.store.base.ObjectStore` in a dictionary, safe between threads.

    Args:
        name: Tells stores apart in messages.

    Attributes:
        calls: Every call so far, as (method, key or prefix), in order.
    """

    def __init__(self, name: str = "test") -> None:
        self._name = name
        self._objects: dict[str, bytes] = {}
        self._lock = Lock()
        self._failures: deque[tuple[Exception, str | None, bool]] = deque()
        self.calls: list[tuple[str, str]] = []

    def fail_next(self, error: Exception, method: str | None = None, after_effect: bool = False) -> None:
        """Make a later call raise; several failures are used up in the order they were given.

        Args:
            error: What it raises.
            method: Only a call of this method fails, by default the next call whatever it is.
            after_effect: Whether the call first does what it should, as when an answer is lost.
        """
        self._failures.append((error, method, after_effect))

    @property
    def url(self) -> str:
        return f"memory://{self._name}"

    def get(self, key: str) -> bytes:
        return self._reading("get", key)

    def get_range(self, key: str, start: int, end: int) -> bytes:
        return self._reading("get_range", key)[start : max(start, end)]

    def read_into(self, key: str, start: int, into: memoryview) -> int:
        data = self._reading("read_into", key)[start : start + len(into)]
        into[: len(data)] = data
        return len(data)

    def get_tagged(self, key: str) -> tuple[bytes, str]:
        data = self._reading("get_tagged", key)
        return data, _tag(data)

    def put(self, key: str, data: Buffer | Sequence[Buffer]) -> None:
        content = b"".join(bytes(buffer) for buffer in join_buffers(data))
        with self._lock:
            late = self._enter("put", check_key(key))
            self._objects[key] = content
        _raise(late)

    def put_if_absent(self, key: str, data: Buffer) -> None:
        with self._lock:
            late = self._enter("put_if_absent", check_key(key))
            if key in self._objects:
                raise KeyExistsError(f"{key} exists already in {self.url}")
            self._objects[key] = bytes(data)
        _raise(late)

    def replace(self, key: str, data: Buffer, tag: str) -> str:
        with self._lock:
            late = self._enter("replace", check_key(key))
            if key not in self._objects or _tag(self._objects[key]) != tag:
                raise KeyExistsError(f"{key} in {self.url} was changed")
            self._objects[key] = bytes(data)
        _raise(late)
        return _tag(data)

    def size(self, key: str) -> int | None:
        with self._lock:
            late = self._enter("size", check_key(key))
            found = self._objects.get(key)
        _raise(late)
        return None if found is None else len(found)

    def list(self, prefix: str, after: str = "") -> Iterator[ObjectInfo]:
        with self._lock:
            late = self._enter("list", check_prefix(prefix))
            found = [
                ObjectInfo(key, len(data))
                for key, data in self._objects.items()
                if key.startswith(prefix) and key > after
            ]
        _raise(late)
        return iter(sorted(found, key=lambda info: info.key.encode()))

    def delete(self, keys: Iterable[str]) -> None:
        with self._lock:
            listed = [check_key(key) for key in keys]
            late = self._enter("delete", listed[0] if listed else "")
            for key in listed:
                self._objects.pop(key, None)
        _raise(late)

    def _reading(self, method: str, key: str) -> bytes:
        with self._lock:
            late = self._enter(method, check_key(key))
            found = self._objects.get(key)
        _raise(late)
        if found is None:
            raise KeyNotFoundError(f"there is no {key} in {self.url}")
        return found

    def _enter(self, method: str, key: str) -> Exception | None:
        """Note the call; raise the failure that is due, or return one that is due after the effect."""
        self.calls.append((method, key))
        for index, (error, only, after_effect) in enumerate(self._failures):
            if only in (None, method):
                del self._failures[index]
                if not after_effect:
                    raise error
                return error
        return None


def _raise(error: Exception | None) -> None:
    if error is not None:
        raise error


def _tag(data: Buffer) -> str:
    return hashlib.sha256(data).hexdigest()
