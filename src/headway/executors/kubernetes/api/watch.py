"""A watch that does not end: list, then follow, list again where the server forgot, and say what is wrong."""

from collections.abc import AsyncGenerator, Callable, Sequence
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
        matters: Callable[[T], bool],
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
        self._view: View[T] = View(matters)
        self._contact = Contact(client.clock, settings.trouble_after)
        # The open connection, if any: its stream, its lines, and since when it is open.
        self._stream: Stream | None = None
        self._lines: LineReader | None = None
        self._opened = 0.0
        self._established = False
        # Failures in a row without a line in between, and how long to wait before going on.
        self._failures = 0
        self._pause = 0.0
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
        try:
            while True:
                try:
                    events = await self._advance()
                except ApiError as error:
                    events = self._failed(error)
                for event in events:
                    yield event
                if self._pause > 0:
                    await self._clock.sleep(self._pause)
                    self._pause = 0.0
        finally:
            self._hang_up()

    async def _advance(self) -> Sequence[WatchEvent[T]]:
        """Do the next thing: list, connect, or read what has come."""
        if self._view.version is None:
            return await self._list()
        if self._lines is None:
            return await self._connect(self._view.version)
        lines = await self._lines.read()
        return self._told_by(lines) if lines else self._ended()

    async def _list(self) -> Sequence[WatchEvent[T]]:
        # Afterwards single tries: between them it can be said that there is trouble.
        listing = await self._client.list(
            self._kind,
            self._namespace,
            label_selector=self._labels,
            field_selector=self._fields,
            retry=NO_RETRY if self._established else None,
        )
        return [*self._contact.heard(), *self._view.replace(listing.items, listing.resource_version)]

    async def _connect(self, version: str) -> Sequence[WatchEvent[T]]:
        self._stream = await self._client.open_watch(
            self._kind,
            self._namespace,
            version,
            label_selector=self._labels,
            field_selector=self._fields,
            timeout_seconds=round(self._settings.connection * (1 + self._client.chance() / 5)),
            read_timeout=self._settings.silence,
        )
        self._lines = LineReader(self._stream)
        self._opened = self._clock.monotonic()
        self._established = True
        return self._contact.heard()

    def _told_by(self, lines: Sequence[bytes]) -> Sequence[WatchEvent[T]]:
        events: list[WatchEvent[T]] = [*self._contact.heard()]
        for line in lines:
            try:
                change = self._decoder.decode(line)
            except ApiError as error:
                return [*events, *self._failed(error)]
            self._failures = 0
            event = self._view.apply(change)
            if event is not None:
                events.append(event)
        return events

    def _ended(self) -> Sequence[WatchEvent[T]]:
        """The server ended the connection: at its time limit, or, if at once, for a reason it does not tell."""
        self._hang_up()
        if self._clock.monotonic() - self._opened < _SHORT:
            self._back_off(None)
        else:
            self._failures = 0
        return ()

    def _failed(self, error: ApiError) -> Sequence[WatchEvent[T]]:
        """Prepare the next try, and tell of trouble that lasts.

        Before the first connection stands, raise what a person has to mend.
        """
        self._hang_up()
        gone, listed = isinstance(error, Gone), self._view.version is not None
        if not (self._established or (listed and (gone or error.transient))):
            raise error
        if not isinstance(error, Unreachable | TooManyRequests):
            # Gone, or something that the same version may bring again: only a list is sure.
            self._view.version = None
        self._back_off(error)
        return self._contact.lost(error)

    def _back_off(self, error: ApiError | None) -> None:
        self._failures += 1
        if isinstance(error, Gone) and self._failures == 1:
            return  # nothing is wrong: we were away for long
        wanted = error.retry_after if error is not None else None
        self._pause = self._settings.backoff.pause(self._failures, self._client.chance(), wanted)

    def _hang_up(self) -> None:
        if self._stream is not None:
            self._stream.close()
        self._stream = self._lines = None


def watch(
    client: KubernetesClient,
    kind: Kind[T],
    namespace: str | None,
    label_selector: str | None = None,
    *,
    field_selector: str | None = None,
    settings: WatchSettings = _SETTINGS,
    matters: Callable[[T], bool] = lambda _: True,
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
        matters: Whether it would be of interest that an object vanished while the watch was away. Others are
            forgotten once they were told of: what has ended stays in the cluster for long.
    """
    return Watch(client, kind, namespace, label_selector, field_selector, settings, matters)
