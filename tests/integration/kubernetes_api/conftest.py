"""A namespace of a test's own on a real API server."""

import uuid
from collections.abc import AsyncIterator

import pytest

from headway.executors.kubernetes.api.access import ClusterAccess
from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.kinds import (
    NAMESPACE,
)
from headway.executors.kubernetes.api.kubeconfig import load_access


@pytest.fixture
def access() -> ClusterAccess:
    return load_access()


@pytest.fixture
async def client(access: ClusterAccess) -> AsyncIterator[KubernetesClient]:
    async with KubernetesClient(access) as opened:
        yield opened


@pytest.fixture
async def namespace(client: KubernetesClient) -> AsyncIterator[str]:
    name = f"headway-api-{uuid.uuid4().hex[:8]}"
    await client.create(NAMESPACE, None, {"metadata": {"name": name}})
    try:
        yield name
    finally:
        await client.delete(NAMESPACE, None, name)
