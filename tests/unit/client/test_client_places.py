"""Where the client looks: the index and what it points to, the default datastore, the one of a pod."""

import json
import os
import sys
from pathlib import Path

import pytest
from recorded_runs import RecordedRun, digits

from headway.client import (
    Flow,
    Headway,
    NamespaceMismatchError,
    NotFoundError,
    Run,
    default_metadata,
    default_namespace,
    get_metadata,
    get_namespace,
    inspect_spin,
    metadata,
    namespace,
)
from headway.client.places import roots
from headway.client.stores import store_at
from headway.errors import HeadwayError, StoreConfigurationError, UsageError
from headway.flow.current import current
from headway.launch.index import remember_run
from headway.store import layout
from headway.store.folder import FolderStore
from headway.testing.memory_store import MemoryStore


def test_a_run_whose_data_is_elsewhere_is_found_through_the_index(
    folder: FolderStore, far: MemoryStore
) -> None:
    recorded = digits(far)
    remember_run(folder.url, far.url, recorded.record)
    run = Flow("Digits").latest_run
    assert run is not None
    assert far.calls[-1][0] != "get", "the index alone tells which run is the latest"
    assert run.tags == {"user:ann", "runtime:dev"}
    assert run.data is not None
    assert run.data.best == 20
    assert run["train"]["3"].metadata_dict["ds-root"] == "memory://far"
    assert [step.id for step in run["train"].parent_steps] == ["start"]
    assert [flow.id for flow in Headway()] == ["Digits"]


def test_runs_here_and_elsewhere_are_listed_together(folder: FolderStore, far: MemoryStore) -> None:
    remember_run(folder.url, far.url, RecordedRun(far, "2").record)
    RecordedRun(folder, "1")
    RecordedRun(folder, "3")
    assert [run.id for run in Flow("Digits")] == ["3", "2", "1"]


def test_an_index_entry_whose_data_is_gone_says_so(folder: FolderStore, far: MemoryStore) -> None:
    remember_run(folder.url, far.url, digits(far).record)
    far.delete([info.key for info in list(far.list(""))])
    run = Run("Digits/1")
    with pytest.raises(NotFoundError, match="no longer in memory://far") as gone:
        _ = run.finished
    assert folder.url in str(gone.value.hint)


def test_the_index_is_found_from_a_folder_below(
    folder: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digits(folder)
    below = tmp_path / "project" / "deep" / "er"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert Flow("Digits").latest_run == Run("Digits/1")


@pytest.mark.parametrize("variable", ["HEADWAY_DATASTORE_SYSROOT_LOCAL", "METAFLOW_DATASTORE_SYSROOT_LOCAL"])
def test_a_configured_local_root_is_looked_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    digits(FolderStore(str(tmp_path / "shared")))
    monkeypatch.setenv(variable, str(tmp_path / "shared"))
    assert Flow("Digits").latest_run == Run("Digits/1")


def test_the_default_datastore_is_looked_in_after_the_index(
    folder: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METAFLOW_DEFAULT_DATASTORE", "s3")
    monkeypatch.setenv("METAFLOW_DATASTORE_SYSROOT_S3", "s3://bucket/prefix/")
    assert roots() == (folder.url, "s3://bucket/prefix")
    assert get_metadata() == f"local@{folder.url}"
    monkeypatch.delenv("METAFLOW_DATASTORE_SYSROOT_S3")
    with pytest.raises(UsageError, match="no root is configured"):
        Flow("Digits")


def test_a_root_that_is_only_configured_is_not_looked_in(
    folder: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METAFLOW_DATASTORE_SYSROOT_S3", "s3://bucket/prefix")
    assert roots() == (folder.url,)


def test_a_pod_looks_in_the_datastore_of_its_run(far: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWAY_DATASTORE", "s3://bucket/prefix")
    assert roots() == ("s3://bucket/prefix",)
    assert get_metadata() == "s3@s3://bucket/prefix"


def test_without_configuration_and_datastore_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "headway.config.datastore", None)
    with pytest.raises(HeadwayError, match="HEADWAY_DATASTORE is not set"):
        Flow("Digits")


@pytest.mark.parametrize(
    "form", ["local@{}", "{}", "local@{}/.headway", "{}/.headway/", "local@{}/.metaflow"]
)
def test_metadata_names_a_folder(tmp_path: Path, form: str) -> None:
    index = tmp_path / "other" / ".headway"
    RecordedRun(FolderStore(str(index)), "5")
    assert metadata(form.format(tmp_path / "other")) == f"local@{index}" == get_metadata()
    assert [run.id for run in Flow("Digits")] == ["5"]
    assert default_metadata() == f"local@{tmp_path / 'project' / '.headway'}"
    with pytest.raises(NotFoundError):
        Flow("Digits")


def test_metadata_names_a_datastore(tmp_path: Path, folder: FolderStore) -> None:
    shared = FolderStore(str(tmp_path / "shared"))
    shared.put(layout.flow_marker("Digits"), b"")
    assert metadata(shared.url) == f"local@{shared.url}"
    assert metadata("s3://bucket/runs/") == "s3@s3://bucket/runs"
    assert metadata(get_metadata()) == "s3@s3://bucket/runs"
    assert metadata("gs://bucket/runs") == "gs@gs://bucket/runs"
    for root in ("wasbs://c@a.blob.core.windows.net/p", "https://a.blob.core.windows.net/c/p"):
        assert metadata(root) == f"azure@{root}"
    emulated = metadata("azure@http://127.0.0.1:10000/account/c/p")
    assert metadata(emulated) == emulated
    assert metadata("local") == f"local@{folder.url}"


@pytest.mark.parametrize(
    ("place", "error", "words"),
    [
        ("service@https://meta.example", UsageError, "needs no metadata service"),
        ("https://meta.example", UsageError, "needs no metadata service"),
        ("/nowhere/at/all", NotFoundError, "holds no .headway"),
        ("s3@", StoreConfigurationError, "empty"),
        ("ftp://host/x", StoreConfigurationError, "not a datastore"),
    ],
)
def test_metadata_refuses_what_it_cannot_look_in(place: str, error: type[HeadwayError], words: str) -> None:
    before = get_metadata()
    with pytest.raises(error, match=words):
        metadata(place)
    assert get_metadata() == before


def test_the_namespace_of_a_step_is_that_of_its_run(monkeypatch: pytest.MonkeyPatch) -> None:
    assert get_namespace() == "user:ann"
    current._begin(namespace="user:zoe")
    try:
        assert get_namespace() == "user:zoe"
        namespace("production:x")
        assert get_namespace() == "production:x"
        assert default_namespace() == "user:zoe"
        current._begin(namespace="")
        assert get_namespace() is None
    finally:
        current._end()
    assert get_namespace() == "user:ann"


def test_the_user_may_stand_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEADWAY_USER")
    file = tmp_path / "project" / ".headway" / "config.json"
    file.write_text(json.dumps({"HEADWAY_USER": "eve"}))
    assert get_namespace() == "user:eve"


def test_the_address_of_a_named_datastore_may_stand_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "project" / ".headway" / "config.json"
    file.write_text(json.dumps({"METAFLOW_S3_ENDPOINT_URL": "http://minio:9000"}))
    monkeypatch.setenv("HEADWAY_S3_ENDPOINT_URL", "")
    monkeypatch.setenv("HEADWAY_IN_TASK", "1")
    store_at("s3://a-bucket/of-a-task")
    assert not os.environ["HEADWAY_S3_ENDPOINT_URL"]
    monkeypatch.delenv("HEADWAY_IN_TASK")
    # As Runner and a pickled run do, without looking for where runs are.
    store_at("s3://a-bucket/of-a-program")
    assert os.environ["HEADWAY_S3_ENDPOINT_URL"] == "http://minio:9000"


def test_what_spin_ran_is_looked_at_alone_and_left_again(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="Nothing was spun in"):
        inspect_spin()
    spun = tmp_path / "project" / ".headway_spin"
    RecordedRun(FolderStore(str(spun)), "7")
    assert inspect_spin() == f"local@{spun}"
    assert Run("Digits/7").id == "7"
    assert inspect_spin(str(spun)) == f"local@{spun}"
    default_metadata()
    assert get_metadata() == f"local@{tmp_path / 'project' / '.headway'}"


def test_a_task_is_told_how_its_run_sees_the_runs_of_others(folder: FolderStore) -> None:
    RecordedRun(folder, "1", user="bob")
    current._begin(namespace="user:ann")
    try:
        with pytest.raises(NamespaceMismatchError, match=r"run --namespace=user:bob$"):
            Run("Digits/1")
        with pytest.raises(NamespaceMismatchError, match=r"run --namespace=user:NAME$"):
            Flow("Digits")
    finally:
        current._end()
