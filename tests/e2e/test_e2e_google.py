"""Runs whose datastore is a bucket of Google Cloud Storage: an emulator's, and one that wants credentials."""

import json
import shutil
import subprocess
from collections.abc import Iterator

import pytest
from emulators.google import google_emulator
from emulators.program import UnavailableError
from harness.target import STORE_VARIABLES, Target
from harness.workspace import Variables, Workspace, Workspaces

from headway.testing.gs_server import TOKEN, GoogleServer

BUCKET = "headway"

#: There is no other object store that a run could fall back on.
NO_OTHER: Variables = {
    **dict.fromkeys(STORE_VARIABLES),
    "HEADWAY_DATASTORE_SYSROOT_S3": None,
    "HEADWAY_KUBERNETES_SECRETS": None,
    "NO_GCE_CHECK": "true",
}


@pytest.fixture(scope="module")
def emulator(target: Target) -> Iterator[str]:
    """A real emulator where it can be had, elsewhere our own."""
    try:
        with google_emulator(BUCKET, host=target.host) as address:
            yield address
    except UnavailableError:
        with GoogleServer(BUCKET, host=target.host) as server:
            yield server.url


@pytest.fixture(scope="module")
def space(workspaces: Workspaces) -> Workspace:
    return workspaces()


def test_a_run_lives_in_an_emulators_bucket(space: Workspace, emulator: str) -> None:
    root = f"gs://{BUCKET}/{space.folder.name}"
    env = {**NO_OTHER, "STORAGE_EMULATOR_HOST": emulator, "METAFLOW_DATASTORE_SYSROOT_GS": root}
    # An emulator wants no credentials, so there are none to lend, which is no error.
    result = space.run_flow("in_a_cloud.py", "--datastore=gs", "run", "--forward-credentials", env=env)
    assert result.returncode == 0, result.all
    assert "squares [1, 4] [17000000, 17000000]" in result.stdout

    run = space.read("InACloudFlow", result, env)
    assert run.successful
    assert [task.data["square"] for task in run.steps["work"]] == [1, 4]
    assert all("in InACloudFlow/" in task.stdout for task in run.steps["work"])
    assert all(task.attempts[0].pod for task in run.steps["work"])
    assert run.task("join").data["given"] == ["STORAGE_EMULATOR_HOST"]

    # A later launcher finds it there.
    resumed = space.run_flow("in_a_cloud.py", "--datastore=gs", "resume", "end", env=env)
    assert resumed.returncode == 0, resumed.all
    assert "squares [1, 4]" in resumed.stdout

    preview = space.run_flow("in_a_cloud.py", "--datastore=gs", "run", "--dry-run", env=env)
    assert f"value: {emulator}" in preview.stdout, preview.all
    assert root in preview.stdout
    shown = space.run_flow("in_a_cloud.py", "--datastore=gs", "config", "show", env=env)
    assert f"{root}" in shown.stdout, shown.all


def test_a_bucket_that_is_not_there_is_told_before_anything_runs(space: Workspace, emulator: str) -> None:
    env = {**NO_OTHER, "STORAGE_EMULATOR_HOST": emulator, "HEADWAY_DATASTORE_SYSROOT_GS": "gs://nobodys/x"}
    result = space.run_flow("in_a_cloud.py", "--datastore=gs", "run", env=env)
    assert result.returncode == 2, result.all
    assert "there is no bucket 'nobodys'" in result.stderr


def test_pods_are_lent_a_service_accounts_key(space: Workspace, target: Target) -> None:
    assert shutil.which("openssl"), "openssl makes the key"
    key = subprocess.run(["openssl", "genrsa", "2048"], check=True, capture_output=True, text=True).stdout
    with GoogleServer(BUCKET, token=TOKEN, host=target.host) as server:
        account = {
            "type": "service_account",
            "client_email": "lent@project.iam.gserviceaccount.com",
            "private_key": key,
            "token_uri": f"{server.url}/token",
        }
        (space.folder / "key.json").write_text(json.dumps(account))
        env = {
            **NO_OTHER,
            "HEADWAY_GS_ENDPOINT_URL": server.url,
            "HEADWAY_DATASTORE_SYSROOT_GS": f"gs://{BUCKET}",
            "GOOGLE_APPLICATION_CREDENTIALS": "key.json",
        }
        launch = space.start("in_a_cloud.py", "run", "--forward-credentials", env=env)
        launch.until("work")
        result = launch.wait()
        assert result.returncode == 0, result.all
        run = space.read("InACloudFlow", result, env)
        assert run.task("join").data["given"] == ["HEADWAY_GOOGLE_CREDENTIALS", "HEADWAY_GS_ENDPOINT_URL"]

        # Launcher and reader, and each of the three pods, signed for a token of its own.
        assert len(server.grants) >= 5
        planted = key.splitlines()[5]
        objects = space.kubectl.run("get", "jobs,pods,events", "--output=json")
        assert planted not in objects
        assert planted not in result.all
        assert not any(planted.encode() in content for content, _ in server.objects.values())
        assert "HEADWAY_GOOGLE_CREDENTIALS" not in json.dumps(space.pods()), "by reference only"
