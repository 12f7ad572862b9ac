"""What the client tries again, and what became of a request whose reply was lost."""

import pytest
from fake_client import NS, client_of, config_map, now

from headway.errors import ClusterConfigurationError
from headway.executors.kubernetes.api.access import ClusterAccess
from headway.executors.kubernetes.api.calls import Limits, RetryNotice
from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.errors import (
    AlreadyExists,
    ApiError,
    ServerError,
    TooManyRequests,
    Unreachable,
)
from headway.executors.kubernetes.api.kinds import CONFIG_MAP, POD
from headway.executors.kubernetes.api.retry import RetryPolicy
from headway.testing.fake_kubernetes import FakeKubernetes, Fault


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_passing_trouble_is_waited_out(fake: FakeKubernetes, status: int) -> None:
    fake.fault(Fault(verb="list", times=3, status=status, plain=status in (502, 504)))
    told: list[RetryNotice] = []
    async with client_of(fake, on_retry=told.append) as client:
        await client.version()
        assert (await client.list(POD, NS)).items == ()
    assert [notice.attempt for notice in told] == [1, 2, 3]
    assert told[0].error.status == status
    assert told[0].pause < told[1].pause < told[2].pause


async def test_the_server_says_how_long_to_wait(fake: FakeKubernetes, client: KubernetesClient) -> None:
    await client.version()
    fake.fault(Fault(status=429, reason="TooManyRequests", retry_after=7))
    await client.list(POD, NS)
    assert 7.0 <= now() < 8.0


async def test_a_wait_beyond_the_budget_is_not_begun(fake: FakeKubernetes, client: KubernetesClient) -> None:
    await client.version()
    fake.fault(Fault(status=429, reason="TooManyRequests", retry_after=3600))
    with pytest.raises(TooManyRequests):
        await client.list(POD, NS)
    assert now() < 1.0


async def test_lasting_trouble_ends_with_the_budget(fake: FakeKubernetes) -> None:
    fake.fault(Fault(verb="get", times=1000, message="etcdserver: request timed out"))
    async with client_of(fake, limits=Limits(retry=RetryPolicy(budget=30))) as client:
        await client.version()
        with pytest.raises(ServerError, match="etcdserver: request timed out") as caught:
            await client.get(POD, NS, "p")
    assert caught.value.transient
    assert 20 < now() <= 30
    assert len(fake.seen("get")) < 15


@pytest.mark.parametrize("most", [0, 2])
async def test_no_more_retries_than_are_wanted(fake: FakeKubernetes, most: int) -> None:
    """``max_api_retries``."""
    async with client_of(fake, limits=Limits(retry=RetryPolicy(most=most))) as client:
        await client.version()
        fake.fault(Fault(verb="get", times=1000, message="etcdserver: request timed out"))
        with pytest.raises(ServerError):
            await client.get(POD, NS, "p")
    assert len(fake.seen("get", "pods")) == 1 + most


async def test_the_first_contact_has_a_short_budget(fake: FakeKubernetes) -> None:
    fake.fault(Fault("reset", times=1000))
    async with client_of(fake) as client:
        with pytest.raises(Unreachable):
            await client.list(POD, NS)
    assert 1.0 < now() <= 3.0


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 410, 422])
async def test_refusals_are_not_retried(fake: FakeKubernetes, client: KubernetesClient, status: int) -> None:
    fake.fault(Fault(verb="create", times=5, status=status, reason="Whatever"))
    with pytest.raises(ApiError):
        await client.create(CONFIG_MAP, NS, config_map())
    assert len(fake.seen("create")) == 1


async def test_a_server_that_never_answers_runs_into_the_time_limit(fake: FakeKubernetes) -> None:
    fake.fault(Fault("hang", times=2))
    async with client_of(fake, limits=Limits(request_timeout=10)) as client:
        await client.version()
        await client.list(POD, NS)
    assert 20 <= now() < 23


async def test_a_hidden_address_is_named_with_its_source(unused_tcp_port: int) -> None:
    access = ClusterAccess(f"http://127.0.0.1:{unused_tcp_port}", NS, "context prod in /home/me/.kube/config")
    async with KubernetesClient(access) as client:
        with pytest.raises(Unreachable) as caught:
            await client.version()
    assert f"http://127.0.0.1:{unused_tcp_port}" in caught.value.message
    assert "context prod in /home/me/.kube/config" in caught.value.message
    assert "connection refused" in caught.value.message
    assert isinstance(caught.value, ClusterConfigurationError)
    assert caught.value.exit_code == 2


async def test_something_that_is_no_api_server_is_found_out(
    fake: FakeKubernetes, client: KubernetesClient
) -> None:
    fake.fault(Fault("garbage"))
    with pytest.raises(ApiError, match="not what an API server sends") as caught:
        await client.list(POD, NS)
    assert "log in" not in str(caught.value)
    fake.fault(Fault(status=302, plain=True, location=f"{fake.server}/version"))
    with pytest.raises(ApiError, match="answered 302"):
        await client.list(POD, NS)


# A create whose reply was lost


@pytest.mark.parametrize("identity", [None, {"attempt": "7"}])
async def test_a_lost_reply_is_settled_by_name(
    fake: FakeKubernetes, client: KubernetesClient, identity: dict[str, str] | None
) -> None:
    await client.version()
    fake.fault(Fault("reset_after", verb="create"))
    created = await client.create(CONFIG_MAP, NS, config_map(attempt="7"), identity=identity)
    assert created.data == {"k": "v"}
    assert len(fake.seen("create")) == 2
    assert len(list(fake.state.all("configmaps"))) == 1


async def test_another_object_of_the_name_is_not_taken_for_ours(
    fake: FakeKubernetes, client: KubernetesClient
) -> None:
    await client.version()
    await client.create(CONFIG_MAP, NS, config_map(attempt="6"))
    fake.fault(Fault(verb="create", status=503, plain=True))
    with pytest.raises(AlreadyExists):
        await client.create(CONFIG_MAP, NS, config_map(attempt="7"))


async def test_without_a_doubtful_try_a_conflict_is_a_conflict(
    fake: FakeKubernetes, client: KubernetesClient
) -> None:
    await client.create(CONFIG_MAP, NS, config_map(attempt="7"))
    with pytest.raises(AlreadyExists):
        await client.create(CONFIG_MAP, NS, config_map(attempt="7"))
    fake.fault(Fault(verb="create", status=429, reason="TooManyRequests"))  # was certainly not carried out
    with pytest.raises(AlreadyExists):
        await client.create(CONFIG_MAP, NS, config_map(attempt="7"))


async def test_without_any_identity_nothing_is_taken_for_ours(
    fake: FakeKubernetes, client: KubernetesClient
) -> None:
    await client.version()
    fake.fault(Fault("reset_after", verb="create"))
    with pytest.raises(AlreadyExists):
        await client.create(CONFIG_MAP, NS, config_map())


async def test_an_object_that_the_server_names_is_not_created_twice(
    fake: FakeKubernetes, client: KubernetesClient
) -> None:
    await client.version()
    body = {"metadata": {"generateName": "cm-"}}
    fake.fault(Fault("reset_after", verb="create"))
    with pytest.raises(Unreachable) as caught:
        await client.create(CONFIG_MAP, NS, body)
    assert caught.value.sent
    assert len(fake.seen("create")) == 1
    fake.fault(Fault(verb="create", status=429, reason="TooManyRequests"))
    assert (await client.create(CONFIG_MAP, NS, body)).metadata.name.startswith("cm-")


async def test_a_lost_reply_to_a_delete_is_no_error(fake: FakeKubernetes, client: KubernetesClient) -> None:
    await client.version()
    await client.create(CONFIG_MAP, NS, config_map())
    fake.fault(Fault("reset_after", verb="delete"))
    assert await client.delete(CONFIG_MAP, NS, "cm") is False
    assert fake.state.get("configmaps", NS, "cm") is None


async def test_a_json_patch_is_not_sent_twice(fake: FakeKubernetes, client: KubernetesClient) -> None:
    await client.create(CONFIG_MAP, NS, config_map())
    for fault in (Fault("reset", verb="patch"), Fault(verb="patch", status=500)):
        fake.fault(fault)
        with pytest.raises((Unreachable, ServerError)):
            await client.patch(CONFIG_MAP, NS, "cm", [], type="json")
    assert len(fake.seen("patch")) == 2
    fake.fault(Fault("reset", verb="patch"))
    await client.patch(CONFIG_MAP, NS, "cm", {"data": {"x": "y"}})
    assert len(fake.seen("patch")) == 4
