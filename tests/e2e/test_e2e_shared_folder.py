"""Runs on a cluster without an object store: the datastore is a folder that this machine and every pod share."""

import pytest
from harness.launch import Result
from harness.workspace import Workspace, Workspaces

#: There is no object store that the run could fall back on, and none that pods could reach.
NO_STORE = {
    "HEADWAY_DATASTORE_SYSROOT_S3": None,
    "AWS_ENDPOINT_URL_S3": None,
    "HEADWAY_KUBERNETES_SECRETS": None,
}


@pytest.fixture(scope="module")
def space(workspaces: Workspaces) -> Workspace:
    space = workspaces()
    (space.folder / "shared").mkdir()
    return space


@pytest.fixture(scope="module")
def result(space: Workspace) -> Result:
    shared = str(space.folder / "shared")
    options = ("--datastore=local", f"--datastore-root={shared}/runs")
    result = space.run_flow("shared_folder.py", *options, "run", env={"SHARED": shared, **NO_STORE})
    assert result.returncode == 0, result.all
    return result


def test_what_pods_leave_in_the_folder_others_find_there(space: Workspace, result: Result) -> None:
    runs = str(space.folder / "shared" / "runs")
    assert f"squares [1, 4, 9] from ['{runs}']" in result.stdout
    assert len(space.pods("metaflow/step_name=work")) == 3
    run = space.read("SharedFolderFlow", result, {**NO_STORE, "HEADWAY_DATASTORE_SYSROOT_LOCAL": runs})
    assert [task.data["square"] for task in run.steps["work"]] == [1, 4, 9]
    assert "in SharedFolderFlow/" in run.steps["work"][0].stdout


def test_a_folder_that_pods_do_not_mount_is_refused_with_what_to_write(space: Workspace) -> None:
    options = ("--datastore=local", "--datastore-root=/mnt/elsewhere")
    result = space.run_flow(
        "shared_folder.py", *options, "run", env={"SHARED": str(space.folder), **NO_STORE}
    )
    assert result.returncode == 2, result.all
    assert "the pods of step work mount nothing at /mnt/elsewhere" in result.stderr
    assert """PERSISTENT_VOLUME_CLAIMS='{"<claim>": "/mnt/elsewhere"}'""" in result.stderr
