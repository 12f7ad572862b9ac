"""The secret stores of Amazon, Microsoft and Google on loopback, for the clouds' own libraries.

Amazon's is asked at an address that a variable names. The others' names cannot be changed, so their libraries are
given a proxy that answers in their place, with certificates of an authority that they are told to trust.
"""

import json
import os
import selectors
import socket
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import trustme

from emulators.program import bring, cache

#: What the extras aws-secrets, azure-secrets and gcp-secrets bring.
_LIBRARIES = (
    "boto3==1.44.5", "azure-identity==1.27.0", "azure-keyvault-secrets==4.12.0",
    "google-cloud-secret-manager==2.32.0",
)  # fmt: skip
TENANT = "11111111-2222-3333-4444-555555555555"
LOGIN, VAULT, GOOGLE = "login.microsoftonline.com", "ours.vault.azure.net", "oauth2.googleapis.com"
GRPC = "secretmanager.googleapis.com"


def libraries() -> Path:
    """A folder with the clouds' libraries.

    Raises:
        UnavailableError: They cannot be brought here.
    """
    version = ".".join(map(str, sys.version_info[:2]))
    kept = cache() / f"clouds-{_LIBRARIES[0]}-{version}"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
            options = ["install", "--quiet", "--target", folder, "--python", sys.executable]
            bring("the clouds' libraries", ["uv", "pip", *options, *_LIBRARIES])
            try:
                # Whole or not at all, for others who look for it meanwhile.
                Path(folder).rename(kept)
            except OSError:
                assert kept.exists(), "another one installed it at the same time"
            Path(folder).mkdir(exist_ok=True)
    return kept


class Asked(NamedTuple):
    """What a library asked for: of whom, what, and what it sent along."""

    host: str
    path: str
    headers: Mapping[str, str]
    body: str


class Clouds:
    """All of them, on one port.

    Args:
        folder: For certificates.
        google: The port of Google's.

    Attributes:
        asked: What was asked for.
        secrets: What Amazon and Microsoft keep, by the secret's name.
    """

    def __init__(self, folder: Path, authority: trustme.CA, google: int) -> None:
        self.asked: list[Asked] = []
        self.secrets: dict[str, str] = {}
        self._folder = folder
        self._authority = authority
        self._google = google
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def variables(self) -> dict[str, str]:
        """What a process needs to come here."""
        url = f"http://127.0.0.1:{self._server.server_address[1]}"
        login = {"type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "r"}
        (self._folder / "google.json").write_text(json.dumps(login))
        trust = str(self._folder / "authority.pem")
        return {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "https_proxy": url,
            "no_proxy": "127.0.0.1",
            "REQUESTS_CA_BUNDLE": trust,
            "AZURE_TENANT_ID": TENANT,
            "AZURE_CLIENT_ID": "client",
            "AZURE_CLIENT_SECRET": "azure-password",
            "GOOGLE_APPLICATION_CREDENTIALS": str(self._folder / "google.json"),
            "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": trust,
        }

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, asked: Asked) -> tuple[int, dict[str, str], object]:
        """A status, headers, and what is to be JSON, or text."""
        if asked.host == LOGIN and asked.path.endswith("/openid-configuration"):
            at = f"https://{LOGIN}/{TENANT}"
            names = ("authorization_endpoint", "token_endpoint", "issuer")
            return 200, {}, {name: f"{at}/{name}" for name in names}
        if asked.host in {LOGIN, GOOGLE}:
            token = "google-token" if asked.host == GOOGLE else "azure-token"
            return 200, {}, {"access_token": token, "expires_in": 3600, "token_type": "Bearer"}
        if asked.host == VAULT:
            return self._azure(asked)
        return self._amazon(asked)

    def _azure(self, asked: Asked) -> tuple[int, dict[str, str], object]:
        if asked.headers.get("authorization") != "Bearer azure-token":
            challenge = f'Bearer authorization="https://{LOGIN}/{TENANT}", resource="https://vault.azure.net"'
            return 401, {"WWW-Authenticate": challenge}, {}
        name = asked.path.split("/")[2]
        if name not in self.secrets:
            words = f"A secret with (name/id) {name} was not found in this key vault."
            return 404, {}, {"error": {"code": "SecretNotFound", "message": words}}
        return (
            200,
            {},
            {"value": self.secrets[name], "id": f"https://{VAULT}/secrets/{name}/1", "attributes": {}},
        )

    def _amazon(self, asked: Asked) -> tuple[int, dict[str, str], object]:
        if "Action=AssumeRole" in asked.body:
            lent = "<AccessKeyId>lent</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
            lent += "<SessionToken>lent-token</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration>"
            credentials = f"<AssumeRoleResult><Credentials>{lent}</Credentials></AssumeRoleResult>"
            return 200, {}, f"<AssumeRoleResponse>{credentials}</AssumeRoleResponse>"
        assert asked.headers["x-amz-target"] == "secretsmanager.GetSecretValue"
        name = json.loads(asked.body)["SecretId"]
        if name == "forbidden":
            return 400, {}, {"__type": "AccessDeniedException", "Message": "not authorized to perform it"}
        if name not in self.secrets:
            words = "Secrets Manager can't find the specified secret."
            return 400, {}, {"__type": "ResourceNotFoundException", "Message": words}
        return 200, {}, {"Name": name, "ARN": f"arn:{name}", "SecretString": self.secrets[name]}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            host = ""

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.host, self.path, headers, body)
                outer.asked.append(asked)
                status, more, said = outer.answer(asked)
                data = (said if isinstance(said, str) else json.dumps(said)).encode()
                self.send_response(status)
                for name, value in {**more, "Content-Length": str(len(data))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            do_POST = do_GET

            def do_CONNECT(self) -> None:
                host = self.path.partition(":")[0]
                self.send_response(200)
                self.end_headers()
                self.close_connection = True
                if host == GRPC:
                    with socket.create_connection(("127.0.0.1", outer._google)) as there:
                        _relay(self.connection, there)
                    return
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                outer._authority.issue_cert(host).configure_cert(context)
                with context.wrap_socket(self.connection, server_side=True) as secured:
                    handler = type("Secured", (Handler,), {"host": host})
                    handler(secured, self.client_address, self.server)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def _relay(one: socket.socket, other: socket.socket) -> None:
    """What one says to the other, until either has said all."""
    with selectors.DefaultSelector() as selector:
        selector.register(one, selectors.EVENT_READ, other)
        selector.register(other, selectors.EVENT_READ, one)
        while True:
            for key, _ in selector.select():
                said = key.fileobj.recv(65536)  # type: ignore[union-attr]
                if not said:
                    return
                key.data.sendall(said)


@contextmanager
def clouds(folder: Path, google: Mapping[str, str]) -> Iterator[Clouds]:
    """The clouds, running.

    Args:
        folder: For what they keep.
        google: The secrets that Google keeps, by the whole names of their versions.

    Raises:
        UnavailableError: Their libraries are not here.
    """
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    pair = authority.issue_cert(GRPC)
    pair.private_key_pem.write_to_path(str(folder / "key.pem"))
    pair.cert_chain_pems[0].write_to_path(str(folder / "certificate.pem"))
    (folder / "google-secrets.json").write_text(json.dumps(google))
    # Not as a script: what stands beside it has names of Google's and Microsoft's packages.
    program = [sys.executable, "-c", Path(__file__).with_name("google_secrets.py").read_text()]
    files = [str(folder / name) for name in ("key.pem", "certificate.pem", "google-secrets.json")]
    environ = {**os.environ, "PYTHONPATH": str(libraries())}
    with subprocess.Popen(
        [*program, *files], cwd=folder, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            running = Clouds(folder, authority, int(process.stdout.readline()))
            try:
                yield running
            finally:
                running.close()
        finally:
            process.kill()
