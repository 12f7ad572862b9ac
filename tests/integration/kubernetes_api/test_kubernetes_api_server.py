"""The client and the watch against a real API server."""

import asyncio
import base64
import json
import os
import uuid
from typing import Any

import pytest
from real_server import PATIENCE, config_map, failure, job, pod, run

from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    QuotaExceeded,
    Target,
)
from headway.executors.kubernetes.api.kinds import (
    CONFIG_MAP,
    EVENT,
    JOB,
    NAMESPACE,
    NODE,
    POD,
    RESOURCE_QUOTA,
    SECRET,
)
from headway.executors.kubernetes.api.kubeconfig import load_access
from headway.executors.kubernetes.api.lines import LineReader
from headway.executors.kubernetes.api.types import Event
from headway.executors.kubernetes.api.watch import Added, Deleted, Modified, Synced, WatchSettings, watch
from headway.executors.kubernetes.api.watch_lines import Change, LineDecoder

pytestmark = pytest.mark.cluster


async def test_the_life_of_an_object(client: KubernetesClient, namespace: str) -> None:
    created = await client.create(JOB, namespace, job("j", suspend=True, parallelism=2, completions=3))
    assert (created.spec.parallelism, created.spec.completions, created.spec.suspend) == (2, 3, True)
    with pytest.raises(AlreadyExists, match="already exists"):
        await client.create(JOB, namespace, job("j", suspend=True))
    for type_ in ("merge", "strategic"):
        patched = await client.patch(JOB, namespace, "j", {"metadata": {"labels": {"t": type_}}}, type=type_)
        assert patched.metadata.labels["t"] == type_
    operations = [{"op": "replace", "path": "/spec/parallelism", "value": 1}]
    assert (await client.patch(JOB, namespace, "j", operations, type="json")).spec.parallelism == 1
    with pytest.raises(Conflict, match="precondition"):
        await client.delete(JOB, namespace, "j", uid=str(uuid.uuid4()))
    assert await client.delete(JOB, namespace, "j", uid=created.metadata.uid)
    assert not await client.delete(JOB, namespace, "j")
    with pytest.raises(NotFound, match=r'jobs\.batch "j" not found'):
        await client.get(JOB, namespace, "j")


async def test_apply_and_bytes(client: KubernetesClient, namespace: str) -> None:
    await client.create(CONFIG_MAP, namespace, json.dumps(config_map()).encode())
    for name in ("cm", "new"):
        manifest = {"apiVersion": "v1", "kind": "ConfigMap", **config_map(name), "data": {"k": "mine"}}
        assert (await client.patch(CONFIG_MAP, namespace, name, manifest, type="apply")).data == {"k": "mine"}


async def test_a_dry_run_checks_and_leaves_nothing(client: KubernetesClient, namespace: str) -> None:
    checked = await client.create(JOB, namespace, job("j", backoffLimit=3), dry_run=True)
    assert checked.metadata.uid
    with pytest.raises(NotFound):
        await client.get(JOB, namespace, "j")
    with pytest.raises(Invalid, match=r"spec\.completions: Invalid value: -1"):
        await client.create(JOB, namespace, job("j", completions=-1), dry_run=True)


async def test_lists_pages_and_collections(client: KubernetesClient, namespace: str) -> None:
    names = [f"cm-{number}" for number in range(5)]
    for name in names:
        await client.create(CONFIG_MAP, namespace, config_map(name, app="x"))
    listing = await client.list(CONFIG_MAP, namespace, label_selector="app=x", limit=2)
    assert [obj.metadata.name for obj in listing.items] == names
    by_field = await client.list(CONFIG_MAP, namespace, field_selector="metadata.name=cm-3")
    assert [obj.metadata.name for obj in by_field.items] == ["cm-3"]
    await client.delete_collection(CONFIG_MAP, namespace, label_selector="app=x")
    assert (await client.list(CONFIG_MAP, namespace, label_selector="app=x")).items == ()


async def test_nodes_version_and_permissions(client: KubernetesClient, namespace: str) -> None:
    assert (await client.version()).at_least(1, 29)
    nodes = (await client.list(NODE, None)).items
    assert any({"cpu", "memory"} <= node.status.allocatable.keys() for node in nodes)
    assert await client.can_i("create", "jobs.batch", namespace)


async def test_a_watch_sees_everything_once(client: KubernetesClient, namespace: str) -> None:
    await client.create(CONFIG_MAP, namespace, config_map("a", app="x"))
    told: list[str] = []
    # A connection lasts a second or two here: the changes below fall into several of them.
    settings = WatchSettings(connection=1.0)

    async def follow() -> None:
        async for event in watch(client, CONFIG_MAP, namespace, "app=x", settings=settings):
            match event:
                case Synced(objects=objects):
                    told.append(f"synced {' '.join(obj.metadata.name for obj in objects)}")
                case Added(object=obj) | Modified(object=obj) | Deleted(object=obj):
                    told.append(f"{type(event).__name__} {obj.metadata.name} {obj.data.get('k', '')}")
            if told[-1].startswith("Deleted"):
                return

    following = asyncio.ensure_future(follow())
    for number in range(30):
        await client.patch(CONFIG_MAP, namespace, "a", {"data": {"k": str(number)}})
        await asyncio.sleep(0.1)
        if number == 0:
            await client.create(CONFIG_MAP, namespace, config_map("b", app="y"))
    await client.delete(CONFIG_MAP, namespace, "a")
    await asyncio.wait_for(following, PATIENCE)
    assert told[0] == "synced a"
    values = [line.split()[-1] for line in told[1:]]
    first = int(values[0])
    assert values == [*(str(number) for number in range(first, 30)), "29"]
    assert first <= 1


def event(name: str, namespace: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "involvedObject": {"kind": "Pod", "namespace": namespace, "name": name},
        "reason": "Test",
    }


async def test_an_old_version_leads_to_the_truth_all_the_same(
    client: KubernetesClient, namespace: str
) -> None:
    """Events are watched straight from etcd: what was compacted, after some minutes, is answered 410."""
    for name in "ab":
        await client.create(EVENT, namespace, event(name, namespace))
    events = watch(client, EVENT, namespace, settings=WatchSettings(connection=1.0))
    believed: set[str] = set()
    told = []
    async with events:
        while not told or believed != {"b"}:
            told.append(await asyncio.wait_for(anext(events), PATIENCE))
            match told[-1]:
                case Synced(objects=objects):
                    assert believed <= {obj.metadata.name for obj in objects}
                    believed = {obj.metadata.name for obj in objects}
                case Added(object=obj) | Modified(object=obj):
                    believed.add(obj.metadata.name)
                case Deleted(object=obj):
                    believed.discard(obj.metadata.name)
            if len(told) == 1:
                # As after a long sleep: behind what the server remembers, and something has gone.
                events._view.version = "1"
                await client.delete(EVENT, namespace, "a")
    gone = isinstance(await first_line(client, namespace), Gone)
    if gone:
        assert [type(each) for each in told] == [Synced, Deleted]


async def first_line(client: KubernetesClient, namespace: str) -> Change[Event] | Gone:
    """What the server says to a watch from its first version on."""
    try:
        stream = await client.open_watch(
            EVENT,
            namespace,
            "1",
            label_selector=None,
            field_selector=None,
            timeout_seconds=10,
            read_timeout=20.0,
        )
        async with stream:
            decoder = LineDecoder(EVENT, Target("watch", "events"), "test")
            return decoder.decode((await LineReader(stream).read())[0])
    except Gone as error:
        return error


async def test_a_pods_life_and_log(client: KubernetesClient, namespace: str) -> None:
    script = "for n in 1 2 3; do echo line $n; sleep 0.3; done; echo last >&2; exit 3"
    await client.create(POD, namespace, pod("p", "sh", "-c", script))
    lines: list[bytes] = []
    async with watch(client, POD, namespace, field_selector="metadata.name=p") as events:
        async for event in events:
            objects = event.objects if isinstance(event, Synced) else ()
            current = event.object if isinstance(event, Added | Modified) else next(iter(objects), None)
            if current is None:
                continue
            if current.status.phase in ("Running", "Failed") and not lines:
                lines = [line async for line in client.logs(namespace, "p", container="main", follow=True)]
            if current.status.phase == "Failed":
                break
    assert lines == [b"line 1", b"line 2", b"line 3", b"last"]
    state = current.status.container_statuses[0].state
    assert state is not None
    assert state.terminated is not None
    assert state.terminated.exit_code == 3
    assert current.spec.node_name
    tail = [line async for line in client.logs(namespace, "p", tail=1, timestamps=True)]
    assert len(tail) == 1
    assert tail[0].startswith(b"20")
    assert tail[0].endswith(b" last")
    selector = f"involvedObject.uid={current.metadata.uid}"
    reasons = {event.reason for event in (await client.list(EVENT, namespace, field_selector=selector)).items}
    assert "Scheduled" in reasons


async def test_the_log_of_a_pod_that_waits(client: KubernetesClient, namespace: str) -> None:
    manifest = pod("p", "true")
    manifest["spec"]["nodeSelector"] = {"no-such": "node"}
    await client.create(POD, namespace, manifest)
    assert [line async for line in client.logs(namespace, "p")] == []
    with pytest.raises(NotFound):
        [line async for line in client.logs(namespace, "q")]


# Refusals


async def test_a_person_without_rights_is_told_which(namespace: str) -> None:
    limited = load_access(kubeconfig=os.environ["HEADWAY_TEST_LIMITED_KUBECONFIG"], environ={})
    async with KubernetesClient(limited) as client:
        assert not await client.can_i("create", "jobs.batch", namespace)
        with pytest.raises(Forbidden) as caught:
            await client.create(JOB, namespace, job("j"))
        with pytest.raises(
            Forbidden, match=r"may not watch pods in namespace|may not list pods in namespace"
        ):
            await anext(watch(client, POD, namespace))
    assert caught.value.user == "limited"
    assert caught.value.message.startswith(
        f'Kubernetes user "limited" may not create jobs.batch in namespace {namespace}'
    )
    hint = caught.value.hint or ""
    assert 'apiGroups: ["batch"], resources: ["jobs"], verbs: ["create"]' in hint
    # The commands in the hint do what they say.
    commands = [line.strip() for line in hint.splitlines() if line.strip().startswith("kubectl")]
    assert len(commands) == 2
    for command in commands:
        await run(*command.split())
    async with KubernetesClient(limited) as client:
        for _ in range(600):  # the authorizer hears of new roles a moment later
            if await client.can_i("create", "jobs.batch", namespace):
                break
            await asyncio.sleep(0.1)
        assert (await client.create(JOB, namespace, job("j", suspend=True))).metadata.name == "j"


async def test_quota_and_pod_security(client: KubernetesClient, namespace: str) -> None:
    await client.patch(
        NAMESPACE,
        None,
        namespace,
        {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}},
    )
    secured = await refusal(client, namespace, "violates PodSecurity")
    assert "security context" in (secured.hint or "")
    await client.patch(
        NAMESPACE, None, namespace, {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": None}}}
    )
    quota = {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "0", "limits.cpu": "1"}}}
    await client.create(RESOURCE_QUOTA, namespace, quota)
    await refusal(client, namespace, "must specify limits.cpu")
    limited = pod("p", "true")
    limited["spec"]["containers"][0]["resources"]["limits"] = {"cpu": "1"}
    with pytest.raises(QuotaExceeded, match="exceeded quota"):
        await client.create(POD, namespace, limited)


async def refusal(client: KubernetesClient, namespace: str, words: str) -> Forbidden:
    """Why a pod is refused; what refuses it hears of a change, and of one that was taken back, a moment later."""
    for _ in range(600):
        try:
            await client.create(POD, namespace, pod("p", "true"), dry_run=True)
        except Forbidden as error:
            if words in error.message:
                return error
        await asyncio.sleep(0.1)
    raise AssertionError(f"nothing says {words!r}")


async def test_no_secret_in_any_message(client: KubernetesClient, namespace: str) -> None:
    target = {"metadata": {"name": "s"}, "data": {"bad key!": base64.b64encode(b"hidden").decode()}}
    hidden = {"name": "KEY", "value": "hidden"}
    immutable = job("j", suspend=True)
    await client.create(JOB, namespace, immutable)
    immutable["spec"]["template"]["spec"]["containers"][0]["env"] = [hidden]
    attempts = [
        client.create(SECRET, namespace, target),
        client.create(SECRET, namespace, {"metadata": {"name": "s"}, "data": {"k": "hidden!"}}),
        client.create(SECRET, namespace, {"metadata": {"name": "s"}, "kind": "", "data": {"k": ["hidden"]}}),
        client.patch(JOB, namespace, "j", {"spec": {"template": immutable["spec"]["template"]}}),
        client.create(
            JOB, namespace, b'{"kind": "", "apiVersion": "", "metadata": {"name": "x"}, "x": "hidden"}'
        ),
    ]
    for attempt in attempts:
        with pytest.raises(ApiError) as caught:
            await attempt
        assert "hidden" not in str(caught.value)
    assert "field is immutable" in str(await failure(client.patch(JOB, namespace, "j", immutable)))
