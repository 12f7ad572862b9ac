"""A fake API server and a client of it, in virtual time: pauses and time limits cost nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import pytest

from headway.executors.kubernetes.api.client import KubernetesClient
from headway.testing.fake_kubernetes import FakeKubernetes
from headway.testing.virtual_time import VirtualTimeLoop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Virtual time, but for tests that ask for `loop_factories=["real"]`: those with subprocesses."""
    marker = item.get_closest_marker("asyncio")
    if marker and "real" in marker.kwargs.get("loop_factories", ()):
        return {"real": asyncio.new_event_loop}
    return {"virtual": VirtualTimeLoop}


@pytest.fixture
async def fake() -> AsyncIterator[FakeKubernetes]:
    async with FakeKubernetes() as server:
        yield server


@pytest.fixture
async def client(fake: FakeKubernetes) -> AsyncIterator[KubernetesClient]:
    async with KubernetesClient(fake.access(), chance=lambda: 0.5) as opened:
        yield opened
