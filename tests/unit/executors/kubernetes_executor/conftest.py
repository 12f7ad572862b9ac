"""The executor over the fake API server, in virtual time; pods are played by a small double."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping

import pytest
from executor_run import Run
from pod_player import PodPlayer

from headway.config.kubernetes import KubernetesSettings
from headway.config.resolve import Layer, resolve_kubernetes
from headway.executors.base import Broken
from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.cluster import Prepared
from headway.executors.kubernetes.executor import KubernetesExecutor
from headway.store.batch import Code
from headway.testing.executor_suite import FLOW, LIMIT, RUN, STEPS
from headway.testing.fake_kubernetes import FakeKubernetes
from headway.testing.memory_store import MemoryStore
from headway.testing.virtual_time import VirtualTimeLoop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"virtual": VirtualTimeLoop}


BEGUN = time.time()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
async def fake() -> AsyncIterator[FakeKubernetes]:
    async with FakeKubernetes() as server:
        yield server


@pytest.fixture
async def client(fake: FakeKubernetes) -> AsyncIterator[KubernetesClient]:
    async with KubernetesClient(fake.access(), chance=lambda: 0.5) as opened:
        yield opened


@pytest.fixture
async def clock() -> Callable[[], float]:
    """Seconds since the epoch, as virtual as the loop's."""
    loop = asyncio.get_running_loop()
    return lambda: BEGUN + loop.time()


@pytest.fixture
async def player(fake: FakeKubernetes, store: MemoryStore, clock: Callable[[], float]) -> PodPlayer:
    return PodPlayer(fake, store, clock)


@pytest.fixture
def settings() -> dict[str, KubernetesSettings]:
    values = {
        "image": "python:3.11",
        "unschedulable_timeout": 40,
        "fail_on_container_waiting_reasons": "SignatureValidationFailed",
    }
    said = Layer(values, "a test")
    return {step: resolve_kubernetes(step, overrides=said).settings for step in STEPS}


@pytest.fixture
async def executor(
    client: KubernetesClient,
    store: MemoryStore,
    player: PodPlayer,
    settings: dict[str, KubernetesSettings],
    clock: Callable[[], float],
) -> KubernetesExecutor:
    cluster = Prepared(client, "headway-runtime-test")
    return KubernetesExecutor(cluster, store, FLOW, RUN, settings, {}, LIMIT, clock=clock)


@pytest.fixture
def code() -> Code:
    return Code("path", "suite_flow.py", ("__main__", "SuiteFlow"), bundle="0" * 64)


@pytest.fixture
async def run(
    executor: KubernetesExecutor, fake: FakeKubernetes, store: MemoryStore, player: PodPlayer, code: Code
) -> AsyncIterator[Run[PodPlayer]]:
    run = Run(executor, fake, store, player, code)
    await executor.open(run.heard)
    yield run
    await executor.close(now=True)
    assert not run.heard.of(Broken), run.heard.events
