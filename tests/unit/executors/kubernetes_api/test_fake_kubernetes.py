"""The fake itself: what a launcher's tests rely on."""

from typing import Any

import pytest

from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.kinds import EVENT, JOB, POD
from headway.testing.fake_kubernetes import FakeKubernetes
from headway.testing.fake_kubernetes.selectors import matches

NS = "default"


def job(name: str = "j", **spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"run": "1"}}, "spec": {"containers": [{"name": "main"}]}}
    return {"metadata": {"name": name}, "spec": {"backoffLimit": 0, "template": template, **spec}}


def condition(obj: dict[str, Any]) -> tuple[str, str] | None:
    for each in obj["status"].get("conditions", ()):
        if each["type"] in ("Complete", "Failed"):
            return each["type"], each["reason"]
    return None


def current(fake: FakeKubernetes, name: str = "j") -> dict[str, Any]:
    found = fake.state.get("jobs", NS, name)
    assert found is not None
    return found


async def test_a_job_gets_a_pod_and_ends_with_it(fake: FakeKubernetes, client: KubernetesClient) -> None:
    await client.create(JOB, NS, job())
    [pod] = (await client.list(POD, NS, label_selector="run=1,job-name=j")).items
    assert pod.status.phase == "Pending"
    assert pod.metadata.owner_references[0].name == "j"
    fake.pod_running(pod.metadata.name)
    assert (current(fake)["status"]["active"], current(fake)["status"]["ready"]) == (1, 1)
    fake.pod_succeeded(pod.metadata.name)
    assert condition(current(fake)) == ("Complete", "CompletionsReached")
    assert current(fake)["status"]["succeeded"] == 1


async def test_a_failed_pod_fails_its_job(fake: FakeKubernetes, client: KubernetesClient) -> None:
    await client.create(JOB, NS, job())
    fake.pod_failed(fake.pod_names()[0], 137, "OOMKilled")
    assert condition(current(fake)) == ("Failed", "BackoffLimitExceeded")
    [pod] = (await client.list(POD, NS)).items
    state = pod.status.container_statuses[0].state
    assert state is not None
    assert state.terminated is not None
    assert (state.terminated.reason, state.terminated.exit_code) == ("OOMKilled", 137)


async def test_a_backoff_limit_allows_another_pod(fake: FakeKubernetes, client: KubernetesClient) -> None:
    await client.create(JOB, NS, job(backoffLimit=1))
    fake.pod_failed(fake.pod_names()[0])
    assert len(fake.pod_names()) == 2
    fake.pod_failed(fake.pod_names()[1])
    assert condition(current(fake)) == ("Failed", "BackoffLimitExceeded")
    assert len(fake.pod_names()) == 2


async def test_an_indexed_job_keeps_its_parallelism(fake: FakeKubernetes, client: KubernetesClient) -> None:
    await client.create(
        JOB, NS, job(completionMode="Indexed", completions=5, parallelism=2, backoffLimitPerIndex=0)
    )
    pods = fake.pods()
    index = "batch.kubernetes.io/job-completion-index"
    assert [pod["metadata"]["annotations"][index] for pod in pods] == ["0", "1"]
    assert [pod["metadata"]["labels"][index] for pod in pods] == ["0", "1"]
    assert pods[1]["spec"]["containers"][0]["env"][0]["name"] == "JOB_COMPLETION_INDEX"
    fake.pod_succeeded(pods[0]["metadata"]["name"])
    fake.pod_failed(pods[1]["metadata"]["name"])
    await client.patch(JOB, NS, "j", {"spec": {"parallelism": 5}})
    active = [pod for pod in fake.pods() if pod["status"]["phase"] == "Pending"]
    assert [pod["metadata"]["annotations"][index] for pod in active] == ["2", "3", "4"]
    for pod in active:
        fake.pod_succeeded(pod["metadata"]["name"])
    status = current(fake)["status"]
    assert (status["completedIndexes"], status["failedIndexes"]) == ("0,2-4", "1")
    assert condition(current(fake)) == ("Failed", "FailedIndexes")
    assert not any(name.startswith("_") for name in status)


async def test_suspending_takes_the_pods_away(fake: FakeKubernetes, client: KubernetesClient) -> None:
    await client.create(JOB, NS, job(suspend=True))
    assert fake.pod_names() == []
    await client.patch(JOB, NS, "j", {"spec": {"suspend": False}})
    fake.pod_running(fake.pod_names()[0])
    await client.patch(JOB, NS, "j", {"spec": {"suspend": True}})
    assert fake.pod_names() == []
    assert condition(current(fake)) is None


async def test_deleting_a_job_takes_its_pods_along(fake: FakeKubernetes, client: KubernetesClient) -> None:
    for name in ("a", "b"):
        await client.create(JOB, NS, job(name))
    await client.delete(JOB, NS, "a")
    await client.delete(JOB, NS, "b", propagation="Orphan")
    assert [pod["metadata"]["labels"]["job-name"] for pod in fake.pods()] == ["b"]


async def test_a_pod_that_is_deleted_counts_as_failed(fake: FakeKubernetes, client: KubernetesClient) -> None:
    await client.create(JOB, NS, job(completionMode="Indexed", completions=2, backoffLimitPerIndex=0))
    fake.pod_lost(fake.pod_names()[0])
    assert current(fake)["status"]["failedIndexes"] == "0"
    await client.delete(POD, NS, fake.pod_names()[0])
    assert current(fake)["status"]["failedIndexes"] == "0,1"
    assert condition(current(fake)) == ("Failed", "FailedIndexes")


async def test_the_lives_of_pods(fake: FakeKubernetes, client: KubernetesClient) -> None:
    await client.create(POD, NS, {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c"}]}})
    fake.pod_unschedulable("p", "no room")
    assert (await client.get(POD, NS, "p")).status.conditions[0].message == "no room"
    fake.pod_waiting("p", "ImagePullBackOff", "not found")
    waiting = (await client.get(POD, NS, "p")).status.container_statuses[0].state
    assert waiting is not None
    assert waiting.waiting is not None
    assert waiting.waiting.reason == "ImagePullBackOff"
    fake.pod_running("p")
    assert (await client.get(POD, NS, "p")).status.phase == "Running"
    fake.pod_evicted("p")
    pod = await client.get(POD, NS, "p")
    assert (pod.status.phase, pod.status.reason) == ("Failed", "Evicted")
    assert {each.type: each.reason for each in pod.status.conditions}[
        "DisruptionTarget"
    ] == "TerminationByKubelet"
    fake.event("pods", "p", "Evicted", "low on memory")
    [event] = (await client.list(EVENT, NS, field_selector=f"involvedObject.uid={pod.metadata.uid}")).items
    assert (event.reason, event.involved_object.kind) == ("Evicted", "Pod")
    with pytest.raises(LookupError, match="no pod q"):
        fake.pod_running("q")


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ("a=1", True),
        ("a==1,b=2", True),
        ("a=1,b=3", False),
        ("a!=2", True),
        ("c!=2", True),
        ("a in (1, 2)", True),
        ("a notin (1, 2),b=2", False),
        ("a", True),
        ("!a", False),
        ("!c", True),
    ],
)
def test_label_selectors(selector: str, selected: bool) -> None:
    assert matches({"metadata": {"labels": {"a": "1", "b": "2"}}}, selector, None) is selected
