"""The servers that the tests of the S3 client talk to."""

from collections.abc import Iterator

import pytest
from loopback import Loopback

from headway.store.s3.client import S3Store
from headway.store.s3.endpoints import address_from_environment
from headway.store.s3.session import Session
from headway.testing.s3_server import S3Server


@pytest.fixture
def server() -> Iterator[S3Server]:
    with S3Server() as server:
        yield server


@pytest.fixture
def s3_store(server: S3Server) -> S3Store:
    """A store on the server that does not wait between tries."""
    address = address_from_environment("bucket", server.environ)
    return S3Store("bucket", session=Session(address, server.environ, sleep=lambda seconds: None))


@pytest.fixture
def web() -> Iterator[Loopback]:
    web = Loopback()
    yield web
    web.close()
