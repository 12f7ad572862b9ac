"""Calls to one store: tries, retries, and what can be put right on the way."""

import os
import time
from abc import ABC, abstractmethod
from typing import (
    Callable,
    Collection,
    Generic,
    Mapping,
    NamedTuple,
    Optional,
    Protocol,
    Sequence,
    Tuple,
    TypeVar,
    Union,
)

from headway.errors import StoreError
from headway.store.base import Buffer
from headway.store.net.answers import Answer, Fault
from headway.store.net.chain import Chain, Lasting
from headway.store.net.connections import TRUST, ConnectionFailed, Connections
from headway.store.net.endpoints import Endpoint
from headway.store.net.faults import Place, connection_error, is_hopeless, outage_error, with_answer
from headway.store.net.files import FileRange
from headway.store.net.retries import Effort, RetryPolicy, retry_after

Query = Sequence[Tuple[str, str]]


class Address(Protocol):
    """Where a bucket or container is, in the words of its store."""

    @property
    def server(self) -> Endpoint:
        """What to connect to."""
        ...


A = TypeVar("A", bound=Address)
C = TypeVar("C", bound=Lasting)


class Request(NamedTuple):
    """What stays the same over all tries of a call.

    Attributes:
        method: The HTTP method.
        key: The full key, "" for the bucket itself.
        query: The query, not yet encoded.
        headers: What the caller wants sent.
        body: Its parts.
        digest: What the store's protocol computes of the body, "" where it does not.
        into: Where a good answer's body goes.
    """

    method: str
    key: str
    query: Query
    headers: Mapping[str, str]
    body: Sequence[Buffer]
    digest: str
    into: Union[memoryview, FileRange, None]

    @property
    def length(self) -> int:
        """Of the body, in bytes."""
        return sum(memoryview(part).nbytes for part in self.body)


class Session(ABC, Generic[A, C]):
    """Makes calls to one bucket or container; safe between threads and across a fork.

    A store's protocol is what a subclass adds: how a request is signed, what an answer means.

    Args:
        address: Of the bucket or container.
        environ: Variables for credentials, proxy and certificates.
        policy: When to try again.
        credentials: Where to get them; by default the standard chain over ``environ``.
        clock: Seconds since the epoch.
        sleep: Waits so many seconds.
    """

    #: The variables that may name the file of certificate authorities, the first one first.
    _trust: Sequence[str] = TRUST

    def __init__(
        self,
        address: A,
        environ: Mapping[str, str] = os.environ,
        policy: RetryPolicy = RetryPolicy(),  # noqa: B008  (a value, never changed)
        credentials: Optional[Chain[C]] = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._address = address
        self._environ = environ
        self._policy = policy
        self._credentials = credentials or self._chain(environ, address, clock)
        self._clock = clock
        self._sleep = sleep
        self._contact = False
        self._connect(address.server)

    @property
    def address(self) -> A:
        """Where the bucket or container is, as far as known by now."""
        return self._address

    @property
    @abstractmethod
    def place(self) -> Place:
        """What the errors call this store."""

    @property
    def contact(self) -> bool:
        """Whether the store ever gave a good answer."""
        return self._contact

    def call(
        self,
        method: str,
        key: str = "",
        query: Query = (),
        headers: Optional[Mapping[str, str]] = None,
        body: Sequence[Buffer] = (),
        accept: Collection[int] = (200,),
        doing: str = "reading",
        into: Union[memoryview, FileRange, None] = None,
    ) -> Answer:
        """One call, tried until it is settled.

        Args:
            method: The HTTP method.
            key: The full key, "" for the bucket itself.
            query: Its query.
            headers: Further headers; those of the protocol's own (``x-…``) are signed too.
            body: Its parts, sent one after the other, without joining them.
            accept: The statuses that are an answer and no error.
            doing: The operation in words, for errors.
            into: Where the body of a successful answer goes: a buffer if it has exactly this length, a file
                in any case.

        Raises:
            StoreError: See the module ``faults`` beside the store's session.
            FileWriteError: The file could not be written.
        """
        request = Request(method, key, query, headers or {}, body, self._digest(body), into)
        effort = Effort(doing, key)
        while True:
            credentials = self._credentials.get()
            effort.tries += 1
            try:
                answer = self._send(request, credentials)
            except ConnectionFailed as failure:
                effort.doubtful = effort.doubtful or failure.doubtful
                if failure.stale:  # the server had closed a kept connection; a fresh one costs nothing
                    effort.tries -= 1
                    continue
                pause = self._pause_after_failure(failure, effort)
            else:
                if answer.status in accept and not self._hides_fault(method, answer):
                    self._contact = self._contact or answer.status < 300
                    return answer._replace(doubtful=effort.doubtful)
                fault = self._read_fault(answer, method)
                effort.doubtful = effort.doubtful or fault.status >= 500
                self._contact = self._contact or self._is_missing_key(fault)
                if self._mend(fault, answer, credentials, effort):
                    continue
                pause = self._pause_after_fault(fault, answer, effort)
            self._sleep(pause)

    def fail(self, answer: Answer, method: str, key: str, doing: str) -> StoreError:
        """The error for an answer that was accepted but turned out to be none."""
        return self._refused(self._read_fault(answer, method), doing, key)

    @staticmethod
    @abstractmethod
    def _chain(environ: Mapping[str, str], address: A, clock: Callable[[], float]) -> Chain[C]:
        """Where credentials are looked for unless the caller says so."""

    def _digest(self, body: Sequence[Buffer]) -> str:
        """What the protocol computes of a body, once for all tries."""
        return ""

    @abstractmethod
    def _send(self, request: Request, credentials: C) -> Answer:
        """Sign and send a request, once."""

    def _hides_fault(self, method: str, answer: Answer) -> bool:
        """Whether an answer whose status is accepted is an error all the same."""
        return False

    @abstractmethod
    def _read_fault(self, answer: Answer, method: str) -> Fault:
        """What an answer with an error says."""

    @abstractmethod
    def _is_missing_key(self, fault: Fault) -> bool:
        """Whether it says that there is no such object, and so that there is such a bucket."""

    @abstractmethod
    def _mend(self, fault: Fault, answer: Answer, credentials: C, effort: Effort) -> bool:
        """Put right what the answer says is wrong, each thing once per call; whether to try again."""

    @abstractmethod
    def _may_pass(self, fault: Fault) -> bool:
        """Whether the same request may well succeed a moment later."""

    @abstractmethod
    def _refusal(self, fault: Fault, doing: str, key: str) -> StoreError:
        """The error for an answer that retries do not mend."""

    def _refused(self, fault: Fault, doing: str, key: str) -> StoreError:
        return with_answer(self._refusal(fault, doing, key), fault)

    def _connect(self, server: Endpoint) -> None:
        """Talk to this server from now on."""
        self._server = server
        self._connections = Connections(server._replace(path=""), self._environ, trust=self._trust)

    def _pause_after_failure(self, failure: ConnectionFailed, effort: Effort) -> float:
        """Seconds until the next try; raises if there is to be none."""
        pause = self._policy.pause(effort.tries, effort.elapsed, self._contact)
        if pause is None or is_hopeless(failure.cause):
            proxy = self._connections.proxy
            raise connection_error(failure.cause, self.place, proxy, self._contact, effort.tries) from failure
        return pause

    def _pause_after_fault(self, fault: Fault, answer: Answer, effort: Effort) -> float:
        """Seconds until the next try; raises if there is to be none."""
        if not self._may_pass(fault):
            raise self._refused(fault, effort.doing, effort.key)
        wanted = retry_after(answer.headers.get("retry-after"))
        pause = self._policy.pause(effort.tries, effort.elapsed, True, wanted)
        if pause is None:
            said = f"{fault.code or fault.status} {fault.message}".strip()
            raise outage_error(said, self.place, effort.doing, effort.key, effort.tries)
        return pause


def server_time(answer: Answer, otherwise: float) -> float:
    """The server's clock by its Date header, in seconds since the epoch."""
    from email.utils import parsedate_to_datetime  # where a clock is wrong only

    try:
        return parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except (TypeError, ValueError):
        return otherwise
