"""What a dry run shows is what the executor creates for the same batches, over the fake API server."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from headway.config.kubernetes import KubernetesSettings
from headway.config.resolve import Layer, resolve_kubernetes
from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.cluster import Prepared
from headway.executors.kubernetes.executor import KubernetesExecutor
from headway.executors.kubernetes.preview import Previewer
from headway.store.batch import Batch, Code, Gang
from headway.store.records import FrameTuple
from headway.testing.executor_suite import FLOW, LIMIT, RUN, STEPS, ExecutorSuite, Heard
from headway.testing.fake_kubernetes import FakeKubernetes
from headway.testing.memory_store import MemoryStore

RUNTIME = "0123456789abcdef0123"
LENT = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "hush"}
POD_ENV = {"AWS_REGION": "eu-west-1"}
CODE = Code("path", "suite_flow.py", ("__main__", "SuiteFlow"), bundle="0" * 64)

FOREACH: tuple[FrameTuple, ...] = (("prints", "0", 0, 7, "items"),)
CREATED = ("jobs", "services", "secrets")


def batch(tasks: int = 1, name: str = "waits-1", **said: Any) -> Batch:
    return ExecutorSuite().batch(CODE, "waits", tasks)._replace(name=name, **said)


def settings(**said: Any) -> dict[str, KubernetesSettings]:
    layer = Layer({"image": "python:3.11", **said}, "a test")
    return {step: resolve_kubernetes(step, overrides=layer).settings for step in STEPS}


CASES: dict[str, tuple[dict[str, Any], list[Batch]]] = {
    "one task": ({}, [batch()]),
    "wider than the limit": ({}, [batch(LIMIT + 3)]),
    "gang": ({"port": 4444}, [batch(2, gang=Gang(4444, 60.0))]),
    "environment": ({}, [batch(env={"PYTHONHASHSEED": "7", "MODE": "x"})]),
    "timeout and memory": ({}, [batch(timeout=90.0, memory=9000)]),
    "packed": ({"pack": 2}, [batch(4)]),
    "one task of packed ones": ({"pack": 2}, [batch()]),
    "at most so many pods": ({"pods": 2}, [batch(7)]),
    "one task of the second step of a packed foreach": ({"pods": 2}, [batch(name="waits-2", frames=FOREACH)]),
    "both steps of a packed foreach": (
        {"pods": 2},
        [batch(7, frames=FOREACH), batch(name="waits-2", frames=FOREACH)],
    ),
    "reused": ({"reuse": True}, [batch(2, env={"TZ": "UTC"})]),
}


@pytest.mark.parametrize("lent", [{}, LENT], ids=["", "lent"])
@pytest.mark.parametrize("case", CASES)
async def test_what_is_shown_is_what_is_created(
    case: str,
    lent: dict[str, str],
    client: KubernetesClient,
    fake: FakeKubernetes,
    clock: Callable[[], float],
) -> None:
    said, batches = CASES[case]
    steps, store = settings(**said), MemoryStore()
    previewer = Previewer(steps, store.url, POD_ENV, RUNTIME, LIMIT, lent, (FLOW, RUN))
    shown = [manifest for each in batches for manifest in previewer.show(each).manifests]

    cluster = Prepared(client, f"headway-runtime-{RUNTIME[:16]}")
    executor = KubernetesExecutor(
        cluster, store, FLOW, RUN, steps, POD_ENV, LIMIT, credentials=lent, clock=clock
    )
    await executor.open(Heard(patience=60))
    for each in batches:
        await executor.start(each)
    while len(sent := _created(fake)) < len(shown):  # noqa: ASYNC110 - virtual time
        await asyncio.sleep(0.05)
    await executor.close(now=True)

    assert [_knowable(each) for each in shown] == [_knowable(each) for each in sent]
    assert "hush" not in json.dumps(shown)
    assert [each["kind"] for each in shown].count("Secret") == bool(lent)


def _created(fake: FakeKubernetes) -> list[dict[str, Any]]:
    return [request.body for request in fake.seen("create") if request.resource in CREATED]


def _knowable(manifest: dict[str, Any]) -> dict[str, Any]:
    """The manifest as JSON would have it, but for uids and for what nobody is shown."""
    found: dict[str, Any] = json.loads(json.dumps(manifest))
    for owner in found["metadata"].get("ownerReferences", ()):
        owner["uid"] = ""
    if "stringData" in found:
        found["stringData"] = sorted(found["stringData"])
    return found


async def test_pods_that_are_kept_take_the_next_steps_tasks_in_the_preview_too() -> None:
    previewer = Previewer(settings(reuse=True), "s3://b", POD_ENV, RUNTIME, LIMIT, (), (FLOW, RUN))
    first, second, third = (previewer.show(batch(tasks, name=f"waits-{tasks}")) for tasks in (1, 2, 1))
    assert [len(each.manifests) for each in (first, second, third)] == [1, 1, 0]
    assert (
        second.manifests[0]["spec"]["template"]["metadata"]["labels"]["headway.dev/batch"] == "waits-2-pods2"
    )
    assert all(each.warm for each in (first, second, third))
