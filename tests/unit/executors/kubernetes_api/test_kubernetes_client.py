"""The client against the fake server: what it sends, with whose rights, and what it makes of refusals and logs."""

import asyncio
from pathlib import Path

import pytest
from fake_client import NS, client_of, config_map, now

from headway.executors.kubernetes.api.access import AuthSettings
from headway.executors.kubernetes.api.calls import Limits
from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.errors import (
    ApiError,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NoCredentials,
    NotFound,
    Unauthorized,
    Unreachable,
)
from headway.executors.kubernetes.api.kinds import CONFIG_MAP, JOB, NAMESPACE, POD
from headway.testing.fake_kubernetes import FakeKubernetes, Fault

# Plain requests


async def test_create_get_patch_delete(fake: FakeKubernetes, client: KubernetesClient) -> None:
    created = await client.create(CONFIG_MAP, NS, config_map(app="x"))
    assert created.metadata.uid
    assert (await client.get(CONFIG_MAP, NS, "cm")).data == {"k": "v"}
    patched = await client.patch(CONFIG_MAP, NS, "cm", {"data": {"k": None, "n": "1"}})
    assert patched.data == {"n": "1"}
    patched = await client.patch(
        CONFIG_MAP, NS, "cm", [{"op": "add", "path": "/data/o", "value": "2"}], type="json"
    )
    assert patched.data == {"n": "1", "o": "2"}
    assert await client.delete(CONFIG_MAP, NS, "cm") is True
    assert await client.delete(CONFIG_MAP, NS, "cm") is False
    with pytest.raises(NotFound, match="cm") as caught:
        await client.get(CONFIG_MAP, NS, "cm")
    assert (caught.value.status, caught.value.kind, caught.value.name) == (404, "configmaps", "cm")
    assert (caught.value.namespace, caught.value.verb) == (NS, "get")


async def test_a_manifest_may_come_as_bytes_and_is_sent_as_it_is(
    fake: FakeKubernetes, client: KubernetesClient
) -> None:
    await client.create(CONFIG_MAP, NS, b'{"metadata": {"name": "raw"}, "data": {"a": "b"}}')
    assert fake.seen("create")[0].body == {"metadata": {"name": "raw"}, "data": {"a": "b"}}


async def test_a_dry_run_leaves_nothing(fake: FakeKubernetes, client: KubernetesClient) -> None:
    assert (await client.create(CONFIG_MAP, NS, config_map(), dry_run=True)).metadata.name == "cm"
    assert fake.state.get("configmaps", NS, "cm") is None


async def test_apply_creates_and_takes_over(fake: FakeKubernetes, client: KubernetesClient) -> None:
    for value in "12":
        await client.patch(CONFIG_MAP, NS, "cm", {**config_map(), "data": {"k": value}}, type="apply")
    assert (await client.get(CONFIG_MAP, NS, "cm")).data == {"k": "2"}
    sent = fake.seen("patch")[0]
    assert sent.query == {"fieldManager": "headway", "force": "true"}
    assert sent.headers["Content-Type"] == "application/apply-patch+yaml"


async def test_delete_passes_its_options_on(fake: FakeKubernetes, client: KubernetesClient) -> None:
    created = await client.create(CONFIG_MAP, NS, config_map())
    with pytest.raises(Conflict, match="precondition"):
        await client.delete(CONFIG_MAP, NS, "cm", uid="another")
    uid = created.metadata.uid
    await client.delete(CONFIG_MAP, NS, "cm", uid=uid, propagation="Foreground", grace_seconds=0)
    assert fake.seen("delete")[-1].body == {
        "kind": "DeleteOptions",
        "apiVersion": "v1",
        "propagationPolicy": "Foreground",
        "gracePeriodSeconds": 0,
        "preconditions": {"uid": uid},
    }


async def test_delete_collection_takes_those_with_the_label_only(
    fake: FakeKubernetes, client: KubernetesClient
) -> None:
    for name, app in (("a", "x"), ("b", "y"), ("c", "x")):
        await client.create(CONFIG_MAP, NS, config_map(name, app=app))
    await client.delete_collection(CONFIG_MAP, NS, label_selector="app=x")
    assert [obj.metadata.name for obj in (await client.list(CONFIG_MAP, NS)).items] == ["b"]
    with pytest.raises(ValueError, match="everything"):
        await client.delete_collection(CONFIG_MAP, NS, label_selector="")


async def test_lists_come_page_by_page(fake: FakeKubernetes, client: KubernetesClient) -> None:
    for number in range(7):
        await client.create(CONFIG_MAP, NS, config_map(f"cm-{number}", app="x"))
    await client.create(CONFIG_MAP, NS, config_map("other", app="y"))
    listing = await client.list(CONFIG_MAP, NS, label_selector="app=x", limit=3)
    assert [obj.metadata.name for obj in listing.items] == [f"cm-{number}" for number in range(7)]
    assert listing.resource_version
    assert len(fake.seen("list")) == 3


async def test_a_list_whose_pages_expire_is_read_again_at_once(
    fake: FakeKubernetes, client: KubernetesClient
) -> None:
    for number in range(5):
        await client.create(CONFIG_MAP, NS, config_map(f"cm-{number}"))
    fake.fault(Fault(verb="list", skip=1, status=410, reason="Expired", message="continue token too old"))
    assert len((await client.list(CONFIG_MAP, NS, limit=2)).items) == 5
    assert len(fake.seen("list")) == 3
    assert "limit" not in fake.seen("list")[-1].query


async def test_of_a_list_no_more_pages_are_read_than_will_do(
    fake: FakeKubernetes, client: KubernetesClient
) -> None:
    for number in range(7):
        await client.create(CONFIG_MAP, NS, config_map(f"cm-{number}"))
    assert len((await client.list(CONFIG_MAP, NS, limit=2, most=3)).items) == 4
    assert len(fake.seen("list")) == 2
    fake.fault(Fault(verb="list", skip=1, status=410, reason="Expired", message="continue token too old"))
    with pytest.raises(Gone):
        await client.list(CONFIG_MAP, NS, limit=2, most=3)


async def test_a_get_may_be_answered_from_memory(fake: FakeKubernetes, client: KubernetesClient) -> None:
    await client.create(CONFIG_MAP, NS, config_map("a"))
    await client.get(CONFIG_MAP, NS, "a")
    await client.get(CONFIG_MAP, NS, "a", cached=True)
    assert [request.query for request in fake.seen("get")] == [{}, {"resourceVersion": "0"}]


async def test_lists_over_all_namespaces_and_by_field(fake: FakeKubernetes, client: KubernetesClient) -> None:
    fake.namespace("second")
    await client.create(CONFIG_MAP, NS, config_map("a"))
    await client.create(CONFIG_MAP, "second", config_map("b"))
    assert len((await client.list(CONFIG_MAP, None)).items) == 2
    found = await client.list(CONFIG_MAP, None, field_selector="metadata.name=b")
    assert [obj.metadata.namespace for obj in found.items] == ["second"]
    assert {obj.metadata.name for obj in (await client.list(NAMESPACE, None)).items} == {NS, "second"}


async def test_version_and_permissions(fake: FakeKubernetes, client: KubernetesClient) -> None:
    version = await client.version()
    assert version.at_least(1, 29)
    assert not version.at_least(1, 37)
    fake.deny("get", "pods/log")
    assert await client.can_i("create", "jobs.batch", NS)
    assert not await client.can_i("get", "pods/log", NS)
    assert fake.seen("create", "selfsubjectaccessreviews")[0].body["spec"]["resourceAttributes"] == {
        "verb": "create",
        "group": "batch",
        "resource": "jobs",
        "subresource": "",
        "namespace": NS,
    }


async def test_at_most_so_many_requests_are_under_way(fake: FakeKubernetes) -> None:
    fake.fault(Fault("hang", verb="get", times=100))
    async with client_of(fake, limits=Limits(in_flight=3, request_timeout=1000)) as client:
        waiting = [asyncio.ensure_future(client.get(POD, NS, str(n))) for n in range(8)]
        await asyncio.sleep(10)
        assert len(fake.seen("get")) == 3
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_rate_spreads_requests(fake: FakeKubernetes) -> None:
    async with client_of(fake, limits=Limits(rate=10, burst=5)) as client:
        await asyncio.gather(*(client.list(POD, NS) for _ in range(25)))
        assert now() == pytest.approx(2.0, abs=0.01)
        await asyncio.sleep(60)  # an idle time earns a burst, no more
        started = now()
        await asyncio.gather(*(client.list(POD, NS) for _ in range(15)))
        assert now() - started == pytest.approx(1.0, abs=0.01)


async def test_impersonation_headers_travel(fake: FakeKubernetes) -> None:
    auth = AuthSettings(token="t", impersonate=(("Impersonate-User", "jane"), ("Impersonate-Group", "dev")))
    async with client_of(fake, access=fake.access(auth=auth)) as client:
        await client.list(POD, NS)
    headers = fake.seen("list")[0].headers
    assert (headers["Authorization"], headers["Impersonate-User"]) == ("Bearer t", "jane")


# Credentials


async def test_a_token_file_that_was_replaced_is_read_again(fake: FakeKubernetes, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("first\n")
    fake.tokens = {"first"}
    async with client_of(fake, access=fake.access(auth=AuthSettings(token_file=token))) as client:
        await client.list(POD, NS)
        replacement = tmp_path / "new"
        replacement.write_text("second, longer\n")
        replacement.replace(token)
        fake.tokens = {"second, longer"}
        await client.list(POD, NS)
    assert len(fake.seen("list")) == 2


async def test_a_token_that_is_refused_is_an_error_at_once(fake: FakeKubernetes) -> None:
    fake.tokens = {"good"}
    async with client_of(fake, access=fake.access(auth=AuthSettings(token="bad"))) as client:
        with pytest.raises(Unauthorized) as caught:
            await client.list(POD, NS)
    assert "the fake cluster" in caught.value.message
    assert "bad" not in str(caught.value)
    assert caught.value.exit_code == 2
    assert len(fake.seen("list")) == 1


async def test_a_missing_token_file_is_an_error_that_may_mend_itself(
    fake: FakeKubernetes, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    async with client_of(fake, access=fake.access(auth=AuthSettings(token_file=token))) as client:
        with pytest.raises(NoCredentials, match="the fake cluster cannot be read") as caught:
            await client.list(POD, NS)
        assert not caught.value.transient
        assert now() == 0
        token.write_text("t")
        await client.list(POD, NS)
        token.unlink()
        await client.list(POD, NS)  # the server still takes the old one
        fake.tokens = {"another"}
        waiting = asyncio.ensure_future(client.list(POD, NS))
        await asyncio.sleep(10)
        token.write_text("another")
        await waiting


async def test_the_quotas_own_race_is_waited_out(fake: FakeKubernetes, client: KubernetesClient) -> None:
    race = Fault(
        verb="create",
        times=2,
        status=409,
        reason="Conflict",
        message='Operation cannot be fulfilled on resourcequotas "q": the object has been modified',
        details={"name": "q", "kind": "resourcequotas"},
    )
    fake.fault(race)
    assert (await client.create(CONFIG_MAP, NS, {"metadata": {"generateName": "cm-"}})).metadata.uid
    assert len(fake.seen("create")) == 3


# Refusals in words


async def test_a_missing_permission_names_the_rule(fake: FakeKubernetes, client: KubernetesClient) -> None:
    fake.deny("create", "jobs")
    with pytest.raises(Forbidden) as caught:
        await client.create(JOB, NS, {"metadata": {"name": "j"}, "spec": {}})
    assert caught.value.user == "tester"
    assert 'user "tester" may not create jobs.batch in namespace default' in caught.value.message
    hint = caught.value.hint or ""
    assert 'apiGroups: ["batch"], resources: ["jobs"], verbs: ["create"]' in hint
    assert "kubectl create role headway-create --verb=create --resource=jobs.batch -n default" in hint
    assert "--user=tester" in hint


async def test_invalid_objects_name_the_field(fake: FakeKubernetes, client: KubernetesClient) -> None:
    with pytest.raises(Invalid, match=r"metadata\.name: .*RFC 1123") as caught:
        await client.create(CONFIG_MAP, NS, config_map("Not_A_Name"))
    assert caught.value.details is not None
    assert caught.value.details.causes[0].field == "metadata.name"


async def test_a_missing_namespace_is_told_apart(fake: FakeKubernetes, client: KubernetesClient) -> None:
    with pytest.raises(NotFound, match='namespaces "nowhere" not found') as caught:
        await client.create(CONFIG_MAP, "nowhere", config_map())
    assert "kubectl create namespace nowhere" in (caught.value.hint or "")


# Logs


async def test_logs_are_followed_to_their_end(fake: FakeKubernetes, client: KubernetesClient) -> None:
    fake.state.add("pods", NS, {"metadata": {"name": "p"}, "spec": {}})
    fake.log("p", "one", "two")
    lines: list[bytes] = []
    grown = asyncio.Event()

    async def follow() -> None:
        async for line in client.logs(NS, "p", container="main", follow=True, tail=1, timestamps=True):
            lines.append(line)
            grown.set()

    following = asyncio.ensure_future(follow())
    await grown.wait()
    fake.log("p", "three", "", "x" * 300_000, end=True)
    await following
    assert lines == [b"two", b"three", b"", b"x" * 300_000]
    assert fake.seen("get", "pods/log")[0].query == {
        "container": "main",
        "follow": "true",
        "tailLines": "1",
        "timestamps": "true",
    }


async def test_logs_of_a_pod_that_has_not_started(fake: FakeKubernetes, client: KubernetesClient) -> None:
    fake.state.add("pods", NS, {"metadata": {"name": "p"}, "spec": {}})
    assert [line async for line in client.logs(NS, "p")] == []  # nowhere yet: the server says nothing
    fake.pod_scheduled("p")
    with pytest.raises(ApiError, match="waiting to start") as caught:
        [line async for line in client.logs(NS, "p")]
    assert caught.value.status == 400


async def test_a_log_that_is_cut_is_not_taken_for_its_end(
    fake: FakeKubernetes, client: KubernetesClient
) -> None:
    fake.log("p", "one")
    lines = client.logs(NS, "p", follow=True)
    assert await anext(lines) == b"one"
    fake.cut_logs()
    with pytest.raises(Unreachable, match="broke"):
        await anext(lines)


async def test_a_client_used_outside_its_context_says_so(fake: FakeKubernetes) -> None:
    with pytest.raises(AssertionError, match="async with"):
        await KubernetesClient(fake.access()).version()
