"""The node's pure parts: environment, status, images, names; and the options of a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from headway.errors import SettingsError
from headway.localcluster.api.identity import Tokens
from headway.localcluster.node import images
from headway.localcluster.node.environment import ConfigError, environment, expand
from headway.localcluster.node.status import ContainerState, PodState, phase, pod_status, waiting
from headway.localcluster.options import Options, parse_labels, parse_taints


def test_expansion() -> None:
    assert expand("$(A)/$(B)/$$(A)", {"A": "1"}) == "1/$(B)/$(A)"


def test_references() -> None:
    pod = {"metadata": {"name": "p", "namespace": "n", "uid": "u", "labels": {"l": "x"}}, "spec": {}}
    secret = {"metadata": {}, "data": {"k": "dg=="}}
    container = {
        "envFrom": [{"secretRef": {"name": "s"}, "prefix": "P_"}],
        "env": [
            {"name": "L", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['l']"}}},
            {"name": "C", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
            {"name": "X", "value": "$(P_k)$(L)"},
            {"name": "O", "valueFrom": {"secretKeyRef": {"name": "s", "key": "none", "optional": True}}},
        ],
    }
    found = environment(pod, container, lambda _, __: secret, {"status.podIP": "127.0.0.9"}, {"cpu": "3500m"})
    assert found == {"P_k": "v", "L": "x", "C": "4", "X": "vx"}
    container = {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "none"}}}]}
    with pytest.raises(ConfigError, match="couldn't find key none in Secret n/s"):
        environment(pod, container, lambda _, __: secret, {}, {})
    with pytest.raises(ConfigError, match='secret "s" not found'):
        environment(pod, container, lambda _, __: None, {}, {})


def over(code: int) -> dict[str, Any]:
    return {"terminated": {"exitCode": code}}


@pytest.mark.parametrize(
    ("policy", "states", "expected"),
    [
        ("Never", [waiting("ContainerCreating")], "Pending"),
        ("Never", [{"running": {}}], "Running"),
        ("Never", [over(0)], "Succeeded"),
        ("Never", [over(0), over(1)], "Failed"),
        ("Never", [over(0), {"running": {}}], "Running"),
    ],
)
def test_phases(policy: str, states: list[dict[str, Any]], expected: str) -> None:
    pod = {"metadata": {"name": "p"}, "spec": {"restartPolicy": policy}}
    mains = [
        ContainerState({"name": "c", "image": "i"}, state, finished="terminated" in state) for state in states
    ]
    assert phase(PodState(pod, [], mains, "127.0.0.1", "t")) == expected


def test_conditions_keep_their_times_and_other_peoples_conditions() -> None:
    pod = {"metadata": {"name": "p"}, "spec": {"restartPolicy": "Never"}}
    state = PodState(pod, [], [ContainerState({"name": "c", "image": "i"}, {"running": {}})], "h", "t")
    theirs = {"type": "DisruptionTarget", "status": "True"}
    first = pod_status(state, {"conditions": [theirs]}, "1")
    second = pod_status(state, first, "2")
    assert second["conditions"][0] == theirs
    assert {entry.get("lastTransitionTime") for entry in second["conditions"][1:]} == {"1"}


@pytest.mark.parametrize(
    "image", ["python:3.11", "ghcr.io/a/b-c:1.0", "localhost:5000/x@sha256:" + "a" * 64, "a/b/c"]
)
def test_image_names(image: str) -> None:
    assert images.invalid_name(image) is None
    assert images.unreachable(image) is None


def test_images_that_no_registry_would_give() -> None:
    assert "repository name must be lowercase" in str(images.invalid_name("Python:3"))
    assert "no such host" in str(images.unreachable("registry.invalid/x:1"))


def test_tokens() -> None:
    tokens = Tokens("secret")
    admin = tokens.user("Bearer secret")
    assert admin is not None
    assert "system:masters" in admin.groups
    account = tokens.user("Bearer " + tokens.for_account("n", "a.b"))
    assert account is not None
    assert account.name == "system:serviceaccount:n:a.b"
    for header in ("", "Bearer", "Bearer wrong", "Basic secret", "Bearer sa.n.a.0"):
        assert tokens.user(header) is None


def test_options() -> None:
    assert parse_labels(["a=b", "c="]) == {"a": "b", "c": ""}
    assert parse_taints(["k=v:NoSchedule", "k:NoExecute"]) == (
        {"key": "k", "value": "v", "effect": "NoSchedule"},
        {"key": "k", "effect": "NoExecute"},
    )
    options = Options(nodes=2, cpu="1", labels={"a": "b"}, taints=parse_taints(["k:NoSchedule"]))
    assert Options.load(options.dump()) == options
    with pytest.raises(SettingsError, match="cpu="):
        Options(cpu="lots")
    with pytest.raises(SettingsError, match="taint="):
        parse_taints(["k=v"])
