"""Roots of datastores, and how they are opened."""

from pathlib import Path

import pytest

from headway.errors import StoreConfigurationError
from headway.store.folder import FolderStore
from headway.store.forward import child_environment
from headway.store.gs.client import GoogleStore
from headway.store.locations import (
    AzureLocation,
    FolderLocation,
    GoogleLocation,
    Location,
    S3Location,
    parse_location,
)
from headway.store.open import open_store
from headway.store.remote import ObstoreStore
from headway.store.s3.client import S3Store

NO_FILES = {"AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent"}


@pytest.mark.parametrize(
    ("root", "location"),
    [
        ("/data/runs", FolderLocation("/data/runs")),
        ("/data/../runs/", FolderLocation("/runs")),
        ("file:///data/with%20space", FolderLocation("/data/with space")),
        ("file://localhost/data", FolderLocation("/data")),
        ("s3://bucket", S3Location("bucket")),
        ("s3://bucket/", S3Location("bucket")),
        ("S3://my.bucket/a/b/", S3Location("my.bucket", "a/b")),
        ("gs://bucket/metaflow", GoogleLocation("bucket", "metaflow")),
        ("azure://container/a/b", AzureLocation("container", "a/b")),
        ("wasbs://c@account.blob.core.windows.net/p", AzureLocation("c", "p", "account")),
        ("abfss://c@account.dfs.core.windows.net", AzureLocation("c", "", "account")),
        ("https://account.blob.core.windows.net/c/p/q", AzureLocation("c", "p/q", "account")),
        ("https://account.blob.core.windows.net/c", AzureLocation("c", "", "account")),
        (
            "wasbs://c@account.blob.core.chinacloudapi.cn/p",
            AzureLocation("c", "p", "account", "https://account.blob.core.chinacloudapi.cn"),
        ),
        (
            "http://127.0.0.1:10000/account/c/p/q",
            AzureLocation("c", "p/q", "account", "http://127.0.0.1:10000/account"),
        ),
    ],
)
def test_roots(root: str, location: Location) -> None:
    assert parse_location(root) == location


def test_a_relative_folder_is_below_the_current_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/ann")
    assert parse_location("runs") == FolderLocation(f"{tmp_path}/runs")
    assert parse_location("~/runs") == FolderLocation("/home/ann/runs")


@pytest.mark.parametrize(
    "root",
    [
        "",
        "  ",
        "s3://",
        "s3:///key",
        "s3://user@bucket/x",
        "ftp://host/x",
        "file://host/share",
        "gs:///x",
        "wasbs://account/x",
        "azure://user@container/x",
        "http://127.0.0.1:10000/account",
        "https://account.blob.core.windows.net",
        "https://example.com/bucket",
        "s3://bucket/x?versionId=1",
    ],
)
def test_what_is_no_root_is_refused(root: str) -> None:
    with pytest.raises(StoreConfigurationError) as caught:
        parse_location(root)
    assert "s3://bucket/prefix" in str(caught.value)


def test_secrets_in_a_root_are_not_repeated() -> None:
    with pytest.raises(StoreConfigurationError) as caught:
        parse_location("https://user:hunter2@host/c?sig=hunter3")
    assert "hunter" not in str(caught.value)


def test_each_root_has_its_store(tmp_path: Path) -> None:
    assert isinstance(open_store(str(tmp_path)), FolderStore)
    assert open_store(f"file://{tmp_path}").url == str(tmp_path)
    assert isinstance(open_store("s3://bucket/a/b"), S3Store)
    native = open_store("s3://bucket/a/b", prefer_native=True)
    assert isinstance(native, ObstoreStore)
    assert native.url == open_store("s3://bucket/a/b/").url == "s3://bucket/a/b"
    assert isinstance(open_store("gs://bucket/a/b", prefer_native=True), GoogleStore)
    assert open_store("gcs://bucket/a/b/").url == "gs://bucket/a/b"


def test_a_pod_gets_what_it_needs_and_no_secret() -> None:
    environ = {
        **NO_FILES,
        "HEADWAY_S3_ENDPOINT_URL": "http://minio:9000",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "AK",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_SESSION_TOKEN": "t",
        "AWS_CA_BUNDLE": "/here/only.pem",
        "HTTP_PROXY": "http://user:pass@proxy:1",
        "https_proxy": "http://proxy:1",
        "NO_PROXY": "10.0.0.0/8",
        "PATH": "/bin",
    }
    assert child_environment("s3://bucket/x", environ) == {
        "AWS_ENDPOINT_URL_S3": "http://minio:9000",
        "AWS_REGION": "eu-west-1",
        "HTTPS_PROXY": "http://proxy:1",
        "NO_PROXY": "10.0.0.0/8",
    }


def test_a_pod_gets_what_stands_in_the_profile(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[profile x]\nregion = eu-north-1\nendpoint_url = https://s3.example\n")
    environ = {**NO_FILES, "AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_PROFILE": "x"}
    assert child_environment("s3://bucket", environ) == {
        "AWS_ENDPOINT_URL_S3": "https://s3.example",
        "AWS_REGION": "eu-north-1",
    }


def test_a_folder_needs_nothing() -> None:
    assert child_environment("/data", {"HTTP_PROXY": "http://p"}) == {}
