"""What a container asks for and may take: sizes, quality of service, and ``resources=`` over all of them."""

from decimal import Decimal
from typing import Any

import pytest

from headway.config.container import (
    allowed,
    container_resources,
    memory_megabytes,
    requested,
    said_by_resources,
)
from headway.config.kubernetes import KubernetesSettings
from headway.config.resolve import Layer, resolve_kubernetes

GIB = 2**30


def settings(**said: Any) -> KubernetesSettings:
    return resolve_kubernetes("train", decorator=Layer(said, "@kubernetes")).settings


@pytest.mark.parametrize(
    ("said", "asks", "limit", "holds"),
    [
        ({}, 4096 * 10**6, None, 4096),
        ({"memory": 500, "qos": "Guaranteed"}, 500 * 10**6, 500 * 10**6, 500),
        ({"resources": {"requests": {"memory": "1Gi"}}}, GIB, None, 1073),
        ({"resources": {"limits": {"memory": "1Gi"}}}, GIB, GIB, 1073),
        ({"memory": 500, "resources": {"limits": {"memory": "1Gi"}}}, 500 * 10**6, GIB, 1073),
        ({"resources": {"requests": {"memory": "1Gi"}, "limits": {"memory": "2Gi"}}}, GIB, 2 * GIB, 2147),
        ({"qos": "Guaranteed", "resources": {"requests": {"memory": "8Gi"}}}, 8 * GIB, 8 * GIB, 8589),
        ({"qos": "Guaranteed", "resources": {"limits": {"memory": "1Gi"}}}, GIB, GIB, 1073),
    ],
)
def test_memory(said: dict[str, Any], asks: int, limit: int | None, holds: int) -> None:
    found = settings(**said)
    assert (requested(found, "memory"), allowed(found, "memory")) == (asks, limit)
    assert memory_megabytes(found) == holds


def test_no_limit_is_below_its_request() -> None:
    """Kubernetes refuses such a pod, and of who says a limit alone it takes the request from there."""
    found = settings(resources={"limits": {"cpu": "500m", "ephemeral-storage": "1Gi"}})
    assert container_resources(found) == {
        "requests": {"cpu": "500m", "memory": "4096M", "ephemeral-storage": "1Gi"},
        "limits": {"cpu": "500m", "ephemeral-storage": "1Gi"},
    }
    assert requested(found, "cpu") == allowed(found, "cpu") == Decimal("0.5")


def test_where_more_can_be_asked_for() -> None:
    assert said_by_resources(settings(memory=100)) == frozenset()
    found = settings(resources={"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}})
    assert said_by_resources(found) == {"cpu", "memory"}
