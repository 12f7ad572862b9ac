"""What is said of runs that Metaflow itself made here."""

from pathlib import Path

import pytest
from recorded_runs import digits

from headway.client import DataArtifact, Flow, NotFoundError, Run
from headway.client.metaflows_own import of_metaflow
from headway.store.folder import FolderStore


def metaflow_ran(folder: Path, flow: str = "Digits", run: str = "17") -> str:
    (folder / ".metaflow" / flow / run / "_meta").mkdir(parents=True)
    return str(folder / ".metaflow" / flow)


def test_who_asks_for_one_is_told_that_it_is_metaflows(tmp_path: Path) -> None:
    where = metaflow_ran(tmp_path)
    with pytest.raises(NotFoundError) as caught:
        Flow("Digits")
    assert caught.value.hint == (
        f"Metaflow's own runs of Digits are in {where}: Headway does not read them. Look at them with Metaflow."
    )
    for ask in (lambda: Run("Digits/17"), lambda: DataArtifact("Digits/17/start/1/x")):
        with pytest.raises(NotFoundError) as caught:
            ask()
        assert f"Run Digits/17 is one of Metaflow's own, in {where}" in str(caught.value.hint)
    with pytest.raises(NotFoundError) as caught:
        Run("Digits/18")
    assert "Metaflow" not in str(caught.value.hint)


def test_also_beside_runs_of_headways(tmp_path: Path, folder: FolderStore) -> None:
    metaflow_ran(tmp_path)
    digits(folder)
    with pytest.raises(KeyError, match="one of Metaflow's own"):
        Flow("Digits")["17"]
    with pytest.raises(KeyError, match=r"has no run '18'\.\"$"):
        Flow("Digits")["18"]


def test_where_they_are_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    where = metaflow_ran(elsewhere)
    assert of_metaflow("Digits") == ""
    monkeypatch.setenv("METAFLOW_DATASTORE_SYSROOT_LOCAL", str(elsewhere))
    assert where in of_metaflow("Digits")
    assert of_metaflow("Letters") == ""


def test_the_file_that_headway_leaves_there_is_no_run(tmp_path: Path) -> None:
    flow = tmp_path / ".metaflow" / "Digits"
    (flow / "data").mkdir(parents=True)
    (flow / "latest_run").write_text("17")
    assert of_metaflow("Digits") == ""
