"""Signed calls to one container."""

from typing import Callable, Mapping

from headway.errors import StoreConfigurationError, StoreError
from headway.store.addresses import quote
from headway.store.azure.credentials import CredentialChain
from headway.store.azure.endpoints import ACCOUNT_VARIABLES, TRUST, AzureAddress
from headway.store.azure.faults import fault_error, is_expired, is_retried, place_of
from headway.store.azure.signing import Credentials, http_date, shared_key
from headway.store.net.answers import Answer, Fault
from headway.store.net.faults import Place
from headway.store.net.retries import Effort
from headway.store.net.session import Request, server_time
from headway.store.net.session import Session as NetSession

#: Of the protocol. Old enough for every cloud and emulator, new enough for large blobs and tokens.
_VERSION = "2021-12-02"

#: Seconds that a request's date may be off for the service.
_SKEW = 840.0

#: What may be said with a status that means something else most of the time.
_ACCEPTED = {404: "BlobNotFound", 409: "BlobAlreadyExists", 412: "ConditionNotMet"}


class Session(NetSession[AzureAddress, Credentials]):
    """Makes calls to one container; safe between threads and across a fork."""

    _trust = TRUST
    #: Seconds by which the service's clock is ahead of this one.
    _skew = 0.0

    @staticmethod
    def _chain(
        environ: Mapping[str, str], address: AzureAddress, clock: Callable[[], float]
    ) -> CredentialChain:
        return CredentialChain(environ, address, clock)

    @property
    def place(self) -> Place:
        return place_of(self._address)

    def _send(self, request: Request, credentials: Credentials) -> Answer:
        server = self._server
        path = quote(f"{server.path}/{request.key}" if request.key else server.path, b"/")
        pairs = [f"{quote(name)}={quote(value)}" for name, value in request.query]
        sent = {
            **request.headers,
            "x-ms-date": http_date(self._clock() + self._skew),
            "x-ms-version": _VERSION,
        }
        if request.method in ("PUT", "POST"):
            sent["content-length"] = str(request.length)
        if credentials.signature:
            pairs.append(credentials.signature)
        elif credentials.token:
            sent["authorization"] = f"Bearer {credentials.token}"
        else:
            account = self._account()
            sent["authorization"] = shared_key(
                request.method, path, request.query, sent, account, credentials.key
            )
        target = f"{path}?{'&'.join(pairs)}" if pairs else path
        return self._connections.exchange(request.method, target, sent, request.body, request.into)

    def _account(self) -> str:
        if not self._address.account:
            raise StoreConfigurationError(
                f"a key signs for an account, and {self._address.service.url} does not tell which one it is",
                f"Set {ACCOUNT_VARIABLES[0]}.",
            )
        return self._address.account

    def _hides_fault(self, method: str, answer: Answer) -> bool:
        expected = _ACCEPTED.get(answer.status)
        return expected is not None and answer.headers.get("x-ms-error-code", expected) != expected

    def _read_fault(self, answer: Answer, method: str) -> Fault:
        # A task that finds what it looks for sees no document.
        from headway.store.azure.answers import parse_fault

        return parse_fault(answer, method)

    def _is_missing_key(self, fault: Fault) -> bool:
        return fault.code == "BlobNotFound"

    def _may_pass(self, fault: Fault) -> bool:
        return is_retried(fault)

    def _refusal(self, fault: Fault, doing: str, key: str) -> StoreError:
        return fault_error(fault, self._address, doing, key, self._credentials.source)

    def _mend(self, fault: Fault, answer: Answer, credentials: Credentials, effort: Effort) -> bool:
        if is_expired(fault) and effort.is_first("credentials"):
            return self._credentials.renew(credentials)
        if fault.code == "AuthenticationFailed" and effort.is_first("clock"):
            skew = server_time(answer, self._clock()) - self._clock()
            if abs(skew - self._skew) > _SKEW:
                self._skew = skew
                return True
        return False
