"""What schedulers, quotas, webhooks, volumes and autoscalers say, in words for people."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import msgspec
import pytest

from headway.config.quantities import quantity, shown
from headway.executors.kubernetes.api.diagnosis import error_from_status
from headway.executors.kubernetes.api.errors import ApiError, Target
from headway.executors.kubernetes.api.types import Event, Status, StatusCause, StatusDetails
from headway.executors.kubernetes.pod_events import Scaling, scaling, setting_up, unbound
from headway.executors.kubernetes.refusal import job_refusal, refusal
from headway.executors.kubernetes.scheduling import explain
from headway.store.records import CONFIGURATION, INFRASTRUCTURE, RESOURCES

# The scheduler

PREEMPTION = (
    " preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
    " no new claims to deallocate, preemption: 0/3"
)


#: Taints of nodes that start or leave.
PASSING = (
    "ToBeDeletedByClusterAutoscaler", "karpenter.sh/disrupted", "node.cilium.io/agent-not-ready",
    "ebs.csi.aws.com/agent-not-ready", "node.cloudprovider.kubernetes.io/uninitialized",
)  # fmt: skip


@pytest.mark.parametrize(
    ("message", "words", "hint", "fixed"),
    [
        (
            "0/3 nodes are available: 1 Insufficient memory, 2 Insufficient cpu." + PREEMPTION,
            "of 3 nodes 1 has too little free memory, 2 have too little free cpu", "memory=", False,
        ),
        (
            "0/2 nodes are available: 2 Insufficient nvidia.com/gpu.",
            "of 2 nodes 2 have too few free GPUs", "gpu=", False,
        ),
        (
            ("0/2 nodes are available: 1 node(s) had untolerated taint {fleet: }, "
            "1 node(s) didn't match Pod's node affinity/selector."),
            ("of 2 nodes 1 has a taint that the pod does not tolerate (fleet), "
            "1 has not the labels that node_selector, compute_pool or affinity ask for"),
            '"key": "fleet"', True,
        ),
        (
            ("0/6 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 5 node(s) had untolerated "
            "taint(s). no new claims to deallocate, preemption: 0/6 nodes are available: 6 Preemption is not helpful."),
            "ask for, 5 have a taint that the pod does not tolerate", "labels", True,
        ),
        (
            "0/1 nodes are available: 1 node(s) had untolerated taint(s).",
            "1 has a taint that the pod does not tolerate", "kubectl describe nodes shows their taints", True,
        ),
        (
            "0/1 nodes are available: 1 node(s) had untolerated taint(s) {a: b, c: d}.",
            "a taint that the pod does not tolerate (a: b, c: d)", "tolerations", True,
        ),
        (
            "0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }.",
            "node.kubernetes.io/unreachable", "come and go", False,
        ),
        *(
            (f"0/1 nodes are available: 1 node(s) had untolerated taint {{{key}: }}.", key, "come and go", False)
            for key in PASSING
        ),
        (
            "0/1 nodes are available: 1 node(s) were unschedulable.",
            "of 1 node 1 has the mark that it takes no pods (cordoned)", "uncordon", False,
        ),
        (
            "0/1 nodes are available: 1 Insufficient example.com/fpga.",
            "too little free example.com/fpga", "extended_resources", False,
        ),
        ("0/4 nodes are available: 4 node(s) had volume node affinity conflict.", "another zone", "zone", True),
        ("0/4 nodes are available: 4 node(s) didn't match pod anti-affinity rules.", "anti-affinity", "affinity", False),
        (
            "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
            "a volume claim of the pod is not bound", "storage class", False,
        ),
        ("0/0 nodes are available.", "the cluster has no nodes", "autoscaler", False),
        ("no nodes available to schedule pods", "no nodes available to schedule pods", "Ask for less", False),
        ("0/1 nodes are available: 1 of tomorrow's reasons.", "of 1 node 1 of tomorrow's reasons", "Ask for less", False),
    ],
)  # fmt: skip
def test_the_schedulers_words(message: str, words: str, hint: str, fixed: bool) -> None:
    found = explain(message)
    assert words in found.words
    assert hint in found.hint
    assert found.fixed is fixed
    assert not found.hopeless
    assert "preemption" not in found.words


@pytest.mark.parametrize(
    ("text", "amount"),
    [("2", "2"), ("500m", "0.5"), ("4Gi", str(4 * 2**30)), ("64M", "64000000"), ("1e3", "1000"), ("x", None), ("", None)],
)  # fmt: skip
def test_amounts(text: str, amount: str | None) -> None:
    assert quantity(text) == (None if amount is None else Decimal(amount))


def test_amounts_for_people() -> None:
    assert (shown("memory", Decimal(64_000_000)), shown("cpu", Decimal("0.5"))) == ("64 MB", "0.5")


# Refusals

FORBIDDEN = 'Error creating: pods "x-abcde" is forbidden: '


@pytest.mark.parametrize(
    ("message", "reason", "words", "waits"),
    [
        (
            FORBIDDEN + "exceeded quota: small, requested: requests.cpu=2,pods=1, used: requests.cpu=3,pods=1, "
            "limited: requests.cpu=4,pods=9",
            "Quota",
            ("the namespace's quota small is used up (requests.cpu: it asks for 2, 3 of 4 is in use; "
            "pods: it asks for 1, 1 of 9 is in use)"),
            True,
        ),
        (
            FORBIDDEN + "exceeded quota: small, requested: requests.memory=4096M, used: requests.memory=0, "
            "limited: requests.memory=1Gi",
            "QuotaTooSmall", "more than the namespace's whole quota small (requests.memory: it asks for 4096M", False,
        ),
        (
            FORBIDDEN + "exceeded quota: small, requested: requests.nvidia.com/gpu=1, used: requests.nvidia.com/gpu=0, "
            "limited: requests.nvidia.com/gpu=0",
            "QuotaTooSmall", "(requests.nvidia.com/gpu: it asks for 1, 0 of 0 is in use)", False,
        ),
        (
            FORBIDDEN + "exceeded quota: small, requested: limits.cpu=1,pods=1, used: limits.cpu=0,pods=0, "
            "limited: limits.cpu=0,pods=0",
            "QuotaTooSmall", "limits.cpu: it asks for 1, 0 of 0 is in use; pods", False,
        ),
        *(
            (
                FORBIDDEN + f"exceeded quota: small, requested: {kind}=1, used: {kind}=0, limited: {kind}=0",
                "Quota", f"{kind}: it asks for 1, 0 of 0 is in use", True,
            )
            for kind in ("pods", "count/pods", "count/jobs.batch")
        ),
        (FORBIDDEN + "failed quota: small: must specify limits.cpu", "QuotaNeedsLimits", "name its limits", False),
        (FORBIDDEN + 'violates PodSecurity "restricted:latest": x', "PodSecurity", "Pod Security forbids", False),
        (
            ('Error creating: Internal error occurred: failed calling webhook "x.example.com": failed to call webhook: '
            'Post "https://x": connection refused'),
            "Webhook", "a webhook that must agree does not answer", True,
        ),
        ("Error creating: etcdserver: request timed out", "ApiServer", "the cluster is in trouble", True),
        (
            'Error creating: admission webhook "policy.example.com" denied the request: no label team',
            "Denied", "a policy of the cluster forbids it: admission webhook", False,
        ),
        (
            FORBIDDEN + 'error looking up service account ns/nobody: serviceaccount "nobody" not found',
            "ServiceAccount", "its service account does not exist", False,
        ),
        (FORBIDDEN + "no PriorityClass with name high was found", "PriorityClass", "priority class", False),
        (
            FORBIDDEN + "unable to validate against any security context constraint: []", "SecurityContextConstraint",
            "OpenShift", False,
        ),
        (FORBIDDEN + "maximum memory usage per Container is 1Gi, but limit is 4Gi", "LimitRange", "limit range", False),
        ("Error creating: something new", "FailedCreate", "something new", False),
    ],
)  # fmt: skip
def test_why_pods_are_refused(message: str, reason: str, words: str, waits: bool) -> None:
    found = refusal(message)
    assert (found.reason, found.waits) == (reason, waits)
    assert words in found.words
    assert "Error creating" not in found.words
    assert found.hint


JOB = 'jobs.batch "sample-train" is forbidden: '


@pytest.mark.parametrize(
    ("code", "message", "reason", "words", "waits"),
    [
        (
            403, JOB + "unable to create new content in namespace team because it is being terminated", "Namespace",
            "its namespace is being deleted: unable to create new content", False,
        ),
        (404, 'namespaces "team" not found', "Namespace", 'its namespace does not exist: namespaces "team"', False),
        (
            403, JOB + "exceeded quota: few, requested: count/jobs.batch=1, used: count/jobs.batch=9, "
            "limited: count/jobs.batch=9", "Quota",
            "the namespace's quota few is used up (count/jobs.batch: it asks for 1, 9 of 9 is in use)", True,
        ),
        (403, JOB + "status unknown for quota: few, resources: count/jobs.batch", "ApiServer", "in trouble", True),
        (
            403, 'admission webhook "policy.example.com" denied the request: no label team', "Denied",
            "a policy of the cluster forbids it: admission webhook", False,
        ),
        (
            400, 'admission webhook "policy.example.com" denied the request: no label team', "Denied",
            "a policy of the cluster forbids it: admission webhook", False,
        ),
        (
            400, ('Job in version "v1" cannot be handled as a Job: strict decoding error: unknown field '
            '"spec.template.spec.volumes[0].tomorrow", unknown field "spec.template.spec.other"'), "Invalid",
            "the cluster knows no field spec.volumes[0].tomorrow, spec.other", False,
        ),
        (
            500, 'Internal error occurred: failed calling webhook "p.example.com": no endpoints available', "Webhook",
            "a webhook that must agree does not answer: Internal error", True,
        ),
    ],
)  # fmt: skip
def test_why_a_job_is_refused(code: int, message: str, reason: str, words: str, waits: bool) -> None:
    found = job_refusal(api_error(code, message))
    assert found is not None
    assert (found.reason, found.waits) == (reason, waits)
    assert words in found.words
    assert "Kubernetes" not in found.words
    assert found.hint


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (403, JOB + 'User "me" cannot create resource "jobs" in API group "batch" in the namespace "team"'),
        (403, JOB + "something new"),
        (422, 'Job.batch "x" is invalid: spec.template: namespace of x not found'),
        (503, "etcdserver: request timed out"),
        (429, "too many requests"),
    ],
)
def test_of_other_refusals_of_a_job_the_cluster_speaks_for_itself(code: int, message: str) -> None:
    assert job_refusal(api_error(code, message)) is None


@pytest.mark.parametrize(
    ("causes", "words", "hint"),
    [
        (
            {"spec.template.spec.containers[0].volumeMounts[2].name": 'Not found: "nope"'},
            'a field of it is not valid: spec.containers[0].volumeMounts[2].name: Not found: "nope"',
            "settings say it: volume_mounts=…, persistent_volume_claims=….",
        ),
        (
            {
                "spec.template.spec.dnsPolicy": 'Unsupported value: "Sometimes"',
                "spec.template.spec.restartPolicy": 'Required value: valid values: "OnFailure", "Never"',
                "spec.template.metadata.labels": 'Invalid value: "a b"',
                "metadata.labels": 'Invalid value: "a b"',
                "spec.template.spec.containers[0].resources.limits[x]": "Invalid value",
            },
            'fields of it are not valid:\n  spec.dnsPolicy: Unsupported value: "Sometimes"\n  spec.restartPolicy: ',
            "settings say it: additional_pod_spec_args=…, labels=…, cpu=…, memory=…, disk=…, gpu=…, resources=….",
        ),
    ],
)  # fmt: skip
def test_a_job_with_fields_that_are_not_valid(causes: dict[str, str], words: str, hint: str) -> None:
    listed = tuple(StatusCause(field=field, message=message) for field, message in causes.items())
    answer = Status(kind="Status", code=422, reason="Invalid", details=StatusDetails(causes=listed))
    target = Target("create", "jobs", "batch", "team", "sample-train")
    found = job_refusal(error_from_status(answer, target, source="x"))
    assert found is not None
    assert (found.reason, found.waits) == ("Invalid", False)
    assert found.words.startswith(words)
    assert found.hint.endswith(hint)


def api_error(code: int, message: str) -> ApiError:
    answer = Status(kind="Status", code=code, message=message)
    return error_from_status(answer, Target("create", "jobs", "batch", "team", "sample-train"), source="x")


# Events of pods


def events(*said: tuple[str, str]) -> list[Event]:
    """Events, one second apart, the newest listed first, as servers may."""
    begin = datetime(2026, 11, 22, tzinfo=timezone.utc)
    raw = [
        {
            "metadata": {"name": str(number)},
            "reason": reason,
            "message": message,
            "lastTimestamp": (begin + timedelta(seconds=number)).isoformat(),
        }
        for number, (reason, message) in enumerate(said)
    ]
    return [msgspec.convert(each, Event) for each in reversed(raw)]


SANDBOX = (
    "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to create containerd task: failed to create "
    "shim task: OCI runtime create failed: runc create failed: unable to start container process: "
)
MOUNT = 'MountVolume.SetUp failed for volume "keys" : '


@pytest.mark.parametrize(
    ("said", "reason", "words", "patience", "kind"),
    [
        (
            [("FailedMount", MOUNT + 'secret "k" not found')], "FailedMount", "the secret k does not exist", 60.0,
            CONFIGURATION,
        ),
        (
            [("FailedMount", MOUNT + 'configmap "k" not found')], "FailedMount", "the config map k does not exist",
            60.0, CONFIGURATION,
        ),
        (
            [("FailedMount", MOUNT + "references non-existent secret key: a.txt")], "FailedMount",
            "its secret has no key a.txt", 60.0, CONFIGURATION,
        ),
        (
            [("FailedMount", MOUNT + "mount.nfs: timed out")], "FailedMount", "the volume keys cannot be mounted",
            600.0, INFRASTRUCTURE,
        ),
        (
            [("FailedAttachVolume", 'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) a')],
            "MultiAttach", "the volume pvc-1 is attached to another node", None, CONFIGURATION,
        ),
        (
            [("FailedCreatePodSandBox", "failed to set up network")], "FailedCreatePodSandBox",
            "cannot set up the pod", 600.0, INFRASTRUCTURE,
        ),
        (
            [
                ("FailedCreatePodSandBox", f"{SANDBOX}container init was OOM-killed (memory limit too low?): unknown"),
                (
                    "FailedCreatePodSandBox",
                    ('Failed to create pod sandbox: rpc error: code = Unknown desc = failed to start sandbox container '
                    'task "289ee7ae": cannot start a stopped process: unknown'),
                ),
            ],
            "OutOfMemory", "limit is too low for that: container init was OOM-killed (memory limit too low?)", 60.0,
            RESOURCES,
        ),
        (
            [("NetworkNotReady", "network is not ready: cni plugin not initialized")], "NetworkNotReady",
            "cannot set up the pod: network is not ready", 600.0, INFRASTRUCTURE,
        ),
        (
            [("FailedMapVolume", 'MapVolume.SetUp failed for volume "disk" : no such device')], "FailedMapVolume",
            "the volume disk cannot be mounted", 600.0, INFRASTRUCTURE,
        ),
        (
            [("FailedMount", "x"), ("Pulling", "pulling")], "Pulling", "still pulling the image python:9", None,
            CONFIGURATION,
        ),
    ],
)  # fmt: skip
def test_what_a_pods_events_say(
    said: list[tuple[str, str]], reason: str, words: str, patience: float | None, kind: str
) -> None:
    found = setting_up(events(*said), "python:9", 60.0)
    assert found is not None
    assert (found.reason, found.patience, found.kind) == (reason, patience, kind)
    assert words in found.message


@pytest.mark.parametrize("said", [[], [("FailedMount", "x"), ("Pulled", "y")], [("Scheduled", "x")]])
def test_what_is_over_is_not_told(said: list[tuple[str, str]]) -> None:
    assert setting_up(events(*said), "python:9", 60.0) is None


NOT = "pod didn't trigger scale-up: "

#: What autoscalers say that make no node, and whether they would if they could.
SCALERS = (
    ("NotTriggerScaleUp", f"{NOT}2 Insufficient nvidia.com/gpu, 1 node(s) had untolerated taint {{a: b}}", False),
    ("NotTriggerScaleUp", f"{NOT}1 node(s) had untolerated taint {{a: b}}, 1 in backoff after failed scale-up", True),
    ("NotTriggerScaleUp", f"{NOT}3 max node group size reached", True),
    ("NotTriggerScaleUp", f"{NOT}1 not ready for scale-up", True),
    ("NotTriggerScaleUp", f"{NOT}1 max cluster cpu, memory limit reached", True),
    (
        "FailedScaleUp", ("Node scale up in zones us-central1-a associated with this pod failed: GCE out of resources. "
        "Pod is at risk of not being scheduled."), True,
    ),
    (
        "FailedScaleUp", ("Node scale up in zones us-east1-b associated with this pod failed: GCE quota exceeded. "
        "Pod is at risk of not being scheduled."), True,
    ),
    (
        "FailedScheduling", 'Failed to schedule pod, all available instance types exceed limits for nodepool: "gpu"',
        True,
    ),
    (
        "FailedScheduling", ('Failed to schedule pod, incompatible with nodepool "gpu", daemonset '
        'overhead={"cpu":"150m"}, did not tolerate gpu=true:NoSchedule'), False,
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ([], Scaling()),
        ([("FailedScheduling", "0/1 nodes are available: 1 node(s) had untolerated taint {nodepool: a}.")], Scaling()),
        (
            [("TriggeredScaleUp", "pod triggered scale-up: [{pool 1->2}]")],
            Scaling(True, "pod triggered scale-up: [{pool 1->2}]"),
        ),
        ([("TriggeredScaleUp", "up"), ("NotTriggerScaleUp", "no")], Scaling(False, "no")),
        ([("NotTriggerScaleUp", "no"), ("TriggeredScaleUp", "up")], Scaling(True, "up")),
        *(([(reason, words)], Scaling(False, words, stock)) for reason, words, stock in SCALERS),
    ],
)  # fmt: skip
def test_whether_an_autoscaler_makes_a_node(said: list[tuple[str, str]], answer: Scaling) -> None:
    assert scaling(events(*said)) == answer


ASKED = ("ExternalProvisioning", "Waiting for a volume to be created by the external provisioner 'x'")
FAILED = ("ProvisioningFailed", 'storageclass.storage.k8s.io "nix" not found')


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ([], ""),
        ([("WaitForFirstConsumer", "waiting for first consumer to be created before binding")], ""),
        ([("WaitForFirstConsumer", "waiting"), ASKED], "Waiting for a volume to be created by"),
        ([FAILED, ASKED], 'storageclass.storage.k8s.io "nix" not found'),
        ([FAILED, ("ProvisioningSucceeded", "pv-1"), ASKED], "Waiting for a volume to be created by"),
        ([FAILED, ASKED, ("ProvisioningSucceeded", "pv-1")], ""),
    ],
)  # fmt: skip
def test_why_a_claim_has_no_volume(said: list[tuple[str, str]], words: str) -> None:
    found = unbound("data", events(*said))
    if not words:
        assert found is None
    else:
        assert found is not None
        assert (found.reason, found.patience) == ("UnboundClaim", None)
        assert found.message.startswith(f"the volume claim data is not bound to a volume yet: {words}")
        assert "kubectl describe pvc data" in found.hint
