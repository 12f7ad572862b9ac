"""What nobody but a person can mend: its words, its class, what to do. Each is provoked on the cluster itself.

All stand side by side in one flow, whose steps are caught: each fails by itself, once, and the run succeeds.
"""

from collections.abc import Iterator

import pytest
from harness.causes import FLOW, SOON, Cause, flow_of, wrongs
from harness.kubectl import Kubectl
from harness.launch import Launch
from harness.registry import registry
from harness.stage import Stage
from harness.target import Target
from harness.webhook import LABEL, webhooks
from harness.workspace import NewNamespace, Workspace, Workspaces

#: So that what is wrong is given up soon.
CONFIGURATION = "configuration"

#: A program for a processor that no node has: the head of an ELF file for IBM's mainframes.
FOREIGN = b"\x7fELF\x02\x02\x01" + bytes(9) + b"\x00\x02\x00\x16" + bytes(44)


def volume(source: dict[str, object], path: str = "/v") -> dict[str, object]:
    """Settings that mount a volume."""
    return {
        "volumes": [{"name": "v", **source}],
        "volume_mounts": [{"name": "v", "mountPath": path}],
    }


def variable(source: str, name: str, key: str) -> dict[str, object]:
    return {"env": [{"name": "X", "valueFrom": {source: {"name": name, "key": key}}}]}


def keys(key: str, secret: str) -> dict[str, object]:
    """Settings that let a pod into the object store, or do not."""
    return {"env": {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}}


_CRASH = ["python", "-c", "import sys; sys.exit(3)"]
#: It is waited for, as its probe never says that it is there.
_BESIDE = {
    "name": "beside", "image": "python:3.11", "command": _CRASH, "restartPolicy": "Always",
    "startupProbe": {"exec": {"command": ["false"]}},
}  # fmt: skip
_PREPARE = {"name": "prepare", "image": "python:3.11", "command": _CRASH}
_HUNGRY = {
    **_PREPARE, "command": ["python", "-c", "b'x' * 300_000_000"], "resources": {"limits": {"memory": "40M"}},
}  # fmt: skip
_NAMELESS = {**_PREPARE, "image": "Not A Name"}
_ON_THE_MOON = {
    "nodeSelectorTerms": [{"matchExpressions": [{"key": "pool", "operator": "In", "values": ["moon"]}]}]
}

CAUSES = {
    # No node ever.
    "no_such_node": Cause(
        {"node_selector": {"pool": "moon"}}, CONFIGURATION, "NeverSchedulable", "does not carry pool=moon",
        "UNSCHEDULABLE_TIMEOUT",
    ),
    "no_node_by_affinity": Cause(
        {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": _ON_THE_MOON}}},
        CONFIGURATION, "NeverSchedulable", "does not meet the pod's node affinity (pool In moon)",
    ),
    "too_large": Cause(
        {"memory": 9000000}, CONFIGURATION, "NeverSchedulable",
        "of memory in all, the pod asks for 9000000 MB", "memory=",
    ),
    "no_gpu": Cause(
        {"gpu": 2}, CONFIGURATION, "NeverSchedulable", "has no nvidia.com/gpu, the pod asks for 2", "gpu=",
    ),
    "no_node_of_that_name": Cause(
        {"additional_pod_spec_args": {"nodeName": "moon"}}, CONFIGURATION, "NodeName",
        "has no node moon, which nodeName asks for", "kubernetes.io/hostname",
    ),
    "not_for_that_node": Cause(
        {"additional_pod_spec_args": {"nodeName": "node1"}, "node_selector": {"pool": "moon"}},
        CONFIGURATION, "NodeName", "never will take the pod", "Predicate NodeAffinity failed",
    ),
    "too_large_for_that_node": Cause(
        {"additional_pod_spec_args": {"nodeName": "node1"}, "cpu": 5000},
        CONFIGURATION, "NodeName", "never will take the pod", "additional_pod_spec_args",
    ),
    "no_claim": Cause(
        {"persistent_volume_claims": {"nope": "/x"}}, CONFIGURATION, "Unschedulable",
        "the volume claim nope does not exist", "kubectl get pvc",
    ),
    # No image.
    "no_registry": Cause(
        {"image": "nowhere.invalid/team/image:1"}, CONFIGURATION, "ImagePullBackOff",
        "the registry's host name is not known", "CONTAINER_REGISTRY",
    ),
    # Such a registry is waited for, and is the infrastructure's affair, unless a person says otherwise.
    "not_waited_for": Cause(
        {"image": "127.0.0.1:1/team/image:1", "fail_on_container_waiting_reasons": ["ErrImagePull", "ImagePullBackOff"]},
        CONFIGURATION, "ImagePullBackOff", "the registry does not answer",
    ),
    "no_image_on_the_node": Cause(
        {"image": "nowhere:1", "image_pull_policy": "Never"}, CONFIGURATION, "ErrImageNeverPull",
        "cannot be used", "IfNotPresent",
    ),
    # The step's own is looked at before anything runs.
    "no_name_of_an_image": Cause(
        {"additional_pod_spec_args": {"initContainers": [_NAMELESS]}}, CONFIGURATION, "InvalidImageName",
        "the image of the init container prepare cannot be used", "in lower case",
    ),
    # No container.
    "no_secret": Cause(
        {"secrets": ["nix"]}, CONFIGURATION, "CreateContainerConfigError", 'secret "nix" not found',
        "Create the secret nix",
    ),
    "no_config_map": Cause(
        {"env_from": [{"configMapRef": {"name": "nix"}}]}, CONFIGURATION, "CreateContainerConfigError",
        'configmap "nix" not found', "Create the config map nix",
    ),
    "no_key_of_a_secret": Cause(
        variable("secretKeyRef", "object-store", "nix"), CONFIGURATION, "CreateContainerConfigError",
        "couldn't find key nix in Secret", "has no key nix: add it",
    ),
    "no_key_of_a_config_map": Cause(
        variable("configMapKeyRef", "kube-root-ca.crt", "nix"), CONFIGURATION, "CreateContainerConfigError",
        "couldn't find key nix in ConfigMap", "has no key nix: add it",
    ),
    "root_forbidden": Cause(
        {"security_context": {"run_as_non_root": True}}, CONFIGURATION, "CreateContainerConfigError",
        "runAsNonRoot", "run_as_user",
    ),
    "no_profile": Cause(
        {"security_context": {"seccompProfile": {"type": "Localhost", "localhostProfile": "nix.json"}}},
        CONFIGURATION, "CreateContainerError", "seccomp",
    ),
    "no_program": Cause(
        {"executable": "nopython"}, CONFIGURATION, "StartError", "could not start its command", "executable=",
    ),
    "foreign_program": Cause(
        {"executable": "/v/python", **volume({"configMap": {"name": "foreign", "defaultMode": 0o755}})},
        CONFIGURATION, "WrongArchitecture", "another kind of processor", "docker buildx",
    ),
    "too_little_to_start": Cause(
        {"qos": "Guaranteed", "memory": 1, "cpu": 0.02, "disk": 50}, "resources", "OutOfMemory",
        "as its memory limit is too low for that: container init was OOM-killed", "memory=",
    ),
    # No volume.
    "no_secret_to_mount": Cause(
        volume({"secret": {"secretName": "nix"}}), CONFIGURATION, "FailedMount", "the secret nix does not exist",
        "Create the secret nix",
    ),
    "no_config_map_to_mount": Cause(
        volume({"configMap": {"name": "nix"}}), CONFIGURATION, "FailedMount",
        "the config map nix does not exist", "Create the config map nix",
    ),
    "no_key_to_mount": Cause(
        volume({"secret": {"secretName": "object-store", "items": [{"key": "nix", "path": "nix"}]}}),
        CONFIGURATION, "FailedMount", "has no key nix", "Add the key",
    ),
    "no_folder_of_the_node": Cause(
        volume({"hostPath": {"path": "/nix/da", "type": "Directory"}}), CONFIGURATION, "FailedMount",
        "/nix/da is not a directory", "hostPath",
    ),
    # Company that fails.
    "init_container": Cause(
        {"additional_pod_spec_args": {"initContainers": [_PREPARE]}}, "user", "InitContainer",
        "init container prepare of the pod", "kubectl logs",
    ),
    "hungry_init_container": Cause(
        {"additional_pod_spec_args": {"initContainers": [_HUNGRY]}}, "resources", "InitContainer",
        "ran out of memory (OOMKilled)", "kubectl logs",
    ),
    "crashing_sidecar": Cause(
        {"additional_pod_spec_args": {"initContainers": [_BESIDE]}}, CONFIGURATION, "CrashLoopBackOff",
        "the container beside beside the step ends again and again", "kubectl logs",
    ),
    # No way to the datastore, which the launcher itself has.
    "no_keys": Cause(
        keys("", ""), CONFIGURATION, "StoreConfigurationError",
        "Its pod cannot use the datastore: no credentials for S3 were found", "@kubernetes(secrets=[…])",
    ),
    "wrong_keys": Cause(
        keys("nobody", "nothing"), CONFIGURATION, "StoreConfigurationError", "does not know these credentials",
        "Check AWS_ACCESS_KEY_ID",
    ),
    # No pod at all.
    "no_job": Cause(
        {"volume_mounts": [{"name": "nix", "mountPath": "/v"}]}, CONFIGURATION, "Invalid",
        "The cluster refuses the Job: a field of it is not valid: spec.containers[0].volumeMounts[2].name: Not found",
        "volume_mounts=…",
    ),
    "no_service_account": Cause(
        {"service_account": "nobody"}, CONFIGURATION, "ServiceAccount", "its service account does not exist",
        "kubectl create serviceaccount",
    ),
    "no_priority_class": Cause(
        {"priority_class_name": "nix"}, CONFIGURATION, "PriorityClass", "priority class",
        "kubectl get priorityclasses",
    ),
    "refused_by_a_webhook": Cause(
        {"labels": {LABEL: "refuse"}}, CONFIGURATION, "Denied", "run on Tuesdays only", "the policy's own",
    ),
}  # fmt: skip


def with_names(
    kubectl: Kubectl, stage: Stage, new_namespace: NewNamespace, port: int, certified: int, host: str
) -> dict[str, Cause]:
    """The causes that need something to be there: a node, namespaces with rules, a registry."""
    strict = new_namespace("baseline", {"pod-security.kubernetes.io/enforce": "baseline"})
    ranged, limited, small, none = (new_namespace(name) for name in ("ranged", "limited", "small", "none"))
    most = {"type": "Container", "max": {"memory": "1G"}}
    ranged.create({"apiVersion": "v1", "kind": "LimitRange", **_named("most"), "spec": {"limits": [most]}})
    hards = {"limits.cpu": "4"}, {"requests.cpu": "1"}, {"requests.nvidia.com/gpu": "0"}
    for space, hard in zip((limited, small, none), hards, strict=True):
        space.create({"apiVersion": "v1", "kind": "ResourceQuota", **_named("small"), "spec": {"hard": hard}})

    def image(repository: str, words: str, hint: str) -> Cause:
        name = f"127.0.0.1:{port}/{repository}/image:1"
        return Cause(
            {"image": name}, CONFIGURATION, "ImagePullBackOff", f"{name} cannot be pulled: {words}", hint
        )

    return {
        "taint": Cause(
            {"node_selector": {"stage": stage.name}}, CONFIGURATION, "NeverSchedulable",
            f"{stage.name}: has the taint stage={stage.name}:NoSchedule, which the pod does not tolerate",
            "tolerations=",
        ),
        "private_image": image("private", "the registry does not let the cluster in", "image_pull_secrets"),
        "forbidden_image": image("forbidden", "the registry does not let the cluster in", "image_pull_secrets"),
        "plain_registry": Cause(
            {"image": f"{host}:{port}/team/image:1"}, CONFIGURATION, "ImagePullBackOff",
            "the registry speaks plain HTTP", "a certificate",
        ),
        "untrusted_registry": Cause(
            {"image": f"{host}:{certified}/team/image:1"}, CONFIGURATION, "ImagePullBackOff",
            "the node does not trust the registry's certificate", "certificate signed by unknown authority",
        ),
        "missing_image": image("missing", "the registry does not have it", "Check the image's name and tag"),
        "image_for_others": image("elsewhere", "it is not built for the node's kind of processor", "buildx"),
        "pod_security": Cause(
            {"namespace": strict.namespace, "host_ipc": True}, CONFIGURATION, "PodSecurity",
            "the namespace's Pod Security forbids the pod", "Remove what it names",
        ),
        "limit_range": Cause(
            {"namespace": ranged.namespace, "memory": 2000}, CONFIGURATION, "LimitRange",
            "limit range may have set", "kubectl describe limitrange",
        ),
        "quota_of_limits": Cause(
            {"namespace": limited.namespace}, CONFIGURATION, "QuotaNeedsLimits",
            "wants every pod to name its limits", "qos=Guaranteed",
        ),
        "quota_too_small": Cause(
            {"namespace": small.namespace, "cpu": 2}, CONFIGURATION, "QuotaTooSmall",
            "requests.cpu: it asks for 2, 0 of 1 is in use", "kubectl describe quota",
        ),
        "quota_of_none": Cause(
            {"namespace": none.namespace, "gpu": 1}, CONFIGURATION, "QuotaTooSmall",
            "requests.nvidia.com/gpu: it asks for 1, 0 of 0 is in use", "Ask for less requests.nvidia.com/gpu",
        ),
    }  # fmt: skip


def _named(name: str) -> dict[str, dict[str, str]]:
    return {"metadata": {"name": name}}


@pytest.fixture(scope="module")
def causes(
    target: Target,
    kubectl: Kubectl,
    new_namespace: NewNamespace,
    session_name: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, Cause]]:
    """Every cause, with what it needs."""
    foreign = tmp_path_factory.mktemp("foreign") / "python"
    foreign.write_bytes(FOREIGN)
    kubectl.run("create", "configmap", "foreign", f"--from-file={foreign}")
    stage = Stage(kubectl)
    try:
        with registry() as port, registry(target.host) as certified, webhooks(kubectl, session_name):
            yield CAUSES | with_names(kubectl, stage, new_namespace, port, certified, target.host)
    finally:
        stage.close()


@pytest.fixture(scope="module")
def running(workspaces: Workspaces, causes: dict[str, Cause]) -> tuple[Workspace, Launch]:
    """Every cause, side by side."""
    space = workspaces()
    return space, space.start(flow_of(causes), "run", "--max-workers=100", env=SOON)


@pytest.mark.budget(150)
def test_every_real_cause_has_its_words_and_its_class(
    running: tuple[Workspace, Launch], causes: dict[str, Cause]
) -> None:
    """With ``start_failure_timeout`` and ``unschedulable_timeout`` as short as :data:`SOON` has them."""
    workspace, launch = running
    result = launch.wait()
    assert result.returncode == 0, result.all
    wrong = wrongs(causes, result, workspace.read(FLOW, result, env=SOON))
    assert not wrong, "\n\n".join(wrong)
    began = {
        line.text.partition("/")[0] for line in result.lines if line.text.endswith("] Task is starting.")
    }
    # What its node cannot execute has begun, for the node; and for it a pod without a way to its orders works.
    assert began - {"[foreign_program", "[no_keys", "[wrong_keys"} == {"[start", "[join", "[end"}, (
        "no step began"
    )
