"""Jobs, deletion that spreads, and the fault switches."""

from __future__ import annotations

import json
import urllib.error

import pytest
from localcluster_harness import Cluster, pod


def job(name: str, *command: str, spec: dict[str, object] | None = None) -> dict[str, object]:
    template = {"spec": pod("x", *command)["spec"]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"template": template, **(spec or {})},
    }


INDEXED: dict[str, object] = {
    "completions": 4,
    "parallelism": 4,
    "completionMode": "Indexed",
    "backoffLimitPerIndex": 0,
    "podReplacementPolicy": "Failed",
}
ENDED = ("Complete", "Failed")


def ended(found: dict[str, object]) -> bool:
    conditions = found["status"].get("conditions") or []  # type: ignore[attr-defined]
    return any(entry["type"] in ENDED for entry in conditions)


def test_one_failed_index_stops_no_other(cluster: Cluster) -> None:
    script = "import os,sys; sys.exit(3 if os.environ['JOB_COMPLETION_INDEX'] == '2' else 0)"
    cluster.apply(job("a", "python", "-c", script, spec=INDEXED))
    status = cluster.wait("job", "a", ended)["status"]
    assert (status["completedIndexes"], status["failedIndexes"]) == ("0,1,3", "2")
    assert [entry["type"] for entry in status["conditions"]] == ["FailureTarget", "Failed"]
    assert {entry["reason"] for entry in status["conditions"]} == {"FailedIndexes"}


def test_a_preempted_pod_of_an_index_is_replaced_and_not_counted(cluster: Cluster) -> None:
    policy = {"rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}]}
    spec = {**INDEXED, "completions": 1, "parallelism": 1, "podFailurePolicy": policy}
    body = job("a", "sleep", "600", spec=spec)
    # It is looked at before it is gone.
    body["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 60  # type: ignore[index]
    cluster.apply(body)
    cluster.wait("job", "a", lambda found: found["status"].get("ready") == 1)
    name = cluster.kubectl("get", "pods", "-o", "name").strip().partition("/")[2]
    fault = {"kind": "PreemptPod", "namespace": cluster.namespace, "pod": name}
    assert cluster.request("POST", "/headway/faults", fault)[0] == 200
    found = cluster.get("pod", name)
    condition = next(e for e in found["status"]["conditions"] if e["type"] == "DisruptionTarget")
    assert condition["reason"] == "PreemptionByScheduler"
    cluster.kubectl("delete", "job", "a", "--cascade=foreground", "--grace-period=0", "--force", check=False)


def test_deleting_a_job_takes_its_pods_and_services_along(cluster: Cluster) -> None:
    cluster.apply(job("a", "sleep", "600", spec={}))
    cluster.wait("job", "a", lambda found: found["status"].get("active") == 1)
    uid = cluster.get("job", "a")["metadata"]["uid"]
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": "a", "uid": uid}
    meta = {"name": "s", "ownerReferences": [owner]}
    cluster.apply({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"clusterIP": "None"}})
    cluster.kubectl("patch", "pods", "--all", "-p", "{}", check=False)
    cluster.kubectl("delete", "job", "a", "--cascade=foreground", "--timeout=120s")
    assert json.loads(cluster.kubectl("get", "pods,services", "-o", "json"))["items"] == []


def test_finished_jobs_are_removed_after_their_time(cluster: Cluster) -> None:
    cluster.apply(job("a", "true", spec={"ttlSecondsAfterFinished": 1}))
    cluster.kubectl("wait", "--for=delete", "job/a", "--timeout=120s")


def test_a_lost_node_fails_its_pods(cluster: Cluster) -> None:
    cluster.apply(pod("a", "sleep", "600"))
    found = cluster.wait_phase("a", "Running")
    node = found["spec"]["nodeName"]
    cluster.request("POST", "/headway/faults", {"kind": "KillNode", "node": node, "after": 1})
    try:
        cluster.kubectl("wait", "--for=delete", "pod/a", "--timeout=120s")
        assert "not found" in cluster.kubectl("get", "node", node, check=False)
    finally:
        cluster.request("POST", "/headway/faults", {"kind": "StartNode", "node": node})
    cluster.apply(pod("b", "true"))
    cluster.wait_phase("b", "Succeeded")


def test_image_faults(cluster: Cluster) -> None:
    cluster.request("POST", "/headway/faults", {"kind": "PullFailure", "image": "private/*"})
    cluster.apply(pod("a", "true", image="private/thing:1"), pod("b", "true", image="registry.invalid/x:1"))
    for name in ("a", "b"):
        cluster.wait(
            "pod",
            name,
            lambda p: (
                p["status"]
                .get("containerStatuses", [{}])[0]
                .get("state", {})
                .get("waiting", {})
                .get("reason")
                == "ImagePullBackOff"
            ),
        )


@pytest.mark.parametrize(
    ("status", "reason"), [(429, "TooManyRequests"), (500, "InternalError"), (503, "ServiceUnavailable")]
)
def test_api_faults(cluster: Cluster, status: int, reason: str) -> None:
    fault = {"kind": "Api", "method": "GET", "resource": "configmaps", "status": status, "count": 1}
    cluster.request("POST", "/headway/faults", fault)
    path = f"/api/v1/namespaces/{cluster.namespace}/configmaps"
    code, body = cluster.request("GET", path)
    assert (code, body["reason"]) == (status, reason)
    assert cluster.request("GET", path)[0] == 200


def test_a_lost_answer_to_a_create(cluster: Cluster) -> None:
    fault = {
        "kind": "Api",
        "method": "POST",
        "resource": "configmaps",
        "status": 0,
        "count": 1,
        "after": True,
    }
    cluster.request("POST", "/headway/faults", fault)
    path = f"/api/v1/namespaces/{cluster.namespace}/configmaps"
    with pytest.raises((ConnectionError, urllib.error.URLError)):
        cluster.request("POST", path, {"metadata": {"name": "c"}})
    assert cluster.request("GET", f"{path}/c")[0] == 200


def test_old_versions_are_gone_after_compaction(cluster: Cluster) -> None:
    cluster.request("POST", "/headway/faults", {"kind": "Compact"})
    code, body = cluster.request("GET", "/api/v1/pods?watch=true&resourceVersion=1&timeoutSeconds=1")
    assert code == 200
    assert (body["type"], body["object"]["code"], body["object"]["reason"]) == ("ERROR", 410, "Expired")


def test_nobody_gets_in_without_the_token(cluster: Cluster) -> None:
    for token in ("", "wrong", "sa.default.default.0000"):
        code, body = cluster.request("GET", "/api/v1/pods", token=token)
        assert (code, body["reason"]) == (401, "Unauthorized")
