"""The launcher's and the client's way to a remote store: obstore, several times cheaper per request.

Not for pods and not for forked children: it is a native wheel with threads of its own. Never
imported at the top of anything that runs there; see :mod:`headway.store.open`.
"""

from __future__ import annotations

import os
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Callable,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    TypeVar,
    Union,
)

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.store import S3Store as NativeS3Store

from headway.errors import KeyExistsError, KeyNotFoundError, StoreError
from headway.store.base import Buffer, ObjectInfo, join_buffers
from headway.store.keys import check_key, check_prefix
from headway.store.locations import S3Location
from headway.store.net.answers import Fault
from headway.store.net.connections import authorities
from headway.store.net.faults import connection_error, is_hopeless, outage_error, with_answer
from headway.store.net.proxies import proxy_for
from headway.store.net.retries import RetryPolicy
from headway.store.remote_faults import first_line, is_behind_end, is_network, read_cause, read_fault
from headway.store.s3.credentials import CredentialChain
from headway.store.s3.endpoints import TRUST, address_from_environment
from headway.store.s3.faults import fault_error, is_retried, place_of

if TYPE_CHECKING:  # obstore has these names for type checkers only
    from obstore import PutMode
    from obstore.store import ClientConfig, S3Credential

T = TypeVar("T")

_PART_SIZE = 8 << 20
_PAGE = 1000

#: obstore asks the credential provider again after this long, for those that have no end of their own.
_CREDENTIALS_SECONDS = 900.0


class ObstoreStore:
    """An :class:`~headway.store.base.ObjectStore` over obstore's S3 store.

    Args:
        location: The bucket and the prefix.
        environ: Variables for endpoint, region, credentials, proxy and certificates; they mean the
            same as for the pod's own client.
        policy: When to try again.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        location: S3Location,
        environ: Mapping[str, str] = os.environ,
        policy: RetryPolicy = RetryPolicy(),  # noqa: B008  (a value, never changed)
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._bucket = location.bucket
        self._prefix = f"{location.prefix}/" if location.prefix else ""
        self._address = address_from_environment(location.bucket, environ)
        self._proxy = proxy_for(self._address.server, environ)
        self._chain = CredentialChain(environ, self._address.region)
        self._policy = policy
        self._sleep = sleep
        self._contact = False
        self._store = self._open(environ, policy.tries - 1)
        # For first contact (a wrong address is told of soon) and for conditional writes (after a lost
        # answer only we can tell our own object from another's) the tries are made here.
        self._once = self._open(environ, 0)

    @property
    def url(self) -> str:
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    def get(self, key: str) -> bytes:
        return self._call("reading", key, lambda store, path: bytes(obstore.get(store, path).bytes()))

    def get_range(self, key: str, start: int, end: int) -> bytes:
        if end > start:
            try:
                return self._call(
                    "reading",
                    key,
                    lambda store, path: bytes(obstore.get_range(store, path, start=start, end=end)),
                )
            except StoreError as error:
                if not is_behind_end(error):
                    raise
        elif self.size(key) is None:
            raise KeyNotFoundError(f"there is no {key} in {self.url}")
        return b""

    def read_into(self, key: str, start: int, into: memoryview) -> int:
        filled = 0
        while filled < len(into):  # by parts, each of which is in memory twice
            data = self.get_range(key, start + filled, start + min(filled + _PART_SIZE, len(into)))
            if not data:
                break
            into[filled : filled + len(data)] = data
            filled += len(data)
        return filled

    def get_tagged(self, key: str) -> Tuple[bytes, str]:
        def read(store: NativeS3Store, path: str) -> Tuple[bytes, str]:
            found = obstore.get(store, path)
            return bytes(found.bytes()), found.meta["e_tag"] or ""

        data, tag = self._call("reading", key, read)
        if not tag:
            raise StoreError(f"{self.url} gives no ETag for {key}, so it cannot be replaced safely")
        return data, tag

    def put(self, key: str, data: Union[Buffer, Sequence[Buffer]]) -> None:
        views = [memoryview(buffer).cast("B") for buffer in join_buffers(data)]
        buffers: List[Buffer] = [view for view in views if view.nbytes]
        if len(buffers) > 1 and sum(len(buffer) for buffer in buffers) <= _PART_SIZE:
            buffers = [b"".join(buffers)]

        def write(store: NativeS3Store, path: str) -> None:
            if len(buffers) <= 1:
                obstore.put(store, path, buffers[0] if buffers else b"", chunk_size=_PART_SIZE)
            else:
                obstore.put(store, path, iter(buffers), chunk_size=_PART_SIZE)

        self._call("writing", key, write)

    def put_if_absent(self, key: str, data: Buffer) -> None:
        self._put_when(key, data, "create")

    def replace(self, key: str, data: Buffer, tag: str) -> str:
        return self._put_when(key, data, {"e_tag": tag})

    def size(self, key: str) -> Optional[int]:
        try:
            return self._call("reading", key, lambda store, path: int(obstore.head(store, path)["size"]))
        except KeyNotFoundError:
            if not self._contact:
                # An answer to HEAD has no body: whether it is the bucket that is missing, a listing says.
                self._page("", "")
            return None

    def list(self, prefix: str, after: str = "") -> Iterator[ObjectInfo]:
        check_prefix(prefix)
        return self._list(prefix, after)

    def delete(self, keys: Iterable[str]) -> None:
        paths = [self._prefix + check_key(key) for key in keys]
        if paths:
            self._call("deleting", None, lambda store, _: obstore.delete(store, paths))

    def _list(self, prefix: str, after: str) -> Iterator[ObjectInfo]:
        # obstore takes folders only: list the one that holds the prefix, and filter.
        folder = (self._prefix + prefix).rpartition("/")[0]
        offset = self._prefix + max(after, prefix[:-1])
        while True:
            page = self._page(folder, offset)
            for path, size in page:
                key = path[len(self._prefix) :]
                if key.startswith(prefix) and key > after:
                    yield ObjectInfo(key, size)
            if len(page) < _PAGE:
                return
            offset = page[-1][0]

    def _page(self, folder: str, offset: str) -> List[Tuple[str, int]]:
        """Paths and sizes of the next objects in the folder; fewer than a page only at the end."""

        def fetch(store: NativeS3Store, _: str) -> List[Tuple[str, int]]:
            # A stream for each page: one that has failed gives nothing more.
            stream = obstore.list(store, folder or None, offset=offset.rstrip("/") or None, chunk_size=_PAGE)
            return [(found["path"], found["size"]) for found in next(stream, ())]

        return self._call("listing", None, fetch)

    def _put_when(self, key: str, data: Buffer, mode: PutMode) -> str:
        content = bytes(data)
        doubtful = False

        def write(store: NativeS3Store, path: str) -> str:
            nonlocal doubtful
            try:
                return obstore.put(store, path, content, mode=mode, use_multipart=False)["e_tag"] or ""
            except (AlreadyExistsError, PreconditionError):
                raise
            except BaseException:
                doubtful = True
                raise

        try:
            return self._call("writing", key, write, once=True)
        except KeyExistsError:
            if doubtful:
                try:
                    current, tag = self.get_tagged(key)
                except KeyNotFoundError:
                    current = None
                if current == content:  # an earlier try wrote it, and its answer was lost
                    return tag
            raise

    def _call(
        self, doing: str, key: Optional[str], make: Callable[[NativeS3Store, str], T], once: bool = False
    ) -> T:
        """Make a call and map its errors; see ``_once`` for who tries again."""
        path = "" if key is None else self._prefix + check_key(key)
        started, tries = time.monotonic(), 0
        while True:
            tries += 1
            self._chain.get()  # what it raises says more than what obstore would make of it
            own = once or not self._contact
            try:
                result = make(self._once if own else self._store, path)
            except (BaseError, FileNotFoundError) as error:
                fault = read_fault(error)
                refused = isinstance(error, (AlreadyExistsError, PreconditionError))
                if refused and fault.code != "NoSuchBucket":
                    raise KeyExistsError(f"{key} in {self.url} is there already, or was changed") from error
                self._contact = self._contact or fault.code == "NoSuchKey"
                pause = None
                if own and self._may_pass(error, fault):
                    pause = self._policy.pause(tries, time.monotonic() - started, self._contact)
                if pause is None:
                    raise self._error(error, fault, doing, path, tries) from error
                self._sleep(pause)
            else:
                self._contact = True
                return result

    def _may_pass(self, error: Exception, fault: Fault) -> bool:
        """Whether another try may end otherwise."""
        if isinstance(error, FileNotFoundError):
            return False
        if fault.status:
            return is_retried(fault)
        return is_network(error) and not is_hopeless(read_cause(error))

    def _error(self, error: Exception, fault: Fault, doing: str, path: str, tries: int) -> StoreError:
        if fault.status == 0 and not is_network(error):
            return StoreError(f"{doing} {path or 'objects'} in {self.url} failed: {first_line(error)}")
        if fault.status == 0:
            proxy = f"{self._proxy.host}:{self._proxy.port}" if self._proxy else None
            return connection_error(read_cause(error), place_of(self._address), proxy, self._contact, tries)
        if is_retried(fault):
            return outage_error(
                f"{fault.code or fault.status} {fault.message}", place_of(self._address), doing, path, tries
            )
        return with_answer(fault_error(fault, self._address, doing, path, self._chain.source), fault)

    def _open(self, environ: Mapping[str, str], retries: int) -> NativeS3Store:
        server = self._address.server
        options: ClientConfig = {
            "allow_http": not server.secure,
            "connect_timeout": timedelta(seconds=5),
            "read_timeout": timedelta(seconds=60),
            "timeout": timedelta(seconds=600),
        }
        bundle = authorities(environ, TRUST)
        if bundle and server.secure:
            options["root_certificate"] = Path(bundle).read_bytes()
        if self._proxy:
            options["proxy_url"] = self._proxy.url
        endpoint = server.url.removesuffix(f"/{self._bucket}")
        return NativeS3Store(
            self._bucket,
            # Both names: the variable AWS_ENDPOINT_URL_S3 would win over the plain one.
            endpoint=endpoint,
            aws_endpoint_url_s3=endpoint,
            region=self._address.region,
            virtual_hosted_style_request=not server.path,
            client_options=options,
            retry_config={
                "max_retries": retries,
                "retry_timeout": timedelta(seconds=self._policy.seconds),
                "backoff": {
                    "init_backoff": timedelta(seconds=self._policy.base),
                    "max_backoff": timedelta(seconds=self._policy.cap),
                    "base": 2,
                },
            },
            credential_provider=self._credentials,
        )

    def _credentials(self) -> S3Credential:
        found = self._chain.get()
        ends = found.expires or time.time() + _CREDENTIALS_SECONDS
        return {
            "access_key_id": found.access_key,
            "secret_access_key": found.secret_key,
            "token": found.token,
            "expires_at": datetime.fromtimestamp(ends, timezone.utc),
        }
