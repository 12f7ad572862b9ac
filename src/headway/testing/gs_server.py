"""A small Google Cloud Storage on loopback, for tests: it wants a token, keeps generations, and fails when told to.

It knows the JSON protocol for one bucket, and of it what an object store needs.
"""

import json
import re
import ssl
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from headway.testing.store_server import WRITTEN, Reply, Seen, StoreServer

#: The bearer's token that it takes.
TOKEN = "ya29.test-token"  # noqa: S105  (it opens nothing)

_FIRST = 1_767_225_600_000_000
_MULTIPLE = 256 << 10


class GoogleServer(StoreServer):
    """A running server; a context manager that stops it.

    Args:
        bucket: The only bucket there is.
        page: Objects on a page of a listing.
        honours_conditions: False for a server that takes every conditional write.
        token: The token that every request must carry; "" for an emulator, which wants none.
        tls: The server's certificate, to be reached by https.
        host: The address of this machine that it listens on.

    Attributes:
        objects: Content and generation by key.
        uploads: Resumable uploads begun and not ended: key and what has come so far.
        grants: What was brought to its token service (``/token``), which gives its token for anything.
        takes: So many bytes arrive of what is sent to a resumable upload next, and then of the next one.
    """

    def __init__(
        self,
        bucket: str = "bucket",
        page: int = 1000,
        honours_conditions: bool = True,
        token: str = "",
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.bucket = bucket
        self.page = page
        self.honours_conditions = honours_conditions
        self.token = token
        self.objects: dict[str, tuple[bytes, int]] = {}
        self.uploads: dict[str, tuple[str, bytes]] = {}
        self.grants: list[dict[str, str]] = []
        self.takes: list[int] = []
        self._finished: dict[str, Reply] = {}
        self._generation = _FIRST
        super().__init__(tls, host)

    @property
    def environ(self) -> dict[str, str]:
        """The variables with which a client finds this server and may use it."""
        nothing = {"CLOUDSDK_CONFIG": "/nonexistent", "NO_GCE_CHECK": "true"}
        if not self.token:
            return {"STORAGE_EMULATOR_HOST": self.url, **nothing}
        return {"HEADWAY_GS_ENDPOINT_URL": self.url, "CLOUDSDK_AUTH_ACCESS_TOKEN": self.token, **nothing}

    def write(self, key: str, content: bytes) -> int:
        """Let an object be there; its generation."""
        self._generation += 1
        self.objects[key] = (content, self._generation)
        return self._generation

    def denied(self) -> Reply:
        return error(403, "forbidden", "it does not have storage.objects.create access")

    def served(self, seen: Seen) -> Reply:
        if seen.target == "/token":
            self.grants.append(dict(parse_qsl(seen.body.decode())))
            return _told({"access_token": self.token, "expires_in": 3599, "token_type": "Bearer"}, {})
        if self.token and seen.headers.get("authorization") != f"Bearer {self.token}":
            return error(401, "authError", "Invalid Credentials")
        url = urlsplit(seen.target)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        found = re.fullmatch(r"(/upload)?/storage/v1/b/([^/]+)/o(?:/([^/]+))?", url.path)
        if found is None:
            return Reply(404, b"<html>no such page</html>")
        upload, bucket, key = found.groups()
        if unquote(bucket) != self.bucket:
            return error(404, "notFound", "The specified bucket does not exist.")
        with self.lock:
            if upload:
                return self._upload(seen, query)
            if key is None:
                return self._list(query)
            return self._object(seen, query, unquote(key))

    def _object(self, seen: Seen, query: dict[str, str], key: str) -> Reply:
        found = self.objects.get(key)
        if found is None or query.get("generation", str(found[1])) != str(found[1]):
            missing = f"No such object: {self.bucket}/{key}"
            if query.get("alt") == "media":
                return Reply(404, missing.encode(), {"Content-Type": "text/html; charset=UTF-8"})
            return error(404, "notFound", missing)
        content, generation = found
        if seen.method == "DELETE":
            del self.objects[key]
            return Reply(204)
        if query.get("alt") != "media":
            return _told({"name": key, "size": str(len(content)), "generation": str(generation)}, query)
        return _ranged(content, generation, seen.headers.get("range"))

    def _upload(self, seen: Seen, query: dict[str, str]) -> Reply:
        if query.get("uploadType") == "resumable":
            return self._resumable(seen, query)
        key = query["name"]
        wanted, present = query.get("ifGenerationMatch"), self.objects.get(key, (b"", 0))[1]
        if self.honours_conditions and wanted is not None and wanted != str(present):
            return error(412, "conditionNotMet", "At least one of the pre-conditions did not hold.")
        return self._written(key, seen.body, query)

    def _written(self, key: str, content: bytes, query: dict[str, str]) -> Reply:
        generation = self.write(key, content)
        return _told({"name": key, "size": str(len(content)), "generation": str(generation)}, query)

    def _resumable(self, seen: Seen, query: dict[str, str]) -> Reply:
        if seen.method == "POST":
            upload = f"upload-{len(self.seen)}"
            self.uploads[upload] = (query["name"], b"")
            return Reply(200, headers={"Location": f"{self.url}{seen.target}&upload_id={upload}"})
        upload = query.get("upload_id", "")
        if upload in self._finished:
            return self._finished[upload]
        if upload not in self.uploads:
            return error(404, "notFound")
        if seen.method == "DELETE":
            del self.uploads[upload]
            return Reply(499)
        return self._continued(upload, seen, query)

    def _continued(self, upload: str, seen: Seen, query: dict[str, str]) -> Reply:
        key, so_far = self.uploads[upload]
        asked = re.fullmatch(r"bytes (?:\*|(\d+)-\d+)/(\d+)", seen.headers["content-range"])
        assert asked is not None
        start, total = asked.groups()
        if start is not None:
            if int(start) > len(so_far):
                return error(400, "invalid", "there is a hole in the upload")
            body = seen.body[: self.takes.pop(0)] if self.takes else seen.body
            # What is there already is left as it is.
            so_far += body[len(so_far) - int(start) :]
        if len(so_far) < int(total):
            so_far = so_far[: len(so_far) // _MULTIPLE * _MULTIPLE]
            self.uploads[upload] = (key, so_far)
            return Reply(308, headers={"Range": f"bytes=0-{len(so_far) - 1}"} if so_far else {})
        del self.uploads[upload]
        self._finished[upload] = self._written(key, so_far, query)
        return self._finished[upload]

    def _list(self, query: dict[str, str]) -> Reply:
        first = query.get("pageToken") or query.get("startOffset", "")
        prefix = query.get("prefix", "")
        found = sorted(key for key in self.objects if key.startswith(prefix) and key >= first)
        shown = found[: min(self.page, int(query.get("maxResults", "1000")))]
        answer: dict[str, Any] = {"kind": "storage#objects"}
        if shown:
            answer["items"] = [{"name": key, "size": str(len(self.objects[key][0]))} for key in shown]
        if len(found) > len(shown):
            answer["nextPageToken"] = found[len(shown)]
        return _told(answer, query)


def error(status: int, reason: str, message: str = "") -> Reply:
    """An error as Google sends it."""
    reasons = [{"domain": "global", "reason": reason, "message": message}]
    document = {"error": {"code": status, "message": message, "errors": reasons}}
    return Reply(status, json.dumps(document, indent=1).encode(), {"Content-Type": "application/json"})


def _told(fields: dict[str, Any], query: dict[str, str]) -> Reply:
    """What was asked for of the fields."""
    names = [name.partition("(")[0] for name in re.split(r",(?![^(]*\))", query.get("fields", ""))]
    told = fields if names == [""] else {name: fields[name] for name in names if name in fields}
    return Reply(200, json.dumps(told).encode(), {"Content-Type": "application/json"})


def _ranged(content: bytes, generation: int, asked: str | None) -> Reply:
    headers = {"ETag": f'"C{generation}="', "X-Goog-Generation": str(generation), "Last-Modified": WRITTEN}
    if asked is None:
        return Reply(200, content, headers)
    first, _, last = asked.removeprefix("bytes=").partition("-")
    if int(first) >= len(content):
        # Without the generation: nothing says that it comes with an error.
        return Reply(416, b"Request range not satisfiable", {"Content-Range": f"bytes */{len(content)}"})
    part = content[int(first) : int(last) + 1]
    headers["Content-Range"] = f"bytes {first}-{int(first) + len(part) - 1}/{len(content)}"
    return Reply(206, part, headers)
