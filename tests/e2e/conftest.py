"""What the end-to-end tests share: the cluster, a namespace and a bucket prefix per session, a workspace per test."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness.bucket import Bucket
from harness.kubectl import Kubectl
from harness.target import TARGETS, Target
from harness.workspace import Workspace

SECRET = "object-store"


@pytest.hookimpl(tryfirst=True)  # before the marker is looked at
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.cluster)


@pytest.fixture(scope="session", params=list(TARGETS))
def target(request: pytest.FixtureRequest) -> Target:
    """The cluster; every test runs once on each there is."""
    return TARGETS[request.param]()


@pytest.fixture(scope="session")
def session_name() -> str:
    return f"headway-e2e-{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="session")
def kubectl(target: Target, session_name: str) -> Iterator[Kubectl]:
    """kubectl in a namespace of the session's own, which holds the secret for the object store."""
    kubectl = Kubectl(target.kubeconfig, session_name)
    kubectl.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": session_name}})
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET}}
    kubectl.create({**secret, "stringData": target.credentials})
    yield kubectl
    kubectl.run("delete", "namespace", session_name, "--wait=false")


@pytest.fixture(scope="session")
def bucket_prefix(target: Target, session_name: str) -> Iterator[str]:
    yield session_name
    Bucket(target.bucket, session_name, target.store).clear()


Make = Callable[[], Workspace]


@pytest.fixture(scope="module")
def make_workspace(
    target: Target, kubectl: Kubectl, bucket_prefix: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Make]:
    """Makes workspaces; none of them may leave a pod running, or a Job that nobody clears away."""
    made: list[Workspace] = []

    def make() -> Workspace:
        name = uuid.uuid4().hex[:8]
        bucket = Bucket(target.bucket, f"{bucket_prefix}/{name}", target.store)
        folder = tmp_path_factory.mktemp("workspace")
        made.append(Workspace(folder, target, kubectl, bucket, SECRET, name))
        return made[-1]

    yield make
    left = [(workspace.still_active(), workspace.unowned()) for workspace in made]
    for workspace in made:
        workspace.close()
    assert not any(active or unowned for active, unowned in left), f"left behind: {left}"


@pytest.fixture
def workspace(make_workspace: Make) -> Workspace:
    """An empty workspace."""
    return make_workspace()
