"""What is waited for as long as it takes: told with its cause and with what would help, and no attempt is spent on it.

All but the words of autoscalers is the cluster's own doing: which needs a cloud is written as an event by the test.
"""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime, timezone
from functools import partial
from typing import Any

import pytest
from harness.causes import SOON, Branch, flow_of
from harness.kubectl import Kubectl, eventually
from harness.registry import registry
from harness.stage import Stage
from harness.webhook import LABEL, selection, webhooks
from harness.workspace import NewNamespace, Workspace, Workspaces

#: So that what is wrong is given up soon; nothing here may be.
#: Seconds after which whatever those timeouts hold for is over.
LONGER = 24.0


def affinity(kind: str, app: str, key: str) -> dict[str, Any]:
    term = {"labelSelector": {"matchLabels": {"app": app}}, "topologyKey": key}
    return {"affinity": {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}


def device(claim: str) -> dict[str, Any]:
    """A container beside the step's with a claim's volume as a device."""
    beside = {"name": "beside", "image": "python:3.11", "command": ["true"]}
    return {
        "containers": [{**beside, "volumeDevices": [{"name": "device", "devicePath": "/dev/e2e"}]}],
        "volumes": [{"name": "device", "persistentVolumeClaim": {"claimName": claim}}],
    }


def waits(
    stage: Stage, cordoned: Stage, port: int, runtime_class: str, full: str
) -> dict[str, tuple[dict[str, Any], str]]:
    """By step: its settings, and a pattern of what is told."""
    here = stage.chosen
    spread = [
        {
            "maxSkew": 1,
            "topologyKey": "example.com/zone",
            "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": {"app": "any"}},
        }
    ]
    return {
        "cpu": ({**here, "cpu": 2}, r"of \d+ nodes .*1 has too little free cpu.*Ask for less \(cpu=…\)"),
        "memory": ({**here, "memory": 4000}, r"1 has too little free memory.*Ask for less \(memory=…\)"),
        "disk": ({**here, "disk": 5000}, r"1 has too little free disk.*Ask for less \(disk=…\)"),
        "gpu": ({**here, "gpu": 2}, r"1 has too few free GPUs.*Ask for less \(gpu=…\)"),
        "apart": (
            {**here, **affinity("podAntiAffinity", "filler", "stage")},
            r"1 has a pod that anti-affinity keeps this one away from.*loosen affinity=",
        ),
        "together": (
            affinity("podAffinity", "nobody", "kubernetes.io/os"),
            r"no pod of the kind that affinity asks for.*Check affinity=",
        ),
        "spread": (
            {"topology_spread_constraints": spread},
            r"topology_spread_constraints say.*ScheduleAnyway",
        ),
        "unbound": (
            {"persistent_volume_claims": {"unbound": "/v"}},
            r'the volume claim unbound is not bound to a volume yet: .*"nix" not found.*kubectl describe pvc',
        ),
        # Of which the scheduler says nothing: it has a node for the pod, but for the volume.
        "unmade": (
            {"persistent_volume_claims": {"unmade": "/v"}},
            r"the volume claim unmade is not bound to a volume yet: Waiting for a volume to be created",
        ),
        "gated": (
            {"additional_pod_spec_args": {"schedulingGates": [{"name": "example.com/queue"}]}},
            r"is held back by a scheduling gate.*takes it away",
        ),
        "scaling": ({**here, "cpu": 2}, r"an autoscaler is making a node for it \(pod triggered scale-up"),
        "not_scaling": (
            {**here, "cpu": 2},
            r"1 has too little free cpu.*the cluster's autoscaler does not make a node for it \(pod didn't trigger",
        ),
        # No node there could ever take it, and still it is not given up.
        "out_of_stock": (
            {"node_selector": {"pool": "moon"}},
            (
                r"does not carry pool=moon.*the cluster's autoscaler has no node to give for now \(pod didn't trigger .*"
                r"in backoff"
            ),
        ),
        "cordoned": (
            cordoned.chosen,
            r"1 has the mark that it takes no pods \(cordoned\).*kubectl uncordon",
        ),
        "no_job": (
            {"namespace": full},
            r"the cluster refuses the Job: the namespace's quota few is used up \(count/jobs.batch: it asks for 1",
        ),
        "limited": (
            {"image": f"127.0.0.1:{port}/limited/image:1"},
            r"the registry limits how often it may be asked.*Log in to the registry",
        ),
        "broken": ({"image": f"127.0.0.1:{port}/broken/image:1"}, r"the registry does not answer"),
        "refusing": ({"image": "127.0.0.1:1/team/image:1"}, r"the registry does not answer"),
        "sandbox": (
            {"additional_pod_spec_args": {"runtimeClassName": runtime_class}},
            r"its node cannot set up the pod: .*no runtime for",
        ),
        # What is tried again for ten minutes.
        "detached": (
            {**here, "persistent_volume_claims": {"broken": "/v"}},
            r"the volume \S+ cannot be mounted: AttachVolume.Attach failed for volume .*: no such disk",
        ),
        "unmapped": (
            {"additional_pod_spec_args": device("block")},
            r"the volume \S+ cannot be mounted: MapVolume\.\w+ failed for volume .*no such file or directory",
        ),
        "preparing": (
            {"additional_pod_spec_args": {"initContainers": [PREPARE]}},
            r"its init container prepare runs, and the step begins once that is done\. See what it does: kubectl logs",
        ),
        "elsewhere": (
            {**here, "persistent_volume_claims": {"elsewhere": "/v"}},
            r"the volume .* is attached to another node, and can be to one only.*ReadWriteMany",
        ),
    }


#: It takes its time.
PREPARE = {
    "name": "prepare",
    "image": "python:3.11",
    "command": ["python", "-c", "import time; time.sleep(600)"],
}

#: What autoscalers write of a pod, by step.
SCALERS = {
    "scaling": ("TriggeredScaleUp", "pod triggered scale-up: [{pool-1 1->2 (max: 9)}]"),
    "not_scaling": ("NotTriggerScaleUp", "pod didn't trigger scale-up: 1 Insufficient cpu"),
    "out_of_stock": (
        "NotTriggerScaleUp",
        "pod didn't trigger scale-up: 1 node(s) had untolerated taint {a: b}, 1 in backoff after failed scale-up",
    ),
}


@pytest.fixture(scope="module")
def stage(kubectl: Kubectl) -> Iterator[Stage]:
    """A node that is full."""
    stage = Stage(kubectl)
    try:
        stage.fill({"app": "filler"})
        yield stage
    finally:
        stage.close()


@pytest.fixture(scope="module")
def cordoned(kubectl: Kubectl) -> Iterator[Stage]:
    """A node that takes no pods for now."""
    stage = Stage(kubectl)
    try:
        kubectl.run("cordon", stage.name)
        yield stage
    finally:
        stage.close()


@pytest.fixture(scope="module")
def full(new_namespace: NewNamespace) -> str:
    """A namespace with no room for a Job."""
    found = new_namespace("no-room")
    about = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}}
    found.create({**about, "spec": {"hard": {"count/jobs.batch": "0"}}})
    return found.namespace


@pytest.fixture(scope="module")
def scenery(kubectl: Kubectl, session_name: str) -> Iterator[str]:
    """Claims without a volume and with one that is elsewhere; a kind of pods that no node can run, by name."""
    with ExitStack() as later:
        for each in [*classes(session_name), *claims(session_name)]:
            kubectl.create(each)
            about = each["metadata"]
            options = ("--ignore-not-found", "--wait=false", "--grace-period=0", "--force")
            later.callback(kubectl.run, "delete", each["kind"], about["name"], *options)
        say_of_attachment(kubectl, session_name, {"attached": True})
        yield session_name


def classes(name: str) -> list[dict[str, Any]]:
    """Of pods that no node can run, and of volumes that nobody makes."""
    about = {"metadata": {"name": name}}
    late = {"provisioner": f"{name}.example.com", "volumeBindingMode": "WaitForFirstConsumer"}
    return [
        {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", **about, "handler": "nix"},
        {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", **about, **late},
    ]


def claims(name: str) -> list[dict[str, Any]]:
    """Claims whose class does not exist, and whose volume nobody makes; one whose volume a pod of the real node holds,
    one whose volume cannot be attached, one whose disk its node does not have.
    """
    room, mode = {"storage": "1Gi"}, ["ReadWriteOnce"]
    asked = {"accessModes": mode, "resources": {"requests": room}}

    def volume_of(handle: str) -> dict[str, Any]:
        return {
            "capacity": room,
            "accessModes": mode,
            "csi": {"driver": f"{name}.example.com", "volumeHandle": handle},
            "storageClassName": "",
        }

    at_home = {"key": "kubernetes.io/hostname", "operator": "In", "values": ["node1"]}
    # Of a disk that the node does not have.
    block = {
        "capacity": room,
        "accessModes": mode,
        "volumeMode": "Block",
        "local": {"path": "/nix/da"},
        "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [at_home]}]}},
        "storageClassName": "",
    }
    holder = {
        "nodeName": "node1",
        "containers": [{"name": "holder", "image": "python:3.11"}],
        "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "elsewhere"}}],
        "terminationGracePeriodSeconds": 0,
    }
    kinds: list[tuple[str, str, str, Mapping[str, Any]]] = [
        ("storage.k8s.io/v1", "CSIDriver", f"{name}.example.com", {"attachRequired": True}),
        ("v1", "PersistentVolume", name, volume_of(name)),
        (
            "v1",
            "PersistentVolumeClaim",
            "elsewhere",
            {**asked, "storageClassName": "", "volumeName": name},
        ),
        ("v1", "PersistentVolume", f"{name}-broken", volume_of(f"{name}-broken")),
        (
            "v1",
            "PersistentVolumeClaim",
            "broken",
            {**asked, "storageClassName": "", "volumeName": f"{name}-broken"},
        ),
        ("v1", "PersistentVolume", f"{name}-block", block),
        (
            "v1",
            "PersistentVolumeClaim",
            "block",
            {**asked, "storageClassName": "", "volumeName": f"{name}-block", "volumeMode": "Block"},
        ),
        ("v1", "PersistentVolumeClaim", "unbound", {**asked, "storageClassName": "nix"}),
        ("v1", "PersistentVolumeClaim", "unmade", {**asked, "storageClassName": name}),
        ("v1", "Pod", "holder", holder),
    ]
    return [
        {"apiVersion": version, "kind": kind, "metadata": {"name": each}, "spec": spec}
        for version, kind, each, spec in kinds
    ]


def say_of_attachment(kubectl: Kubectl, volume: str, status: Mapping[str, Any]) -> None:
    """Say how the attachment of a volume went, as its driver would."""

    def attachment() -> str:
        found = json.loads(kubectl.run("get", "volumeattachments", "-o", "json"))["items"]
        return next(
            (
                each["metadata"]["name"]
                for each in found
                if each["spec"]["source"].get("persistentVolumeName") == volume
            ),
            "",
        )

    name = eventually(120, attachment)
    assert name, "nobody attaches the volume"
    patch = json.dumps({"status": status})
    kubectl.run("patch", "volumeattachment", name, "--subresource=status", "--type=merge", "--patch", patch)


@pytest.mark.budget(120)
def test_what_may_mend_itself_is_told_and_waited_for(
    workspace: Workspace, stage: Stage, cordoned: Stage, full: str, scenery: str, kubectl: Kubectl
) -> None:
    with registry() as port:
        expected = waits(stage, cordoned, port, scenery, full)
        steps = {name: Branch(settings) for name, (settings, _) in expected.items()}
        begun = time.monotonic()
        launch = workspace.start(flow_of(steps, catches=False), "run", "--max-workers=100", env=SOON)
        launch.until(r"\[cpu/\d+\] Waiting: ")
        for step, (reason, words) in SCALERS.items():
            (pod,) = eventually(90, partial(workspace.pods, f"metaflow/step_name={step}"))
            stage.event(pod["metadata"]["name"], reason, words)
        error = {"message": "no such disk", "time": f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"}
        say_of_attachment(kubectl, f"{scenery}-broken", {"attached": False, "attachError": error})
        for step, (_, words) in expected.items():
            launch.until(rf"\[{step}(/\d+)?\] Waiting: .*{words}")
        left = LONGER - (time.monotonic() - begun)
        assert not eventually(max(0, left), lambda: not launch.running), "it waits as long as it takes"
        launch.interrupt()
        result = launch.wait()
    assert result.returncode == 130, result.all
    assert "Task failed" not in result.all
    assert "Task was lost" not in result.all
    said = {event["reason"] for event in kubectl.objects("events")}
    assert {"FailedAttachVolume", "FailedMapVolume"} <= said, "they are the cluster's own words"


@pytest.mark.budget(90)
def test_a_full_quota_is_waited_for(workspace: Workspace, new_namespace: NewNamespace) -> None:
    quota = new_namespace("quota")
    body = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small"}}
    quota.create({**body, "spec": {"hard": {"pods": "0", "requests.cpu": "1"}}})
    env = {**SOON, "HEADWAY_KUBERNETES_NAMESPACE": quota.namespace}
    launch = workspace.start("linear.py", "run", "--with", "kubernetes", env=env)
    launch.until(
        r"\[start\] Waiting: the cluster refuses its pods: the namespace's quota small is used up "
        r"\(pods: it asks for 1, 0 of 0 is in use\).*have the quota raised"
    )
    assert not eventually(5, lambda: not launch.running), "it waits as long as it takes"
    listed = workspace.run_flow("linear.py", "kubernetes", "list", env=env).stdout
    assert (
        "Status: Without pods: the cluster refuses its pods: the namespace's quota small is used up" in listed
    )
    quota.run("patch", "quota", "small", "--patch", json.dumps({"spec": {"hard": {"pods": "9"}}}))
    result = launch.wait()
    assert result.returncode == 0, result.all


@pytest.mark.budget(90)
def test_a_webhook_that_is_down_is_waited_for(workspaces: Workspaces, session_name: str) -> None:
    workspace = workspaces()
    name = f"{session_name}-down"
    hook = {
        "name": "down.example.com",
        "clientConfig": {"service": {"name": "nobody", "namespace": "default", "path": "/"}},
        **selection(dict([workspace.selector.split("=")])),
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


@pytest.mark.budget(90)
def test_a_suspended_job_is_told_of_and_goes_on(workspaces: Workspaces, session_name: str) -> None:
    """As a queue does it: a webhook suspends the Job, and its turn comes later."""
    workspace = workspaces()
    labels = f"{workspace.environ['HEADWAY_KUBERNETES_LABELS']},{LABEL}=suspend"
    with webhooks(workspace.kubectl, session_name):
        typed = ("run", "--with", "kubernetes:reuse=true")
        launch = workspace.start("linear.py", *typed, env={**SOON, "HEADWAY_KUBERNETES_LABELS": labels})
        launch.until(
            r"Waiting: the Job \S+ is suspended: a queue, or whoever suspended it, has not admitted it"
        )
        (job,) = workspace.jobs()
        assert not workspace.pods()
        name = job["metadata"]["name"]
        workspace.kubectl.run("patch", "job", name, "--patch", json.dumps({"spec": {"suspend": False}}))
        result = launch.wait()
    assert result.returncode == 0, result.all
