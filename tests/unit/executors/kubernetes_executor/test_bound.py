"""Pods that a person bound to a node by its name: what is said where that node does not run them."""

from typing import Any

import msgspec
import pytest
from executor_run import Run
from pod_fakes import disrupted, pod
from pod_player import PodPlayer

from headway.config.fields import replace
from headway.config.kubernetes import KubernetesSettings
from headway.executors.base import Waiting
from headway.executors.kubernetes.api.types import Node, Pod
from headway.executors.kubernetes.bound import missing
from headway.executors.kubernetes.outcome import failure_of, stop_reason
from headway.store.records import CONFIGURATION, INFRASTRUCTURE
from headway.testing.executor_suite import STEPS

STEP = "train"


def collected(**said: Any) -> Pod:
    """A pod that the pod garbage collector takes, as it finds no node of that name."""
    condition = {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "DeletionByPodGC",
        "message": "PodGC: node no longer exists",
    }
    conditions = [condition, *said.pop("conditions", ())]
    raw = {
        "metadata": {"name": "sample-train-x", "namespace": "default", "uid": "uid-1"},
        "spec": {"nodeName": "moon", "containers": [{"name": STEP}]},
        "status": {"phase": "Failed", "conditions": conditions, **said},
    }
    return msgspec.convert(raw, Pod)


def test_a_node_that_never_was_is_a_wrong_configuration() -> None:
    failure = stop_reason(collected(), STEP, "")
    assert failure is not None
    assert (failure.kind, failure.reason) == (CONFIGURATION, "NodeName")
    assert failure.message == (
        "The pod sample-train-x was taken away: the cluster has no node moon, which nodeName asks for."
    )
    assert "additional_pod_spec_args" in failure.hint
    assert "kubernetes.io/hostname" in failure.hint


@pytest.mark.parametrize(
    "state",
    [
        collected(conditions=[{"type": "PodScheduled", "status": "True"}]),
        collected(startTime="2026-11-22T08:41:25Z"),
        collected(containerStatuses=[{"name": STEP, "state": {"waiting": {"reason": "ContainerCreating"}}}]),
        pod("Failed", conditions=disrupted("DeletionByPodGC")),
    ],
    ids=["by the scheduler", "its kubelet began", "its kubelet spoke", "it ran"],
)
def test_a_node_that_was_there_and_went_is_the_infrastructures_affair(state: Pod) -> None:
    failure = stop_reason(state, STEP, "")
    assert failure is not None
    assert (failure.kind, failure.reason) == (INFRASTRUCTURE, "DeletionByPodGC")


ROOM = "Pod was rejected: Node didn't have enough resource: cpu, requested: {0}, used: 900, capacity: 4000"


@pytest.mark.parametrize(
    ("reason", "message", "kind", "words"),
    [
        ("NodeAffinity", "Pod was rejected: Predicate NodeAffinity failed", "NodeName", "Predicate NodeAffinity"),
        ("TaintToleration", "", "NodeName", "sample-train-x: TaintToleration"),
        ("OutOfcpu", ROOM.format(5000), "NodeName", "requested: 5000, used: 900, capacity: 4000"),
        ("OutOfcpu", ROOM.format(4000), "PodGone", "OutOfcpu: Pod was rejected"),
        ("UnexpectedAdmissionError", "x", "PodGone", "UnexpectedAdmissionError: x"),
    ],
)  # fmt: skip
def test_what_the_named_node_says_decides_whether_another_try_may_help(
    reason: str, message: str, kind: str, words: str
) -> None:
    state = pod("Failed", reason=reason, message=message)
    failure = failure_of(state, STEP, STEP, "", "node1")
    assert failure.reason == kind
    assert failure.kind == (CONFIGURATION if kind == "NodeName" else INFRASTRUCTURE)
    assert words in failure.message
    assert "kubernetes.io/hostname" in failure.hint
    by_scheduler = failure_of(state, STEP, STEP, "")
    assert (by_scheduler.kind, by_scheduler.hint) == (INFRASTRUCTURE, ""), "the next may get another node"


def test_a_node_that_is_there_is_not_missed() -> None:
    nodes = [msgspec.convert({"metadata": {"name": name}}, Node) for name in ("n1", "n2")]
    assert missing("n2", nodes, 60.0) is None
    found = missing("n3", nodes, 60.0)
    assert found is not None
    assert (found.reason, found.patience, found.kind) == ("NodeName", 60.0, CONFIGURATION)
    assert "no node n3" in found.message


class TestWhileItRuns:
    """The nodes are looked at as soon as the pod is seen to stand still."""

    @pytest.fixture
    def settings(self, settings: dict[str, KubernetesSettings]) -> dict[str, KubernetesSettings]:
        args = {"nodeName": "moon"}
        return {step: replace(settings[step], additional_pod_spec_args=args) for step in STEPS}

    @pytest.mark.budget(6)
    async def test_a_person_is_told_before_the_cluster_takes_it_away(self, run: Run[PodPlayer]) -> None:
        run.player.held = True
        run.fake.state.add("nodes", "", {"metadata": {"name": "n1"}})
        (ref,) = await run.start("waits")
        await run.until(lambda: run.heard.of(Waiting) and run.waits()[-1][0] == "NodeName", 20.0)
        record = await run.end(ref)
        assert record.failure is not None
        assert (record.failure.kind, record.failure.reason) == (CONFIGURATION, "NodeName")
        assert "cannot start: the cluster has no node moon" in record.failure.message

    @pytest.mark.budget(6)
    async def test_who_may_not_read_nodes_is_told_nothing_wrong(self, run: Run[PodPlayer]) -> None:
        run.player.held = True
        run.fake.deny("list", "nodes")
        await run.start("waits")
        with pytest.raises(AssertionError, match="never came true"):
            await run.until(lambda: "NodeName" in [reason for reason, _ in run.waits()], 20.0)
