"""Our own client of Azure Blob Storage: an object store over HTTP calls, with nothing but the standard library."""

import os
from functools import partial
from typing import Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

from headway.store.azure.endpoints import address_of
from headway.store.azure.session import Session
from headway.store.azure.transfers import put_in_blocks
from headway.store.base import ObjectInfo
from headway.store.locations import AzureLocation
from headway.store.net.answers import Answer
from headway.store.net.store import HttpStore
from headway.store.parallel import run_parallel

#: Deletes at a time.
_THREADS = 8


class AzureStore(HttpStore):
    """An :class:`~headway.store.base.ObjectStore` over a container of Azure Blob Storage; its objects are block blobs.

    Args:
        location: The container and the prefix.
        session: Makes the calls; by default one for this container by the environment.
        environ: Variables for account, endpoint, credentials, proxy and certificates.
        page: Names on a page of a listing, at most 5,000.
    """

    # 409 says to "not if there is one" what 412 says to "only if it is this one".
    _refusals = (409, 412)

    def __init__(
        self,
        location: AzureLocation,
        session: Optional[Session] = None,
        environ: Mapping[str, str] = os.environ,
        page: int = 5000,
    ) -> None:
        session = session or Session(address_of(location, environ), environ)
        super().__init__(session, location.prefix)
        self._page = str(page)
        self._root = session.address.server.url

    @property
    def url(self) -> str:
        return f"{self._root}/{self._prefix}".rstrip("/")

    def delete(self, keys: Iterable[str]) -> None:
        run_parallel([partial(self._delete, self._full(key)) for key in keys], _THREADS)

    def _delete(self, full: str) -> None:
        headers = {"x-ms-delete-snapshots": "include"}
        self._session.call("DELETE", full, headers=headers, accept=(202, 404), doing="deleting")

    def _put_once(
        self, full: str, views: Sequence[memoryview], condition: Mapping[str, str], refusals: Tuple[int, ...]
    ) -> Answer:
        headers = {"x-ms-blob-type": "BlockBlob", **condition}
        return self._session.call(
            "PUT", full, headers=headers, body=views, accept=(201, *refusals), doing="writing"
        )

    def _put_large(self, full: str, views: Sequence[memoryview], total: int) -> None:
        put_in_blocks(self._session, full, views, total)

    def _list(self, prefix: str, after: str) -> Iterator[ObjectInfo]:
        # The protocol has no "after": what was seen comes again, page by page.
        held: List[ObjectInfo] = []
        for key, size in self._blobs(self._prefix + prefix):
            name = key[len(self._prefix) :]
            if name <= after or name.endswith("/"):
                continue
            if held or not name.isascii():
                # From here on the service's order, by units of UTF-16, is not that of the bytes.
                held.append(ObjectInfo(name, size))
            else:
                yield ObjectInfo(name, size)
        yield from sorted(held, key=lambda info: info.key.encode())

    def _blobs(self, prefix: str) -> Iterator[Tuple[str, int]]:
        from headway.store.azure.answers import parse_page  # no task lists

        query = [("restype", "container"), ("comp", "list"), ("prefix", prefix), ("maxresults", self._page)]
        marker: Optional[str] = None
        while True:
            more = [("marker", marker)] if marker else []
            page = parse_page(self._session.call("GET", query=[*query, *more], doing="listing").body)
            yield from page.objects
            marker = page.token
            if not marker:
                return
