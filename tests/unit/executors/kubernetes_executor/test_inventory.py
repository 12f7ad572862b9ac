"""What of a flow is in a cluster, wherever it is, and what of it is ended."""

from typing import Any

import pytest

from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.errors import Forbidden
from headway.executors.kubernetes.inventory import Inventory
from headway.executors.kubernetes.labels import FLOW, MANAGED_BY, RUN, STEP, STOPPED_BY
from headway.testing.fake_kubernetes import FakeKubernetes, Fault

ENDED = [{"type": "Complete", "status": "True"}]


@pytest.fixture
def inventory(client: KubernetesClient) -> Inventory:
    return Inventory("Digits", ["default"], client=client)


def about(name: str, run: str, **more: str) -> dict[str, Any]:
    labels = {MANAGED_BY: "headway", FLOW: "Digits", RUN: run, STEP: "train", **more}
    return {"metadata": {"name": name, "labels": labels}}


def job(fake: FakeKubernetes, name: str, run: str, namespace: str = "default", **more: Any) -> None:
    spec = {"parallelism": 1, "template": {"spec": {}}, **more.pop("spec", {})}
    fake.state.add("jobs", namespace, {**about(name, run), "spec": spec, **more})


def pod(fake: FakeKubernetes, of: str, run: str, phase: str) -> None:
    manifest = about(f"{of}-x", run, **{"batch.kubernetes.io/job-name": of})
    fake.state.add("pods", "default", {**manifest, "status": {"phase": phase}})


async def test_jobs_without_an_active_pod_are_found_beside_the_pods(
    inventory: Inventory, fake: FakeKubernetes
) -> None:
    job(fake, "busy", "7")
    pod(fake, "busy", "7", "Running")
    job(fake, "refused", "7", spec={"completions": 2})
    pod(fake, "refused", "7", "Failed")
    job(fake, "held", "8", spec={"suspend": True})
    job(fake, "ending", "7")
    pod(fake, "ending", "7", "Succeeded")
    job(fake, "over", "8", status={"conditions": ENDED})
    found = await inventory.look()
    assert [(line.name, line.active) for line in found.pods] == [
        ("busy-x", True),
        ("ending-x", False),
        ("refused-x", False),
    ]
    assert [(line.run, line.name, line.suspended) for line in found.jobs] == [
        ("7", "refused", False),
        ("8", "held", True),
    ]
    assert found.hidden == ()
    assert [line.name for line in found.active.pods] == ["busy-x"]
    assert found.active.runs == ["7", "8"]
    assert (await inventory.look("8")).runs == ["8"]


async def test_all_namespaces_are_looked_into_and_cleared(inventory: Inventory, fake: FakeKubernetes) -> None:
    for namespace in ("default", "elsewhere"):
        job(fake, "one", "7", namespace)
    job(fake, "other", "8", "elsewhere")
    assert [line.namespace for line in (await inventory.look("7")).jobs] == ["default", "elsewhere"]
    await inventory.end("7", "ann")
    assert [each["metadata"]["name"] for each in fake.state.all("jobs")] == ["other"]


async def test_who_may_not_look_everywhere_is_told_where_was_looked(
    inventory: Inventory, fake: FakeKubernetes
) -> None:
    for namespace in ("default", "elsewhere"):
        job(fake, "one", "7", namespace)
    fake.fault(Fault(status=403, verb="list", resource="jobs"))
    found = await inventory.look()
    assert [line.namespace for line in found.jobs] == ["default"]
    assert found.hidden == ("default",)


async def test_a_job_that_may_not_be_deleted_keeps_no_other(
    inventory: Inventory, fake: FakeKubernetes
) -> None:
    for name in ("one", "two", "three"):
        job(fake, name, "7")
    fake.fault(Fault(status=403, verb="delete", resource="jobs"))
    with pytest.raises(Forbidden):
        await inventory.end("7", "ann")
    assert len(list(fake.state.all("jobs"))) == 1


async def test_before_jobs_are_deleted_a_mark_on_them_tells_who_asks(
    inventory: Inventory, fake: FakeKubernetes
) -> None:
    """For a launcher that goes on somewhere: it would try again what is taken from it."""
    job(fake, "one", "7")
    fake.fault(Fault(status=403, verb="delete", resource="jobs"))
    with pytest.raises(Forbidden):
        await inventory.end("7", "ann")
    (left,) = fake.state.all("jobs")
    assert left["metadata"]["annotations"] == {STOPPED_BY: "ann"}
    fake.fault(Fault(status=403, verb="patch", resource="jobs"))
    await inventory.end("7", "ann")
    assert not list(fake.state.all("jobs")), "who may not mark them may delete them all the same"


async def test_why_pods_wait_or_failed_and_why_jobs_have_none(
    inventory: Inventory, fake: FakeKubernetes
) -> None:
    def waits(of: str, phase: str, **status: Any) -> None:
        manifest = about(f"{of}-x", "7", **{"batch.kubernetes.io/job-name": of})
        spec = {"containers": [{"name": "train", "image": "team/image:1"}]}
        body = {**manifest, "kind": "Pod", "spec": spec, "status": {"phase": phase, **status}}
        fake.state.add("pods", "default", body)

    def state(**state: Any) -> dict[str, Any]:
        return {"containerStatuses": [{"name": "train", "state": state}]}

    no_node = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    words = "0/3 nodes are available: 3 Insufficient cpu."
    waits("large", "Pending", conditions=[{**no_node, "message": words}])
    refused = {"reason": "ErrImagePull", "message": "team/image:1: not found"}
    waits("imageless", "Pending", **state(waiting=refused))
    waits("mounting", "Pending", **state(waiting={"reason": "ContainerCreating"}))
    fake.event("pods", "mounting-x", "FailedMount", 'secret "nix" not found')
    waits("killed", "Failed", **state(terminated={"exitCode": 137, "reason": "OOMKilled"}))
    waits("raised", "Failed", **state(terminated={"exitCode": 1, "reason": "Error"}))
    waits("done", "Succeeded", **state(terminated={"exitCode": 0, "reason": "Completed"}))
    waits("going", "Running", **state(running={"startedAt": "2026-01-01T00:00:00Z"}))
    job(fake, "podless", "7", kind="Job")
    fake.event(
        "jobs", "podless", "FailedCreate", 'Error creating: pods "x" is forbidden: exceeded quota: small'
    )
    job(fake, "held", "7", spec={"suspend": True})

    found = await inventory.look("7", why=True)
    told = {line.name.removesuffix("-x"): line.why for line in (*found.pods, *found.jobs)}
    expected = {
        "large": "of 3 nodes 3 have too little free cpu",
        "imageless": "the image team/image:1 cannot be pulled",
        "mounting": "a volume cannot be mounted: the secret nix does not exist",
        "killed": "Step train ran out of memory",
        "podless": "the cluster refuses its pods: exceeded quota: small",
    }
    assert {name: why for name, why in told.items() if why}.keys() == expected.keys()
    assert [name for name, why in expected.items() if why not in told[name]] == []
    fake.fault(Fault(status=403, verb="list", resource="events", times=2))
    found = await inventory.look("7", why=True)
    assert {line.why for line in found.jobs} == {""}, "events are a courtesy"
    assert {line.why for line in (await inventory.look("7")).pods} == {""}, "who ends them asks nobody why"
