"""Which quotas count a pod, and how much of each it takes, as the API server reckons it."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from headway.executors.kubernetes.api.types import ResourceQuota
from headway.executors.kubernetes.needs import Needs, needs_of
from headway.executors.kubernetes.quotas import rooms

HUGE = "1000000"


def pod(**said: Any) -> Needs:
    sizes = {
        "requests": {"cpu": "500m", "memory": "1G", "example.com/fpga": "1"},
        "limits": {"cpu": 2, "memory": "2G", "example.com/fpga": "1", "nvidia.com/gpu": "4"},
    }
    return needs_of({"containers": [{"name": "train", "resources": sizes}], **said})


def quota(*resources: str, **spec: Any) -> ResourceQuota:
    status = {"hard": dict.fromkeys(resources, HUGE), "used": {}}
    return msgspec.convert(
        {"metadata": {"name": "team", "namespace": "ml"}, "spec": spec, "status": status}, ResourceQuota
    )


@pytest.mark.parametrize(
    ("resource", "asks"),
    [
        ("pods", "1"),
        ("count/pods", "1"),
        ("cpu", "0.5"),
        ("requests.cpu", "0.5"),
        ("limits.cpu", "2"),
        ("memory", "1000000000"),
        ("limits.memory", "2000000000"),
        ("requests.example.com/fpga", "1"),
        ("requests.nvidia.com/gpu", "4"),
        ("requests.ephemeral-storage", None),
        ("count/jobs.batch", None),
        ("secrets", None),
        ("requests.storage", None),
        ("gold.storageclass.storage.k8s.io/requests.storage", None),
    ],
)
def test_what_a_pod_takes_of_each_amount(resource: str, asks: str | None) -> None:
    found = list(rooms([quota(resource)], pod()))
    assert [each.asks for each in found] == ([] if asks is None else [Decimal(asks)])


def test_what_runs_before_and_beside_counts_too() -> None:
    container = {"name": "a", "resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "3"}}}
    large = {"name": "b", "resources": {"requests": {"cpu": "5"}}}
    sidecar = {**container, "name": "c", "restartPolicy": "Always"}
    whole = pod(initContainers=[large, sidecar], containers=[container], overhead={"cpu": "250m"})
    found = {each.resource: each.asks for each in rooms([quota("requests.cpu", "limits.cpu")], whole)}
    assert found == {"requests.cpu": Decimal("5.25"), "limits.cpu": Decimal("6.25")}


PRIORITY = {"scopeName": "PriorityClass", "values": ["high"]}


@pytest.mark.parametrize(
    ("spec", "counted"),
    [
        ({}, True),
        ({"scopes": ["Terminating"]}, True),
        ({"scopes": ["NotTerminating"]}, False),
        ({"scopes": ["NotBestEffort", "Terminating"]}, True),
        ({"scopes": ["BestEffort"]}, False),
        ({"scopes": ["ScopeOfTomorrow"]}, False),
        ({"scopeSelector": {"matchExpressions": [{**PRIORITY, "operator": "In"}]}}, True),
        ({"scopeSelector": {"matchExpressions": [{**PRIORITY, "operator": "NotIn"}]}}, False),
        ({"scopes": ["PriorityClass"]}, True),
        ({"scopeSelector": {"matchExpressions": [{**PRIORITY, "operator": "DoesNotExist"}]}}, False),
    ],
)
def test_a_quota_counts_the_pods_of_its_scope(spec: dict[str, Any], counted: bool) -> None:
    asking = pod(activeDeadlineSeconds=60, priorityClassName="high")
    assert bool(list(rooms([quota("pods", **spec)], asking))) is counted


def test_what_is_overdrawn_has_room_for_none() -> None:
    full = msgspec.convert(
        {"metadata": {"name": "q"}, "status": {"hard": {"pods": "3"}, "used": {"pods": "5"}}}, ResourceQuota
    )
    (room,) = rooms([full], pod())
    assert (room.now, room.most) == (0, 3)
    assert str(room) == "pods: each asks for 1, and 0 of 3 is free"


def test_a_quota_whose_figures_are_not_there_yet_is_read_off_its_specification() -> None:
    young = msgspec.convert({"metadata": {"name": "q"}, "spec": {"hard": {"pods": "3"}}}, ResourceQuota)
    assert [room.now for room in rooms([young], pod())] == [3]
