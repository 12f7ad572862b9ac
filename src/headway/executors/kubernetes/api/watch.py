"""A watch that does not end: list, then follow, list again where the server forgot, and say what is wrong."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, TypeVar

from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.errors import ApiError, Gone, Target, TooManyRequests, Unreachable
from headway.executors.kubernetes.api.kinds import Kind
from headway.executors.kubernetes.api.lines import LineReader
from headway.executors.kubernetes.api.retry import NO_RETRY, RetryPolicy
from headway.executors.kubernetes.api.transport import Stream
from headway.executors.kubernetes.api.types import KubernetesObject
from headway.executors.kubernetes.api.watch_contact import Contact, Recovered, Trouble
from headway.executors.kubernetes.api.watch_lines import LineDecoder
from headway.executors.kubernetes.api.watch_view import Added, Deleted, Modified, Synced, View

__all__ = [
    "Added",
    "Deleted",
    "Modified",
    "Recovered",
    "Synced",
    "Trouble",
    "Watch",
    "WatchEvent",
    "WatchSettings",
    "watch",
]

T = TypeVar("T", bound=KubernetesObject)


WatchEvent = Synced[T] | Added[T] | Modified[T] | Deleted[T] | Trouble | Recovered

_BACKOFF = RetryPolicy(base=0.5, longest=15.0)


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """How a watch behaves.

    Args:
        connection: Seconds after which the server shall end a connection, up to a fifth more by chance, so
            that many launchers do not come back at once.
        silence: The longest silence in seconds before a connection counts as dead; servers send a bookmark
            about every minute where nothing happens.
        trouble_after: Seconds without contact after which to say so.
        backoff: The pauses between tries. Its budgets mean nothing here: a watch never gives up.
    """

    connection: float = 290.0
    silence: float = 90.0
    trouble_after: float = 15.0
    backoff: RetryPolicy = _BACKOFF


_SETTINGS = WatchSettings()
_SHORT = 5.0
"""Seconds below which a connection that ended without a word counts as a failure."""


class Watch(Generic[T]):
    """An endless iterator of what happens to the objects of one kind; made by `watch`.

    Close it with `aclose`, or use it as an async context manager.
    """

    def __init__(
        self,
        client: KubernetesClient,
        kind: Kind[T],
        namespace: str | None,
        label_selector: str | None,
        field_selector: str | None,
        settings: WatchSettings,
    ) -> None:
        self._client = client
        self._clock = client.clock
        self._kind = kind
        self._namespace = namespace
        self._labels = label_selector
        self._fields = field_selector
        self._settings = settings
        target = Target("watch", kind.plural, kind.group, namespace if kind.namespaced else None)
        self._decoder = LineDecoder(kind, target, client.access.source)
        self._view: View[T] = View()
        self._contact = Contact(client.clock, settings.trouble_after)
        self._established = False
        self._events = self._run()

    @property
    def last_activity(self) -> float:
        """The clock's monotonic time when the server was last heard of."""
        return self._contact.last

    def __aiter__(self) -> "Watch[T]":
        return self

    async def __anext__(self) -> WatchEvent[T]:
        return await self._events.__anext__()

    async def __aenter__(self) -> "Watch[T]":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connection; nothing more comes."""
        await self._events.aclose()

    async def _run(self) -> AsyncGenerator[WatchEvent[T], None]:
        failures = 0
        while True:
            failure: ApiError | None = None
            opened = self._clock.monotonic()
            try:
                if self._view.version is None:
                    for listed in await self._list():
                        yield listed
                async with await self._open(self._view.version or "") as stream:
                    opened = self._clock.monotonic()
                    self._established = True
                    if recovered := self._contact.heard():
                        yield recovered
                    reader = LineReader(stream)
                    while lines := await reader.read():
                        self._contact.heard()
                        for line in lines:
                            event = self._view.apply(self._decoder.decode(line))
                            failures = 0
                            if event is not None:
                                yield event
            except ApiError as error:
                failure = error
            if failure is None and self._clock.monotonic() - opened >= _SHORT:
                failures = 0
                continue  # the server's own time limit
            if failure is not None:
                self._give_up_if_hopeless(failure)
                if not isinstance(failure, Unreachable | TooManyRequests):
                    # Gone, or something that the same version may bring again: only a list is sure.
                    self._view.version = None
                if trouble := self._contact.lost(failure):
                    yield trouble
            failures += 1
            if not isinstance(failure, Gone) or failures > 1:
                wanted = failure.retry_after if failure is not None else None
                await self._clock.sleep(self._settings.backoff.pause(failures, self._client.chance(), wanted))

    async def _list(self) -> list[WatchEvent[T]]:
        # Afterwards single tries: between them it can be said that there is trouble.
        listing = await self._client.list(
            self._kind,
            self._namespace,
            label_selector=self._labels,
            field_selector=self._fields,
            retry=NO_RETRY if self._established else None,
        )
        recovered = self._contact.heard()
        told: list[WatchEvent[T]] = [] if recovered is None else [recovered]
        return [*told, *self._view.replace(listing.items, listing.resource_version)]

    async def _open(self, version: str) -> Stream:
        return await self._client.open_watch(
            self._kind,
            self._namespace,
            version,
            label_selector=self._labels,
            field_selector=self._fields,
            timeout_seconds=round(self._settings.connection * (1 + self._client.chance() / 5)),
            read_timeout=self._settings.silence,
        )

    def _give_up_if_hopeless(self, failure: ApiError) -> None:
        """Raise before the first connection what a person has to mend; later only tell of it."""
        if self._established or (self._view.version is not None and failure.transient):
            return
        if not isinstance(failure, Gone):
            raise failure


def watch(
    client: KubernetesClient,
    kind: Kind[T],
    namespace: str | None,
    label_selector: str | None = None,
    *,
    field_selector: str | None = None,
    settings: WatchSettings = _SETTINGS,
) -> Watch[T]:
    """Follow the objects of a kind.

    The first event is a `Synced`. Until the first connection stands, errors that a person has to mend are
    raised; from then on the watch outlives every fault, credentials that ran out included, and ends only by
    `aclose` or cancellation. Cancelling a pending `anext` ends the watch too.

    Args:
        client: The client.
        kind: What to watch.
        namespace: Where; None for everywhere.
        label_selector: Which objects, as in kubectl's -l.
        field_selector: Which objects, as in kubectl's --field-selector.
        settings: How it behaves.
    """
    return Watch(client, kind, namespace, label_selector, field_selector, settings)
