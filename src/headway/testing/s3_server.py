"""A small S3 server on loopback, for tests: it checks signatures and conditions, and fails when told to.

It knows path-style requests for one bucket, and of them what an object store needs. Not a server
for anything else: all is in memory, and nothing about it is fast.
"""

import hashlib
import re
import ssl
from urllib.parse import parse_qsl, quote_plus, unquote, urlsplit

from headway.store.net.markup import escape, text_of
from headway.store.s3.signing import UNSIGNED_PAYLOAD, Credentials, Scope, authorization, encode_query
from headway.testing.store_server import WRITTEN, Reply, Seen, StoreServer

CREDENTIALS = Credentials("AKIDTEST", "secret/test+key")


class S3Server(StoreServer):
    """A running server; a context manager that stops it.

    Args:
        bucket: The only bucket there is.
        region: The only region whose signatures are accepted.
        page: Keys on a page of a listing.
        honours_conditions: False for a server that takes every conditional write.
        tls: The server's certificate, to be reached by https.

    Attributes:
        objects: By key.
        carried: The headers that each object was written with and is read with.
        uploads: Multipart uploads begun and not ended.
    """

    def __init__(
        self,
        bucket: str = "bucket",
        region: str = "us-east-1",
        page: int = 1000,
        honours_conditions: bool = True,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.bucket = bucket
        self.region = region
        self.page = page
        self.honours_conditions = honours_conditions
        self.objects: dict[str, bytes] = {}
        self.carried: dict[str, dict[str, str]] = {}
        self.uploads: dict[str, dict[int, bytes]] = {}
        super().__init__(tls)

    @property
    def environ(self) -> dict[str, str]:
        """The variables with which a client finds this server and may use it."""
        return {
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_ACCESS_KEY_ID": CREDENTIALS.access_key,
            "AWS_SECRET_ACCESS_KEY": CREDENTIALS.secret_key,
            "AWS_REGION": self.region,
            "AWS_CONFIG_FILE": "/nonexistent",
            "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def denied(self) -> Reply:
        return error(403, "AccessDenied")

    def served(self, seen: Seen) -> Reply:
        url = urlsplit(seen.target)
        query = parse_qsl(url.query, keep_blank_values=True)
        given = seen.headers.get("authorization", "")
        found = re.match(r"AWS4-HMAC-SHA256 Credential=([^/]*)/(\d+)/([^/]*)/s3/aws4_request, Signed", given)
        if found is None or found.group(1) != CREDENTIALS.access_key:
            return error(403, "InvalidAccessKeyId", "who is that?")
        if found.group(3) != self.region:
            region = f"<Region>{self.region}</Region>"
            return error(400, "AuthorizationHeaderMalformed", "the region is wrong", region)
        payload = seen.headers["x-amz-content-sha256"]
        if payload not in (UNSIGNED_PAYLOAD, hashlib.sha256(seen.body).hexdigest()):
            return error(400, "XAmzContentSHA256Mismatch", "the payload is another one")
        names = given.partition("SignedHeaders=")[2].partition(",")[0].split(";")
        signed = {name: seen.headers[name] for name in names}
        scope = Scope(self.region, "s3")
        if given != authorization(
            seen.method, url.path, encode_query(query), signed, payload, CREDENTIALS, scope
        ):
            return error(403, "SignatureDoesNotMatch", "the signature is wrong")
        bucket, _, key = unquote(url.path).lstrip("/").partition("/")
        if bucket != self.bucket:
            return error(404, "NoSuchBucket", "there is no such bucket")
        with self.lock:
            return self._bucket(seen, dict(query), key)

    def _bucket(self, seen: Seen, query: dict[str, str], key: str) -> Reply:
        if not key:
            return self._delete_many(seen.body) if "delete" in query else self._list(query)
        if "uploads" in query or "uploadId" in query:
            return self._multipart(seen, query, key)
        content = self.objects.get(key)
        tag = etag(content) if content is not None else None
        if seen.method == "PUT":
            return self._put(seen, key, tag)
        if seen.method == "DELETE":
            self.objects.pop(key, None)
            return Reply(204)
        if content is None or tag is None:
            return error(404, "NoSuchKey", "there is no such object")
        if seen.headers.get("if-match", tag) != tag:
            return error(412, "PreconditionFailed", "it changed")
        reply = _ranged(content, tag, seen.headers.get("range"))
        return reply._replace(
            headers={**reply.headers, **self.carried.get(key, {}), "Last-Modified": WRITTEN}
        )

    def _put(self, seen: Seen, key: str, tag: str | None) -> Reply:
        wanted = seen.headers.get("if-match")
        if self.honours_conditions:
            if wanted is not None and tag is None:
                return error(404, "NoSuchKey", "there is nothing to replace")
            if wanted not in (None, tag) or (seen.headers.get("if-none-match") == "*" and tag is not None):
                return error(412, "PreconditionFailed", "the condition does not hold")
        self.objects[key] = seen.body
        self._carry(seen, key)
        return Reply(200, headers={"ETag": etag(seen.body)})

    def _carry(self, seen: Seen, key: str) -> None:
        """Keep what the request says of the object."""
        kept = ("content-type", "x-amz-meta-", "x-amz-server-side-encryption")
        self.carried[key] = {name: value for name, value in seen.headers.items() if name.startswith(kept)}

    def _multipart(self, seen: Seen, query: dict[str, str], key: str) -> Reply:
        if "uploads" in query:
            upload = f"upload-{len(self.seen)}"
            self.uploads[upload] = {}
            self._carry(seen, key)
            return Reply(
                200,
                f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>".encode(),
            )
        upload = query["uploadId"]
        if upload not in self.uploads:
            return error(404, "NoSuchUpload", "there is no such upload")
        if seen.method == "PUT":
            self.uploads[upload][int(query["partNumber"])] = seen.body
            return Reply(200, headers={"ETag": etag(seen.body)})
        parts = self.uploads.pop(upload)
        if seen.method == "DELETE":
            return Reply(204)
        items = re.findall(r"<Part>(.*?)</Part>", seen.body.decode())
        listed = [(int(text_of(item, "PartNumber")), text_of(item, "ETag")) for item in items]
        if listed != [(number, etag(parts[number])) for number in sorted(parts)]:
            return error(400, "InvalidPart", "the parts are not those")
        self.objects[key] = b"".join(parts[number] for number in sorted(parts))
        tag = escape(etag(self.objects[key]))
        return Reply(
            200, f"<CompleteMultipartUploadResult><ETag>{tag}</ETag></CompleteMultipartUploadResult>".encode()
        )

    def _list(self, query: dict[str, str]) -> Reply:
        after = query.get("continuation-token") or query.get("start-after", "")
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        under = [key for key in self.objects if key.startswith(prefix)]
        # What stands for all keys that go on after the delimiter is one entry of the listing, as an object is.
        names = {_up_to(delimiter, key, len(prefix)) for key in under}
        found = sorted(name for name in names if name > after)
        shown = found[: self.page]
        encoded = query.get("encoding-type") == "url"
        written = quote_plus if encoded else _in_xml
        folders = "".join(
            f"<CommonPrefixes><Prefix>{written(name)}</Prefix></CommonPrefixes>"
            for name in shown
            if name not in self.objects or _is_folder(delimiter, name, prefix)
        )
        items = "".join(
            f"<Contents><Key>{written(key)}</Key><Size>{len(self.objects[key])}</Size>"
            f"<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
            for key in shown
            if key in self.objects and not _is_folder(delimiter, key, prefix)
        )
        more = len(found) > len(shown)
        token = f"<NextContinuationToken>{escape(shown[-1])}</NextContinuationToken>" if more else ""
        truncated = f"<IsTruncated>{str(more).lower()}</IsTruncated>"
        kind = "<EncodingType>url</EncodingType>" if encoded else ""
        body = f"<ListBucketResult>{truncated}{items}{folders}{token}{kind}</ListBucketResult>"
        return Reply(200, body.encode())

    def _delete_many(self, body: bytes) -> Reply:
        text = body.decode()
        keys = [text_of(item, "Key") for item in re.findall(r"<Object>(.*?)</Object>", text)]
        for key in keys:
            self.objects.pop(key, None)
        told = [] if text_of(text, "Quiet") == "true" else keys
        listed = "".join(f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in told)
        return Reply(200, f"<DeleteResult>{listed}</DeleteResult>".encode())


def etag(content: bytes) -> str:
    """The tag of a version, as S3 makes it."""
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


def error(
    status: int, code: str, message: str = "", more: str = "", headers: dict[str, str] | None = None
) -> Reply:
    """An error as S3 sends it."""
    body = f"<Error><Code>{code}</Code><Message>{message}</Message>{more}</Error>"
    return Reply(status, f'<?xml version="1.0"?>\n{body}'.encode(), headers or {})


def _ranged(content: bytes, tag: str, asked: str | None) -> Reply:
    headers = {"ETag": tag}
    if asked is None:
        return Reply(200, content, headers)
    first, _, last = asked.removeprefix("bytes=").partition("-")
    if not first:  # so many at the end
        first, last = str(max(0, len(content) - int(last))), ""
    last = last or str(len(content))
    if int(first) >= len(content):
        return error(
            416, "InvalidRange", "there is nothing", headers={"Content-Range": f"bytes */{len(content)}"}
        )
    part = content[int(first) : int(last) + 1]
    headers["Content-Range"] = f"bytes {first}-{int(first) + len(part) - 1}/{len(content)}"
    return Reply(206, part, headers)


def _in_xml(name: str) -> str:
    """The name in a document of XML, which has no place for control characters."""
    return escape("".join("\ufffd" if character < " " else character for character in name))


def _up_to(delimiter: str, key: str, start: int) -> str:
    """The key, or its beginning with the first delimiter after this place, where there is one."""
    place = key.find(delimiter, start) if delimiter else -1
    return key if place < 0 else key[: place + len(delimiter)]


def _is_folder(delimiter: str, name: str, prefix: str) -> bool:
    return bool(delimiter) and name.endswith(delimiter) and name != prefix
