"""What object stores over HTTP do alike: reads in ranges, and conditional writes whose answers may get lost."""

from abc import ABC, abstractmethod
from typing import Any, Iterator, Mapping, Optional, Sequence, Tuple, Union

from headway.errors import KeyExistsError, KeyNotFoundError, StoreError
from headway.store.base import Buffer, ObjectInfo, join_buffers
from headway.store.keys import check_key, check_prefix, is_key
from headway.store.net.answers import Answer
from headway.store.net.session import Session
from headway.store.net.transfers import MULTIPART_THRESHOLD, PART_SIZE, flat_views, get_in_ranges


class HttpStore(ABC):
    """The part of an :class:`~headway.store.base.ObjectStore` that does not depend on its protocol.

    Args:
        session: Makes the calls.
        prefix: What all keys stand under, "" for the bucket's root.
    """

    #: What answers a conditional write that was refused because the object is there, or is another one.
    _refusals: Tuple[int, ...] = (412,)

    def __init__(self, session: Session[Any, Any], prefix: str) -> None:
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._session = session

    @property
    @abstractmethod
    def url(self) -> str: ...

    def get(self, key: str) -> bytes:
        return self._get(key)[0]

    def get_range(self, key: str, start: int, end: int) -> bytes:
        if end <= start:
            if self.size(key) is None:
                raise KeyNotFoundError(f"there is no {key} in {self.url}")
            return b""
        headers = {"range": f"bytes={start}-{end - 1}"}
        answer = self._session.call("GET", self._full(key), headers=headers, accept=(200, 206, 416))
        if answer.status == 416:
            return b""
        return answer.body if answer.status == 206 else answer.body[start:end]

    def read_into(self, key: str, start: int, into: memoryview) -> int:
        if not into:
            return 0
        headers = {"range": f"bytes={start}-{start + len(into) - 1}"}
        accept = (200, 206, 416)
        answer = self._session.call("GET", self._full(key), headers=headers, accept=accept, into=into)
        if answer.status == 416:
            return 0
        # A body of just this length is in the view already.
        filled = answer.headers.get("content-length") == str(len(into)) and not answer.body
        if filled and answer.status == 206:
            return len(into)
        body = bytes(into) if filled else answer.body
        if answer.status == 200:  # a server that gives the whole object whatever is asked for
            body = body[start : start + len(into)]
        into[: len(body)] = body
        return len(body)

    def get_tagged(self, key: str) -> Tuple[bytes, str]:
        data, tag = self._get(key)
        if not tag:
            raise StoreError(f"{self.url} gives no ETag for {key}, so it cannot be replaced safely")
        return data, tag

    def put(self, key: str, data: Union[Buffer, Sequence[Buffer]]) -> None:
        views = flat_views(join_buffers(data))
        total = sum(view.nbytes for view in views)
        if total > MULTIPART_THRESHOLD:
            self._put_large(self._full(key), views, total)
        else:
            self._put_once(self._full(key), views, {}, ())

    def put_if_absent(self, key: str, data: Buffer) -> None:
        answer = self._put_once(self._full(key), flat_views([data]), {"if-none-match": "*"}, self._refusals)
        if answer.status >= 300 and self._written_in_doubt(answer, key, data) is None:
            raise KeyExistsError(f"{key} exists already in {self.url}")

    def replace(self, key: str, data: Buffer, tag: str) -> str:
        # 404: there is nothing that If-Match could match.
        refusals = (*self._refusals, 404)
        answer = self._put_once(self._full(key), flat_views([data]), {"if-match": tag}, refusals)
        if answer.status < 300 and answer.headers.get("etag"):
            return answer.headers["etag"]
        ours = self._written_in_doubt(answer, key, data)
        if ours is None:
            raise KeyExistsError(f"{key} in {self.url} was changed by another process")
        return ours

    def size(self, key: str) -> Optional[int]:
        answer = self._session.call("HEAD", self._full(key), accept=(200, 404))
        return int(answer.headers.get("content-length", 0)) if answer.status == 200 else None

    def list(self, prefix: str, after: str = "") -> Iterator[ObjectInfo]:
        check_prefix(prefix)
        # What others left under names that no key of ours can have ("a//b") could not be read by them.
        return (found for found in self._list(prefix, after) if is_key(found.key))

    @abstractmethod
    def _put_once(
        self, full: str, views: Sequence[memoryview], condition: Mapping[str, str], refusals: Tuple[int, ...]
    ) -> Answer:
        """Write an object with one request.

        Args:
            full: The full key.
            views: The content.
            condition: Headers that say when only.
            refusals: What statuses say that the condition does not hold.
        """

    @abstractmethod
    def _put_large(self, full: str, views: Sequence[memoryview], total: int) -> None:
        """Write an object in several requests, whole or not at all."""

    @abstractmethod
    def _list(self, prefix: str, after: str) -> Iterator[ObjectInfo]: ...

    def _full(self, key: str) -> str:
        return self._prefix + check_key(key)

    def _get(self, key: str) -> Tuple[bytes, str]:
        full = self._full(key)
        # The first range says how long the whole is, so a small object takes one request.
        headers = {"range": f"bytes=0-{PART_SIZE - 1}"}
        answer = self._session.call("GET", full, headers=headers, accept=(200, 206, 416))
        tag = answer.headers.get("etag", "")
        if answer.status == 416:  # an empty object has no first byte
            return b"", tag or self._session.call("HEAD", full).headers.get("etag", "")
        total = answer.headers.get("content-range", "").rpartition("/")[2]
        if answer.status == 200 or not total.isdigit() or int(total) == len(answer.body):
            return answer.body, tag
        same = {"if-match": tag} if tag else {}

        def fetch(part: Mapping[str, str], into: memoryview) -> Answer:
            return self._session.call("GET", full, headers={**part, **same}, accept=(206, 412), into=into)

        return get_in_ranges(fetch, full, answer.body, int(total)), tag

    def _written_in_doubt(self, answer: Answer, key: str, data: Buffer) -> Optional[str]:
        """The tag of the object if it is what an earlier try wrote whose answer was lost, else None."""
        if answer.status >= 300 and not answer.doubtful:
            return None
        try:
            current, tag = self._get(key)
        except KeyNotFoundError:
            return None
        return tag if current == memoryview(data).cast("B") else None
