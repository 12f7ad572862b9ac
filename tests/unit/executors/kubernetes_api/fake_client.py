"""A client of the fake server, and what the tests of it send."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from headway.executors.kubernetes.api.client import KubernetesClient
from headway.testing.fake_kubernetes import FakeKubernetes

NS = "default"


def config_map(name: str = "cm", **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": labels}, "data": {"k": "v"}}


@asynccontextmanager
async def client_of(fake: FakeKubernetes, **options: Any) -> AsyncIterator[KubernetesClient]:
    access = options.pop("access", None) or fake.access()
    async with KubernetesClient(access, chance=lambda: 0.5, **options) as client:
        yield client


def now() -> float:
    return asyncio.get_running_loop().time()
