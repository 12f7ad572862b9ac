"""The pod's own S3 client: an object store over signed HTTP calls, with nothing but the standard library."""

import os
from typing import Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

from headway.errors import StoreError
from headway.store.base import ObjectInfo
from headway.store.net.answers import Answer
from headway.store.net.store import HttpStore
from headway.store.s3.endpoints import address_from_environment
from headway.store.s3.session import Session
from headway.store.s3.transfers import put_in_parts

_DELETE_BATCH = 1000


class S3Store(HttpStore):
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
        super().__init__(session or Session(address_from_environment(bucket, environ), environ), prefix)
        self._bucket = bucket

    @property
    def url(self) -> str:
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    def size(self, key: str) -> Optional[int]:
        found = super().size(key)
        if found is None and not self._session.contact:
            # An answer to HEAD has no body: whether it is the bucket that is missing, a listing says.
            self._session.call("GET", query=[("list-type", "2"), ("max-keys", "1")], doing="listing")
        return found

    def delete(self, keys: Iterable[str]) -> None:
        full = [self._full(key) for key in keys]
        if len(full) == 1:
            self._session.call("DELETE", full[0], accept=(200, 204, 404), doing="deleting")
            return
        for start in range(0, len(full), _DELETE_BATCH):
            self._delete_batch(full[start : start + _DELETE_BATCH])

    def _put_once(
        self, full: str, views: Sequence[memoryview], condition: Mapping[str, str], refusals: Tuple[int, ...]
    ) -> Answer:
        return self._session.call(
            "PUT", full, headers=condition, body=views, accept=(200, *refusals), doing="writing"
        )

    def _put_large(self, full: str, views: Sequence[memoryview], total: int) -> None:
        put_in_parts(self._session, full, views, total)

    def _list(self, prefix: str, after: str) -> Iterator[ObjectInfo]:
        from headway.store.s3.answers import parse_page  # no task lists

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
        import base64  # no task deletes many objects
        import hashlib

        from headway.store.net.markup import escape
        from headway.store.s3.answers import parse_delete_errors

        listed = "".join(f"<Object><Key>{escape(key)}</Key></Object>" for key in keys)
        body = f"<Delete><Quiet>true</Quiet>{listed}</Delete>".encode()

        # MD5 because the protocol asks for it here, against damage on the way, not against attackers.
        digest = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        headers = {"content-md5": digest, "content-type": "application/xml"}
        answer = self._session.call(
            "POST", query=[("delete", "")], headers=headers, body=[body], doing="deleting"
        )
        for key, code, message in parse_delete_errors(answer.body):
            if code != "NoSuchKey":
                raise StoreError(f"deleting {key} in bucket {self._bucket!r} failed: {code}: {message}")
