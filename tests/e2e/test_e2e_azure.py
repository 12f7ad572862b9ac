"""Runs whose datastore is a container of Azure Blob Storage: an Azurite's where it can be had."""

import json
from collections.abc import Iterator

import pytest
from emulators.azure import ACCOUNT, azurite, variables
from emulators.program import UnavailableError
from harness.target import STORE_VARIABLES, Target
from harness.workspace import Variables, Workspace, Workspaces

from headway.testing.azure_server import AzureServer

CONTAINER = "runs"

#: There is no other object store that a run could fall back on.
NO_OTHER: Variables = {
    **dict.fromkeys(STORE_VARIABLES),
    "HEADWAY_DATASTORE_SYSROOT_S3": None,
    "HEADWAY_KUBERNETES_SECRETS": None,
}


@pytest.fixture(scope="module")
def service(target: Target) -> Iterator[dict[str, str]]:
    """The variables that tell of a service: a real emulator where it can be had, elsewhere our own."""
    try:
        with azurite(CONTAINER, host=target.host) as endpoint:
            yield variables(endpoint)
    except UnavailableError:
        with AzureServer(CONTAINER, host=target.host) as server:
            yield server.environ


@pytest.fixture(scope="module")
def space(workspaces: Workspaces) -> Workspace:
    return workspaces()


def test_a_run_lives_in_a_container(space: Workspace, service: dict[str, str]) -> None:
    key = service["AZURE_STORAGE_KEY"]
    endpoint = service["HEADWAY_AZURE_STORAGE_BLOB_SERVICE_ENDPOINT"]
    env: Variables = {
        **NO_OTHER,
        "METAFLOW_AZURE_STORAGE_BLOB_SERVICE_ENDPOINT": endpoint,
        "AZURE_STORAGE_KEY": key,
        # As Metaflow writes it: without a scheme.
        "METAFLOW_DATASTORE_SYSROOT_AZURE": f"{CONTAINER}/{space.folder.name}",
    }
    # And as Hadoop does.
    root = f"wasbs://{CONTAINER}@{ACCOUNT}.blob.core.windows.net/{space.folder.name}"
    hadoop: Variables = {**env, "METAFLOW_DATASTORE_SYSROOT_AZURE": root}
    launch = space.start("in_a_cloud.py", "--datastore=azure", "run", "--forward-credentials", env=hadoop)
    launch.until("work")
    result = launch.wait()
    assert result.returncode == 0, result.all
    assert "squares [1, 4] [17000000, 17000000]" in result.stdout
    objects = space.kubectl.run("get", "jobs,pods,events,configmaps", "--output=json")
    assert key not in objects, "by reference only"
    assert key not in result.all

    run = space.read("InACloudFlow", result, env)
    assert run.successful
    assert [task.data["square"] for task in run.steps["work"]] == [1, 4]
    assert all("in InACloudFlow/" in task.stdout for task in run.steps["work"])
    assert all(task.attempts[0].pod for task in run.steps["work"])
    assert {
        "AZURE_STORAGE_ACCOUNT",
        "AZURE_STORAGE_KEY",
        "HEADWAY_AZURE_STORAGE_BLOB_SERVICE_ENDPOINT",
    } <= set(run.task("join").data["given"])

    # A later launcher finds it there, by its whole address too.
    whole = {**env, "METAFLOW_DATASTORE_SYSROOT_AZURE": f"{endpoint}/{CONTAINER}/{space.folder.name}"}
    resumed = space.run_flow("in_a_cloud.py", "--datastore=azure", "resume", "end", env=whole)
    assert resumed.returncode == 0, resumed.all
    assert "squares [1, 4]" in resumed.stdout

    preview = space.run_flow(
        "in_a_cloud.py", "--datastore=azure", "run", "--dry-run", "--forward-credentials", env=env
    )
    assert f"azure://{CONTAINER}/{space.folder.name}" in preview.stdout, preview.all
    assert endpoint in preview.stdout
    assert key not in preview.all
    shown = space.run_flow("in_a_cloud.py", "--datastore=azure", "config", "show", env=env)
    assert f"azure://{CONTAINER}/{space.folder.name}" in shown.stdout, shown.all


def test_what_is_wrong_is_told_before_anything_runs(space: Workspace, service: dict[str, str]) -> None:
    env = {**NO_OTHER, **service, "HEADWAY_DATASTORE_SYSROOT_AZURE": "azure://nobodys/x"}
    result = space.run_flow("in_a_cloud.py", "--datastore=azure", "run", env=env)
    assert result.returncode == 2, result.all
    assert "there is no container 'nobodys'" in result.stderr
    result = space.run_flow(
        "in_a_cloud.py", "--datastore=azure", "run", env={**env, "AZURE_STORAGE_KEY": "d3Jvbmc="}
    )
    assert result.returncode == 2, result.all
    assert "AZURE_STORAGE_KEY in the environment" in result.stderr


def test_pods_are_lent_an_applications_secret(space: Workspace, target: Target) -> None:
    with AzureServer(CONTAINER, host=target.host) as server:
        secret = "lent-s3cret~of-the-application"
        env = {
            **NO_OTHER,
            **server.identity,
            "AZURE_CLIENT_SECRET": secret,
            "HEADWAY_DATASTORE_SYSROOT_AZURE": f"azure://{CONTAINER}",
        }
        result = space.run_flow("in_a_cloud.py", "run", "--forward-credentials", env=env)
        assert result.returncode == 0, result.all
        run = space.read("InACloudFlow", result, env)
        assert {"AZURE_AUTHORITY_HOST", "AZURE_CLIENT_SECRET"} <= set(run.task("join").data["given"])
        # Launcher, reader, and each of the three pods signed in for a token of its own.
        assert server.tokens >= 5
        assert secret not in space.kubectl.run("get", "jobs,pods,events", "--output=json")
        assert secret not in result.all
        assert not any(secret.encode() in content for content in server.blobs.values())
        assert "AZURE_CLIENT_SECRET" not in json.dumps(space.pods()), "by reference only"
