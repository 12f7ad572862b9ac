"""Google Cloud Storage as an object store: its JSON protocol over our own HTTP."""

import os
from functools import partial
from typing import Iterable, Iterator, Mapping, Optional, Sequence, Tuple

from headway.store.base import ObjectInfo
from headway.store.gs.address import address_from_environment
from headway.store.gs.session import UPLOAD, Session, fields_of
from headway.store.net.answers import Answer
from headway.store.net.store import HttpStore
from headway.store.parallel import run_parallel

_PAGE = 1000

#: Deletions at a time: the protocol has no request for many that would be quicker than these side by side.
_DELETIONS = 8


class GoogleStore(HttpStore):
    """An :class:`~headway.store.base.ObjectStore` over a bucket of Google Cloud Storage.

    Args:
        bucket: The bucket's name.
        prefix: What all keys stand under, "" for the bucket's root.
        session: Makes the calls; by default one for this bucket by the environment.
        environ: Variables for an emulator, credentials, proxy and certificates.
    """

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        session: Optional[Session] = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._bucket = bucket
        self._google = session or Session(address_from_environment(bucket, environ), environ)
        super().__init__(self._google, prefix)

    @property
    def url(self) -> str:
        return f"gs://{self._bucket}/{self._prefix}".rstrip("/")

    def size(self, key: str) -> Optional[int]:
        found = super().size(key)
        if found is None:
            self._google.check_bucket()
        return found

    def delete(self, keys: Iterable[str]) -> None:
        full = [self._full(key) for key in keys]
        run_parallel([partial(self._delete, key) for key in full], _DELETIONS)

    def _put_once(
        self, full: str, views: Sequence[memoryview], condition: Mapping[str, str], refusals: Tuple[int, ...]
    ) -> Answer:
        query = [(UPLOAD, "media"), ("fields", "generation")]
        headers = {"content-type": "application/octet-stream", **condition}
        return self._google.call("POST", full, query, headers, views, (200, *refusals), "writing")

    def _put_large(self, full: str, views: Sequence[memoryview], total: int) -> None:
        # For large objects only.
        from headway.store.gs.transfers import Upload

        Upload(self._google, full, views).run()

    def _list(self, prefix: str, after: str) -> Iterator[ObjectInfo]:
        fields = ("fields", "items(name,size),nextPageToken")
        query = [("prefix", self._prefix + prefix), ("maxResults", str(_PAGE)), fields]
        if after:
            query.append(("startOffset", self._prefix + after))
        token = ""
        while True:
            more = [("pageToken", token)] if token else []
            page = fields_of(self._google.call("GET", query=[*query, *more], doing="listing"))
            for item in page.get("items") or []:
                name = item["name"][len(self._prefix) :]
                if name > after and not name.endswith("/"):  # consoles mark folders with empty objects
                    yield ObjectInfo(name, int(item.get("size") or 0))
            token = page.get("nextPageToken") or ""
            if not token:
                return

    def _delete(self, full: str) -> None:
        if self._google.call("DELETE", full, accept=(200, 204, 404), doing="deleting").status == 404:
            self._google.check_bucket()
