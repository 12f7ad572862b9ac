"""What runs left in a cluster: found without reading a secret, and only what nobody needs."""

from typing import Any

import pytest

from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.kinds import CONFIG_MAP, JOB, SECRET
from headway.executors.kubernetes.labels import FLOW, MANAGED_BY, RUN
from headway.executors.kubernetes.names import run_secret_name
from headway.executors.kubernetes.sweep import Sweeper
from headway.testing.fake_kubernetes import FakeKubernetes, Fault

OURS = {MANAGED_BY: "headway"}


@pytest.fixture
def sweeper(client: KubernetesClient) -> Sweeper:
    return Sweeper(client, ["default"])


async def put(client: KubernetesClient, kind: Any, name: str, **rest: Any) -> None:
    labels = rest.pop("labels", OURS)
    namespace = rest.pop("namespace", "default")
    await client.create(kind, namespace, {"metadata": {"name": name, "labels": labels}, **rest})


def job(runtime: str) -> dict[str, Any]:
    volumes = [{"name": "runtime", "configMap": {"name": runtime}}]
    return {"spec": {"parallelism": 0, "template": {"spec": {"volumes": volumes}}}}


async def test_secrets_of_runs_are_found_by_their_names_and_not_read(
    sweeper: Sweeper, client: KubernetesClient, fake: FakeKubernetes
) -> None:
    for run in ("7", "8"):
        await put(client, SECRET, run_secret_name("Digits", run))
    (found,) = await sweeper.secrets("Digits", ["7", "9"])
    assert (found.kind, found.name) == ("Secret", run_secret_name("Digits", "7"))
    assert "run 7" in found.why
    assert not fake.seen("get", "secrets")
    assert not fake.seen("list", "secrets")
    assert await sweeper.remove(found)
    left = [each["metadata"]["name"] for each in fake.state.all("secrets")]
    assert left == [run_secret_name("Digits", "8")]


async def test_a_runtime_that_a_job_mounts_stays(sweeper: Sweeper, client: KubernetesClient) -> None:
    for name in ("headway-runtime-old", "headway-runtime-used", "headway-runtime-now", "another"):
        await put(client, CONFIG_MAP, name)
    await put(client, CONFIG_MAP, "headway-runtime-theirs", labels={})
    await put(client, JOB, "one", **job("headway-runtime-used"))
    found, hidden = await sweeper.runtimes("headway-runtime-now")
    assert [each.name for each in found] == ["headway-runtime-old"]
    assert hidden == []


async def test_who_may_not_look_is_told_where(sweeper: Sweeper, fake: FakeKubernetes) -> None:
    fake.fault(Fault(status=403, verb="list", resource="configmaps"))
    assert await sweeper.runtimes("headway-runtime-now") == ([], ["default"])


async def test_secrets_are_found_where_any_run_ever_was(
    sweeper: Sweeper, client: KubernetesClient, fake: FakeKubernetes
) -> None:
    fake.namespace("elsewhere")
    await put(client, CONFIG_MAP, "headway-runtime-old", namespace="elsewhere")
    await put(client, SECRET, run_secret_name("Digits", "7"), namespace="elsewhere")
    assert await sweeper.secrets("Digits", ["7"]) == []
    assert await sweeper.look_everywhere()
    assert [each.namespace for each in await sweeper.secrets("Digits", ["7"])] == ["elsewhere"]
    assert await sweeper.runtimes("headway-runtime-now") == ([], []), "it may be somebody else's"
    fake.fault(Fault(status=403, verb="list", resource="configmaps"))
    assert not await sweeper.look_everywhere()


async def test_runs_with_a_job_that_has_not_ended(
    sweeper: Sweeper, client: KubernetesClient, fake: FakeKubernetes
) -> None:
    for name, flow, run in (("one", "Digits", "7"), ("two", "Letters", "8")):
        await put(
            client,
            JOB,
            name,
            labels={**OURS, FLOW: flow, RUN: run},
            spec={"parallelism": 1, "completions": 1, "template": {"spec": {}}},
        )
    assert await sweeper.active_runs("Digits") == {"7"}
