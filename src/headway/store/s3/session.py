"""Signed calls to one bucket."""

from typing import Callable, Mapping, Sequence

from headway.errors import StoreError
from headway.store.base import Buffer
from headway.store.digest import sha256
from headway.store.net.answers import Answer, Fault
from headway.store.net.faults import Place
from headway.store.net.retries import Effort
from headway.store.net.session import Request, server_time
from headway.store.net.session import Session as NetSession
from headway.store.s3.credentials import CredentialChain
from headway.store.s3.endpoints import TRUST, S3Address
from headway.store.s3.faults import (
    CLOCK_CODES,
    fault_error,
    is_elsewhere,
    is_expired,
    is_retried,
    place_of,
)
from headway.store.s3.signing import (
    EMPTY_PAYLOAD,
    UNSIGNED_PAYLOAD,
    Credentials,
    Scope,
    authorization,
    encode_path,
    encode_query,
    timestamp,
)


class Session(NetSession[S3Address, Credentials]):
    """Makes calls to one bucket; safe between threads and across a fork."""

    _trust = TRUST
    #: Seconds by which the server's clock is ahead of this one.
    _skew = 0.0

    @staticmethod
    def _chain(environ: Mapping[str, str], address: S3Address, clock: Callable[[], float]) -> CredentialChain:
        return CredentialChain(environ, address.region, clock)

    @property
    def place(self) -> Place:
        return place_of(self._address)

    def _digest(self, body: Sequence[Buffer]) -> str:
        if not body:
            return EMPTY_PAYLOAD
        if self._server.secure:
            return UNSIGNED_PAYLOAD
        digest = sha256(sum(memoryview(part).nbytes for part in body))
        for part in body:
            digest.update(part)
        return str(digest.hexdigest())

    def _send(self, request: Request, credentials: Credentials) -> Answer:
        server, region = self._server, self._address.region
        path = encode_path(f"{server.path}/{request.key}" if request.key else server.path or "/")
        query = encode_query(request.query)
        signed = {
            "host": server.authority,
            "x-amz-content-sha256": request.digest,
            "x-amz-date": timestamp(self._clock() + self._skew),
        }
        if credentials.token:
            signed["x-amz-security-token"] = credentials.token
        signed.update((name, value) for name, value in request.headers.items() if name.startswith("x-amz-"))
        sent = {**request.headers, **signed}
        sent["authorization"] = authorization(
            request.method, path, query, signed, request.digest, credentials, Scope(region, "s3")
        )
        if request.method in ("PUT", "POST"):
            sent["content-length"] = str(request.length)
        target = f"{path}?{query}" if query else path
        return self._connections.exchange(request.method, target, sent, request.body, request.into)

    def _hides_fault(self, method: str, answer: Answer) -> bool:
        if answer.status == 404:  # accepted for a missing key, not for a missing bucket
            return b"<Code>NoSuchBucket<" in answer.body
        if method != "POST":
            return False
        # Some calls fail after a 200 was sent.
        from headway.store.net.markup import is_error_document  # as below

        return is_error_document(answer.body)

    def _read_fault(self, answer: Answer, method: str) -> Fault:
        from headway.store.s3.answers import (
            parse_fault,  # a task that finds what it looks for sees no document
        )

        return parse_fault(answer, method)

    def _is_missing_key(self, fault: Fault) -> bool:
        return fault.code == "NoSuchKey"

    def _may_pass(self, fault: Fault) -> bool:
        return is_retried(fault)

    def _refusal(self, fault: Fault, doing: str, key: str) -> StoreError:
        return fault_error(fault, self._address, doing, key, self._credentials.source)

    def _mend(self, fault: Fault, answer: Answer, credentials: Credentials, effort: Effort) -> bool:
        if is_elsewhere(fault, self._address.region) and effort.is_first("region"):
            self._address = self._address._replace(region=fault.region)
            self._connect(self._address.server)
            return True
        if fault.code in CLOCK_CODES and effort.is_first("clock"):
            self._skew = server_time(answer, self._clock()) - self._clock()
            return True
        if is_expired(fault) and effort.is_first("credentials"):
            return self._credentials.renew(credentials)
        return False
