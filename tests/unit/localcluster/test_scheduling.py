"""Where pods go, and the words when they cannot."""

from typing import Any

from headway.localcluster.scheduling.fit import NodeView, decide


def node(name: str, cpu: str = "2", memory: str = "4Gi", pods: str = "10", **more: Any) -> NodeView:
    allocatable = {"cpu": cpu, "memory": memory, "pods": pods, **more.pop("extra", {})}
    labels = {"kubernetes.io/hostname": name, **more.pop("labels", {})}
    return NodeView(
        {"metadata": {"name": name, "labels": labels}, "spec": more, "status": {"allocatable": allocatable}}
    )


def pod(
    name: str = "p", requests: dict[str, str] | None = None, labels: Any = None, **spec: Any
) -> dict[str, Any]:
    container = {"name": "main", "resources": {"requests": requests or {}}}
    meta = {"name": name, "namespace": "n", "uid": name, "labels": labels or {}}
    return {"metadata": meta, "spec": {"containers": [container], **spec}, "status": {}}


TAIL = "no new claims to deallocate, preemption: 0/1 nodes are available: 1 {}."
NOT_HELPFUL = "Preemption is not helpful for scheduling"


def test_the_emptier_node_wins() -> None:
    busy, idle = node("busy"), node("idle")
    busy.add(pod("other", {"cpu": "1"}))
    assert decide(pod(requests={"cpu": "1"}), [busy, idle]).node == "idle"


def test_more_than_any_node_has() -> None:
    decision = decide(pod(requests={"cpu": "100", "memory": "1Ti"}), [node("a")])
    assert decision.message == (
        "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory. " + TAIL.format(NOT_HELPFUL)
    )


def test_more_than_is_free_now() -> None:
    full = node("a")
    full.add(pod("other", {"cpu": "2"}))
    decision = decide(pod(requests={"cpu": "1"}), [full])
    assert decision.message == (
        "0/1 nodes are available: 1 Insufficient cpu. "
        + TAIL.format("No preemption victims found for incoming pod")
    )


def test_every_reason_is_counted_over_the_nodes() -> None:
    taint = {"key": "k", "value": "v", "effect": "NoSchedule"}
    nodes = [node("a", taints=[taint]), node("b", taints=[taint]), node("c"), node("d", unschedulable=True)]
    decision = decide(pod(nodeSelector={"zone": "x"}), nodes)
    assert decision.message == (
        "0/4 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, "
        "1 node(s) were unschedulable, 2 node(s) had untolerated taint(s). no new claims to deallocate, "
        f"preemption: 0/4 nodes are available: 4 {NOT_HELPFUL}."
    )


def test_extended_resources_and_pod_limit() -> None:
    decision = decide(pod(requests={"nvidia.com/gpu": "1"}), [node("a", pods="0")])
    assert decision.message.startswith(
        "0/1 nodes are available: 1 Insufficient nvidia.com/gpu, 1 Too many pods."
    )


def test_tolerations_open_tainted_nodes() -> None:
    tainted = node("a", taints=[{"key": "k", "value": "v", "effect": "NoSchedule"}])
    for toleration in (
        {"key": "k", "operator": "Equal", "value": "v", "effect": "NoSchedule"},
        {"key": "k", "operator": "Exists"},
        {"operator": "Exists"},
    ):
        assert decide(pod(tolerations=[toleration]), [tainted]).node == "a"
    assert not decide(pod(tolerations=[{"key": "k", "value": "other"}]), [tainted]).node


def test_node_affinity_required_and_preferred() -> None:
    nodes = [node("a", labels={"zone": "1"}), node("b", labels={"zone": "2"})]
    term = {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["2"]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    preferred = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 5, "preference": term}]}
    for affinity in (required, preferred):
        assert decide(pod(affinity={"nodeAffinity": affinity}), nodes).node == "b"


def test_pods_that_avoid_each_other() -> None:
    term = {"labelSelector": {"matchLabels": {"app": "x"}}, "topologyKey": "kubernetes.io/hostname"}
    anti = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    first = node("a")
    first.add(pod("other", labels={"app": "x"}))
    again = pod(labels={"app": "x"}, affinity=anti)
    assert decide(again, [first, node("b")]).node == "b"
    assert "1 node(s) didn't match pod anti-affinity rules" in decide(again, [first]).message


def test_lower_priority_makes_room() -> None:
    full = node("a")
    victim = pod("victim", {"cpu": "2"}, priority=0)
    full.add(victim)
    assert decide(pod(requests={"cpu": "1"}, priority=10), [full]).victims == (victim,)
    assert decide(pod(requests={"cpu": "1"}, priority=10, preemptionPolicy="Never"), [full]).victims == ()


def test_no_node_at_all() -> None:
    assert decide(pod(), []).message == "no nodes available to schedule pods"
