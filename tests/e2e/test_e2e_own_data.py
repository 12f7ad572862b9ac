"""S3 in steps: data of a run's own, put by one pod and got by another, by the process on this machine and later."""

import json

import pytest
from harness.launch import Result
from harness.workspace import Workspace, Workspaces


@pytest.fixture(scope="module")
def space(workspaces: Workspaces) -> Workspace:
    return workspaces()


@pytest.fixture(scope="module")
def result(space: Workspace) -> Result:
    result = space.run_flow("own_data.py", "run", "--with", "kubernetes:use_tmpfs=true,tmpfs_size=8")
    assert result.returncode == 0, result.all
    return result


def test_what_one_pod_puts_another_gets(space: Workspace, result: Result) -> None:
    end = space.read("OwnDataFlow", result).task("end").data
    assert end["one"] == ["first", {"rows": 3}, "one"]
    assert end["many"] == [*(str(number) for number in range(20)), "from a file"]
    assert (end["everything"], end["again"], end["gone"]) == (22, "first", True)


def test_data_of_a_run_stands_under_its_name_beside_the_runs(space: Workspace, result: Result) -> None:
    root = space.environ["HEADWAY_DATASTORE_SYSROOT_S3"]
    url = space.read("OwnDataFlow", result).task("start").data["url"]
    assert url == f"{root}/data/OwnDataFlow/{result.run_id}/one"


def test_downloads_go_where_temporary_files_go(space: Workspace, result: Result) -> None:
    assert space.read("OwnDataFlow", result).task("end").data["tempdir"] == "/metaflow_temp"
    assert "temporary file in /metaflow_temp/headway.s3." in result.stdout


def test_a_run_on_this_machine_keeps_its_data_in_the_datastore_that_it_was_told(space: Workspace) -> None:
    root = f"{space.environ['HEADWAY_DATASTORE_SYSROOT_S3']}/told"
    result = space.run_flow("own_data.py", f"--datastore-root={root}", "run")
    assert result.returncode == 0, result.all
    data = space.read("OwnDataFlow", result).task("start").data
    assert data["url"] == f"{root}/data/OwnDataFlow/{result.run_id}/one"


def test_pods_are_told_where_the_configuration_says(space: Workspace) -> None:
    root = f"{space.environ['HEADWAY_DATASTORE_SYSROOT_S3']}/elsewhere"
    (space.folder / ".headway").mkdir(exist_ok=True)
    said = {
        "DATATOOLS_S3ROOT": root,
        "S3_WORKER_COUNT": 3,
        "CONTACT_INFO": {"Chat": "here"},
        "UI_URL": "http://ui",
    }
    file = space.folder / ".headway" / "config.json"
    file.write_text(json.dumps({f"METAFLOW_{name}": value for name, value in said.items()}))
    result = space.run_flow("own_data.py", "run", "--with", "kubernetes")
    assert result.returncode == 0, result.all
    data = space.read("OwnDataFlow", result).task("start").data
    assert data["url"] == f"{root}/OwnDataFlow/{result.run_id}/one"
    assert data["workers"] == "3"
    # What has no meaning here is named, once.
    (line,) = [line for line in result.all.splitlines() if "CONTACT_INFO" in line]
    assert line.endswith(f"{file}: METAFLOW_CONTACT_INFO, {file}: METAFLOW_UI_URL.")
