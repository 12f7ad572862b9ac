"""The conformance suite on every store that can be had without a real server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headway.store.azure.client import AzureStore
from headway.store.base import ObjectStore
from headway.store.folder import FolderStore
from headway.store.gs.client import GoogleStore
from headway.store.locations import AzureLocation
from headway.store.s3.client import S3Store
from headway.testing.azure_server import AzureServer
from headway.testing.gs_server import TOKEN, GoogleServer
from headway.testing.memory_store import MemoryStore
from headway.testing.s3_server import S3Server
from headway.testing.store_suite import ObjectStoreSuite


class TestMemoryStore(ObjectStoreSuite):
    @pytest.fixture
    def store(self) -> ObjectStore:
        return MemoryStore()


class TestFolderStore(ObjectStoreSuite):
    @pytest.fixture
    def store(self, tmp_path: Path) -> ObjectStore:
        return FolderStore(str(tmp_path / "root"))


class TestFolderStoreWithoutHardLinks(ObjectStoreSuite):
    @pytest.fixture
    def store(self, tmp_path: Path) -> ObjectStore:
        return FolderStore(str(tmp_path / "root"), hard_links=False)


class TestS3Store(ObjectStoreSuite):
    @pytest.fixture
    def store(self) -> Iterator[ObjectStore]:
        with S3Server(page=3) as server:
            yield S3Store("bucket", "some/prefix", environ=server.environ)


class TestGoogleStore(ObjectStoreSuite):
    @pytest.fixture
    def store(self) -> Iterator[ObjectStore]:
        with GoogleServer(page=3, token=TOKEN) as server:
            yield GoogleStore("bucket", "some/prefix", environ=server.environ)


class TestAzureStore(ObjectStoreSuite):
    @pytest.fixture
    def store(self) -> Iterator[ObjectStore]:
        with AzureServer(page=3) as server:
            yield AzureStore(AzureLocation("runs", "some/prefix"), environ=server.environ)
