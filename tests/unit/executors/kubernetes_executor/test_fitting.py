"""Which nodes could ever take a pod: read off its own spec, whoever wrote what stands there."""

from typing import Any

import msgspec
import pytest

from headway.config.kubernetes import KubernetesSettings
from headway.config.resolve import Layer, resolve_kubernetes
from headway.executors.kubernetes.api.types import Node
from headway.executors.kubernetes.fitting import fit
from headway.executors.kubernetes.manifest import PodPlan, pod_spec
from headway.executors.kubernetes.needs import Needs, needs_of
from headway.store.batch import Batch, Code, TaskSpec


def needs(**said: Any) -> Needs:
    """What the pods of a step with these settings ask for, as they are sent."""
    return needs_of(pod_spec(settings(**said), batch(), PodPlan("runtime", "s3://b", "k"), 60))


def settings(**said: Any) -> KubernetesSettings:
    return resolve_kubernetes("train", overrides=Layer({"image": "python:3.11", **said}, "a test")).settings


def batch() -> Batch:
    code = Code("path", "flow.py", ("__main__", "Flow"))
    return Batch("Flow", "1", "train", "train-1", code, (TaskSpec("1", 0),))


def node(name: str, labels: dict[str, str] | None = None, taints: Any = (), **has: str) -> Node:
    allocatable = {"cpu": "4", "memory": "16Gi", "ephemeral-storage": "100Gi", **has}
    raw = {
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"taints": list(taints)},
        "status": {"allocatable": allocatable},
    }
    return msgspec.convert(raw, Node)


FLEET = {"key": "fleet", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("said", "nodes", "words"),
    [
        ({"cpu": 8}, [node("a"), node("b")], "a, b: has 4 of cpu in all, the pod asks for 8"),
        (
            {"memory": 500_000},
            [node(name) for name in "abcde"],
            "a, b, c and 2 more: has 17179 MB of memory in all, the pod asks for 500000 MB",
        ),
        (
            {"gpu": 2},
            [node("a", **{"nvidia.com/gpu": "1"})],
            "a: has 1 of nvidia.com/gpu in all, the pod asks for 2",
        ),
        (
            {},
            [node("a", taints=[FLEET])],
            "a: has the taint fleet:NoSchedule, which the pod does not tolerate",
        ),
        ({"node_selector": {"pool": "moon"}}, [node("a", {"pool": "sun"})], "a: does not carry pool=moon"),
        (
            {"gpu": 0},
            [node("a", {"nvidia.com/gpu.present": "true"})],
            (
                "a: does not meet the pod's node affinity (nvidia.com/gpu.present DoesNotExist, "
                "amd.com/gpu.device-id DoesNotExist, cloud.google.com/gke-accelerator DoesNotExist, "
                "k8s.amazonaws.com/accelerator DoesNotExist, kubernetes.azure.com/accelerator DoesNotExist)"
            ),
        ),
        ({"gpu": 0}, [node("a")], ""),
        (
            {"additional_pod_spec_args": {"nodeName": "moon"}},
            [node("a")],
            "there is no node moon, which nodeName asks for",
        ),
        ({"additional_pod_spec_args": {"nodeName": "a"}}, [node("a"), node("b", cpu="0")], ""),
        ({"cpu": 8}, [node("a"), node("b", cpu="16")], ""),
        ({"tolerations": [{"key": "fleet", "operator": "Exists"}]}, [node("a", taints=[FLEET])], ""),
        ({"tolerations": [{"operator": "Exists"}]}, [node("a", taints=[FLEET])], ""),
        ({}, [node("a", taints=[{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}])], ""),
        *(
            ({}, [node("a", taints=[{"key": key, "effect": "NoSchedule"}])], "")
            for key in (
                "ToBeDeletedByClusterAutoscaler",
                "karpenter.sh/unregistered",
                "efs.csi.aws.com/agent-not-ready",
            )
        ),
        ({}, [node("a", taints=[{"key": "x", "effect": "PreferNoSchedule"}])], ""),
    ],
)
def test_which_nodes_could_ever_take_a_pod(said: dict[str, Any], nodes: list[Node], words: str) -> None:
    found = fit(needs(**said), nodes)
    assert found.words == words
    assert bool(found.possible) is (words == "")


def test_how_many_such_pods_the_nodes_could_hold() -> None:
    asked = needs(cpu=1.5, memory=4000)
    assert fit(asked, [node("a"), node("b", cpu="16"), node("c", cpu="1")]).room == 2 + 4
    assert fit(asked, [node("a", pods="1")]).room == 1
    assert fit(asked, [node("c", cpu="1")]).room == 0
    many = fit(needs_of({"containers": [{}]}), [node("a")]).room
    assert many > 1000, "what asks for nothing fits as often as one likes"


def test_a_toleration_of_another_value_is_none() -> None:
    toleration = {"key": "pool", "operator": "Equal", "value": "b"}
    tainted = node("a", taints=[{"key": "pool", "value": "a", "effect": "NoSchedule"}])
    assert "pool=a:NoSchedule" in fit(needs(tolerations=[toleration]), [tainted]).words


def zone(operator: str, *values: str) -> dict[str, Any]:
    """A pod that asks this of its node's zone."""
    expression = {"key": "zone", "operator": operator, "values": list(values)}
    required = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    return {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}}


@pytest.mark.parametrize(
    ("operator", "values", "fits"),
    [
        ("In", ("a", "7"), True), ("In", ("a",), False), ("NotIn", ("a",), True), ("NotIn", ("7",), False),
        ("Exists", (), True), ("DoesNotExist", (), False),
        ("Gt", ("6",), True), ("Gt", ("7",), False), ("Lt", ("8",), True), ("Lt", ("x",), False),
        ("OfTomorrow", (), True),
    ],
)  # fmt: skip
def test_what_a_pod_asks_of_its_nodes_labels(operator: str, values: tuple[str, ...], fits: bool) -> None:
    asked = needs_of({"containers": [{}], **zone(operator, *values)})
    found = fit(asked, [node("n", {"zone": "7"})])
    assert bool(found.possible) is fits
    assert (
        fits
        or found.words == f"n: does not meet the pod's node affinity ({asked.terms[0].match_expressions[0]})"
    )


def asks(**resources: str) -> dict[str, Any]:
    return {"resources": {"requests": resources}}


@pytest.mark.parametrize(
    ("spec", "cpu"),
    [
        ({"containers": [asks(cpu="1"), asks(cpu="500m")]}, "1.5"),
        ({"containers": [asks(cpu="1")], "initContainers": [asks(cpu="3"), asks(cpu="2")]}, "3"),
        (
            {"containers": [asks(cpu="1")], "initContainers": [{**asks(cpu="1"), "restartPolicy": "Always"}]},
            "2",
        ),
        (
            {
                "containers": [asks(cpu="1")],
                "initContainers": [{**asks(cpu="1"), "restartPolicy": "Always"}, asks(cpu="3")],
            },
            "4",
        ),
        ({"containers": [asks(cpu="1")], "overhead": {"cpu": "250m"}}, "1.25"),
        ({"containers": [asks(cpu="1")], "resources": {"requests": {"cpu": "4"}}}, "4"),
        ({"containers": [{"resources": {"limits": {"cpu": 2}}}]}, "2"),
    ],
)
def test_what_a_whole_pod_asks_for(spec: dict[str, Any], cpu: str) -> None:
    assert f"{needs_of(spec).amounts()['cpu'].normalize():f}" == cpu
