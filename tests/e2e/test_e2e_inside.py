"""A launcher that is a pod itself: its service account has the Role of the documentation, and it has no kubeconfig."""

import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.kubectl import Kubectl, Object, eventually
from harness.rights import bind, role
from harness.target import Target
from harness.workspace import NewNamespace, Workspace, WorkspaceIn

import headway

#: What is typed into each launcher.
TYPED = {"doctor": ("doctor", "--with", "kubernetes"), "run": ("run", "--with", "kubernetes")}

ACCOUNT = "launcher"
#: The product and what it needs, which the node, being this machine, lends to the pods.
LIBRARIES = (str(Path(headway.__file__).parents[1]), sysconfig.get_paths()["purelib"])


def launcher(space: Workspace, name: str) -> Object:
    """The pod in which a command runs."""
    folders = dict(enumerate([*LIBRARIES, str(space.folder)]))
    env = {**space.variables({"KUBECONFIG": None, "PATH": None}), "PYTHONPATH": ":".join(LIBRARIES)}
    container = {
        "name": "launcher",
        "image": f"python:{sys.version_info.major}.{sys.version_info.minor}",
        "command": ["python", "linear.py", *TYPED[name]],
        "workingDir": str(space.folder),
        "env": [{"name": key, "value": value} for key, value in env.items()],
        "volumeMounts": [{"name": f"v{each}", "mountPath": path} for each, path in folders.items()],
    }
    spec = {
        "serviceAccountName": ACCOUNT,
        "restartPolicy": "Never",
        "containers": [container],
        "volumes": [{"name": f"v{each}", "hostPath": {"path": path}} for each, path in folders.items()],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


@pytest.fixture(scope="module")
def place(target: Target, new_namespace: NewNamespace, workspace_in: WorkspaceIn) -> Iterator[Workspace]:
    """Where the launchers run, and their pods."""
    kubectl = new_namespace("inside")
    kubectl.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT}})
    own = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": kubectl.namespace}
    bind(kubectl, target, role(), own)
    space = workspace_in(target, kubectl)
    space.flow_file("linear.py")
    for name in TYPED:
        kubectl.create(launcher(space, name))
    yield space
    assert space.still_active() == []
    assert space.unowned() == []


def ended(kubectl: Kubectl, name: str) -> tuple[str, str]:
    """How a launcher ended, and all that it printed."""

    def phase() -> str:
        found = kubectl.run("get", "pod", name, "-o", "jsonpath={.status.phase}")
        return found if found in ("Succeeded", "Failed") else ""

    return eventually(150, phase), kubectl.run("logs", name)


@pytest.mark.budget(180)
def test_doctor_looks_from_inside(place: Workspace) -> None:
    phase, printed = ended(place.kubectl, "doctor")
    assert phase == "Succeeded", printed
    assert "FAIL" not in printed
    assert "service account" in printed, "as whom it asks"
    assert f"you may run pods in {place.kubectl.namespace}" in printed
    assert "You may not list nodes" in printed
    assert "ran: Python 3." in printed


def test_a_run_is_driven_from_inside(place: Workspace) -> None:
    phase, printed = ended(place.kubectl, "run")
    assert phase == "Succeeded", printed
    assert "total is 30" in printed
    run = place.read("LinearFlow")
    assert run.successful
    assert run.task("work").metadata["kubernetes-pod-namespace"] == place.kubectl.namespace
