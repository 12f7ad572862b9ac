"""What the API server would refuse is refused here; every spelling it has is taken."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from headway.config import kubernetes_values as values
from headway.config import parsing
from headway.config.parsing import RefusedError
from headway.config.podenv import environment
from headway.config.tolerations import tolerations

Parser = Callable[[Any], object]

EQUAL = {"key": "a", "operator": "Equal", "value": "b", "effect": "NoSchedule"}

TAKEN: list[tuple[Parser, object, object]] = [
    (values.dns_label, "metaflow-prod", "metaflow-prod"),
    (values.object_name, "ml.service-account", "ml.service-account"),
    (values.image, "python", "python"),
    (values.image, "python:3.11", "python:3.11"),
    (values.image, "org/name", "org/name"),
    (values.image, "host:5000/name", "host:5000/name"),
    (values.image, "localhost/name", "localhost/name"),
    (values.image, "myregistry.io/a/b_c/d__e:v1.0-x", "myregistry.io/a/b_c/d__e:v1.0-x"),
    (values.image, "a.b/c@sha256:" + "0" * 64, "a.b/c@sha256:" + "0" * 64),
    (values.image, "a.b/c:tag@sha256:" + "0" * 64, "a.b/c:tag@sha256:" + "0" * 64),
    (values.registry, "myregistry.io/", "myregistry.io"),
    (values.registry, "host:5000/team", "host:5000/team"),
    (values.labels, {"team": "ml", "gpu": True, "n": 1}, {"team": "ml", "gpu": "true", "n": "1"}),
    (values.labels, "team=ml,bare", {"team": "ml", "bare": ""}),
    (values.labels, {"team": None}, {"team": ""}),
    (values.labels, {"example.com/Team_x.y": "A-b_c.9"}, {"example.com/Team_x.y": "A-b_c.9"}),
    (values.labels, {"a" * 63: "b" * 63}, {"a" * 63: "b" * 63}),
    (values.annotations, {"prometheus.io/port": 8080}, {"prometheus.io/port": "8080"}),
    (values.annotations, {"a": "any text: ü\n" * 9}, {"a": "any text: ü\n" * 9}),
    (values.node_selector, "a.b/c=x,d=y", {"a.b/c": "x", "d": "y"}),
    (values.claims, '{"data-pvc": "/mnt/data"}', {"data-pvc": "/mnt/data"}),
    (values.mount_path, "/metaflow_temp", "/metaflow_temp"),
    (values.extended_resources, {"vendor.example/device": 2}, {"vendor.example/device": "2"}),
    (
        values.container_resources,
        {"limits": {"nvidia.com/gpu": "1", "memory": "4Gi"}, "requests": {"cpu": 0.5}},
        {"limits": {"nvidia.com/gpu": "1", "memory": "4Gi"}, "requests": {"cpu": "0.5"}},
    ),
    (
        values.container_resources,
        {"requests": {"cpu": "0.5", "memory": "1Gi"}, "limits": {"cpu": "500m", "memory": "2G"}},
        {"requests": {"cpu": "0.5", "memory": "1Gi"}, "limits": {"cpu": "500m", "memory": "2G"}},
    ),
    (values.job_prefix, "team-a-", "team-a"),
    (values.job_prefix, "t" * 20, "t" * 20),
    (values.one_pod, "1", 1),
    (parsing.seconds, 2.5, Decimal("2.5")),
    (parsing.seconds, "30", Decimal(30)),
    (
        parsing.names(values.waiting_reason),
        "ErrImagePull, CreateContainerConfigError",
        ("ErrImagePull", "CreateContainerConfigError"),
    ),
    (tolerations, [EQUAL], (EQUAL,)),
    (tolerations, EQUAL, (EQUAL,)),
    (tolerations, "a=b:NoSchedule", (EQUAL,)),
    (tolerations, ["a=b:NoSchedule"], (EQUAL,)),
    (tolerations, '[{"key": "a", "operator": "Equal", "value": "b", "effect": "NoSchedule"}]', (EQUAL,)),
    (tolerations, "a:NoExecute", ({"key": "a", "operator": "Exists", "effect": "NoExecute"},)),
    (
        tolerations,
        "a=b, c",
        ({"key": "a", "operator": "Equal", "value": "b"}, {"key": "c", "operator": "Exists"}),
    ),
    (tolerations, {"operator": "Exists"}, ({"operator": "Exists"},)),
    (tolerations, [], ()),
    (
        tolerations,
        [{"effect": "NoExecute", "key": "a", "operator": "Exists", "toleration_seconds": 60, "value": None}],
        ({"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60},),
    ),
    (environment, {"A": 1, "B": "x"}, {"A": "1", "B": "x"}),
    (environment, "A=1,B=", {"A": "1", "B": ""}),
    (environment, [{"name": "A", "value": "1"}, {"name": "B"}], {"A": "1", "B": ""}),
    (
        environment,
        '[{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]',
        {"A": {"secretKeyRef": {"name": "s", "key": "k"}}},
    ),
    (
        environment,
        [{"name": "A", "value_from": {"field_ref": {"field_path": "metadata.name"}}}],
        {"A": {"fieldRef": {"fieldPath": "metadata.name"}}},
    ),
]

REFUSED: list[tuple[Parser, list[object]]] = [
    (values.dns_label, ["Upper", "under_score", "-a", "a-", "a.b", "a" * 64, "", 1, None]),
    (values.object_name, ["Upper", "under_score", "-a", "a..b", "a" * 254, "", 1]),
    (
        values.image,
        ["", "with blank", "Upper", "org/Upper", "Org/name", "http://a.b/c", "a:b:c", "a@sha256:1", ":x", 1],
    ),
    (values.registry, ["https://myregistry.io", "my registry", ""]),
    (
        values.labels,
        [
            {"a": "b" * 64},
            {"a": "with blank"},
            {"a": "-b"},
            {"a": "b."},
            {"a" * 64: ""},
            {"-a": ""},
            {"a b": ""},
            {"Upper.com/a": ""},
            {"/a": ""},
            {"a/b/c": ""},
            {"a/": ""},
            {"": ""},
            {"a": ["b"]},
            1,
        ],
    ),
    (values.job_prefix, ["Team", "a_b", "7up", "-", "t" * 21, "", 7]),
    (values.one_pod, [0, 2, "four", None]),
    (parsing.seconds, [0, -1, "soon", True, None, float("inf"), 2**31]),
    (parsing.names(values.waiting_reason), ["back-off", ["ContainerCreating"], "PodInitializing", 7]),
    (values.annotations, [{"a b": ""}, {"a": "x" * (256 * 1024)}]),
    (values.node_selector, ["a", {"a": "with blank"}, 7]),
    (values.claims, [{"Upper": "/mnt"}, {"a": "mnt"}, {"a": "/"}, {"a": "/x:y"}, ["a"]]),
    (values.extended_resources, [{"cpu": 1}, {"a.b/c": 0.5}, {"a.b/c": -1}, {"a.b/c": "x"}, {"a.b/c": True}]),
    (
        values.container_resources,
        [
            {"request": {}},
            {"limits": {"cpu": "lots"}},
            {"limits": 1},
            {"limits": {"memory": "4Q"}},
            {"requests": {"memory": "2G"}, "limits": {"memory": "1Gi"}},
        ],
    ),
    (
        tolerations,
        [
            [{"ky": "a"}],
            [{"key": "a", "operator": "Is"}],
            [{"key": "a", "effect": "Never"}],
            [{"operator": "Equal"}],
            [{}],
            [{"key": "a", "operator": "Exists", "value": "b"}],
            [{"key": "a b", "operator": "Exists"}],
            [{"key": "a", "value": "b c"}],
            [{"key": "a", "tolerationSeconds": 1}],
            "=b:NoSchedule",
            "a=b:Never",
            "[{]",
            [1],
            1,
            None,
        ],
    ),
    (
        environment,
        [{"a b": "1"}, {"1A": ""}, {"A": [1]}, [{"value": "1"}], ["A=1"], [{"name": "A", "value": []}], 1],
    ),
]


@pytest.mark.parametrize(("parse", "written", "value"), TAKEN)
def test_taken(parse: Parser, written: object, value: object) -> None:
    assert parse(written) == value


@pytest.mark.parametrize(
    ("parse", "written"), [(parse, written) for parse, several in REFUSED for written in several]
)
def test_refused_with_words(parse: Parser, written: object) -> None:
    with pytest.raises(RefusedError) as caught:
        parse(written)
    assert caught.value.allowed


def test_more_pods_are_a_gang() -> None:
    """``pod_count``."""
    with pytest.raises(RefusedError) as caught:
        values.one_pod(4)
    assert caught.value.hint is not None
    assert "@parallel(num_nodes=4)" in caught.value.hint
