"""A small server of Azure Blob Storage on loopback, for tests: it checks who asks and conditions, and fails when told to.

It knows one container of one account, named by the path as in an emulator, and of block blobs what an
object store needs. It also answers for tokens, as Microsoft Entra and a machine's metadata service do.
"""

import hashlib
import json
import re
import ssl
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import parse_qsl, unquote, urlsplit

from headway.store.azure.signing import shared_key
from headway.store.net.markup import escape
from headway.testing.store_server import WRITTEN, Fault, Reply, Seen, StoreServer

__all__ = ["AzureServer", "Fault", "Reply", "error"]

ACCOUNT = "testaccount"
KEY = "c2VjcmV0LyBvZiB0aGUgdGVzdCBhY2NvdW50"
SIGNATURE = "sv=2021-12-02&sr=c&sp=racwdl&sig=c2ln%2Fbmd"
TOKEN = "token-of-the-test-identity"  # noqa: S105  (of no use elsewhere)


class AzureServer(StoreServer):
    """A running server; a context manager that stops it.

    Args:
        container: The only container there is.
        page: Names on a page of a listing.
        tls: The server's certificate, to be reached by https.
        host: The address of this machine that it listens on.

    Attributes:
        blobs: By name.
        blocks: Uncommitted blocks, by blob and by name.
        tokens: How many tokens were given out.
        good_from: The number of the first one that is still accepted.
        lifetime: Seconds that a token is said to last.
    """

    def __init__(
        self,
        container: str = "runs",
        page: int = 5000,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.container = container
        self.page = page
        self.blobs: dict[str, bytes] = {}
        self.blocks: dict[str, dict[str, bytes]] = {}
        self.tokens = 0
        self.good_from = 1
        self.lifetime = 3600
        super().__init__(tls, host)

    @property
    def endpoint(self) -> str:
        """The address of the account's blob service."""
        return f"{self.url}/{ACCOUNT}"

    @property
    def environ(self) -> dict[str, str]:
        """The variables with which a client finds this server and may use it."""
        return {"HEADWAY_AZURE_STORAGE_BLOB_SERVICE_ENDPOINT": self.endpoint, "AZURE_STORAGE_KEY": KEY}

    @property
    def identity(self) -> dict[str, str]:
        """The same, for an application that signs in for its tokens."""
        return {
            "HEADWAY_AZURE_STORAGE_BLOB_SERVICE_ENDPOINT": self.endpoint,
            "AZURE_AUTHORITY_HOST": self.url,
            "AZURE_TENANT_ID": "tenant",
            "AZURE_CLIENT_ID": "client",
        }

    def denied(self) -> Reply:
        return error(403, "AuthorizationFailure", "not from there")

    def served(self, seen: Seen) -> Reply:
        url = urlsplit(seen.target)
        if url.path.endswith(("/oauth2/v2.0/token", "/oauth2/token", "/msi/token")):
            return self._give_token(seen)
        query = parse_qsl(url.query, keep_blank_values=True)
        refused = self._refused(seen, url.path, url.query, query)
        if refused is not None:
            return refused
        account, _, rest = unquote(url.path).lstrip("/").partition("/")
        container, _, name = rest.partition("/")
        if account != ACCOUNT:
            return error(400, "InvalidUri", "no such account")
        if container != self.container:
            return error(404, "ContainerNotFound", "The specified container does not exist.")
        with self.lock:
            asked = dict(query)
            return self._blob(seen, asked, name) if name else self._list(asked)

    def _give_token(self, seen: Seen) -> Reply:
        form = dict(parse_qsl(seen.body.decode()))
        if seen.method == "POST" and not form.keys() & {"client_secret", "client_assertion"}:
            return Reply(401, json.dumps({"error_description": "AADSTS7000215: wrong\r\nTrace"}).encode())
        self.tokens += 1
        said = {"access_token": f"{TOKEN}-{self.tokens}", "expires_in": self.lifetime}
        return Reply(200, json.dumps(said).encode())

    def _refused(self, seen: Seen, path: str, raw: str, query: list[tuple[str, str]]) -> Reply | None:
        given = seen.headers.get("authorization", "")
        if "x-ms-version" not in seen.headers or "x-ms-date" not in seen.headers:
            return error(400, "MissingRequiredHeader", "which protocol?")
        if given.startswith("Bearer "):
            number = given.removeprefix(f"Bearer {TOKEN}-")
            good = number.isdecimal() and self.good_from <= int(number) <= self.tokens
            return None if good else error(401, "InvalidAuthenticationInfo", "The token is expired.")
        if not given and "sig=" in raw:
            return (
                None if SIGNATURE in raw else error(403, "AuthenticationFailed", "Signature did not match.")
            )
        if not given:
            return error(401, "NoAuthenticationInformation", "who is that?")
        if given != shared_key(seen.method, path, query, seen.headers, ACCOUNT, KEY):
            return error(403, "AuthenticationFailed", "The MAC signature found in the request is wrong.")
        return None

    def _blob(self, seen: Seen, query: dict[str, str], name: str) -> Reply:
        content = self.blobs.get(name)
        tag = etag(content) if content is not None else None
        if seen.method == "PUT":
            return self._put(seen, query, name, tag)
        if content is None or tag is None:
            return error(404, "BlobNotFound", "The specified blob does not exist.")
        if seen.headers.get("if-match", tag) != tag:
            return error(412, "ConditionNotMet", "it changed")
        if seen.method == "DELETE":
            del self.blobs[name]
            return Reply(202)
        reply = _ranged(content, tag, seen.headers.get("range"))
        return reply._replace(headers={**reply.headers, "Last-Modified": WRITTEN})

    def _put(self, seen: Seen, query: dict[str, str], name: str, tag: str | None) -> Reply:
        if query.get("comp") == "block":
            self.blocks.setdefault(name, {})[query["blockid"]] = seen.body
            return Reply(201)
        if seen.headers.get("if-none-match") == "*" and tag is not None:
            return error(409, "BlobAlreadyExists", "The specified blob already exists.")
        if seen.headers.get("if-match", tag) != tag:
            return error(412, "ConditionNotMet", "it changed")
        content = seen.body
        if query.get("comp") == "blocklist":
            blocks = self.blocks.get(name, {})
            names = re.findall(r"<Latest>(.*?)</Latest>", seen.body.decode())
            if any(block not in blocks for block in names):
                return error(400, "InvalidBlockList", "The specified block list is invalid.")
            content = b"".join(blocks[block] for block in names)
        elif seen.headers.get("x-ms-blob-type") != "BlockBlob":
            return error(400, "MissingRequiredHeader", "what kind of blob?")
        # Whatever blocks others have sent for it are gone.
        self.blocks.pop(name, None)
        self.blobs[name] = content
        return Reply(201, headers={"ETag": etag(content)})

    def _list(self, query: dict[str, str]) -> Reply:
        prefix, marker = query.get("prefix", ""), query.get("marker", "")
        found = sorted(name for name in self.blobs if name.startswith(prefix) and name > marker)
        shown = found[: self.page]
        blobs = "".join(
            f"<Blob><Name>{escape(name)}</Name><Properties><Content-Length>{len(self.blobs[name])}"
            "</Content-Length></Properties></Blob>"
            for name in shown
        )
        following = escape(shown[-1]) if len(found) > len(shown) else ""
        body = f"<EnumerationResults><Blobs>{blobs}</Blobs><NextMarker>{following}</NextMarker></EnumerationResults>"
        return Reply(200, f'\ufeff<?xml version="1.0" encoding="utf-8"?>{body}'.encode())


def etag(content: bytes) -> str:
    """The tag of a version."""
    return f'"0x{hashlib.md5(content, usedforsecurity=False).hexdigest()[:15].upper()}"'


def error(
    status: int,
    code: str,
    message: str = "",
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Reply:
    """An error as the service sends it."""
    told = f"{message}\nRequestId:1-2-3\nTime:2026-01-01T00:00:00.0000000Z"
    body = f"<Error><Code>{code}</Code><Message>{told}</Message></Error>"
    return Reply(
        status,
        f'\ufeff<?xml version="1.0" encoding="utf-8"?>{body}'.encode(),
        {"x-ms-error-code": code, "x-ms-request-id": "1-2-3", **headers},
    )


def _ranged(content: bytes, tag: str, asked: str | None) -> Reply:
    headers = {"ETag": tag}
    if asked is None:
        return Reply(200, content, headers)
    first, _, last = asked.removeprefix("bytes=").partition("-")
    if int(first) >= len(content):
        return error(416, "InvalidRange", "there is nothing", {"Content-Range": f"bytes */{len(content)}"})
    part = content[int(first) : int(last or len(content)) + 1]
    headers["Content-Range"] = f"bytes {first}-{int(first) + len(part) - 1}/{len(content)}"
    return Reply(206, part, headers)
