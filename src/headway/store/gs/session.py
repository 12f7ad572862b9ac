"""Calls to one bucket with a bearer's token, in Google's JSON protocol: the one that its emulators speak too.

What :class:`~headway.store.net.store.HttpStore` says of versions and sizes in the words of HTTP is put
into those of the protocol here: a version's tag is its generation, a number that Google gives to every write.
"""

import json
from typing import Any, Callable, Dict, List, Mapping, Tuple

from headway.errors import StoreError
from headway.store.addresses import quote
from headway.store.gs.address import GoogleAddress
from headway.store.gs.credentials import GoogleChain
from headway.store.gs.faults import fault_error, is_retried, parse_fault
from headway.store.gs.tokens import Token
from headway.store.net.answers import Answer, Fault
from headway.store.net.faults import Place
from headway.store.net.retries import Effort, RetryPolicy
from headway.store.net.session import Request
from headway.store.net.session import Session as NetSession

#: In a query: that it is about an upload, and of which kind.
UPLOAD = "uploadType"

#: The generation of no object: they are microseconds since 1970. "0" would mean that there is none.
_NEVER = "1"


class Session(NetSession[GoogleAddress, Token]):
    """Makes calls to one bucket; safe between threads and across a fork.

    What has the kind of an upload in its query is about that; all else is about the object that the key
    names, or about all of the bucket where there is no key.
    """

    @staticmethod
    def _chain(environ: Mapping[str, str], address: GoogleAddress, clock: Callable[[], float]) -> GoogleChain:
        return GoogleChain(environ, clock)

    @property
    def place(self) -> Place:
        return self._address.place

    def once(self) -> "Session":
        """The same with a single try for each call, for who goes on from where the failed one ended."""
        policy = RetryPolicy(tries=1)
        return Session(self._address, self._environ, policy, self._credentials, self._clock, self._sleep)

    def pause(self, tries: int) -> None:
        """Wait as long as after so many failed tries of a call."""
        self._sleep(self._policy.pause(tries, 0.0, contact=True) or 0.0)

    def check_bucket(self) -> None:
        """Something is missing: whether it is the bucket, a listing says, unless it is known to be there.

        Raises:
            StoreConfigurationError: It is.
        """
        if not self._contact:
            self.call("GET", query=[("maxResults", "1"), ("fields", "kind")], doing="listing")

    def _send(self, request: Request, credentials: Token) -> Answer:
        upload = any(name == UPLOAD for name, _ in request.query)
        headers, query = _in_generations(request)
        target = (
            f"{self._server.path}{'/upload' if upload else ''}/storage/v1/b/{quote(self._address.bucket)}/o"
        )
        if upload:
            query.append(("name", request.key))
        elif request.key:
            target = f"{target}/{quote(request.key)}"
        if query:
            target += "?" + "&".join(f"{quote(name)}={quote(value)}" for name, value in query)
        if credentials.value:
            headers["authorization"] = f"Bearer {credentials.value}"
        method = "GET" if request.method == "HEAD" else request.method
        answer = self._connections.exchange(method, target, headers, request.body, request.into)
        return _in_tags(request, answer)

    def _hides_fault(self, method: str, answer: Answer) -> bool:
        # A 404 is accepted for a missing object; where one writes, it is the bucket.
        return answer.status == 404 and method == "POST"

    def _read_fault(self, answer: Answer, method: str) -> Fault:
        return parse_fault(answer)

    def _is_missing_key(self, fault: Fault) -> bool:
        return fault.message.startswith("No such object")

    def _may_pass(self, fault: Fault) -> bool:
        return is_retried(fault)

    def _refusal(self, fault: Fault, doing: str, key: str) -> StoreError:
        if fault.status == 404 and doing == "reading" and not fault.foreign:
            self.check_bucket()
        return fault_error(fault, self._address, doing, key, self._credentials.source)

    def _mend(self, fault: Fault, answer: Answer, credentials: Token, effort: Effort) -> bool:
        # A token may be revoked, or end before its time where a clock is wrong.
        return fault.status == 401 and effort.is_first("token") and self._credentials.renew(credentials)


def fields_of(answer: Answer) -> Dict[str, Any]:
    """The fields of a JSON answer.

    Raises:
        StoreError: It is none.
    """
    try:
        found = json.loads(answer.body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise StoreError("what answers there is no Google Cloud Storage: it sends no JSON")
    return found


def _in_generations(request: Request) -> Tuple[Dict[str, str], List[Tuple[str, str]]]:
    """Headers and query, with what the headers say of versions in the query."""
    headers, query = dict(request.headers), list(request.query)
    if request.method == "HEAD":
        query.append(("fields", "size,generation"))
    elif request.method == "GET" and request.key:
        query.append(("alt", "media"))
    tag = headers.pop("if-match", None)
    if tag is not None and request.method == "GET":
        query.append(("generation", tag))
    elif tag is not None:
        known = tag.isdecimal() and int(tag) > 0  # what is no number Google would not understand
        query.append(("ifGenerationMatch", tag if known else _NEVER))
    if headers.pop("if-none-match", None) is not None:
        query.append(("ifGenerationMatch", "0"))
    return headers, query


def _in_tags(request: Request, answer: Answer) -> Answer:
    """The answer, with the version and the size that it tells in its headers."""
    if answer.status == 404 and request.method == "GET" and "if-match" in request.headers:
        return answer._replace(status=412)  # of a version that was overwritten nothing is left
    headers = {**answer.headers, "etag": answer.headers.get("x-goog-generation", "")}
    if answer.status == 200 and answer.body and request.method in ("HEAD", "POST"):
        found = fields_of(answer)
        headers["etag"] = str(found.get("generation") or "")
        headers["content-length"] = str(found.get("size") or 0)
    return answer._replace(headers=headers)
