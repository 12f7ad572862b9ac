"""Every failure that a cluster can cause: its words, its class, what to do. Provoked where one node can, else played.

The runs go on side by side; what no one-node cluster can do is said by a node without a machine, whose
kubelet is this test.
"""

import json
from collections.abc import Iterator

import pytest
from harness.kubectl import Kubectl, eventually
from harness.launch import Launch
from harness.stage import Stage
from harness.workspace import Workspace, Workspaces

#: So that what is wrong is given up soon.
SOON = {"HEADWAY_KUBERNETES_START_FAILURE_TIMEOUT": "9", "HEADWAY_KUBERNETES_UNSCHEDULABLE_TIMEOUT": "12"}

Running = dict[str, tuple[Workspace, Launch]]

SECRET_VOLUME = (
    'volumes=[{"name": "v", "secret": {"secretName": "nix"}}],'
    'volume_mounts=[{"name": "v", "mountPath": "/v"}]'
)
_CRASH = ["python", "-c", "import sys; sys.exit(3)"]
CRASHING = json.dumps({"initContainers": [{"name": "prepare", "image": "python:3.11", "command": _CRASH}]})

#: Real causes: what is said with ``--with``, the class, the reason, words of the message, words of the hint.
REAL = {
    "no service account": (
        "service_account=nobody", "configuration", "ServiceAccount", "its service account does not exist",
        "kubectl create serviceaccount",
    ),
    "no priority class": (
        "priority_class_name=nix", "configuration", "PriorityClass", "priority class", "kubectl get priorityclasses",
    ),
    "no claim": (
        'persistent_volume_claims={"nope": "/x"}', "configuration", "Unschedulable",
        "the volume claim nope does not exist", "kubectl get pvc",
    ),
    "no secret": (
        'secrets=["nix"]', "configuration", "CreateContainerConfigError", 'secret "nix" not found',
        "Create the secret nix",
    ),
    "no secret to mount": (
        SECRET_VOLUME, "configuration", "FailedMount", "the secret nix does not exist", "Create the secret nix",
    ),
    "no registry": (
        "image=nowhere.invalid/team/image:1", "configuration", "ImagePullBackOff",
        "the registry's host name is not known", "CONTAINER_REGISTRY",
    ),
    "no name of an image": (
        "image_pull_policy=Never,image=nowhere:1", "configuration", "ErrImageNeverPull", "cannot be used",
        "IfNotPresent",
    ),
    "no program": (
        "executable=nopython", "configuration", "StartError", "could not start its command", "executable=",
    ),
    "no such node": (
        'node_selector={"pool": "moon"}', "configuration", "NeverSchedulable", "does not carry pool=moon",
        "UNSCHEDULABLE_TIMEOUT",
    ),
    "too large": (
        "memory=9000000", "configuration", "NeverSchedulable", "of memory in all, the pod asks for 9000000 MB",
        "memory=",
    ),
    "init container": (
        f"additional_pod_spec_args={CRASHING}", "user", "InitContainer", "init container prepare of the pod",
        "kubectl logs",
    ),
    "root forbidden": (
        'security_context={"run_as_non_root": true}', "configuration", "CreateContainerConfigError", "runAsNonRoot",
        "run_as_user",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def running(workspaces: Workspaces) -> Running:
    """Every real cause, side by side."""
    spaces = {name: workspaces() for name in REAL}
    return {
        name: (space, space.start("linear.py", "run", "--with", f"kubernetes:{REAL[name][0]}", env=SOON))
        for name, space in spaces.items()
    }


def test_every_real_cause_has_its_words_and_its_class(running: Running) -> None:
    wrong: list[str] = []
    for name, (_, kind, reason, message, hint) in REAL.items():
        workspace, launch = running[name]
        result = launch.wait()
        attempts = workspace.read("LinearFlow", result).task("start").attempts
        said = [(each.kind, each.reason) for each in attempts]
        told = "\n".join(result.about("start/1"))
        if said != [(kind, reason)] or message not in attempts[0].message or hint not in told:
            wrong.append(f"{name}: {said}\n{result.all}")
        if result.returncode != 1 or "Task is starting" in result.stdout:
            wrong.append(f"{name}: it ran, or ended otherwise\n{result.all}")
    assert not wrong, "\n\n".join(wrong)


# What is waited for


@pytest.fixture
def quota(target: object, kubectl: Kubectl, session_name: str) -> Iterator[Kubectl]:
    """A namespace that allows no pod at first."""
    name = f"{session_name}-quota"
    other = Kubectl(kubectl.kubeconfig, name)
    kubectl.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    secret = json.loads(kubectl.run("get", "secret", "object-store", "-o", "json"))
    other.create(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "object-store"}, "data": secret["data"]}
    )
    body = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small"}}
    other.create({**body, "spec": {"hard": {"pods": "0", "requests.cpu": "1"}}})
    yield other
    kubectl.run("delete", "namespace", name, "--wait=false")


def test_a_full_quota_is_waited_for_and_one_too_small_is_not(workspaces: Workspaces, quota: Kubectl) -> None:
    env = {**SOON, "HEADWAY_KUBERNETES_NAMESPACE": quota.namespace}
    patient = workspaces().start("linear.py", "run", "--with", "kubernetes", env=env)
    space = workspaces()
    hopeless = space.start("linear.py", "run", "--with", "kubernetes:cpu=2", env=env)
    patient.until(
        r"\[start\] Waiting: the cluster refuses its pods: the namespace's quota small is used up "
        r"\(pods: it asks for 1, 0 of 0 is in use\)"
    )
    result = hopeless.wait()
    assert result.returncode == 1, result.all
    (attempt,) = space.read("LinearFlow", result, env=env).task("start").attempts
    assert (attempt.kind, attempt.reason) == ("configuration", "QuotaTooSmall")
    assert "requests.cpu: it asks for 2, 0 of 1 is in use" in attempt.message
    assert patient.running, "it waits as long as it takes"
    quota.run("patch", "quota", "small", "--patch", json.dumps({"spec": {"hard": {"pods": "9"}}}))
    result = patient.wait()
    assert result.returncode == 0, result.all


def test_a_webhook_that_is_down_is_waited_for(workspace: Workspace, session_name: str) -> None:
    name = f"{session_name}-down"
    here = {"matchLabels": {"kubernetes.io/metadata.name": workspace.kubectl.namespace}}
    mine = {"matchLabels": dict([workspace.selector.split("=")])}
    hook = {
        "name": "down.example.com",
        "clientConfig": {"service": {"name": "nobody", "namespace": "default", "path": "/"}},
        "rules": [
            {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
        ],
        "namespaceSelector": here,
        "objectSelector": mine,
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": 1,
    }
    kind = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration"}
    workspace.kubectl.create({**kind, "metadata": {"name": name}, "webhooks": [hook]})
    try:
        launch = workspace.start("linear.py", "run", "--with", "kubernetes", env=SOON)
        launch.until(r"Waiting: the cluster refuses its pods: a webhook that must agree does not answer")
    finally:
        workspace.kubectl.run("delete", "validatingwebhookconfiguration", name)
    result = launch.wait()
    assert result.returncode == 0, result.all


# What only more nodes, or clouds, can do


@pytest.fixture(scope="module")
def stage(kubectl: Kubectl) -> Iterator[Stage]:
    stage = Stage(kubectl)
    yield stage
    stage.close()


PULL = 'Back-off pulling image "team/image:1": ErrImagePull: failed to resolve reference: '

#: What a kubelet says of a container that waits, the class, words of what is told. None of them ends at once.
WAITING = {
    PULL + "unexpected status: 401 Unauthorized": "the registry does not let the cluster in",
    PULL + "429 Too Many Requests": "the registry limits how often it may be asked",
    PULL + "docker.io/team/image:1: not found": "the registry does not have it",
    PULL + "no match for platform in manifest": "it is not built for the node's kind of processor",
}

#: How a pod may end: its status, the class, the reason, words of the message, whether @retry is spared.
ENDS = {
    "evicted for disk": (
        {"reason": "Evicted", "message": "The node was low on resource: ephemeral-storage."},
        "TerminationByKubelet", "infrastructure", "TerminationByKubelet", "low on resource: ephemeral-storage",
    ),
    "over its own disk": (
        {"reason": "Evicted", "message": "Pod ephemeral local storage usage exceeds the total limit of containers 50M."},
        "", "resources", "DiskFull", "used more disk than it may",
    ),
    "preempted": (
        {}, "PreemptionByScheduler", "infrastructure", "PreemptionByScheduler",
        "a pod of higher priority took its place",
    ),
    "drained": ({}, "EvictionByEvictionAPI", "infrastructure", "EvictionByEvictionAPI", "as when a node is drained"),
    "node deleted": ({}, "DeletionByPodGC", "infrastructure", "DeletionByPodGC", "its node is gone"),
    "deadline": ({"reason": "DeadlineExceeded"}, "", "user", "DeadlineExceeded", "stopped at its deadline"),
    "out of memory": ({"exit": "OOMKilled"}, "", "resources", "OutOfMemory", "the kernel killed its container"),
    "wrong processor": (
        {"exit": "exec /usr/local/bin/python: exec format error"}, "", "configuration", "WrongArchitecture",
        "another kind of processor",
    ),
}  # fmt: skip


def launched(workspace: Workspace, stage: Stage) -> Launch:
    """A run whose first pod will be on the stage."""
    # Nobody is there to end its pods: with a grace they would stay for ever.
    env = {**SOON, "HEADWAY_KUBERNETES_TERMINATION_GRACE_PERIOD_SECONDS": "0"}
    return workspace.start("linear.py", "run", "--with", f"kubernetes:{stage.settings}", env=env)


def test_what_a_pod_waits_for_is_told_by_cause(workspaces: Workspaces, stage: Stage) -> None:
    spaces = {message: workspaces() for message in WAITING}
    attaching = workspaces()
    runs = {message: launched(space, stage) for message, space in spaces.items()}
    last = launched(attaching, stage)
    for message, space in spaces.items():
        waiting = {"waiting": {"reason": "ImagePullBackOff", "message": message}}
        stage.play(stage.pod(space.selector), state=waiting)
    said = 'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) x'
    stage.event(stage.pod(attaching.selector), "FailedAttachVolume", said)
    for message, launch in runs.items():
        launch.until(f"Waiting: the image python:3.11 cannot be pulled: {WAITING[message]}")
        if "429" in message:
            assert launch.running, "whatever the others do, this one waits"
            launch.interrupt()
    last.until(r"Waiting: the volume pvc-1 is attached to another node, and can be to one only")
    last.interrupt()
    for launch in (*runs.values(), last):
        assert launch.wait().returncode in (1, 130)
    stage.clear()


def test_how_a_pod_ended_is_told_and_counted(workspaces: Workspaces, stage: Stage) -> None:
    """All side by side; Kubernetes' own part is played as soon as each is known to run."""
    spaces = {case: workspaces() for case in ENDS}
    runs = {case: launched(space, stage) for case, space in spaces.items()}
    pods = {case: stage.pod(space.selector) for case, space in spaces.items()}
    for pod in pods.values():
        stage.play(pod, "Running", {"running": {}})
    for case, (said, disruption, *_) in ENDS.items():
        runs[case].until(r"\[start/1\] Task is starting")
        how = said.get("exit", "")
        ended = {"exitCode": 137, "reason": how if how == "OOMKilled" else "Error", "message": how}
        target = [{"type": "DisruptionTarget", "status": "True", "reason": disruption}] if disruption else []
        status = {key: value for key, value in said.items() if key != "exit"}
        stage.play(pods[case], "Failed", {"terminated": ended}, target, **status)
    for case, (_, _, kind, reason, words) in ENDS.items():
        launch = runs[case]
        launch.until(rf"\[start/1\] Task (was lost|failed): .*{words}")
        if kind == "infrastructure":
            launch.until(r"not counted against @retry")
            launch.interrupt()
        result = launch.wait()
        assert result.returncode == (130 if kind == "infrastructure" else 1), result.all
        attempt = spaces[case].read("LinearFlow", result).task("start").attempts[0]
        assert (attempt.kind, attempt.reason) == (kind, reason), result.all
    stage.clear()


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
        launch.until(r"\[start/1\] Task was lost: The node .* does not answer the cluster", 90)
        launch.until(r"not counted against @retry")
        result = launch.wait()
        assert result.returncode == 0, result.all
        first, second = workspace.read("LinearFlow", result).task("start").attempts
        assert (first.kind, first.reason, second.successful) == ("infrastructure", "NodeLost", True)
    finally:
        kubectl.run("label", "node", "node1", "stage-")
        stage.close()


# Company


def test_a_sidecar_that_never_ends_keeps_no_task_and_no_pod(workspace: Workspace) -> None:
    sleeping = ["python", "-c", "import time; time.sleep(3600)"]
    beside = {"containers": [{"name": "proxy", "image": "python:3.11", "command": sleeping}]}
    result = workspace.run_flow(
        "linear.py", "run", "--with", f"kubernetes:additional_pod_spec_args={json.dumps(beside)}"
    )
    assert result.returncode == 0, result.all
    assert "tried again" not in result.all
    assert not workspace.still_active()
    assert eventually(10, lambda: not workspace.jobs()), "no Job is left that says Failed"
