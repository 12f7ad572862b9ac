"""A run that lasts: what it needs of the cluster, and lends its pods, is kept right while it goes on."""

from pathlib import Path

import pytest
from harness.launch import Launch
from harness.rights import bind, role
from harness.target import Target
from harness.workspace import NewNamespace, Workspace, WorkspaceIn

RUNTIME = "headway-runtime-"

Started = dict[str, tuple[Workspace, Launch]]


def session(space: Workspace, access_key: str) -> Path:
    """A file of credentials, as a person's session leaves it."""
    path = space.folder / "credentials"
    secret = space.target.credentials["AWS_SECRET_ACCESS_KEY"]
    path.write_text(f"[default]\naws_access_key_id = {access_key}\naws_secret_access_key = {secret}\n")
    return path


@pytest.fixture(scope="module")
def started(target: Target, new_namespace: NewNamespace, workspace_in: WorkspaceIn) -> Started:
    """Two runs of a person with the Role of the documentation, whose first steps run."""
    kubectl = new_namespace("long")
    bind(kubectl, target, role())
    own, lent = (workspace_in(target.as_limited(), kubectl) for _ in range(2))
    right = session(lent, target.credentials["AWS_ACCESS_KEY_ID"])
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "HEADWAY_KUBERNETES_SECRETS")
    env = {**dict.fromkeys(names), "AWS_SHARED_CREDENTIALS_FILE": str(right)}
    words = ("run", "--with", "kubernetes")
    found = {
        "own": (own, own.start("long_running.py", *words)),
        "lent": (lent, lent.start("long_running.py", *words, "--forward-credentials", env=env)),
    }
    for _, launch in found.values():
        launch.until(r"\[start/1\] ready")
    # As somebody's sweep does it once a run's Jobs have gone, or before it has any.
    (runtime,) = [name for name in kubectl.names("configmaps") if name.startswith(RUNTIME)]
    kubectl.run("delete", "configmap", runtime)
    # What the object store calls wrong shows best which keys a pod was given.
    session(lent, "of-another-session")
    return found


def test_a_run_whose_runtime_was_swept_puts_it_back(started: Started) -> None:
    space, launch = started["own"]
    result = launch.wait()
    assert result.returncode == 0, result.all
    assert "the end" in result.stdout
    names = space.kubectl.names("configmaps")
    assert [name for name in names if name.startswith(RUNTIME)], "its launcher may not even read it"
    assert not space.still_active()


def test_pods_are_lent_what_the_launchers_machine_has_when_they_begin(started: Started) -> None:
    space, launch = started["lent"]
    result = launch.wait()
    assert result.returncode == 1, result.all
    assert "[start/1] Task finished successfully" in result.stdout
    assert "end/2 failed: Its pod cannot use the datastore" in result.stderr
    assert "does not know these credentials" in result.stderr
    assert not space.still_active()
