"""What the end-to-end tests share: the cluster, a namespace and a bucket prefix per session, a workspace per test."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness.bucket import Bucket
from harness.kubectl import Kubectl
from harness.launch import Launch
from harness.target import TARGETS, Target
from harness.workspace import Workspace, Workspaces

SECRET = "object-store"


@pytest.hookimpl(tryfirst=True)  # before the marker is looked at
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.cluster)
    # What takes a minute of waiting begins first and is judged last.
    items.sort(key=lambda item: "missing_image" in getattr(item, "fixturenames", ()))


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


@pytest.fixture(scope="session")
def new_workspace(
    target: Target, kubectl: Kubectl, bucket_prefix: str, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], Workspace]:
    def make() -> Workspace:
        name = uuid.uuid4().hex[:8]
        bucket = Bucket(target.bucket, f"{bucket_prefix}/{name}", target.store)
        return Workspace(tmp_path_factory.mktemp("workspace"), target, kubectl, bucket, SECRET, name)

    return make


@pytest.fixture(scope="module")
def workspaces(new_workspace: Callable[[], Workspace], kubectl: Kubectl) -> Iterator[Workspaces]:
    """Makes workspaces that last as long as the module's tests."""
    made = Workspaces(new_workspace, kubectl)
    yield made
    made.close()


@pytest.fixture
def workspace(workspaces: Workspaces) -> Workspace:
    """An empty workspace."""
    return workspaces()


@pytest.fixture(scope="session")
def missing_image(
    new_workspace: Callable[[], Workspace], kubectl: Kubectl
) -> Iterator[tuple[Workspace, Launch]]:
    """A run whose image does not exist, which takes a minute to be sure of."""
    made = Workspaces(new_workspace, kubectl)
    workspace = made()
    yield (
        workspace,
        workspace.start("linear.py", "run", "--with", "kubernetes:image=nowhere.invalid/team/image:1"),
    )
    made.close()


@pytest.fixture(scope="session", autouse=True)
def _begin_early(request: pytest.FixtureRequest, target: Target) -> None:
    """Start what takes long before the cluster's first test, where one of the tests wants it."""
    if any("missing_image" in getattr(item, "fixturenames", ()) for item in request.session.items):
        request.getfixturevalue("missing_image")
