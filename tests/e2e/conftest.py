"""What the end-to-end tests share: the cluster, a namespace and a bucket prefix per session, a workspace per test."""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence

import pytest
from harness.bucket import Bucket
from harness.kubectl import Kubectl, Object
from harness.launch import Launch
from harness.target import Target
from harness.targets import EXCEPTIONS, TARGETS
from harness.workspace import NewNamespace, Workspace, WorkspaceIn, Workspaces
from seeds.documents import SEEDS

SECRET = "object-store"

#: Elsewhere there is nothing that its tests could be about.
collect_ignore = [] if SEEDS.is_dir() else ["test_e2e_seeds.py"]


@pytest.hookimpl(tryfirst=True)  # before the marker is looked at
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    chosen = config.getoption("--target") or list(TARGETS)
    left_out = [item for item in items if (on := target_of(item)) and not runs_on(item, on, chosen)]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)
    for item in items:
        if target_of(item) == "real":
            item.add_marker(pytest.mark.cluster)
    # What takes a minute of waiting begins first and is judged last.
    items.sort(key=lambda item: "missing_image" in getattr(item, "fixturenames", ()))


def target_of(item: pytest.Item) -> str:
    """The cluster that a test is to run on, "" for a test of another suite."""
    parameters = getattr(item, "callspec", None)
    return str(parameters.params.get("target", "")) if parameters else ""


def runs_on(item: pytest.Item, target: str, chosen: Sequence[str]) -> bool:
    return target in chosen and getattr(item, "originalname", item.name) not in EXCEPTIONS[target]


def pytest_report_header(config: pytest.Config) -> list[str]:
    """What does not run, and why."""
    return [
        *(f"not here: {name}: there are no seed documents ({SEEDS})" for name in collect_ignore),
        *(
            f"not on the {target} cluster: {test}: {reason}"
            for target in config.getoption("--target") or TARGETS
            for test, reason in EXCEPTIONS[target].items()
        ),
    ]


@pytest.fixture(scope="session", params=list(TARGETS))
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The cluster; every test runs once on each there is."""
    with TARGETS[request.param](tmp_path_factory.mktemp(request.param)) as found:
        yield found


@pytest.fixture(scope="session")
def session_name() -> str:
    return f"headway-e2e-{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="session")
def kubectl(target: Target, session_name: str) -> Iterator[Kubectl]:
    """kubectl in a namespace of the session's own, which holds the secret for the object store."""
    kubectl = Kubectl(target.kubeconfig, session_name)
    kubectl.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": session_name}})
    kubectl.create(secret_of(target))
    yield kubectl
    kubectl.run("delete", "namespace", session_name, "--wait=false")


@pytest.fixture(scope="session")
def bucket_prefix(target: Target, session_name: str) -> Iterator[str]:
    yield session_name
    Bucket(target.bucket, session_name, target.store).clear()


@pytest.fixture(scope="session")
def workspace_in(bucket_prefix: str, tmp_path_factory: pytest.TempPathFactory) -> WorkspaceIn:
    """Makes a workspace for somebody, in a namespace."""

    def make(target: Target, kubectl: Kubectl) -> Workspace:
        name = uuid.uuid4().hex[:8]
        bucket = Bucket(target.bucket, f"{bucket_prefix}/{name}", target.store)
        return Workspace(tmp_path_factory.mktemp("workspace"), target, kubectl, bucket, SECRET, name)

    return make


@pytest.fixture(scope="session")
def new_workspace(target: Target, kubectl: Kubectl, workspace_in: WorkspaceIn) -> Callable[[], Workspace]:
    return lambda: workspace_in(target, kubectl)


@pytest.fixture(scope="session")
def new_namespace(target: Target, session_name: str) -> Iterator[NewNamespace]:
    """Makes further namespaces, each with the secret for the object store."""
    made: list[Kubectl] = []

    def make(suffix: str, labels: Mapping[str, str] | None = None) -> Kubectl:
        own = Kubectl(target.kubeconfig, f"{session_name}-{suffix}")
        made.append(own)
        about = {"name": own.namespace, "labels": dict(labels or {})}
        own.create({"apiVersion": "v1", "kind": "Namespace", "metadata": about})
        own.create(secret_of(target))
        return own

    yield make
    for each in made:
        # A test may have deleted it.
        each.run("delete", "namespace", each.namespace, "--wait=false", "--ignore-not-found")


def secret_of(target: Target) -> Object:
    """What lets pods into the object store."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": SECRET},
        "stringData": target.credentials,
    }


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
