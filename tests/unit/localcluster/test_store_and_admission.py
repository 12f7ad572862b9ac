"""The store's promises, and what admission does on the way in."""

from __future__ import annotations

from typing import Any

import pytest

from headway.localcluster.admission.deletion import DeleteOptions
from headway.localcluster.admission.registry import Registry
from headway.localcluster.objects.failures import ApiError
from headway.localcluster.objects.kinds import CONFIG_MAP, JOB, NAMESPACE, POD, QUOTA, SERVICE_ACCOUNT
from headway.localcluster.objects.meta import copied
from headway.localcluster.objects.store import Change, Store


@pytest.fixture
def registry() -> Registry:
    made = Registry(Store(), lambda: 1000.0)
    made.create(NAMESPACE, "", {"metadata": {"name": "n"}})
    made.create(SERVICE_ACCOUNT, "n", {"metadata": {"name": "default"}})
    return made


def config(name: str = "c", **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def pod(name: str = "p", **spec: Any) -> dict[str, Any]:
    whole = {"containers": [{"name": "main", "image": "python:3.11"}], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": whole}


def job(name: str = "j", **spec: Any) -> dict[str, Any]:
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "i"}]}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"template": template, **spec},
    }


def test_versions_conflicts_and_updates_that_change_nothing(registry: Registry) -> None:
    first = registry.create(CONFIG_MAP, "n", config(a="1"))
    second = copied(first)
    second["data"]["a"] = "2"
    stored = registry.replace(CONFIG_MAP, second)
    assert int(stored["metadata"]["resourceVersion"]) > int(first["metadata"]["resourceVersion"])
    stale = copied(first)
    stale["data"]["a"] = "3"
    with pytest.raises(ApiError, match="the object has been modified"):
        registry.replace(CONFIG_MAP, stale)
    before = registry.store.revision
    registry.replace(CONFIG_MAP, copied(stored))
    assert registry.store.revision == before
    with pytest.raises(ApiError, match='configmaps "c" already exists'):
        registry.create(CONFIG_MAP, "n", config())


def test_history_and_its_end(registry: Registry) -> None:
    seen: list[Change] = []
    leave = registry.store.subscribe(CONFIG_MAP, seen.append)
    registry.create(CONFIG_MAP, "n", config("a"))
    since = registry.store.revision
    registry.create(CONFIG_MAP, "n", config("b"))
    registry.delete(CONFIG_MAP, "n", "a")
    changes = list(registry.store.changes_since(CONFIG_MAP, since))
    assert [change.type for change in changes] == ["ADDED", "DELETED"]
    leave()
    registry.store.forget_history()
    registry.create(CONFIG_MAP, "n", config("c"))
    assert len(seen) == 3
    with pytest.raises(ApiError, match="too old resource version"):
        registry.store.changes_since(CONFIG_MAP, since)


def test_a_pods_defaults(registry: Registry) -> None:
    made = registry.create(POD, "n", pod())
    spec = made["spec"]
    assert (spec["restartPolicy"], spec["serviceAccountName"], spec["priority"]) == ("Always", "default", 0)
    assert spec["containers"][0]["imagePullPolicy"] == "IfNotPresent"
    assert spec["containers"][0]["volumeMounts"][0]["mountPath"].endswith("/serviceaccount")
    assert made["status"] == {"phase": "Pending", "qosClass": "BestEffort"}
    assert made["metadata"]["generation"] == 1


def test_refusals_have_kubernetes_words(registry: Registry) -> None:
    with pytest.raises(ApiError, match='serviceaccount "other" not found') as caught:
        registry.create(POD, "n", pod(serviceAccountName="other"))
    assert caught.value.code == 403
    with pytest.raises(ApiError, match='namespaces "x" not found'):
        registry.create(POD, "x", pod())
    with pytest.raises(ApiError) as caught:
        registry.create(JOB, "n", job(completions=-1, completionMode="Indexed"))
    assert caught.value.code == 422
    assert caught.value.message == (
        'Job.batch "j" is invalid: spec.completions: Invalid value: -1: must be greater than or equal to 0'
    )
    assert caught.value.status()["details"]["causes"][0]["reason"] == "FieldValueInvalid"


def test_jobs_are_tied_to_their_pods_and_mostly_immutable(registry: Registry) -> None:
    made = registry.create(JOB, "n", job())
    uid = made["metadata"]["uid"]
    assert made["spec"]["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    assert made["spec"]["template"]["metadata"]["labels"]["job-name"] == "j"
    draft = copied(made)
    draft["spec"]["parallelism"] = 3
    assert registry.replace(JOB, draft)["metadata"]["generation"] == 2
    draft = copied(registry.store.get(JOB, "n", "j"))
    draft["spec"]["completions"] = 7
    with pytest.raises(ApiError, match=r"spec\.completions: Invalid value: 7: field is immutable"):
        registry.replace(JOB, draft)


def test_immutable_config_maps(registry: Registry) -> None:
    made = registry.create(CONFIG_MAP, "n", {**config(a="1"), "immutable": True})
    draft = copied(made)
    draft["data"]["a"] = "2"
    with pytest.raises(ApiError, match="field is immutable when `immutable` is set"):
        registry.replace(CONFIG_MAP, draft)


def test_status_is_written_apart(registry: Registry) -> None:
    made = registry.create(POD, "n", pod())
    draft = copied(made)
    draft["status"] = {"phase": "Running"}
    assert registry.replace(POD, copied(draft))["status"]["phase"] == "Pending"
    draft["metadata"].pop("resourceVersion")
    assert registry.replace(POD, draft, subresource="status")["status"]["phase"] == "Running"


def test_pods_on_nodes_get_their_grace(registry: Registry) -> None:
    registry.create(POD, "n", pod("free"))
    registry.delete(POD, "n", "free")
    assert registry.store.find(POD, "n", "free") is None
    registry.create(POD, "n", pod("bound", nodeName="node-1"))
    marked = registry.delete(POD, "n", "bound", DeleteOptions(grace_period=5))
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 5
    assert registry.delete(POD, "n", "bound", DeleteOptions(grace_period=60)) == marked
    registry.delete(POD, "n", "bound", DeleteOptions(grace_period=0))
    assert registry.store.find(POD, "n", "bound") is None


def test_preconditions(registry: Registry) -> None:
    registry.create(CONFIG_MAP, "n", config())
    with pytest.raises(ApiError, match="Precondition failed: UID"):
        registry.delete(CONFIG_MAP, "n", "c", DeleteOptions(uid="other"))


def test_quotas(registry: Registry) -> None:
    registry.create(
        QUOTA, "n", {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "1", "requests.cpu": "2"}}}
    )
    with pytest.raises(ApiError, match=r"failed quota: q: must specify requests\.cpu for: main"):
        registry.create(POD, "n", pod())
    resources = {"requests": {"cpu": "1500m"}}
    container = {"name": "main", "image": "i", "resources": resources}
    registry.create(POD, "n", pod("a", containers=[copied(container)]))
    with pytest.raises(
        ApiError, match=r"exceeded quota: q, requested: pods=1,requests\.cpu=1500m, used: pods=1"
    ):
        registry.create(POD, "n", pod("b", containers=[copied(container)]))


def test_restricted_namespaces(registry: Registry) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    registry.create(NAMESPACE, "", {"metadata": {"name": "r", "labels": labels}})
    registry.create(SERVICE_ACCOUNT, "r", {"metadata": {"name": "default"}})
    with pytest.raises(
        ApiError, match='violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false'
    ):
        registry.create(POD, "r", pod())
    safe = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    container = {"name": "main", "image": "i", "securityContext": safe}
    registry.create(POD, "r", pod(containers=[container]))
