"""Stores behind a private certificate authority, reached over TLS by both of our ways."""

import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from headway.errors import StoreConfigurationError
from headway.store.azure.client import AzureStore
from headway.store.base import ObjectStore
from headway.store.gs.client import GoogleStore
from headway.store.locations import AzureLocation, S3Location
from headway.store.remote import ObstoreStore
from headway.store.s3.client import S3Store
from headway.testing.azure_server import AzureServer
from headway.testing.gs_server import TOKEN, GoogleServer
from headway.testing.s3_server import S3Server

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates")

EXTENSIONS = "basicConstraints=CA:FALSE\nsubjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n"


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    (folder / "extensions").write_text(EXTENSIONS)
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl(
        folder,
        "req",
        "-x509",
        *new_key,
        "-keyout",
        "ca.key",
        "-out",
        "ca.pem",
        "-days",
        "2",
        "-subj",
        "/CN=ca",
    )
    openssl(folder, "req", *new_key, "-keyout", "key.pem", "-out", "request", "-subj", "/CN=store")
    authority = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial")
    openssl(
        folder,
        "x509",
        "-req",
        "-in",
        "request",
        *authority,
        "-out",
        "cert.pem",
        "-days",
        "2",
        "-extfile",
        "extensions",
    )
    return folder


@pytest.fixture
def server(folder: Path) -> Iterator[S3Server]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    with S3Server(tls=context) as server:
        yield server


def open_store(kind: str, environ: dict[str, str]) -> ObjectStore:
    if kind == "own":
        return S3Store("bucket", environ=environ)
    return ObstoreStore(S3Location("bucket"), environ)


@pytest.mark.parametrize("kind", ["own", "obstore"])
def test_a_private_authority_is_trusted_when_named(server: S3Server, folder: Path, kind: str) -> None:
    store = open_store(kind, {**server.environ, "AWS_CA_BUNDLE": str(folder / "ca.pem")})
    content = os.urandom(20 << 20)
    store.put("a", [content[:100], content[100:]])
    assert store.get("a") == content
    store.put_if_absent("b", b"x")
    assert store.get("b") == b"x"


@pytest.mark.parametrize("kind", ["own", "obstore"])
def test_a_private_authority_is_not_trusted_by_itself(server: S3Server, kind: str) -> None:
    store = open_store(kind, server.environ)
    with pytest.raises(
        StoreConfigurationError, match=r"the certificate of 127\.0\.0\.1 .* is not trusted"
    ) as caught:
        store.get("a")
    assert "AWS_CA_BUNDLE" in str(caught.value)


@pytest.mark.parametrize("kind", ["own", "obstore"])
def test_a_bundle_that_is_not_there_is_named(server: S3Server, kind: str) -> None:
    with pytest.raises(StoreConfigurationError, match="AWS_CA_BUNDLE names /nonexistent"):
        open_store(kind, {**server.environ, "AWS_CA_BUNDLE": "/nonexistent"}).get("a")


def test_a_bundle_that_is_no_certificate_is_named(server: S3Server, folder: Path) -> None:
    with pytest.raises(StoreConfigurationError, match="extensions cannot be read"):
        S3Store("bucket", environ={**server.environ, "AWS_CA_BUNDLE": str(folder / "extensions")}).get("a")


def test_payloads_are_not_hashed_under_tls(server: S3Server, folder: Path) -> None:
    store = S3Store("bucket", environ={**server.environ, "AWS_CA_BUNDLE": str(folder / "ca.pem")})
    store.put("a", b"x")
    assert server.seen[-1].headers["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"


def test_a_fork_does_not_disturb_the_parents_connection(server: S3Server, folder: Path) -> None:
    store = S3Store("bucket", environ={**server.environ, "AWS_CA_BUNDLE": str(folder / "ca.pem")})
    store.put("a", b"parent")
    pid = os.fork()
    if pid == 0:  # pragma: no cover
        try:
            store.put("b", store.get("a"))
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    assert store.get("b") == b"parent"
    assert len(server.clients) == 2


def test_google_cloud_storage_is_reached_under_tls(folder: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    with GoogleServer(token=TOKEN, tls=context) as server:
        store = GoogleStore("bucket", environ={**server.environ, "SSL_CERT_FILE": str(folder / "ca.pem")})
        content = os.urandom(20 << 20)
        store.put("a", [content[:100], content[100:]])
        assert store.get("a") == content
        untrusting = GoogleStore("bucket", environ=server.environ)
        with pytest.raises(
            StoreConfigurationError, match=r"the certificate of 127\.0\.0\.1 .* is not trusted"
        ) as caught:
            untrusting.get("a")
        assert "SSL_CERT_FILE" in str(caught.value)


def test_azure_blob_storage_is_reached_under_tls(folder: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    with AzureServer(tls=context) as server:
        # The second of the two is what the az command line takes, too.
        for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
            environ = {**server.environ, name: str(folder / "ca.pem")}
            store = AzureStore(AzureLocation("runs"), environ=environ)
            content = os.urandom(20 << 20)
            store.put("a", [content[:100], content[100:]])
            assert store.get("a") == content
        untrusting = AzureStore(AzureLocation("runs"), environ=server.environ)
        with pytest.raises(
            StoreConfigurationError, match=r"the certificate of 127\.0\.0\.1 .* is not trusted"
        ) as caught:
            untrusting.get("a")
        assert "SSL_CERT_FILE" in str(caught.value)
