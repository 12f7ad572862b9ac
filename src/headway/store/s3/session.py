"""Signed calls to one bucket: tries, retries, and what can be put right on the way."""

import hashlib
import os
import time
from typing import Callable, Collection, Mapping, NamedTuple, Optional, Sequence, Union

from headway.errors import StoreError
from headway.store.base import Buffer
from headway.store.s3.answers import Answer, Fault, is_error_document, parse_fault
from headway.store.s3.connections import ConnectionFailed, Connections
from headway.store.s3.credentials import CredentialChain
from headway.store.s3.endpoints import S3Address
from headway.store.s3.faults import (
    CLOCK_CODES,
    connection_error,
    fault_error,
    is_elsewhere,
    is_expired,
    is_hopeless,
    outage_error,
)
from headway.store.s3.files import FileRange
from headway.store.s3.retries import Effort, RetryPolicy, is_retried, retry_after
from headway.store.s3.signing import (
    EMPTY_PAYLOAD,
    UNSIGNED_PAYLOAD,
    Credentials,
    Query,
    Scope,
    authorization,
    encode_path,
    encode_query,
    timestamp,
)


class _Request(NamedTuple):
    """What stays the same over all tries of a call."""

    method: str
    key: str
    query: Query
    headers: Mapping[str, str]
    body: Sequence[Buffer]
    payload: str
    into: Union[memoryview, FileRange, None]


class Session:
    """Makes calls to one bucket; safe between threads and across a fork.

    Args:
        address: Of the bucket.
        environ: Variables for credentials, proxy and certificates.
        policy: When to try again.
        credentials: Where to get them; by default the standard chain over ``environ``.
        clock: Seconds since the epoch.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        address: S3Address,
        environ: Mapping[str, str] = os.environ,
        policy: RetryPolicy = RetryPolicy(),  # noqa: B008  (a value, never changed)
        credentials: Optional[CredentialChain] = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._environ = environ
        self._policy = policy
        self._credentials = credentials or CredentialChain(environ, address.region, clock)
        self._clock = clock
        self._sleep = sleep
        self._skew = 0.0
        self._contact = False
        self._move(address)

    @property
    def address(self) -> S3Address:
        """Where the bucket is, as far as known by now."""
        return self._address

    @property
    def contact(self) -> bool:
        """Whether the bucket ever gave a good answer."""
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
            headers: Further headers; those of the protocol's own (``x-amz-…``) are signed too.
            body: Its parts, sent one after the other, without joining them.
            accept: The statuses that are an answer and no error.
            doing: The operation in words, for errors.
            into: Where the body of a successful answer goes: a buffer if it has exactly this length, a file
                in any case.

        Raises:
            StoreError: See :mod:`headway.store.s3.faults`.
            FileWriteError: The file could not be written.
        """
        request = _Request(method, key, query, headers or {}, body, self._hash(body), into)
        effort = Effort(doing, key)
        while True:
            credentials = self._credentials.get()
            effort.tries += 1
            try:
                answer = self._try(request, credentials)
            except ConnectionFailed as failure:
                effort.doubtful = effort.doubtful or failure.doubtful
                if failure.stale:  # the server had closed a kept connection; a fresh one costs nothing
                    effort.tries -= 1
                    continue
                pause = self._pause_after_failure(failure, effort)
            else:
                if answer.status in accept and not _is_hidden_fault(method, answer):
                    self._contact = self._contact or answer.status < 300
                    return answer._replace(doubtful=effort.doubtful)
                fault = parse_fault(answer, method)
                effort.doubtful = effort.doubtful or fault.status >= 500
                self._contact = self._contact or fault.code == "NoSuchKey"
                if self._mend(fault, answer, credentials, effort):
                    continue
                pause = self._pause_after_fault(fault, answer, effort)
            self._sleep(pause)

    def fail(self, answer: Answer, method: str, key: str, doing: str) -> StoreError:
        """The error for an answer that was accepted but turned out to be none."""
        return fault_error(parse_fault(answer, method), self._address, doing, key, self._credentials.source)

    def _pause_after_failure(self, failure: ConnectionFailed, effort: Effort) -> float:
        """Seconds until the next try; raises if there is to be none."""
        pause = self._policy.pause(effort.tries, effort.elapsed, self._contact)
        if pause is None or is_hopeless(failure.cause):
            proxy = self._connections.proxy
            raise connection_error(
                failure.cause, self._address, proxy, self._contact, effort.tries
            ) from failure
        return pause

    def _pause_after_fault(self, fault: Fault, answer: Answer, effort: Effort) -> float:
        """Seconds until the next try; raises if there is to be none."""
        if not is_retried(fault):
            raise fault_error(fault, self._address, effort.doing, effort.key, self._credentials.source)
        wanted = retry_after(answer.headers.get("retry-after"))
        pause = self._policy.pause(effort.tries, effort.elapsed, True, wanted)
        if pause is None:
            said = f"{fault.code or fault.status} {fault.message}".strip()
            raise outage_error(said, self._address, effort.doing, effort.key, effort.tries)
        return pause

    def _move(self, address: S3Address) -> None:
        self._address = address
        self._server = address.server
        self._connections = Connections(self._server._replace(path=""), self._environ)

    def _hash(self, body: Sequence[Buffer]) -> str:
        if not body:
            return EMPTY_PAYLOAD
        if self._server.secure:
            return UNSIGNED_PAYLOAD
        digest = hashlib.sha256()
        for part in body:
            digest.update(part)
        return digest.hexdigest()

    def _try(self, request: _Request, credentials: Credentials) -> Answer:
        server, region = self._server, self._address.region
        path = encode_path(f"{server.path}/{request.key}" if request.key else server.path or "/")
        query = encode_query(request.query)
        signed = {
            "host": server.authority,
            "x-amz-content-sha256": request.payload,
            "x-amz-date": timestamp(self._clock() + self._skew),
        }
        if credentials.token:
            signed["x-amz-security-token"] = credentials.token
        signed.update((name, value) for name, value in request.headers.items() if name.startswith("x-amz-"))
        sent = {**request.headers, **signed}
        sent["authorization"] = authorization(
            request.method, path, query, signed, request.payload, credentials, Scope(region, "s3")
        )
        if request.method in ("PUT", "POST"):
            sent["content-length"] = str(sum(memoryview(part).nbytes for part in request.body))
        target = f"{path}?{query}" if query else path
        return self._connections.exchange(request.method, target, sent, request.body, request.into)

    def _mend(self, fault: Fault, answer: Answer, credentials: Credentials, effort: Effort) -> bool:
        """Put right what the answer says is wrong, each thing once per call; whether to try again."""
        if is_elsewhere(fault, self._address.region) and effort.is_first("region"):
            self._move(self._address._replace(region=fault.region))
            return True
        if fault.code in CLOCK_CODES and effort.is_first("clock"):
            self._skew = _server_time(answer, self._clock()) - self._clock()
            return True
        if is_expired(fault) and effort.is_first("credentials"):
            return self._credentials.renew(credentials)
        return False


def _is_hidden_fault(method: str, answer: Answer) -> bool:
    """Whether an answer with a good status is an error: some calls fail after a 200 was sent."""
    if answer.status == 404:  # accepted for a missing key, not for a missing bucket
        return b"<Code>NoSuchBucket<" in answer.body
    return method == "POST" and is_error_document(answer.body)


def _server_time(answer: Answer, otherwise: float) -> float:
    """The server's clock by its Date header."""
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except (TypeError, ValueError):
        return otherwise
