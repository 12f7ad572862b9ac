"""How pods end whose node is in trouble: what its kubelet and the controllers would say is said in their place.

A machine that is gone would be everybody's: that is a node without one, and what controllers say of it is their own.
Only of a node that runs short these tests say it, as its kubelet.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from harness.causes import SOON
from harness.kubectl import Kubectl
from harness.launch import Launch
from harness.rights import bind, role
from harness.stage import Stage
from harness.target import Target
from harness.workspace import NewNamespace, Workspace, WorkspaceIn, Workspaces

#: Seconds within which a node is noticed to be gone, beyond those that the cluster takes for that itself.
NOTICED = 36.0

#: How a pod may end: its status, the condition, the class, the reason, words of the message.
PLAYED: dict[str, tuple[dict[str, str], str, str, str, str]] = {
    "evicted for the node's disk": (
        {"reason": "Evicted", "message": "The node was low on resource: ephemeral-storage."},
        "TerminationByKubelet", "infrastructure", "TerminationByKubelet", "low on resource: ephemeral-storage",
    ),
    "evicted for its own memory": (
        {
            "reason": "Evicted",
            "message": "The node was low on resource: memory. Threshold quantity: 100Mi, available: 68240Ki. Container "
            "start was using 18Gi, request is 64M, has larger consumption of memory. ",
        },
        "TerminationByKubelet", "resources", "OutOfMemory", "container held 19327 MB, where it had asked for 64 MB",
    ),
    "no driver": ({}, "", "infrastructure", "StartError", "its node's GPU driver, .* is in trouble: failed to create"),
    "lost sight of": ({}, "", "infrastructure", "ContainerStatusUnknown", "could not be located"),
}  # fmt: skip


#: How their containers end, where not as one that is killed.
UNKNOWN = {
    "exitCode": 137,
    "reason": "ContainerStatusUnknown",
    "message": "The container could not be located",
}
HOOK = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable "
    "to start container process: error during container init: error running prestart hook #0: exit status 1, stdout: , "
    "stderr: nvidia-container-cli: initialization error: nvml error: driver not loaded: unknown"
)
ENDED: dict[str, dict[str, Any]] = {
    "lost sight of": UNKNOWN,
    "no driver": {"exitCode": 128, "reason": "StartError", "message": HOOK},
}


@pytest.fixture(scope="module")
def stage(kubectl: Kubectl) -> Iterator[Stage]:
    stage = Stage(kubectl)
    yield stage
    stage.close()


def launched(workspace: Workspace, stage: Stage, **variables: str) -> Launch:
    """A run whose first pod will be on the stage."""
    # Nobody is there to end its pods: with a grace they would stay for ever.
    env = {**SOON, "HEADWAY_KUBERNETES_TERMINATION_GRACE_PERIOD_SECONDS": "0", **variables}
    return workspace.start("linear.py", "run", "--with", f"kubernetes:{stage.settings}", env=env)


@pytest.fixture(scope="module")
def deleted(
    target: Target, new_namespace: NewNamespace, workspace_in: WorkspaceIn
) -> Iterator[tuple[Workspace, Launch]]:
    """A run whose pod's node is taken out of the cluster; the cluster takes a minute to find its pod.

    It is that of a person who may not read nodes: who may is told sooner that the node is gone.
    """
    own = new_namespace("orphaned")
    bind(own, target, role())
    stage, space = Stage(own), workspace_in(target.as_limited(), own)
    try:
        # No other node will do, and that must not end the run before it was looked at.
        launch = launched(space, stage, HEADWAY_KUBERNETES_UNSCHEDULABLE_TIMEOUT="0")
        pod = stage.pod(space.selector)
        stage.play(pod, "Running", {"running": {}})
        launch.until(r"\[start/1\] Task is starting")
        stage.leave()
        yield space, launch
    finally:
        stage.close()
        space.close()


@pytest.mark.budget(120)
@pytest.mark.usefixtures("deleted", "nowhere")
def test_how_a_pod_ended_is_told_and_counted(workspaces: Workspaces, stage: Stage) -> None:
    """Both side by side: the kubelet's part is played as soon as each is known to run. The last one's is not."""
    spaces = {case: workspaces() for case in [*PLAYED, "tainted"]}
    runs = {case: launched(space, stage) for case, space in spaces.items()}
    pods = {case: stage.pod(space.selector) for case, space in spaces.items()}
    for pod in pods.values():
        stage.play(pod, "Running", {"running": {}})
    for case, (said, disruption, *_) in PLAYED.items():
        runs[case].until(r"\[start/1\] Task is starting")
        target = [{"type": "DisruptionTarget", "status": "True", "reason": disruption}] if disruption else []
        ended = ENDED.get(case, {"exitCode": 137, "reason": "Error"})
        stage.play(pods[case], "Failed", {"terminated": ended}, target, **said)
    expected: dict[str, Any] = {case: tuple(parts[2:]) for case, parts in PLAYED.items()}
    for case, parts in expected.items():
        ends(spaces[case], runs[case], *parts)
    runs["tainted"].until(r"\[start/1\] Task is starting")
    stage.drive_out(pods["tainted"])
    ends(
        spaces["tainted"], runs["tainted"], "infrastructure", "DeletionByTaintManager", "its node was tainted"
    )
    stage.clear()


def ends(space: Workspace, launch: Launch, kind: str, reason: str, words: str) -> None:
    launch.until(rf"\[start/1\] Task (was lost|failed): .*{words}")
    if kind == "infrastructure":
        launch.until(r"not counted against @retry")
        launch.interrupt()
    result = launch.wait()
    assert result.returncode == (130 if kind == "infrastructure" else 1), result.all
    attempt = space.read("LinearFlow", result).task("start").attempts[0]
    assert (attempt.kind, attempt.reason) == (kind, reason), result.all


@pytest.mark.budget(150)
def test_a_node_that_is_gone_is_noticed_and_the_task_runs_elsewhere(
    workspace: Workspace, kubectl: Kubectl
) -> None:
    stage = Stage(kubectl)
    try:
        launch = launched(workspace, stage)
        pod = stage.pod(workspace.selector)
        stage.play(pod, "Running", {"running": {}})
        launch.until(r"\[start/1\] Task is starting")
        stage.fall_silent()
        kubectl.run("label", "node", "node1", f"stage={stage.name}", "--overwrite")
        launch.until(r"\[start/1\] Task was lost: The node .* does not answer the cluster")
        told = stage.given_up_at()
        launch.until(r"not counted against @retry")
        result = launch.wait()
        assert result.returncode == 0, result.all
        first, second = workspace.read("LinearFlow", result).task("start").attempts
        assert (first.kind, first.reason, second.successful) == ("infrastructure", "NodeLost", True)
        # By the records of both, so that it does not matter when this was looked at.
        assert first.ended - told < NOTICED, result.all
    finally:
        kubectl.run("label", "node", "node1", "stage-")
        stage.close()


@pytest.fixture(scope="module")
def nowhere(
    target: Target, new_namespace: NewNamespace, workspace_in: WorkspaceIn
) -> Iterator[tuple[Workspace, Launch]]:
    """A run whose pod is bound to a node that there is not, by somebody who may not read nodes."""
    own = new_namespace("nowhere")
    bind(own, target, role())
    space = workspace_in(target.as_limited(), own)
    where = 'kubernetes:additional_pod_spec_args={"nodeName": "moon"}'
    try:
        yield space, space.start("linear.py", "run", "--with", where)
    finally:
        space.close()


@pytest.mark.budget(120)
def test_a_pod_of_a_node_that_never_was_ends_the_run(nowhere: tuple[Workspace, Launch]) -> None:
    space, launch = nowhere
    result = launch.wait()
    assert result.returncode == 1, result.all
    (attempt,) = space.read("LinearFlow", result).task("start").attempts
    assert (attempt.kind, attempt.reason) == ("configuration", "NodeName"), result.all
    assert "was taken away: the cluster has no node moon, which nodeName asks for" in attempt.message
    assert "tried again" not in result.all


@pytest.mark.budget(120)
def test_a_pod_whose_node_is_deleted_is_tried_again(deleted: tuple[Workspace, Launch]) -> None:
    ends(*deleted, "infrastructure", "DeletionByPodGC", "its node is gone")
