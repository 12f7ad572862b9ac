"""Why pods do not run, from their states: one table of states, words and how long they are waited for."""

import re
from typing import Any

import pytest
from pod_fakes import pod, unscheduled

from headway.executors.kubernetes.pod_states import has_company, has_run, is_over, lingers
from headway.executors.kubernetes.standstill import standstill
from headway.store.records import CONFIGURATION, INFRASTRUCTURE, RESOURCES

STEP, IMAGE = "train", "team/image:429"

RAN = {"exitCode": 0, "startedAt": "2026-11-22T08:41:25Z"}


@pytest.mark.parametrize(
    ("state", "running", "over"),
    [
        (pod("Pending"), False, False),
        (pod("Pending", waiting={"reason": "ContainerCreating"}), False, False),
        (pod("Pending", waiting={"reason": "PodInitializing"}), False, False),
        (pod("Running", running={}), True, False),
        (pod("Running", terminated=RAN), True, True),  # a sidecar goes on
        (pod("Succeeded", terminated=RAN), True, True),
        (pod("Failed", terminated={"exitCode": 137}), False, True),  # given up before it could begin
        (pod("Failed", terminated={"exitCode": 128, "startedAt": "1970-01-01T00:00:00Z"}), False, True),
        (pod("Failed"), False, True),
        (pod("Unknown", running={}), True, False),
    ],
)
def test_the_steps_container_decides(state: Any, running: bool, over: bool) -> None:
    assert (has_run(state, STEP), is_over(state, STEP)) == (running, over)


@pytest.mark.parametrize(
    ("state", "company", "alone"),
    [
        (pod("Running", running={}), True, False),
        (pod("Running", terminated=RAN), True, True),
        (pod("Succeeded", terminated=RAN), False, False),
        (pod("Failed", terminated={"exitCode": 1}), False, False),
    ],
)
def test_whether_others_go_on(state: Any, company: bool, alone: bool) -> None:
    assert (has_company(state, STEP), lingers(state, STEP)) == (company, alone)


PULL = 'failed to pull and unpack image "docker.io/team/image:429": failed to resolve reference "team/image:429": '

#: What the kubelet says while it cannot pull: the words for it, the patience (60 s are configured), the class.
PULLS = {
    PULL + "docker.io/team/image:429: not found": ("the registry does not have it", 60.0, CONFIGURATION),
    "rpc error: code = NotFound desc = manifest unknown": ("the registry does not have it", 60.0, CONFIGURATION),
    PULL + "pull access denied, repository does not exist or may require authorization": (
        "the registry does not let the cluster in", 60.0, CONFIGURATION,
    ),
    PULL + "unexpected status from HEAD request to https://r.io/v2/x: 401 Unauthorized": (
        "the registry does not let the cluster in", 60.0, CONFIGURATION,
    ),
    PULL + "failed to copy: httpReadSeeker: 429 Too Many Requests - toomanyrequests: pull rate limit": (
        "the registry limits how often it may be asked", None, INFRASTRUCTURE,
    ),
    PULL + 'failed to do request: Head "https://r.invalid/v2/": dial tcp: lookup r.invalid: no such host': (
        "the registry's host name is not known", 60.0, CONFIGURATION,
    ),
    PULL + "dial tcp 192.0.2.7:443: connect: connection refused": (
        "the registry does not answer", 600.0, INFRASTRUCTURE,
    ),
    PULL + "tls: failed to verify certificate: x509: certificate signed by unknown authority": (
        "the node does not trust the registry's certificate", 60.0, CONFIGURATION,
    ),
    "http: server gave HTTP response to HTTPS client": (
        "the registry speaks plain HTTP, and the node asks with HTTPS", 60.0, CONFIGURATION,
    ),
    PULL + 'failed to do request: Head "https://r.io/v2/": tls: first record does not look like a TLS handshake': (
        "the registry speaks plain HTTP, and the node asks with HTTPS", 60.0, CONFIGURATION,
    ),
    "no match for platform in manifest: not found": (
        "it is not built for the node's kind of processor", 60.0, CONFIGURATION,
    ),
    "write /var/lib/containerd/x: no space left on device": ("the node's disk is full", 600.0, INFRASTRUCTURE),
}  # fmt: skip


@pytest.mark.parametrize("message", PULLS)
@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff"])
def test_an_image_that_cannot_be_pulled(reason: str, message: str) -> None:
    words, patience, kind = PULLS[message]
    found = standstill(pod("Pending", waiting={"reason": reason, "message": message}), STEP, IMAGE, 60.0)
    assert found is not None
    assert (found.reason, found.patience, found.kind) == ("ImagePullBackOff", patience, kind)
    assert found.message == f"the image {IMAGE} cannot be pulled: {words}"
    assert found.in_full == f"{found.message} ({found.detail})"
    assert found.advice == f"{found.hint} The node says: {found.detail}"
    assert found.detail
    assert message.endswith(found.detail)
    assert not re.search("unpack|resolve reference|do request", found.detail), "only the cause"
    assert found.hint
    assert not found.vague


@pytest.mark.parametrize(
    ("reason", "message", "patience"),
    [
        (
            "ErrImagePull",
            PULL + "429 Too Many Requests - toomanyrequests",
            0.0,
        ),  # else waited for without an end
        ("CreateContainerConfigError", 'secret "keys" not found', 0.0),
        ("ErrRuntimeOfItsOwn", "no such handler", 0.0),  # else not known
        ("ImagePullBackOff", PULL + "docker.io/team/image:429: not found", 60.0),  # not named
    ],
)
def test_a_person_says_what_is_not_waited_for(reason: str, message: str, patience: float) -> None:
    at_once = ("ErrImagePull", "CreateContainerConfigError", "ErrRuntimeOfItsOwn")
    waiting = {"reason": reason, "message": message}
    found = standstill(pod("Pending", waiting=waiting), STEP, IMAGE, 60.0, at_once)
    assert found is not None
    assert (found.patience, found.kind, found.vague) == (patience, CONFIGURATION, False)
    if reason == "ErrRuntimeOfItsOwn":
        assert "ErrRuntimeOfItsOwn" in found.message
        assert "no such handler" in found.message
        assert standstill(pod("Pending", waiting=waiting), STEP, IMAGE) is None
    in_init = standstill(
        pod("Pending", waiting={"reason": "PodInitializing"}, init={"waiting": waiting}),
        STEP,
        IMAGE,
        60.0,
        at_once,
    )
    assert in_init is not None
    assert (in_init.patience == 0.0) == (patience == 0.0)


def test_an_older_kubelet_that_does_not_say_why() -> None:
    said = f'Back-off pulling image "{IMAGE}"'
    found = standstill(pod("Pending", waiting={"reason": "ImagePullBackOff", "message": said}), STEP, IMAGE)
    assert found is not None
    assert found.vague
    assert "image_pull_secrets" in found.hint


@pytest.mark.parametrize(
    ("reason", "message", "patience", "words", "hint"),
    [
        ("InvalidImageName", "it says so", 0.0, "cannot be used (InvalidImageName): it says so", "lower case"),
        ("ErrImageNeverPull", "it says so", 0.0, "cannot be used", "IfNotPresent"),
        (
            "CreateContainerConfigError", 'secret "x" not found', 30.0,
            'cannot be made (CreateContainerConfigError): secret "x" not found', "Create the secret x",
        ),
        ("CreateContainerConfigError", 'configmap "y" not found', 30.0, "cannot be made", "Create the config map y"),
        (
            "CreateContainerConfigError", "couldn't find key k in Secret ns/x", 30.0, "cannot be made",
            "Secret ns/x has no key k",
        ),
        (
            "CreateContainerConfigError", "container has runAsNonRoot and image will run as root", 30.0,
            "cannot be made", "run_as_user",
        ),
        ("CreateContainerConfigError", "of tomorrow", 30.0, "cannot be made", "exist in the namespace"),
        ("CreateContainerConfigError", 'secret "transport.sock" not found', 30.0, "cannot be made", "Create the secret"),
        (
            "CreateContainerError", ('failed to generate security options: cannot load seccomp profile "/var/x.json": '
            "open /var/x.json: no such file or directory"), 30.0, "cannot be made", "security_context=",
        ),
        (
            "CreateContainerError", ("failed to generate container spec: unable to find user anna: no matching entries "
            "in passwd file"), 30.0, "cannot be made", "run_as_user",
        ),
        ("RunContainerError", 'exec: "py": executable file not found in $PATH', 30.0, "cannot be made", "executable="),
        ("CreatePodSandboxError", "sysctl: permission denied", 30.0, "cannot be made", "exist"),
    ],
)  # fmt: skip
def test_a_container_that_cannot_start(
    reason: str, message: str, patience: float, words: str, hint: str
) -> None:
    found = standstill(pod("Pending", waiting={"reason": reason, "message": message}), STEP, IMAGE)
    assert found is not None
    assert (found.reason, found.patience, found.kind) == (reason, patience, CONFIGURATION)
    assert words in found.message
    assert hint in found.hint


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("CreateContainerError", "context deadline exceeded"),
        (
            "CreateContainerError",
            'failed to reserve container name "train_sample_0": name "train_sample_0" is reserved for "4f1c"',
        ),
        (
            "CreateContainerError",
            "failed to create containerd container: write /var/lib/x: no space left on device",
        ),
        ("CreateContainerConfigError", "failed to sync secret cache: timed out waiting for the condition"),
        (
            "CreateContainerConfigError",
            "services have not yet been read at least once, cannot construct envvars",
        ),
        ("RunContainerError", "nvidia-container-cli: initialization error: nvml error: driver not loaded"),
        ("CreatePodSandboxError", ""),
    ],
)
def test_a_container_that_its_node_cannot_make_is_the_infrastructures_trouble(
    reason: str, message: str
) -> None:
    found = standstill(pod("Pending", waiting={"reason": reason, "message": message}), STEP, IMAGE)
    assert found is not None
    assert (found.reason, found.patience, found.kind) == (reason, 600.0, INFRASTRUCTURE)
    assert f"its node cannot make the container ({reason}): " in found.message
    assert found.hint.endswith(". After ten minutes another pod is tried.")


def test_a_limit_that_leaves_no_room_to_start_is_a_matter_of_memory() -> None:
    waiting = {
        "reason": "CreateContainerError",
        "message": "set memory limit 4000000 too low; should be at least 12MB",
    }
    found = standstill(pod("Pending", waiting=waiting), STEP, IMAGE)
    assert found is not None
    assert (found.reason, found.patience, found.kind) == ("OutOfMemory", 30.0, RESOURCES)
    assert "its memory limit is too low" in found.message
    assert "memory=" in found.hint


def test_an_image_that_its_node_cannot_look_at_is_the_infrastructures_trouble() -> None:
    waiting = {"reason": "ErrImageInspect", "message": "disk I/O error"}
    found = standstill(pod("Pending", waiting=waiting), STEP, IMAGE)
    assert found is not None
    assert (found.reason, found.patience, found.kind) == ("ErrImageInspect", 60.0, INFRASTRUCTURE)
    assert "cannot be looked at on its node: disk I/O error" in found.message


def test_an_init_container_that_cannot_start_is_named() -> None:
    waiting = {"waiting": {"reason": "ErrImagePull", "message": "nothing:1: not found"}}
    found = standstill(pod("Pending", waiting={"reason": "PodInitializing"}, init=waiting), STEP, IMAGE)
    assert found is not None
    assert (
        "image of the init container prepare cannot be pulled: the registry does not have it" in found.message
    )


def test_an_init_container_that_cannot_be_made_is_named() -> None:
    waiting = {"waiting": {"reason": "CreateContainerConfigError", "message": 'secret "x" not found'}}
    found = standstill(pod("Pending", waiting={"reason": "PodInitializing"}, init=waiting), STEP, IMAGE)
    assert found is not None
    assert found.message.startswith("the init container prepare cannot be made (CreateContainerConfigError)")


def test_a_pod_without_a_node_waits_as_long_as_it_takes() -> None:
    state = pod(
        "Pending", conditions=unscheduled("Unschedulable", "0/1 nodes are available: 1 Insufficient cpu.")
    )
    found = standstill(state, STEP, IMAGE)
    assert found is not None
    assert (found.reason, found.patience) == ("Unschedulable", None)
    assert found.message == "no node takes the pod sample-train-x: of 1 node 1 has too little free cpu"
    assert "cpu=" in found.hint


def test_a_claim_that_is_not_there_is_a_wrong_configuration() -> None:
    said = 'persistentvolumeclaim "data" not found. preemption: 0/1 nodes are available'
    found = standstill(pod("Pending", conditions=unscheduled("Unschedulable", said)), STEP, IMAGE, 60.0)
    assert found is not None
    assert found.patience == 60.0
    assert "the volume claim data does not exist" in found.message


def test_a_pod_that_a_gate_holds_back_says_so() -> None:
    found = standstill(pod("Pending", conditions=unscheduled("SchedulingGated", "gated")), STEP, IMAGE)
    assert found is not None
    assert found.reason == "SchedulingGated"


@pytest.mark.parametrize(
    "state",
    [
        pod("Pending"),
        pod("Pending", waiting={"reason": "ContainerCreating"}),
        pod("Pending", waiting={"reason": "PodInitializing"}),
        pod("Pending", waiting={"reason": "PodInitializing"}, init={"running": {}}),
        pod("Pending", conditions={"PodScheduled": ("True", "", "")}),
        pod("Running", running={}),
        pod("Failed", waiting={"reason": "ImagePullBackOff"}),
        pod("Running", terminated={"exitCode": 1}),
    ],
)
def test_what_is_on_its_way_does_not_stand_still(state: Any) -> None:
    assert standstill(state, STEP, IMAGE) is None
