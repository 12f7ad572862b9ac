"""Calls to one store: tries, retries, and what can be put right on the way."""

import os
import time
from typing import (
    Callable,
    Collection,
    Generic,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    TypeVar,
    Union,
)

from headway.errors import StoreError
from headway.store.base import Buffer
from headway.store.net.answers import Answer, Fault
from headway.store.net.chain import Chain, Lasting
from headway.store.net.connections import ConnectionFailed, Connections
from headway.store.net.endpoints import Endpoint
from headway.store.net.faults import Place, connection_error, is_hopeless, outage_error
from headway.store.net.files import FileRange
from headway.store.net.retries import Effort, RetryPolicy, retry_after

Query = Sequence[Tuple[str, str]]

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


class Session(Generic[C]):
    """Makes calls to one bucket or container; safe between threads and across a fork.

    A store's protocol is what a subclass adds: how a request is signed, what an answer means.

    Args:
        server: Where it is.
        credentials: Where to get them.
        trust: The variables that may name the file of certificate authorities, the first one first.
        environ: Variables for proxy and certificates.
        policy: When to try again.
        clock: Seconds since the epoch.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        server: Endpoint,
        credentials: Chain[C],
        trust: Sequence[str],
        environ: Mapping[str, str] = os.environ,
        policy: RetryPolicy = RetryPolicy(),  # noqa: B008  (a value, never changed)
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._credentials = credentials
        self._trust = trust
        self._environ = environ
        self._policy = policy
        self._clock = clock
        self._sleep = sleep
        self._contact = False
        self._connect(server)

    @property
    def place(self) -> Place:
        """What the errors call this store."""
        raise NotImplementedError

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
        return self._refusal(self._read_fault(answer, method), doing, key)

    def _digest(self, body: Sequence[Buffer]) -> str:
        """What the protocol computes of a body, once for all tries."""
        return ""

    def _send(self, request: Request, credentials: C) -> Answer:
        """Sign and send a request, once."""
        raise NotImplementedError

    def _hides_fault(self, method: str, answer: Answer) -> bool:
        """Whether an answer whose status is accepted is an error all the same."""
        return False

    def _read_fault(self, answer: Answer, method: str) -> Fault:
        """What an answer with an error says."""
        raise NotImplementedError

    def _is_missing_key(self, fault: Fault) -> bool:
        """Whether it says that there is no such object, and so that there is such a bucket."""
        raise NotImplementedError

    def _mend(self, fault: Fault, answer: Answer, credentials: C, effort: Effort) -> bool:
        """Put right what the answer says is wrong, each thing once per call; whether to try again."""
        raise NotImplementedError

    def _may_pass(self, fault: Fault) -> bool:
        """Whether the same request may well succeed a moment later."""
        raise NotImplementedError

    def _refusal(self, fault: Fault, doing: str, key: str) -> StoreError:
        """The error for an answer that retries do not mend."""
        raise NotImplementedError

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
            raise self._refusal(fault, effort.doing, effort.key)
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
