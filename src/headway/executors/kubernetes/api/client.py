"""A small asynchronous client of the Kubernetes API: every call of the launcher goes through it."""

import random
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, TypeVar, cast

import msgspec

from headway.executors.kubernetes.api import requests
from headway.executors.kubernetes.api.access import ClusterAccess
from headway.executors.kubernetes.api.calls import Caller, Limits, RetryNotice
from headway.executors.kubernetes.api.clock import SYSTEM_CLOCK, Clock
from headway.executors.kubernetes.api.errors import AlreadyExists, ApiError, Gone, NotFound
from headway.executors.kubernetes.api.kinds import Kind, page_of
from headway.executors.kubernetes.api.lines import LineReader
from headway.executors.kubernetes.api.requests import Patch, PatchType, Propagation
from headway.executors.kubernetes.api.retry import NO_RETRY, Chance, RetryPolicy
from headway.executors.kubernetes.api.transport import Request, Stream
from headway.executors.kubernetes.api.types import KubernetesObject, ObjectMeta, ServerVersion

T = TypeVar("T", bound=KubernetesObject)
D = TypeVar("D")

_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """All objects of a list, and the version of the cluster's state that they show."""

    items: tuple[T, ...]
    resource_version: str


class KubernetesClient:
    """Create, read, watch, patch and delete objects; retries, limits and renewal of credentials included.

    Use it as an async context manager. Every method raises an `ApiError` if the server refuses, fails or
    cannot be reached in spite of the retries.

    Args:
        access: The cluster and who we are to it.
        limits: Time limits, retries, and how much may be asked of the server at once.
        on_retry: Told of each retry before its pause, so that waiting is not silent.
        clock: Time.
        chance: Random numbers from 0 to 1.
    """

    def __init__(
        self,
        access: ClusterAccess,
        *,
        limits: Limits = _LIMITS,
        on_retry: Callable[[RetryNotice], None] | None = None,
        clock: Clock = SYSTEM_CLOCK,
        chance: Chance = random.random,
    ) -> None:
        self.access = access
        self.clock = clock
        self.chance = chance
        self._caller = Caller(access, limits, on_retry=on_retry, clock=clock, chance=chance)

    async def __aenter__(self) -> "KubernetesClient":
        await self._caller.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._caller.close()

    async def create(
        self,
        kind: Kind[T],
        namespace: str | None,
        body: Mapping[str, Any] | bytes,
        *,
        dry_run: bool = False,
        identity: Mapping[str, str] | None = None,
    ) -> T:
        """Create an object.

        A create whose reply was lost is sent again; if the object is there by then, it is taken for ours
        when it carries the identity, and returned. An object without a fixed name (generateName) is not
        sent again once it may have arrived.

        Args:
            kind: What it is.
            namespace: Where it goes.
            body: The manifest, as a mapping or as JSON.
            dry_run: Let the server check it and create nothing.
            identity: Labels or annotations that only our object has; all those in the manifest if None.

        Returns:
            The object as the server has it.

        Raises:
            AlreadyExists: If another object has the name.
        """
        encoded = body if isinstance(body, bytes) else msgspec.json.encode(body)
        meta = msgspec.json.decode(encoded, type=_Manifest).metadata
        request = requests.create(kind, namespace, encoded, meta.name or None, dry_run)
        try:
            return await self._call(request, kind.type)
        except AlreadyExists as error:
            expected = {**meta.annotations, **meta.labels} if identity is None else identity
            if not error.sent or not expected:
                raise
            answer = await self._caller.call(requests.get(kind, namespace, meta.name))
            found = msgspec.json.decode(answer.body, type=_Manifest).metadata
            if expected.items() <= {**found.annotations, **found.labels}.items():
                return _decoded(answer.body, kind.type, request)
            raise

    async def get(self, kind: Kind[T], namespace: str | None, name: str, *, cached: bool = False) -> T:
        """Read one object.

        Args:
            kind: What it is.
            namespace: Where it is.
            name: Its name.
            cached: Whether what the server remembers will do, which is cheaper for it, and may be older than what was
                read before.

        Raises:
            NotFound: If there is none.
        """
        return await self._call(requests.get(kind, namespace, name, cached=cached), kind.type)

    async def list(
        self,
        kind: Kind[T],
        namespace: str | None,
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
        limit: int = 500,
        most: int | None = None,
        retry: RetryPolicy | None = None,
    ) -> Listing[T]:
        """Read all objects that match, page by page.

        Args:
            kind: What they are.
            namespace: Where they are; None for everywhere.
            label_selector: As in kubectl's -l.
            field_selector: As in kubectl's --field-selector.
            limit: The size of a page.
            most: How many will do, None for all: no further page is read once there are so many.
            retry: How long to go on trying, if not as the client does.
        """
        items: tuple[T, ...] = ()
        size: int | None = limit
        token: str | None = None
        while True:
            request = requests.list_page(kind, namespace, label_selector, field_selector, size, token)
            try:
                page = await self._call(request, page_of(kind), retry)
            except Gone:
                if token is None or most is not None:
                    raise
                # The pages took longer than the server keeps old versions: all of it at once.
                items, size, token = (), None, None
                continue
            items += page.items or ()
            token = page.metadata.continue_token
            if not token or (most is not None and len(items) >= most):
                return Listing(items, page.metadata.resource_version)

    async def patch(
        self,
        kind: Kind[T],
        namespace: str | None,
        name: str,
        patch: Patch,
        *,
        type: PatchType = "merge",  # noqa: A002 - the API's own word
        subresource: str | None = None,
        dry_run: bool = False,
    ) -> T:
        """Change an object.

        Args:
            kind: What it is.
            namespace: Where it is.
            name: Its name.
            patch: The patch, as JSON or what encodes to it.
            type: How to read the patch; "apply" takes its fields over by force.
            subresource: Change this part instead ("status").
            dry_run: Let the server check it and change nothing.

        Returns:
            The object after the change.

        Raises:
            NotFound: If there is none.
        """
        return await self._call(
            requests.patch(kind, namespace, name, patch, type, subresource, dry_run), kind.type
        )

    async def delete(
        self,
        kind: Kind[KubernetesObject],
        namespace: str | None,
        name: str,
        *,
        propagation: Propagation = "Background",
        grace_seconds: int | None = None,
        uid: str | None = None,
    ) -> bool:
        """Delete an object, if it is there.

        Args:
            kind: What it is.
            namespace: Where it is.
            name: Its name.
            propagation: What becomes of the objects it owns.
            grace_seconds: The time a pod gets to end; its own setting if None.
            uid: Delete only the object with this uid, not another that took its name.

        Returns:
            False if there is no such object (any more).

        Raises:
            Conflict: If another object has the name.
        """
        try:
            await self._caller.call(requests.delete(kind, namespace, name, propagation, grace_seconds, uid))
        except NotFound:
            return False
        return True

    async def delete_collection(
        self,
        kind: Kind[KubernetesObject],
        namespace: str,
        *,
        label_selector: str,
        propagation: Propagation = "Background",
        grace_seconds: int | None = None,
    ) -> None:
        """Delete all objects with these labels.

        Args:
            kind: What they are.
            namespace: Where they are.
            label_selector: Which; never empty, for that would be all.
            propagation: What becomes of the objects they own.
            grace_seconds: The time a pod gets to end.
        """
        await self._caller.call(
            requests.delete_collection(kind, namespace, label_selector, propagation, grace_seconds)
        )

    async def logs(
        self,
        namespace: str,
        pod: str,
        *,
        container: str | None = None,
        follow: bool = False,
        since_seconds: int | None = None,
        tail: int | None = None,
        timestamps: bool = False,
        previous: bool = False,
    ) -> AsyncIterator[bytes]:
        """Read a container's log line by line, without the line ends.

        Args:
            namespace: The pod's namespace.
            pod: The pod's name.
            container: The container's name; needed where there are several.
            follow: Go on until the container ends.
            since_seconds: Only lines of the last so many seconds.
            tail: Only the last so many lines.
            timestamps: Begin each line with the time the node saw it.
            previous: The log of the container before its last restart.

        Raises:
            ApiError: With status 400 if the container has not started.
            Unreachable: If the stream breaks before its end; the pod may well be running.
        """
        options = {
            "container": container,
            "follow": follow,
            "sinceSeconds": since_seconds,
            "tailLines": tail,
            "timestamps": timestamps,
            "previous": previous,
        }
        request = requests.logs(namespace, pod, options)
        async with await self._caller.open_stream(request, read_timeout=None) as stream:
            reader = LineReader(stream)
            while lines := await reader.read():
                for line in lines:
                    yield line

    async def open_watch(
        self,
        kind: Kind[KubernetesObject],
        namespace: str | None,
        resource_version: str,
        *,
        label_selector: str | None,
        field_selector: str | None,
        timeout_seconds: int,
        read_timeout: float,
    ) -> Stream:
        """Open one connection of a watch, without retries; `watch.watch` is what one normally wants.

        Args:
            kind: What to watch.
            namespace: Where; None for everywhere.
            resource_version: The version after which to begin.
            label_selector: Which objects.
            field_selector: Which objects.
            timeout_seconds: When the server shall end it.
            read_timeout: The longest silence in seconds.

        Raises:
            Gone: If the version is too old.
        """
        request = requests.watch(
            kind, namespace, resource_version, label_selector, field_selector, timeout_seconds
        )
        return await self._caller.open_stream(request, read_timeout=read_timeout, retry=NO_RETRY)

    async def version(self) -> ServerVersion:
        """Read the server's version."""
        return await self._call(requests.version(), ServerVersion)

    async def can_i(self, verb: str, resource: str, namespace: str | None) -> bool:
        """Ask whether we may do something.

        Args:
            verb: As in RBAC rules: "create", "list", …
            resource: As kubectl takes it: "pods", "pods/log", "jobs.batch".
            namespace: Where; None for the whole cluster.
        """
        review = await self._call(requests.access_review(verb, resource, namespace), _Review)
        return review.status.allowed

    async def _call(self, request: Request, type_: type[D], retry: RetryPolicy | None = None) -> D:
        answer = await self._caller.call(request, retry)
        return _decoded(answer.body, type_, request)


class _Manifest(msgspec.Struct, frozen=True):
    metadata: ObjectMeta = ObjectMeta()


class _ReviewStatus(msgspec.Struct, frozen=True):
    allowed: bool = False


class _Review(msgspec.Struct, frozen=True):
    status: _ReviewStatus = _ReviewStatus()


_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


def _decoded(body: bytes, type_: type[D], request: Request) -> D:
    decoder = _decoders.get(type_)
    if decoder is None:
        decoder = _decoders[type_] = msgspec.json.Decoder(type_)
    try:
        return cast("D", decoder.decode(body))
    except msgspec.MsgspecError as error:
        raise ApiError(
            f"The answer to {request.target} is not what an API server sends: {error}.",
            "A proxy may stand between; check the server's address in the kubeconfig.",
            target=request.target,
        ) from error
