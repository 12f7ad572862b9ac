"""Objects of the ``kubernetes`` package as settings: the package itself, as people have it."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import kubernetes.client as k8s
import pytest

from headway.config.podparts import _FREE_KEYS, camel_case
from headway.config.resolve import Layer, resolve_kubernetes
from headway.errors import SettingsError

AFFINITY = k8s.V1Affinity(
    node_affinity=k8s.V1NodeAffinity(
        required_during_scheduling_ignored_during_execution=k8s.V1NodeSelector(
            node_selector_terms=[
                k8s.V1NodeSelectorTerm(
                    match_expressions=[
                        k8s.V1NodeSelectorRequirement(key="gpu_type", operator="In", values=["a100", "v100"])
                    ]
                )
            ]
        )
    ),
    pod_anti_affinity=k8s.V1PodAntiAffinity(
        preferred_during_scheduling_ignored_during_execution=[
            k8s.V1WeightedPodAffinityTerm(
                weight=10,
                pod_affinity_term=k8s.V1PodAffinityTerm(
                    topology_key="kubernetes.io/hostname",
                    label_selector=k8s.V1LabelSelector(match_labels={"my_app": "noisy"}),
                ),
            )
        ]
    ),
)

VOLUMES = [
    k8s.V1Volume(
        name="data",
        persistent_volume_claim=k8s.V1PersistentVolumeClaimVolumeSource(claim_name="ml-data", read_only=True),
    ),
    k8s.V1Volume(name="scratch", empty_dir=k8s.V1EmptyDirVolumeSource(medium="Memory", size_limit="1Gi")),
    k8s.V1Volume(
        name="about",
        downward_api=k8s.V1DownwardAPIVolumeSource(
            items=[
                k8s.V1DownwardAPIVolumeFile(
                    path="labels", field_ref=k8s.V1ObjectFieldSelector(field_path="metadata.labels")
                )
            ]
        ),
    ),
    k8s.V1Volume(
        name="bucket",
        csi=k8s.V1CSIVolumeSource(
            driver="s3.csi.aws.com", volume_attributes={"bucket_name": "b", "dirMode": "7"}
        ),
    ),
]

#: Setting, what is written, what the manifest gets.
WRITTEN: list[tuple[str, Any, Any]] = [
    (
        "affinity",
        AFFINITY,
        {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [
                        {
                            "matchExpressions": [
                                {"key": "gpu_type", "operator": "In", "values": ["a100", "v100"]}
                            ]
                        }
                    ]
                }
            },
            "podAntiAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {
                        "weight": 10,
                        "podAffinityTerm": {
                            "topologyKey": "kubernetes.io/hostname",
                            "labelSelector": {"matchLabels": {"my_app": "noisy"}},
                        },
                    }
                ]
            },
        },
    ),
    (
        "tolerations",
        [
            k8s.V1Toleration(key="spot", operator="Exists"),
            k8s.V1Toleration(key="gone", operator="Exists", effect="NoExecute", toleration_seconds=60),
            {"key": "own", "operator": "Equal", "value": "x", "effect": "NoSchedule"},
        ],
        (
            {"key": "spot", "operator": "Exists"},
            {"key": "gone", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60},
            {"key": "own", "operator": "Equal", "value": "x", "effect": "NoSchedule"},
        ),
    ),
    (
        "volumes",
        VOLUMES,
        (
            {"name": "data", "persistentVolumeClaim": {"claimName": "ml-data", "readOnly": True}},
            {"name": "scratch", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}},
            {
                "name": "about",
                "downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]},
            },
            {
                "name": "bucket",
                "csi": {"driver": "s3.csi.aws.com", "volumeAttributes": {"bucket_name": "b", "dirMode": "7"}},
            },
        ),
    ),
    (
        "volume_mounts",
        [k8s.V1VolumeMount(name="data", mount_path="/mnt/data", sub_path="a", read_only=False)],
        ({"name": "data", "mountPath": "/mnt/data", "subPath": "a", "readOnly": False},),
    ),
    (
        "resources",
        k8s.V1ResourceRequirements(
            requests={"cpu": "500m", "memory": "4Gi"}, limits={"memory": "8Gi", "nvidia.com/gpu": "1"}
        ),
        {"requests": {"cpu": "500m", "memory": "4Gi"}, "limits": {"memory": "8Gi", "nvidia.com/gpu": "1"}},
    ),
    (
        "container_security_context",
        k8s.V1SecurityContext(
            run_as_user=1000,
            run_as_non_root=True,
            allow_privilege_escalation=False,
            read_only_root_filesystem=True,
            capabilities=k8s.V1Capabilities(drop=["ALL"]),
            se_linux_options=k8s.V1SELinuxOptions(level="s0"),
            seccomp_profile=k8s.V1SeccompProfile(type="RuntimeDefault"),
        ),
        {
            "runAsUser": 1000,
            "runAsNonRoot": True,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
            "seLinuxOptions": {"level": "s0"},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    ),
    (
        "env",
        [
            k8s.V1EnvVar(name="MODE", value="fast"),
            k8s.V1EnvVar(
                name="TOKEN",
                value_from=k8s.V1EnvVarSource(
                    secret_key_ref=k8s.V1SecretKeySelector(name="tokens", key="ours", optional=False)
                ),
            ),
        ],
        {"MODE": "fast", "TOKEN": {"secretKeyRef": {"name": "tokens", "key": "ours", "optional": False}}},
    ),
    (
        "env_from",
        [k8s.V1EnvFromSource(prefix="DB_", secret_ref=k8s.V1SecretEnvSource(name="database"))],
        ({"prefix": "DB_", "secretRef": {"name": "database"}},),
    ),
    (
        "topology_spread_constraints",
        [
            k8s.V1TopologySpreadConstraint(
                max_skew=1,
                topology_key="zone",
                when_unsatisfiable="ScheduleAnyway",
                label_selector=k8s.V1LabelSelector(match_labels={"run_id": "1"}),
            )
        ],
        (
            {
                "maxSkew": 1,
                "topologyKey": "zone",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": {"run_id": "1"}},
            },
        ),
    ),
    (
        "additional_pod_spec_args",
        {
            "host_aliases": [k8s.V1HostAlias(ip="10.0.0.1", hostnames=["objects"])],
            "dnsConfig": k8s.V1PodDNSConfig(options=[k8s.V1PodDNSConfigOption(name="ndots", value="1")]),
            "init_containers": [
                k8s.V1Container(
                    name="warm",
                    image="{{ image }}",
                    lifecycle=k8s.V1Lifecycle(
                        pre_stop=k8s.V1LifecycleHandler(_exec=k8s.V1ExecAction(command=["true"]))
                    ),
                )
            ],
        },
        {
            "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["objects"]}],
            "dnsConfig": {"options": [{"name": "ndots", "value": "1"}]},
            "initContainers": [
                {
                    "name": "warm",
                    "image": "{{ image }}",
                    "lifecycle": {"preStop": {"exec": {"command": ["true"]}}},
                }
            ],
        },
    ),
]


def resolved(values: dict[str, Any]) -> Any:
    return resolve_kubernetes("train", decorator=Layer(values, "here")).settings


@pytest.mark.parametrize(
    ("name", "written", "expected"), WRITTEN, ids=lambda each: each if type(each) is str else ""
)
def test_an_object_is_what_the_api_is_told(name: str, written: Any, expected: Any) -> None:
    field = "security_context" if name == "container_security_context" else name
    assert getattr(resolved({name: written}), field) == expected
    assert getattr(resolved({"pod_settings": {name: written}}), field) == expected, "ZenML's group"


def test_an_object_of_another_kind_is_refused() -> None:
    with pytest.raises(SettingsError, match="each item needs 'mountPath'"):
        resolved({"volume_mounts": VOLUMES[:1]})
    with pytest.raises(SettingsError, match="and not key"):
        resolved({"security_context": k8s.V1Toleration(key="a", operator="Exists")})


def models_of_a_pod() -> Iterator[type[Any]]:
    """The classes that a pod's spec is made of."""
    seen, ahead = {"V1PodSpec"}, ["V1PodSpec"]
    while ahead:
        cls = getattr(k8s, ahead.pop())
        yield cls
        named = {name for kind in cls.openapi_types.values() for name in re.findall(r"\w+", kind)}
        new = {name for name in named - seen if inspect.isclass(getattr(k8s, name, None))}
        seen |= new
        ahead += sorted(new)


@pytest.mark.budget(30)
def test_every_field_of_a_pod_is_spelled_as_the_package_spells_it() -> None:
    wrong, maps, models = [], set(), 0
    for cls in models_of_a_pod():
        models += 1
        for name, field in cls.attribute_map.items():
            if camel_case(name) != field:
                wrong.append((cls.__name__, name, field))
            if re.match(r"(?i)dict[(\[]", cls.openapi_types[name]):
                maps.add(field)
    assert models > 80
    assert wrong == []
    assert sorted(maps - _FREE_KEYS) == [], "maps whose keys are a person's own words"
