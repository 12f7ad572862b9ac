"""Every symptom of the troubleshooting sections that users of other tools read: the tool itself names cause and fix."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from pod_fakes import pod, unscheduled

from headway.executors.kubernetes.api.types import Event
from headway.executors.kubernetes.outcome import failure_of
from headway.executors.kubernetes.pod_events import setting_up
from headway.executors.kubernetes.refusal import refusal
from headway.executors.kubernetes.standstill import standstill

ROOT = Path(__file__).parents[4]
PAGE = ROOT / "docs" / "failures.md"

#: (what is said, what to do) for what a cluster says of a pod.
Told = tuple[str, str]


def by_the_scheduler(message: str) -> Told:
    found = standstill(
        pod("Pending", conditions=unscheduled("Unschedulable", message)), "train", "team/image:1"
    )
    assert found is not None
    return found.message, found.hint


def of_an_image(message: str) -> Told:
    waiting = {"reason": "ErrImagePull", "message": message}
    found = standstill(pod("Pending", waiting=waiting), "train", "team/image:1")
    assert found is not None
    return found.message, found.advice


def of_a_volume(message: str) -> Told:
    found = setting_up(
        [msgspec.convert({"metadata": {"name": "e"}, "reason": "FailedMount", "message": message}, Event)],
        "team/image:1",
        60.0,
    )
    assert found is not None
    return found.message, found.hint


def of_a_refusal(message: str) -> Told:
    found = refusal(f'Error creating: pods "x" is forbidden: {message}')
    return found.words, found.hint


def of_an_end(limit: str) -> Told:
    ended = pod("Failed", terminated={"exitCode": 137, "reason": "OOMKilled"}, limits={"memory": limit})
    found = failure_of(ended, "train", "train", "")
    return found.message, found.hint


NODES = "0/3 nodes are available: "
ROOM = by_the_scheduler(f"{NODES}1 Insufficient memory, 2 Insufficient cpu.")
LABELS = by_the_scheduler(f"{NODES}3 node(s) didn't match Pod's node affinity/selector.")
TAINTS = by_the_scheduler(f"{NODES}3 node(s) had untolerated taint {{dedicated: ml}}.")
GPUS = by_the_scheduler(f"{NODES}3 Insufficient nvidia.com/gpu.")
NO_CLAIM = by_the_scheduler(f'{NODES}persistentvolumeclaim "data" not found.')
UNBOUND = by_the_scheduler(f"{NODES}pod has unbound immediate PersistentVolumeClaims.")
ELSEWHERE = by_the_scheduler(f"{NODES}3 node(s) had volume node affinity conflict.")
NO_IMAGE = of_an_image('failed to resolve reference "team/image:1": team/image:1: not found')
NO_LOGIN = of_an_image("pull access denied, repository does not exist or may require authorization")
NO_HOST = of_an_image('Head "https://r.invalid/v2/": dial tcp: lookup r.invalid: no such host')
NO_ANSWER = of_an_image("dial tcp 192.0.2.7:443: i/o timeout")
QUOTA = of_a_refusal("exceeded quota: team, requested: cpu=2, used: cpu=3, limited: cpu=4")
HELD = of_a_volume('Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) x')
NO_ACCOUNT = of_a_refusal('error looking up service account team/runner: serviceaccount "runner" not found')

#: By symptom, as it is written there: what causes it in turn, words of the cause, words of the fix.
SYMPTOMS: dict[str, tuple[tuple[Told, str, str], ...]] = {
    "Scheduler cannot find suitable node": (
        (ROOM, "1 has too little free memory, 2 have too little free cpu", "less (memory=…, cpu=…)"),
        (LABELS, "not the labels that node_selector", "kubectl get nodes --show-labels"),
        (TAINTS, "a taint that the pod does not tolerate (dedicated: ml)", 'tolerations=[{"key": "dedicated"'),
        (GPUS, "too few free GPUs", "Ask for less (gpu=…)"),
    ),
    "Cannot pull Docker image": (
        (NO_IMAGE, "the registry does not have it", "Check the image's name and tag"),
        (NO_LOGIN, "the registry does not let the cluster in", "service account that has one"),
        (NO_HOST, "the registry's host name is not known", "HEADWAY_KUBERNETES_CONTAINER_REGISTRY"),
        (NO_ANSWER, "the registry does not answer", "Check that the nodes reach the registry"),
    ),
    "Pod exceeded memory limit": (
        (of_an_end("64M"), "out of memory: the kernel killed its container at its limit of 64 MB", "memory=100"),
    ),
    "PVC or storage configuration issues": (
        (NO_CLAIM, "the volume claim data does not exist", "kubectl get pvc"),
        (UNBOUND, "a volume claim of the pod is not bound", "a storage class that does not exist"),
        (ELSEWHERE, "it lives in another zone", "choose nodes there"),
        (NO_ACCOUNT, "its service account does not exist", "kubectl create serviceaccount"),
    ),
    "Pods stuck in ImagePullBackOff or ErrImagePull": (
        (NO_IMAGE, "the image team/image:1 cannot be pulled: the registry does not have it", "name and tag"),
        (NO_LOGIN, "does not let the cluster in", "image_pull_secrets=[…]"),
    ),
    "Pods stuck in Pending with reason Quota Exceeded": (
        (QUOTA, "quota team is used up (cpu: it asks for 2, 3 of 4 is in use)", "kubectl describe quota"),
    ),
    "Pods stuck in Pending with reason Unschedulable": (
        (LABELS, "not the labels that node_selector", "kubectl get nodes --show-labels"),
        (TAINTS, "a taint that the pod does not tolerate", "tolerations="),
        (by_the_scheduler("0/0 nodes are available."), "the cluster has no nodes", "autoscaler"),
    ),
    "Pods stuck in ContainerCreating with volume mount errors": (
        (NO_CLAIM, "the volume claim data does not exist", "Create it"),
        (of_a_volume('MountVolume.SetUp failed for volume "v" : secret "key" not found'), "secret key", "Create"),
        (of_a_volume('MountVolume.SetUp failed for volume "v" : timed out'), "v cannot be mounted", "storage class"),
        (HELD, "can be to one only", "ReadWriteMany"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("symptom", SYMPTOMS)
def test_a_symptom_is_told_with_its_cause_and_what_to_do(symptom: str) -> None:
    for (message, hint), cause, fix in SYMPTOMS[symptom]:
        assert cause in message
        assert fix in hint
    assert f"| {symptom} |" in PAGE.read_text(encoding="utf-8")


def symptoms_of(text: str) -> Iterator[str]:
    """The symptoms that a document's troubleshooting section is about."""
    section = text.partition("\nTroubleshooting")[2]
    for found in re.finditer(r"^(?:Cause|Symptoms): (.+?)Solutions:", section, re.MULTILINE):
        yield found.group(1)


def documents() -> list[Path]:
    """Where those documents are at hand; they are no part of the project."""
    return sorted((ROOT.parent / "shared" / "seeds").glob("00[01]_*.txt"))


@pytest.mark.parametrize("document", documents(), ids=lambda path: path.stem)
def test_no_symptom_of_the_documents_is_missing(document: Path) -> None:
    listed = list(symptoms_of(document.read_text(encoding="utf-8")))
    assert len(listed) == 4
    assert set(listed) <= SYMPTOMS.keys()
