"""The local index: a run is found from this machine wherever its data is."""

from pathlib import Path

import pytest

from headway.config.sources import Configuration
from headway.errors import StoreError
from headway.launch.index import LATEST_RUN, name_latest, remember_run
from headway.launch.metaflow_folder import metaflow_folder
from headway.store import layout
from headway.store.batch import Code
from headway.store.folder import FolderStore
from headway.store.run_records import RunRecord

RECORD = RunRecord(
    "Sample", "7", "ann", 1.0, tags=("blue",), graph={"name": "Sample"}, parameters={"alpha": "1"},
    code=Code("path", "flow.py", ("__main__", "Sample")), metadata={"runtime": "dev"},
)  # fmt: skip


def test_a_run_elsewhere_leaves_a_pointer(tmp_path: Path) -> None:
    remember_run(str(tmp_path), "s3://bucket/prefix", RECORD)
    index = FolderStore(str(tmp_path))
    pointer = RunRecord.decode(index.get(layout.run_record("Sample", "7")))
    assert pointer == RunRecord("Sample", "7", "ann", 1.0, tags=("blue",), root="s3://bucket/prefix")
    assert index.size(layout.flow_marker("Sample")) == 0
    assert (tmp_path / "Sample" / LATEST_RUN).read_text() == "7"


def test_a_run_here_needs_none(tmp_path: Path) -> None:
    index = FolderStore(str(tmp_path))
    remember_run(str(tmp_path), index.url, RECORD)
    assert index.size(layout.run_record("Sample", "7")) is None
    assert (tmp_path / "Sample" / LATEST_RUN).read_text() == "7"


def test_the_newest_run_takes_the_place_of_the_last(tmp_path: Path) -> None:
    for run in ("7", "8"):
        remember_run(str(tmp_path), "s3://bucket", RECORD._replace(run=run))
    assert (tmp_path / "Sample" / LATEST_RUN).read_text() == "8"
    assert [path.name for path in (tmp_path / "Sample").iterdir()] == [LATEST_RUN]


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises((OSError, StoreError)):
        remember_run(str(tmp_path / "file"), "s3://bucket", RECORD)


def test_where_metaflows_scripts_look(tmp_path: Path) -> None:
    work, data = tmp_path / "project" / "work", tmp_path / "data"
    work.mkdir(parents=True)
    index = str(work / ".headway")

    def found(modules: set[str], **environ: str) -> str | None:
        return metaflow_folder(Configuration.load({"HOME": str(tmp_path), **environ}, work), index, modules)

    assert found(set()) is None
    assert found({"metaflow"}) == str(work / ".metaflow")
    assert found({"metaflow"}, HEADWAY_DATASTORE_SYSROOT_LOCAL=str(data)) == str(work / ".metaflow")
    assert found(set(), METAFLOW_DATASTORE_SYSROOT_LOCAL=str(data)) == str(data / ".metaflow")
    # The nearest one upward, as for Metaflow.
    (tmp_path / ".metaflow").mkdir()
    (tmp_path / "project" / ".metaflow").mkdir()
    assert found(set()) == found({"metaflow"}) == str(tmp_path / "project" / ".metaflow")
    assert found(set(), METAFLOW_DATASTORE_SYSROOT_LOCAL=str(data)) == str(data / ".metaflow")


def test_where_the_runs_are_noted_further_up_metaflows_folder_is_beside(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    configuration = Configuration.load({"HOME": str(tmp_path)}, tmp_path / "work")
    assert metaflow_folder(configuration, str(tmp_path / ".headway"), {"metaflow"}) == str(
        tmp_path / ".metaflow"
    )
    elsewhere = metaflow_folder(configuration, "/data/runs", {"metaflow"})
    assert elsewhere == str(tmp_path / "work" / ".metaflow")


def test_only_the_newest_runs_id_is_changed_there(tmp_path: Path) -> None:
    flow = tmp_path / ".metaflow" / "Sample"
    (flow / "1700000000000000" / "start").mkdir(parents=True)
    (flow / LATEST_RUN).write_text("1700000000000000")
    name_latest(str(flow.parent), RECORD)
    assert (flow / LATEST_RUN).read_text() == "7"
    assert sorted(path.name for path in flow.iterdir()) == ["1700000000000000", LATEST_RUN]
