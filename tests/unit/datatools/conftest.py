"""A server that S3 finds by the environment, as people's code does."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headway import S3
from headway.datatools.buckets import Buckets
from headway.store.s3.endpoints import address_from_environment
from headway.store.s3.session import Session
from headway.testing.s3_server import S3Server

ROOT = "s3://bucket/root"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[S3Server]:
    for name in ("HEADWAY_S3_ENDPOINT_URL", "METAFLOW_S3_ENDPOINT_URL", "HEADWAY_DATASTORE", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    with S3Server() as server:
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def s3(server: S3Server) -> Iterator[S3]:
    """A client with a root, which does not wait between tries."""

    def connect(bucket: str) -> Session:
        return Session(address_from_environment(bucket, server.environ), server.environ, sleep=lambda _: None)

    with S3(s3root=ROOT) as s3:
        s3._buckets = Buckets(connect)
        yield s3
