"""Credentials from the first source that has some, kept, and renewed before they end."""

import os
import time
from threading import Lock
from typing import Callable, Generic, List, Optional, Protocol, Sequence, TypeVar

from headway.errors import StoreConfigurationError, StoreUnavailableError

#: Temporary credentials are renewed this long before their end.
_RENEW_SECONDS = 300.0

#: A renewal that failed is not tried again so soon while the old credentials still hold.
_RENEW_PAUSE_SECONDS = 30.0


class Lasting(Protocol):
    """Credentials of any kind."""

    @property
    def expires(self) -> Optional[float]:
        """When they end, in seconds since the epoch; None if they do not."""
        ...


C = TypeVar("C", bound=Lasting)


class NoAnswerError(StoreUnavailableError):
    """There is no such service here; the next source may have credentials."""


class Source(Generic[C]):
    """Where credentials come from.

    Args:
        name: In words.
        fetch: Gets them, and gets them again.
    """

    def __init__(self, name: str, fetch: Callable[[], C]) -> None:
        self.name = name
        self.fetch = fetch


class Chain(Generic[C]):
    """Looks for credentials once, keeps them, and renews temporary ones before they end.

    Args:
        finders: Each gives a source, or None and adds to the list it is given why there is none.
        store: What they are for, in words.
        hint: What to do where none has any.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        finders: Sequence[Callable[[List[str]], Optional[Source[C]]]],
        store: str,
        hint: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._finders = finders
        self._store = store
        self._hint = hint
        self._clock = clock
        self._source: Optional[Source[C]] = None
        self._current: Optional[C] = None
        self._renewed = 0.0
        self._lock = Lock()
        self._pid = os.getpid()

    @property
    def source(self) -> str:
        """Where the credentials came from, in words."""
        return self._source.name if self._source else "nowhere yet"

    def get(self) -> C:
        """Credentials that hold for at least the next minutes.

        Raises:
            StoreConfigurationError: There are none; the message lists where they were looked for.
            StoreUnavailableError: The service that gives them does not answer.
        """
        current = self._current
        if current is not None and not self._is_due(current):
            return current
        if self._pid != os.getpid():  # the lock may have been held by a thread that the fork left behind
            self._lock, self._pid = Lock(), os.getpid()
        with self._lock:
            if self._current is None or self._is_due(self._current):
                self._current = self._fetch(self._current)
            return self._current

    def renew(self, stale: C) -> bool:
        """Drop credentials that the store calls expired; whether other ones can be had."""
        if self._current == stale and self._source is not None:
            try:
                self._current = self._source.fetch()
            except (StoreConfigurationError, StoreUnavailableError):
                return False
        return self._current != stale

    def _is_due(self, credentials: C) -> bool:
        if credentials.expires is None:
            return False
        now = self._clock()
        if now >= credentials.expires:
            return True
        return now >= credentials.expires - _RENEW_SECONDS and now >= self._renewed + _RENEW_PAUSE_SECONDS

    def _fetch(self, previous: Optional[C]) -> C:
        if self._source is None:
            return self._search()
        try:
            fresh = self._source.fetch()
        except StoreUnavailableError:
            # Half an hour without the token service is no reason to stop while the keys still hold.
            if previous is None or previous.expires is None or self._clock() >= previous.expires:
                raise
            fresh = previous
        self._renewed = self._clock()
        return fresh

    def _search(self) -> C:
        looked: List[str] = []
        for find in self._finders:
            source = find(looked)
            if source is None:
                continue
            try:
                found = source.fetch()
            except NoAnswerError as error:
                looked.append(f"{source.name} ({error})")
                continue
            self._source, self._renewed = source, self._clock()
            return found
        raise StoreConfigurationError(
            f"no credentials for {self._store} were found.\nLooked at:\n"
            + "\n".join(f"  - {place}" for place in looked),
            self._hint,
        )
