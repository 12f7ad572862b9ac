"""The job controller's decisions, against a clock that only the test moves."""

from __future__ import annotations

from typing import Any

import pytest

from headway.localcluster.admission import defaults
from headway.localcluster.controllers.indexes import compressed, parsed
from headway.localcluster.controllers.job_ledger import INDEX, Ledger
from headway.localcluster.controllers.job_sync import Plan, sync
from headway.localcluster.objects.meta import timestamp


class World:
    """A job, its pods, and a clock."""

    def __init__(self, **spec: Any) -> None:
        template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "i"}]}}
        self.job: dict[str, Any] = {
            "metadata": {"name": "j", "namespace": "n", "uid": "u"},
            "spec": {"template": template, **spec},
        }
        defaults.fill(defaults_kind(), self.job)
        self.pods: dict[str, dict[str, Any]] = {}
        self.ledger = Ledger()
        self.now = 1000.0
        self.events: list[str] = []

    def step(self) -> Plan:
        """One sync, carried out."""
        plan = sync(self.job, list(self.pods.values()), self.ledger, self.now)
        self.job["status"] = plan.status
        self.events += [reason for reason, _, _ in plan.events]
        for index in plan.create:
            self.add(index)
        for pod in plan.delete:
            if plan.forgets:
                self.ledger.forgotten.add(pod["metadata"]["uid"])
            pod["metadata"]["deletionTimestamp"] = timestamp(self.now)
            self.see(pod)
        return plan

    def add(self, index: int | None) -> None:
        name = f"p{len(self.ledger.ended) + len(self.pods)}-{self.now}"
        meta: dict[str, Any] = {
            "name": name,
            "namespace": "n",
            "uid": name,
            "creationTimestamp": timestamp(self.now),
        }
        if index is not None:
            meta["annotations"] = {INDEX: str(index)}
        self.pods[name] = {"metadata": meta, "spec": {"nodeName": "a"}, "status": {"phase": "Running"}}

    def see(self, pod: dict[str, Any], *, gone: bool = False) -> None:
        self.ledger.observe(self.job, pod, self.now, gone=gone)

    def end(self, pod: dict[str, Any], code: int = 0, **conditions: str) -> None:
        """A pod ends."""
        ended = {"exitCode": code, "finishedAt": timestamp(self.now)}
        pod["status"] = {
            "phase": "Failed" if code else "Succeeded",
            "containerStatuses": [{"name": "main", "state": {"terminated": ended}, "restartCount": 0}],
            "conditions": [{"type": name, "status": value} for name, value in conditions.items()],
        }
        self.see(pod)

    def of(self, index: int) -> dict[str, Any]:
        """The living pod of an index."""
        return next(
            pod
            for pod in self.pods.values()
            if pod["metadata"]["annotations"][INDEX] == str(index) and pod["status"]["phase"] == "Running"
        )

    @property
    def conditions(self) -> list[tuple[str, str]]:
        return [(entry["type"], entry["reason"]) for entry in self.job["status"].get("conditions") or ()]


def defaults_kind() -> Any:
    from headway.localcluster.objects.kinds import JOB

    return JOB


INDEXED = {"completions": 4, "parallelism": 4, "completionMode": "Indexed", "backoffLimitPerIndex": 0}


def test_a_plain_job_completes() -> None:
    world = World()
    assert world.step().create == [None]
    assert world.job["status"]["active"] == 1
    world.end(*world.pods.values())
    world.step()
    assert world.conditions == [
        ("SuccessCriteriaMet", "CompletionsReached"),
        ("Complete", "CompletionsReached"),
    ]
    assert world.job["status"]["succeeded"] == 1
    assert world.job["status"]["completionTime"] == timestamp(1000)
    assert "active" not in world.job["status"]


def test_failures_are_retried_after_ever_longer_waits() -> None:
    world = World(backoffLimit=2)
    world.step()
    for delay in (10, 20):
        world.end(next(p for p in world.pods.values() if p["status"]["phase"] == "Running"), 1)
        plan = world.step()
        assert plan.create == []
        assert plan.again_at == world.now + delay
        world.now += delay
        assert world.step().create == [None]
    world.end(next(p for p in world.pods.values() if p["status"]["phase"] == "Running"), 1)
    world.step()
    assert world.conditions[-1] == ("Failed", "BackoffLimitExceeded")
    assert world.job["status"]["failed"] == 3
    assert world.events == ["BackoffLimitExceeded"]


def test_one_failed_index_stops_no_other() -> None:
    world = World(**INDEXED)
    assert world.step().create == [0, 1, 2, 3]
    world.end(world.of(2), 3)
    plan = world.step()
    assert plan.create == []
    assert world.job["status"]["failedIndexes"] == "2"
    assert world.conditions == []
    for index in (0, 1, 3):
        world.end(world.of(index))
    world.step()
    assert world.job["status"]["completedIndexes"] == "0,1,3"
    assert world.conditions == [("FailureTarget", "FailedIndexes"), ("Failed", "FailedIndexes")]


def test_parallelism_limits_and_can_be_patched() -> None:
    world = World(**{**INDEXED, "completions": 10, "parallelism": 2})
    assert world.step().create == [0, 1]
    world.job["spec"]["parallelism"] = 4
    assert world.step().create == [2, 3]
    world.job["spec"]["parallelism"] = 1
    assert [pod["metadata"]["annotations"][INDEX] for pod in world.step().delete] == ["3", "2", "1"]
    assert world.job["status"]["active"] == 1


def test_an_ignored_disruption_is_replaced_and_not_counted() -> None:
    policy = {
        "rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]
    }
    world = World(**INDEXED, podFailurePolicy=policy)
    world.step()
    world.end(world.of(1), 137, DisruptionTarget="True")
    assert world.step().create == []
    world.now += 10
    assert world.step().create == [1]
    assert "failed" not in world.job["status"]
    assert world.job["status"]["failedIndexes"] == ""


def test_fail_index_and_fail_job_rules() -> None:
    codes = {"operator": "In", "values": [42]}
    world = World(
        **{**INDEXED, "backoffLimitPerIndex": 5},
        podFailurePolicy={"rules": [{"action": "FailIndex", "onExitCodes": codes}]},
    )
    world.step()
    world.end(world.of(0), 42)
    world.step()
    assert world.job["status"]["failedIndexes"] == "0"
    world = World(podFailurePolicy={"rules": [{"action": "FailJob", "onExitCodes": codes}]})
    world.step()
    (pod,) = world.pods.values()
    world.end(pod, 42)
    world.step()
    name = pod["metadata"]["name"]
    assert world.job["status"]["conditions"][-1]["message"] == (
        f"Container main for pod n/{name} failed with exit code 42 matching FailJob rule at index 0"
    )


@pytest.mark.parametrize(("policy", "creates"), [("Failed", []), ("TerminatingOrFailed", [0])])
def test_when_a_pod_that_is_being_deleted_is_replaced(policy: str, creates: list[int]) -> None:
    world = World(**{**INDEXED, "completions": 1, "backoffLimitPerIndex": 3}, podReplacementPolicy=policy)
    world.step()
    pod = world.of(0)
    pod["metadata"]["deletionTimestamp"] = timestamp(world.now)
    world.see(pod)
    world.step()
    world.now += 60
    assert world.step().create == creates
    assert world.job["status"]["terminating"] == 1
    assert world.job["status"].get("failed", 0) == len(creates)


def test_a_pod_that_vanished_has_failed_once() -> None:
    world = World(**INDEXED)
    world.step()
    pod = world.of(0)
    del world.pods[pod["metadata"]["name"]]
    world.see(pod, gone=True)
    world.see(pod, gone=True)
    world.step()
    assert (world.job["status"]["failed"], world.job["status"]["failedIndexes"]) == (1, "0")


def test_the_deadline_ends_everything_first() -> None:
    world = World(activeDeadlineSeconds=30)
    assert world.step().again_at == 1030
    world.now = 1030
    plan = world.step()
    assert len(plan.delete) == 1
    assert world.conditions == [("FailureTarget", "DeadlineExceeded")]
    world.end(*world.pods.values(), 137)  # type: ignore[misc]
    world.step()
    assert world.conditions[-1] == ("Failed", "DeadlineExceeded")


def test_suspended_jobs_wait() -> None:
    world = World(suspend=True)
    assert world.step().create == []
    assert world.conditions == [("Suspended", "JobSuspended")]
    assert "startTime" not in world.job["status"]
    world.job["spec"]["suspend"] = False
    assert world.step().create == [None]
    assert world.conditions == [("Suspended", "JobResumed")]
    assert world.events == ["Suspended", "Resumed"]


def test_pods_that_a_suspension_ends_are_no_failures() -> None:
    world = World(**INDEXED)
    world.step()
    world.job["spec"]["suspend"] = True
    assert len(world.step().delete) == 4
    for pod in list(world.pods.values()):
        world.end(pod, 143)
    world.step()
    assert world.conditions == [("Suspended", "JobSuspended")]
    world.pods.clear()
    world.now += 60
    world.job["spec"]["suspend"] = False
    assert world.step().create == [0, 1, 2, 3]


def test_time_to_live_after_the_end() -> None:
    world = World(ttlSecondsAfterFinished=5)
    world.step()
    world.end(*world.pods.values())
    assert world.step().again_at == 1005
    assert not world.step().expired
    world.now = 1005
    assert world.step().expired


def test_success_policy_by_indexes() -> None:
    world = World(**INDEXED, successPolicy={"rules": [{"succeededIndexes": "0"}]})
    world.step()
    world.end(world.of(0))
    plan = world.step()
    assert world.conditions == [("SuccessCriteriaMet", "SuccessPolicy")]
    assert len(plan.delete) == 3


def test_too_many_failed_indexes() -> None:
    world = World(**INDEXED, maxFailedIndexes=1)
    world.step()
    for index in (0, 1):
        world.end(world.of(index), 1)
    world.step()
    assert world.conditions == [("FailureTarget", "MaxFailedIndexesExceeded")]


@pytest.mark.parametrize(
    ("indexes", "text"), [([], ""), ([3], "3"), ([1, 2], "1,2"), ([0, 1, 2, 5, 7, 8, 9], "0-2,5,7-9")]
)
def test_index_lists(indexes: list[int], text: str) -> None:
    assert compressed(indexes) == text
    assert parsed(text) == set(indexes)
