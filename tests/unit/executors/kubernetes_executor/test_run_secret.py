"""The credentials lent to a run's pods: one Secret that lives as long as the run's Jobs."""

import asyncio
from typing import Any

import pytest

from headway.errors import StoreConfigurationError
from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.errors import Forbidden
from headway.executors.kubernetes.api.kinds import JOB
from headway.executors.kubernetes.api.types import Job
from headway.executors.kubernetes.run_secret import RunSecret
from headway.testing.fake_kubernetes import FakeKubernetes, Fault

LENT = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}


@pytest.fixture
async def secret(client: KubernetesClient) -> RunSecret:
    return RunSecret(client, "Digits", "7", LENT)


def secrets(fake: FakeKubernetes) -> list[dict[str, Any]]:
    return list(fake.state.all("secrets"))


async def make_job(client: KubernetesClient, name: str) -> Job:
    spec = {"parallelism": 0, "template": {"spec": {}}}
    return await client.create(JOB, "default", {"metadata": {"name": name}, "spec": spec})


async def test_without_values_there_is_none(client: KubernetesClient, fake: FakeKubernetes) -> None:
    secret = RunSecret(client, "Digits", "7", {})
    await secret.ensure("default")
    await secret.give_to(await make_job(client, "one"))
    await secret.remove()
    assert not secret
    assert fake.seen(resource="secrets") == []


async def test_it_is_made_once_and_carries_the_runs_labels(secret: RunSecret, fake: FakeKubernetes) -> None:
    await secret.ensure("default")
    await secret.ensure("default")
    (made,) = secrets(fake)
    assert made["metadata"]["name"] == secret.name
    assert made["stringData"] == LENT
    assert made["metadata"]["labels"]["metaflow/flow_name"] == "Digits"
    assert made["metadata"]["labels"]["metaflow/run_id"] == "7"
    assert len(fake.seen("create", "secrets")) == 1


class Session:
    """What the launcher's machine has: temporary keys, which change."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {**LENT, "AWS_SESSION_TOKEN": "first"}
        self.over = False

    def find(self) -> dict[str, str]:
        if self.over:
            raise StoreConfigurationError("the session has ended")
        return self.found


def held(fake: FakeKubernetes) -> dict[str, str]:
    """What the one secret holds, as the API server merges what is written."""
    (made,) = secrets(fake)
    return {**made.get("data", {}), **made["stringData"]}


async def test_what_is_lent_follows_what_the_launcher_has(
    client: KubernetesClient, fake: FakeKubernetes
) -> None:
    """A session of an hour, and a run of two: the pods of its second half need the keys of then."""
    session = Session()
    secret = RunSecret(client, "Digits", "7", session.find(), session.find)
    await secret.ensure("default")
    session.found = {**LENT, "AWS_SESSION_TOKEN": "second"}
    await secret.ensure("default")
    assert held(fake)["AWS_SESSION_TOKEN"] == "first", "found a moment ago"
    await asyncio.sleep(30)
    await secret.ensure("default")
    assert held(fake)["AWS_SESSION_TOKEN"] == "second"
    session.over = True
    await asyncio.sleep(30)
    await secret.ensure("default")
    assert held(fake)["AWS_SESSION_TOKEN"] == "second", "it may hold for a while"
    assert len(fake.seen("patch", "secrets")) == 1


async def test_it_is_renewed_while_no_job_is_made(client: KubernetesClient, fake: FakeKubernetes) -> None:
    session = Session()
    secret = RunSecret(client, "Digits", "7", session.find(), session.find)
    await secret.ensure("default")
    loop = asyncio.ensure_future(secret.keep_fresh())
    session.found = dict(LENT)
    fake.fault(Fault(verb="patch", resource="secrets", status=403, reason="Forbidden"))
    await asyncio.sleep(125)
    assert not fake.seen("patch", "secrets")[1:]
    await asyncio.sleep(125)
    loop.cancel()
    patched = fake.seen("patch", "secrets")
    assert [seen.body for seen in patched] == [{"data": {"AWS_SESSION_TOKEN": None}, "stringData": LENT}] * 2


async def test_each_run_has_its_own(client: KubernetesClient) -> None:
    names = {RunSecret(client, flow, run, LENT).name for flow in ("A", "B") for run in ("7", "8")}
    assert len(names) == 4


async def test_it_belongs_to_every_job(
    secret: RunSecret, client: KubernetesClient, fake: FakeKubernetes
) -> None:
    await secret.ensure("default")
    jobs = [await make_job(client, name) for name in ("one", "two")]
    for job in jobs:
        await secret.give_to(job)
    (made,) = secrets(fake)
    owners = made["metadata"]["ownerReferences"]
    assert [(owner["kind"], owner["name"], owner["uid"]) for owner in owners] == [
        ("Job", job.metadata.name, job.metadata.uid) for job in jobs
    ]


async def test_of_very_many_jobs_it_belongs_to_the_newest(
    secret: RunSecret, client: KubernetesClient, fake: FakeKubernetes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headway.executors.kubernetes.run_secret._MOST_OWNERS", 2)
    await secret.ensure("default")
    for name in ("one", "two", "three"):
        await secret.give_to(await make_job(client, name))
    (made,) = secrets(fake)
    assert [owner["name"] for owner in made["metadata"]["ownerReferences"]] == ["two", "three"]


async def test_it_goes_with_the_run(secret: RunSecret, fake: FakeKubernetes) -> None:
    await secret.ensure("default")
    await secret.remove()
    await secret.remove()
    assert secrets(fake) == []
    assert len(fake.seen("delete", "secrets")) == 1


async def test_where_it_cannot_be_deleted_it_goes_elsewhere_all_the_same(
    secret: RunSecret, fake: FakeKubernetes
) -> None:
    for namespace in ("default", "other", "third"):
        if namespace != "default":
            fake.namespace(namespace)
        await secret.ensure(namespace)
    fake.fault(Fault(verb="delete", resource="secrets", status=403, reason="Forbidden"))
    with pytest.raises(Forbidden):
        await secret.remove()
    assert len(secrets(fake)) == 1
    await secret.remove()
    assert secrets(fake) == []


async def test_one_that_may_not_be_made_is_asked_for_again(secret: RunSecret, fake: FakeKubernetes) -> None:
    fake.fault(Fault(verb="create", resource="secrets", status=403, reason="Forbidden"))
    with pytest.raises(Forbidden) as caught:
        await secret.ensure("default")
    assert "secret" not in str(caught.value).replace("secrets", ""), "its values are in no message"
    await secret.ensure("default")
    assert len(secrets(fake)) == 1


async def test_a_namespace_of_another_runs_job_is_none_of_its_business(
    secret: RunSecret, client: KubernetesClient, fake: FakeKubernetes
) -> None:
    await secret.give_to(await make_job(client, "one"))
    assert fake.seen("patch", "secrets") == []


async def test_the_secret_of_a_run_that_was_taken_over_goes_at_its_end(
    fake: FakeKubernetes, client: KubernetesClient
) -> None:
    first = RunSecret(client, "Digits", "7", LENT)
    await first.ensure("default")
    second = RunSecret(client, "Digits", "7", {})
    second.inherit(["default"])
    await second.remove()
    assert secrets(fake) == []
