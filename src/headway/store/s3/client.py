"""The pod's own S3 client: an object store over signed HTTP calls, with nothing but the standard library."""

import hashlib
import os
from typing import Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

from headway.errors import KeyExistsError, KeyNotFoundError, StoreError
from headway.store.base import Buffer, ObjectInfo, join_buffers
from headway.store.keys import check_key, check_prefix
from headway.store.net.answers import Answer
from headway.store.net.markup import escape
from headway.store.net.transfers import MULTIPART_THRESHOLD, PART_SIZE, flat_views, get_in_ranges
from headway.store.s3.answers import parse_delete_errors, parse_page
from headway.store.s3.endpoints import address_from_environment
from headway.store.s3.session import Session
from headway.store.s3.transfers import put_in_parts

_DELETE_BATCH = 1000


class S3Store:
    """An :class:`~headway.store.base.ObjectStore` over a bucket of S3 or of what speaks its protocol.

    Args:
        bucket: The bucket's name.
        prefix: What all keys stand under, "" for the bucket's root.
        session: Makes the calls; by default one for this bucket by the environment.
        environ: Variables for endpoint, region, credentials, proxy and certificates.
    """

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        session: Optional[Session] = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._session = session or Session(address_from_environment(bucket, environ), environ)

    @property
    def url(self) -> str:
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

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

    def get_tagged(self, key: str) -> Tuple[bytes, str]:
        data, tag = self._get(key)
        if not tag:
            raise StoreError(f"{self.url} gives no ETag for {key}, so it cannot be replaced safely")
        return data, tag

    def put(self, key: str, data: Union[Buffer, Sequence[Buffer]]) -> None:
        views = flat_views(join_buffers(data))
        total = sum(view.nbytes for view in views)
        if total > MULTIPART_THRESHOLD:
            put_in_parts(self._session, self._full(key), views, total)
        else:
            self._session.call("PUT", self._full(key), body=views, doing="writing")

    def put_if_absent(self, key: str, data: Buffer) -> None:
        answer = self._put_when(key, data, {"if-none-match": "*"})
        if answer.status != 200 and self._written_in_doubt(answer, key, data) is None:
            raise KeyExistsError(f"{key} exists already in {self.url}")

    def replace(self, key: str, data: Buffer, tag: str) -> str:
        answer = self._put_when(key, data, {"if-match": tag})
        if answer.status == 200 and answer.headers.get("etag"):
            return answer.headers["etag"]
        ours = self._written_in_doubt(answer, key, data)
        if ours is None:
            raise KeyExistsError(f"{key} in {self.url} was changed by another process")
        return ours

    def size(self, key: str) -> Optional[int]:
        answer = self._session.call("HEAD", self._full(key), accept=(200, 404))
        if answer.status == 200:
            return int(answer.headers.get("content-length", 0))
        if not self._session.contact:
            # An answer to HEAD has no body: whether it is the bucket that is missing, a listing says.
            self._session.call("GET", query=[("list-type", "2"), ("max-keys", "1")], doing="listing")
        return None

    def list(self, prefix: str, after: str = "") -> Iterator[ObjectInfo]:
        check_prefix(prefix)
        return self._list(prefix, after)

    def delete(self, keys: Iterable[str]) -> None:
        full = [self._full(key) for key in keys]
        if len(full) == 1:
            self._session.call("DELETE", full[0], accept=(200, 204, 404), doing="deleting")
            return
        for start in range(0, len(full), _DELETE_BATCH):
            self._delete_batch(full[start : start + _DELETE_BATCH])

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

    def _put_when(self, key: str, data: Buffer, condition: Mapping[str, str]) -> Answer:
        # 404: there is nothing that If-Match could match.
        accept = (200, 412, 404) if "if-match" in condition else (200, 412)
        body = flat_views([data])
        return self._session.call(
            "PUT", self._full(key), headers=condition, body=body, accept=accept, doing="writing"
        )

    def _written_in_doubt(self, answer: Answer, key: str, data: Buffer) -> Optional[str]:
        """The tag of the object if it is what an earlier try wrote whose answer was lost, else None."""
        if answer.status != 200 and not answer.doubtful:
            return None
        try:
            current, tag = self._get(key)
        except KeyNotFoundError:
            return None
        return tag if current == memoryview(data).cast("B") else None

    def _list(self, prefix: str, after: str) -> Iterator[ObjectInfo]:
        query = [("list-type", "2"), ("prefix", self._prefix + prefix)]
        token: Optional[str] = None
        while True:
            start = ("continuation-token", token) if token else ("start-after", self._prefix + after)
            more = [start] if token or after else []
            page = parse_page(self._session.call("GET", query=[*query, *more], doing="listing").body)
            for key, size in page.objects:
                name = key[len(self._prefix) :]
                if name > after and not name.endswith("/"):  # consoles mark folders with empty objects
                    yield ObjectInfo(name, size)
            token = page.token
            if not token:
                return

    def _delete_batch(self, keys: List[str]) -> None:
        if not keys:
            return
        listed = "".join(f"<Object><Key>{escape(key)}</Key></Object>" for key in keys)
        body = f"<Delete><Quiet>true</Quiet>{listed}</Delete>".encode()
        import base64  # no task deletes many objects

        # MD5 because the protocol asks for it here, against damage on the way, not against attackers.
        digest = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        headers = {"content-md5": digest, "content-type": "application/xml"}
        answer = self._session.call(
            "POST", query=[("delete", "")], headers=headers, body=[body], doing="deleting"
        )
        for key, code, message in parse_delete_errors(answer.body):
            if code != "NoSuchKey":
                raise StoreError(f"deleting {key} in bucket {self._bucket!r} failed: {code}: {message}")
