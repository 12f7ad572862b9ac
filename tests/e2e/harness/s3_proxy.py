"""A proxy on loopback before the real object store that drops the conditions of conditional writes.

It stands for a store that ignores them. Conditions are part of what a request's signature covers, so
the proxy signs what it passes on anew (AWS Signature Version 4, with the payload unsigned).
"""

import hashlib
import hmac
import http.client
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

#: Headers that matter to the store; what the client signed and how it kept its connection does not.
_PASSED_ON = ("content-type", "range")


@contextmanager
def forgetful_store(variables: Mapping[str, str]) -> Iterator[str]:
    """The address of a store that is the real one, but for the conditions of writes.

    Args:
        variables: How to reach the real one.
    """

    class Handler(_Forwarder):
        upstream = urlsplit(variables["AWS_ENDPOINT_URL_S3"])
        key_id = variables["AWS_ACCESS_KEY_ID"]
        secret = variables["AWS_SECRET_ACCESS_KEY"]
        region = variables.get("AWS_REGION") or variables.get("AWS_DEFAULT_REGION") or "us-east-1"

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Forwarder(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream: Any
    key_id: str
    secret: str
    region: str

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: self.headers[name] for name in _PASSED_ON if name in self.headers}
        headers |= self._signed(headers)
        connection = http.client.HTTPConnection(self.upstream.hostname, self.upstream.port, timeout=30)
        connection.request(self.command, self.path, body or None, headers)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "connection", "transfer-encoding", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", answer.getheader("Content-Length") or str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_PUT = do_POST = do_HEAD = do_DELETE = do_GET

    def _signed(self, headers: Mapping[str, str]) -> dict[str, str]:
        now = datetime.now(timezone.utc)
        stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
        own = {
            "host": self.upstream.netloc,
            "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
            "x-amz-date": stamp,
        }
        signed = dict(sorted({**headers, **own}.items()))
        target = urlsplit(self.path)
        query = "&".join(
            f"{quote(name, safe='~')}={quote(value, safe='~')}"
            for name, value in sorted(parse_qsl(target.query, keep_blank_values=True))
        )
        names = ";".join(signed)
        request = "\n".join(
            [
                self.command,
                target.path,
                query,
                *(f"{name}:{value}" for name, value in signed.items()),
                "",
                names,
                "UNSIGNED-PAYLOAD",
            ]
        )
        scope = f"{day}/{self.region}/s3/aws4_request"
        digest = hashlib.sha256(request.encode()).hexdigest()
        key = f"AWS4{self.secret}".encode()
        for part in (*scope.split("/"), f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"):
            key = hmac.digest(key, part.encode(), "sha256")
        credential = f"AWS4-HMAC-SHA256 Credential={self.key_id}/{scope}"
        return {**own, "authorization": f"{credential}, SignedHeaders={names}, Signature={key.hex()}"}

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Nothing is said."""
