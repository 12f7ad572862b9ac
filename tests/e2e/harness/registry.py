"""A registry of images on this machine that gives none: each repository is refused in its own way."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import trustme

_INDEX = "application/vnd.oci.image.index.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"

#: An image for processors that no node of these tests has.
ELSEWHERE = {
    "schemaVersion": 2,
    "mediaType": _INDEX,
    "manifests": [
        {
            "mediaType": _MANIFEST,
            "size": 2,
            "digest": f"sha256:{sha256(b'{}').hexdigest()}",
            "platform": {"os": "linux", "architecture": "s390x"},
        }
    ],
}

#: By the first part of a repository's name: the status, headers and body of every answer.
ANSWERS: dict[str, tuple[int, dict[str, str], object]] = {
    "private": (401, {"WWW-Authenticate": 'Basic realm="test"'}, {"errors": [{"code": "UNAUTHORIZED"}]}),
    "forbidden": (403, {}, {"errors": [{"code": "DENIED"}]}),
    "limited": (429, {"Retry-After": "60"}, {"errors": [{"code": "TOOMANYREQUESTS"}]}),
    "broken": (503, {}, {}),
    "elsewhere": (200, {"Content-Type": _INDEX}, ELSEWHERE),
    "missing": (404, {}, {"errors": [{"code": "MANIFEST_UNKNOWN"}]}),
}


class Registry(BaseHTTPRequestHandler):
    """The part of the registries' protocol that is asked for before any image comes."""

    def do_GET(self) -> None:
        repository = self.path.removeprefix("/v2/").partition("/")[0]
        status, headers, body = ANSWERS.get(repository, (200, {}, {}))
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Docker-Content-Digest", f"sha256:{sha256(content).hexdigest()}")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002


@contextmanager
def registry(certified: str = "") -> Iterator[int]:
    """The port of this machine's loopback where it answers, without encryption, which nodes allow there.

    Args:
        certified: The address for which it has a certificate, of an authority that nobody knows; "" for none.
    """
    with ThreadingHTTPServer(("0.0.0.0", 0), Registry) as server:
        if certified:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            trustme.CA().issue_cert(certified).configure_cert(context)
            # Who does not trust it hangs up in the middle: the handshake is its own thread's affair.
            server.socket = context.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
