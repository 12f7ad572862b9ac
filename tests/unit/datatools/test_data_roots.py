"""Where data of runs goes, and in which folder downloads are kept."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from headway import S3, FlowSpec, current
from headway.datatools import S3ClientError, S3URLError
from headway.datatools.buckets import Buckets
from headway.datatools.roots import data_root, retry_policy, temporary_root, worker_count
from headway.store.net.retries import RetryPolicy


class Flow(NamedTuple):
    id: str


class Run(NamedTuple):
    id: str
    parent: Flow


RUN = Run("7", Flow("TrainFlow"))
VARIABLES = [
    f"{prefix}_{name}"
    for prefix in ("HEADWAY", "METAFLOW")
    for name in (
        "DATATOOLS_S3ROOT",
        "DATATOOLS_SUFFIX",
        "S3_RETRY_COUNT",
        "S3_WORKER_COUNT",
        "DATASTORE_SYSROOT_S3",
        "DATASTORE",
        "TASK_DATASTORE",
        "TEMPDIR",
        "PROFILE",
        "HOME",
    )
]


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def running() -> Iterator[None]:
    current._begin(flow_name="TrainFlow", run_id="12")
    yield
    current._end()


def root(**arguments: Any) -> str | None:
    return S3(**arguments)._root


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"METAFLOW_DATATOOLS_S3ROOT": "s3://mine/x/"}, "s3://mine/x/TrainFlow/7"),
        (
            {"METAFLOW_DATATOOLS_S3ROOT": "s3://no", "HEADWAY_DATATOOLS_S3ROOT": "s3://mine"},
            "s3://mine/TrainFlow/7",
        ),
        ({"HEADWAY_DATASTORE": "s3://store/p"}, "s3://store/p/data/TrainFlow/7"),
        ({"HEADWAY_TASK_DATASTORE": "s3://store/p/"}, "s3://store/p/data/TrainFlow/7"),
        ({"METAFLOW_DATASTORE_SYSROOT_S3": "s3://sys/p"}, "s3://sys/p/data/TrainFlow/7"),
        (
            {"HEADWAY_TASK_DATASTORE": "/a/folder", "METAFLOW_DATASTORE_SYSROOT_S3": "s3://sys"},
            "s3://sys/data/TrainFlow/7",
        ),
    ],
)
def test_the_root_of_a_run(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert root(run=RUN) == expected


def test_the_root_from_a_file(tmp_path: Path) -> None:
    (tmp_path / ".headway").mkdir()
    (tmp_path / ".headway" / "config.json").write_text('{"METAFLOW_DATATOOLS_S3ROOT": "s3://filed/x"}')
    assert root(run=RUN) == "s3://filed/x/TrainFlow/7"


def test_the_address_of_the_server_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".headway").mkdir()
    (tmp_path / ".headway" / "config.json").write_text('{"METAFLOW_S3_ENDPOINT_URL": "http://minio:9000"}')
    monkeypatch.setenv("HEADWAY_S3_ENDPOINT_URL", "")
    Buckets().session("a-bucket")
    assert os.environ["HEADWAY_S3_ENDPOINT_URL"] == "http://minio:9000"


def test_parts_of_the_root_can_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    assert root(run=RUN, bucket="b", prefix="p/q") == "s3://b/p/q/TrainFlow/7"
    monkeypatch.setenv("METAFLOW_DATATOOLS_S3ROOT", "s3://mine/x")
    assert root(run=RUN, bucket="b") == "s3://b/x/TrainFlow/7"
    assert root(run=RUN, prefix="/p/") == "s3://mine/p/TrainFlow/7"


@pytest.mark.usefixtures("running")
def test_the_root_of_the_step_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METAFLOW_DATATOOLS_S3ROOT", "s3://mine/x")
    assert root(run=FlowSpec(use_cli=False)) == "s3://mine/x/TrainFlow/12"
    assert root(run=RUN) == "s3://mine/x/TrainFlow/7", "another run's"


def test_a_flow_that_does_not_run_has_no_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METAFLOW_DATATOOLS_S3ROOT", "s3://mine/x")
    with pytest.raises(S3URLError, match="for steps while they run"):
        S3(run=FlowSpec(use_cli=False))
    with pytest.raises(S3URLError, match="neither a flow nor a run"):
        S3(run="Flow/7")


def test_no_root_at_all() -> None:
    with pytest.raises(S3URLError, match="Nothing says where") as caught:
        S3(run=RUN)
    assert "HEADWAY_DATATOOLS_S3ROOT" in str(caught.value)


@pytest.mark.parametrize("value", ["/a/folder", "gs://bucket/x", "ftp://x"])
def test_a_root_that_is_not_on_s3(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("METAFLOW_DATATOOLS_S3ROOT", value)
    with pytest.raises(S3URLError):
        S3(run=RUN)


@pytest.mark.parametrize("url", ["gs://x/y", "s3://", "bucket/x", ""])
def test_a_given_root_must_be_a_url(url: str) -> None:
    with pytest.raises(S3URLError, match="s3root="):
        S3(s3root=url)


def test_a_given_root_loses_its_slash() -> None:
    assert root(s3root="s3://bucket/x/") == "s3://bucket/x"


def test_where_downloads_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    assert temporary_root() == "."
    monkeypatch.setenv("METAFLOW_TEMPDIR", "/configured")
    assert temporary_root() == "/configured"
    current._begin(tempdir="/metaflow_temp")
    try:
        assert temporary_root() == "/metaflow_temp"
    finally:
        current._end()


def test_how_many_at_a_time_and_how_often(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (worker_count(), retry_policy()) == (None, RetryPolicy())
    monkeypatch.setenv("METAFLOW_S3_WORKER_COUNT", "64")
    monkeypatch.setenv("METAFLOW_S3_RETRY_COUNT", "0")
    assert (worker_count(), Buckets().threads, retry_policy().tries) == (64, 64, 1)
    monkeypatch.setenv("HEADWAY_S3_WORKER_COUNT", "0")
    with pytest.raises(S3ClientError, match="S3_WORKER_COUNT is '0', and a whole number from 1 to 1000"):
        S3(s3root="s3://bucket/prefix")
    monkeypatch.setenv("METAFLOW_S3_RETRY_COUNT", "often")
    with pytest.raises(S3ClientError, match="S3_RETRY_COUNT is 'often'"):
        retry_policy()


def test_the_folder_beside_the_runs_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWAY_DATASTORE_SYSROOT_S3", "s3://bucket/runs")
    monkeypatch.setenv("METAFLOW_DATATOOLS_SUFFIX", "/things/")
    assert data_root() == ("bucket", "runs/things")
