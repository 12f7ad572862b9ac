"""Runs on a cluster without an object store: the datastore is a folder that this machine and every pod share."""

from collections.abc import Iterator

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
def claim(space: Workspace, session_name: str) -> Iterator[str]:
    """A claim whose volume is the shared folder, as NFS would be: this machine sees it, too."""
    name = f"{session_name}-shared"
    common = {"accessModes": ["ReadWriteMany"], "storageClassName": ""}
    room = {"storage": "1Gi"}
    volume = {
        **common,
        "capacity": room,
        "persistentVolumeReclaimPolicy": "Retain",
        "hostPath": {"path": str(space.folder / "shared")},
    }
    bound = {**common, "resources": {"requests": room}, "volumeName": name}
    kubectl = space.kubectl
    for kind, spec in (("PersistentVolume", volume), ("PersistentVolumeClaim", bound)):
        kubectl.create({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, "spec": spec})
    yield name
    for kind in ("persistentvolumeclaim", "persistentvolume"):
        kubectl.run("delete", kind, name, "--wait=false", "--ignore-not-found")


@pytest.fixture(scope="module")
def result(space: Workspace, claim: str) -> Result:
    shared = str(space.folder / "shared")
    options = ("--datastore=local", f"--datastore-root={shared}/runs")
    env = {"SHARED": shared, "CLAIM": claim, **NO_STORE}
    result = space.run_flow("shared_folder.py", *options, "run", env=env)
    assert result.returncode == 0, result.all
    return result


def test_what_pods_leave_in_the_folder_others_find_there(
    space: Workspace, result: Result, claim: str
) -> None:
    runs = str(space.folder / "shared" / "runs")
    assert f"squares [1, 4, 9] from ['{runs}']" in result.stdout
    assert len(space.pods("metaflow/step_name=work")) == 3
    (join,) = space.pods("metaflow/step_name=join")
    assert {"persistentVolumeClaim": {"claimName": claim}, "name": claim} in join["spec"]["volumes"]
    run = space.read("SharedFolderFlow", result, {**NO_STORE, "HEADWAY_DATASTORE_SYSROOT_LOCAL": runs})
    assert [task.data["square"] for task in run.steps["work"]] == [1, 4, 9]
    assert "in SharedFolderFlow/" in run.steps["work"][0].stdout


def test_a_claim_that_only_pods_mount_is_refused(space: Workspace) -> None:
    options = ("--datastore=local", "--datastore-root=/mnt/of-the-pods/runs")
    env = {"SHARED": "/mnt/of-the-pods", "CLAIM": "team", **NO_STORE}
    result = space.run_flow("shared_folder.py", *options, "run", env=env)
    assert result.returncode == 2, result.all
    assert "this machine has no folder /mnt/of-the-pods" in result.stderr


def test_a_folder_that_pods_do_not_mount_is_refused_with_what_to_write(space: Workspace) -> None:
    options = ("--datastore=local", "--datastore-root=/mnt/elsewhere")
    result = space.run_flow(
        "shared_folder.py", *options, "run", env={"SHARED": str(space.folder), **NO_STORE}
    )
    assert result.returncode == 2, result.all
    assert "the pods of step work mount nothing at /mnt/elsewhere" in result.stderr
    assert """PERSISTENT_VOLUME_CLAIMS='{"<claim>": "/mnt/elsewhere"}'""" in result.stderr
