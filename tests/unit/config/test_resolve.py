"""The resolver's words for what cannot be used, its aliases, its checks of settings together."""

import sys
from pathlib import Path
from typing import Any

import pytest

from headway.config.checks import tmpfs_mebibytes, with_registry
from headway.config.fields import Join, settings_of
from headway.config.kubernetes import KubernetesSettings
from headway.config.resolve import Layer, Resolved, resolve_kubernetes
from headway.config.sources import Configuration
from headway.errors import SettingsError

WHERE = "@kubernetes on step train (flow.py:12)"


def resolve(**values: Any) -> Resolved:
    return resolve_kubernetes("train", decorator=Layer(values, WHERE))


def refused(**values: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        resolve(**values)
    return str(caught.value)


def test_nothing_said_gives_the_defaults() -> None:
    resolved = resolve_kubernetes("train")
    assert resolved.settings == KubernetesSettings()
    assert set(resolved.provenance.values()) == {"default"}
    assert resolved.warnings == ()


def test_the_defaults_are_the_references() -> None:
    settings = KubernetesSettings()
    assert (str(settings.cpu), settings.memory, settings.disk, settings.gpu) == ("1.000", 4096, 10240, None)
    assert settings.image == f"python:{sys.version_info.major}.{sys.version_info.minor}"
    assert settings.image_pull_policy == "IfNotPresent"
    assert (settings.namespace, settings.qos, settings.gpu_vendor) == ("default", "Burstable", "nvidia")
    assert settings.ttl_seconds_after_finished == 86400
    assert (settings.tmpfs_path, settings.tmpfs_tempdir) == ("/metaflow_temp", True)
    assert settings.hostname_resolution_timeout == 600


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cpu", 0),
        ("cpu", True),
        ("memory", -4096),
        ("memory", "lots"),
        ("disk", 0),
        ("gpu", 1.5),
        ("gpu", -1),
        ("gpu", True),
        ("gpu_vendor", "intel"),
        ("qos", "BestEffort"),
        ("port", 70000),
        ("image", "not an image"),
        ("image_pull_policy", "Sometimes"),
        ("namespace", "Not_Valid"),
        ("service_account", "Not Valid"),
        ("secrets", ["Not Valid"]),
        ("labels", {"team": "not valid"}),
        ("tolerations", [{"wrong": "key"}]),
        ("tmpfs_size", 0),
        ("shared_memory", 0),
        ("persistent_volume_claims", {"claim": "relative"}),
        ("use_tmpfs", "maybe"),
    ],
)
def test_a_bad_value_is_named_with_its_field_and_place(name: str, value: object) -> None:
    words = refused(**{name: value})
    assert words.startswith(f"{name}={value!r} ({WHERE})")
    assert "allowed" in words or "takes" in words or "has" in words


def test_a_bad_variable_is_named() -> None:
    configuration = Configuration({"METAFLOW_KUBERNETES_TOLERATIONS": '[{"key": "a"'}, Path("/"))
    with pytest.raises(SettingsError, match=r"\(METAFLOW_KUBERNETES_TOLERATIONS\).*line 1, column"):
        resolve_kubernetes("train", configuration=configuration)


def test_a_bad_value_that_another_layer_hides_is_refused_too() -> None:
    configuration = Configuration({"METAFLOW_KUBERNETES_CPU": "lots"}, Path("/"))
    with pytest.raises(SettingsError, match="METAFLOW_KUBERNETES_CPU"):
        resolve_kubernetes("train", decorator=Layer({"cpu": 1}, WHERE), configuration=configuration)


def test_an_unknown_argument_names_those_there_are_and_the_nearest() -> None:
    words = refused(memroy=1)
    assert "memory" in words
    assert "Did you mean memory?" in words
    assert "container_registry" not in words


def test_resources_takes_sizes_alone() -> None:
    with pytest.raises(
        SettingsError, match="@resources has no such setting; it has cpu, disk, gpu, memory, shared"
    ):
        resolve_kubernetes("train", resources_decorator=Layer({"image": "x"}, "@resources"))


def test_what_is_configuration_alone_says_which_variable() -> None:
    assert "Set HEADWAY_KUBERNETES_CONTAINER_REGISTRY" in refused(container_registry="a.b")
    overridden = resolve_kubernetes("train", overrides=Layer({"container_registry": "a.b"}, "--override"))
    assert overridden.settings.image.startswith("a.b/python")


@pytest.mark.parametrize(
    "env",
    [
        {"A": ["hunter2"], "TOKEN": "hunter2"},
        {"b a d": "hunter2"},
        [{"value": "hunter2"}],
        '{"A": "hunter2"',
        "hunter2",
    ],
)
def test_a_secret_value_stays_out_of_the_message(env: object) -> None:
    assert "hunter2" not in refused(env=env)


def test_other_names_of_a_setting() -> None:
    settings = resolve(
        node_selectors={"a": "b"},
        service_account_name="sa",
        container_security_context={"run_as_user": 1},
        ttl=60,
    ).settings
    assert settings.node_selector == {"a": "b"}
    assert settings.service_account == "sa"
    assert settings.security_context == {"runAsUser": 1}
    assert settings.ttl_seconds_after_finished == 60
    assert "another name of node_selector" in refused(node_selector="a=b", node_selectors="a=b")


def test_a_group_that_is_none_says_nothing() -> None:
    assert resolve(cpu=2, pod_settings=None).settings.cpu == 2


def test_pod_settings_are_the_same_settings_in_a_group() -> None:
    settings = resolve(cpu=2, pod_settings={"node_selectors": {"a": "b"}, "host_ipc": True}).settings
    assert settings.cpu == 2
    assert settings.node_selector == {"a": "b"}
    assert settings.host_ipc


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("name", "reg.io/x/name"),
        ("name:tag", "reg.io/x/name:tag"),
        ("org/name:tag", "reg.io/x/org/name:tag"),
        ("host:5000/name", "host:5000/name"),
        ("localhost/name", "localhost/name"),
        ("my.registry/name", "my.registry/name"),
    ],
)
def test_a_registry_goes_before_an_image_that_names_none(image: str, expected: str) -> None:
    assert with_registry(image, "reg.io/x/") == expected
    assert with_registry(image, None) == image


@pytest.mark.parametrize(
    ("values", "size"),
    [
        ({}, None),
        ({"tmpfs_size": 100}, 100),
        ({"use_tmpfs": True}, 2048),
        ({"use_tmpfs": True, "tmpfs_size": 100}, 100),
        ({"use_tmpfs": False, "tmpfs_size": 100}, 100),
        ({"use_tmpfs": True, "memory": 1}, 1),
        ({"use_tmpfs": True, "resources": {"limits": {"memory": "1000M"}}}, 500),
        ({"use_tmpfs": True, "resources": {"requests": {"memory": "2000M"}}}, 1000),
    ],
)
def test_the_size_of_the_file_system_in_memory(values: dict[str, Any], size: int | None) -> None:
    assert tmpfs_mebibytes(resolve(**values).settings) == size


@pytest.mark.parametrize(
    "values",
    [
        {"persistent_volume_claims": {"a": "/mnt/x", "b": "/mnt/x/"}},
        {"persistent_volume_claims": {"a": "/dev/shm"}, "shared_memory": 64},
        {"use_tmpfs": True, "volume_mounts": [{"name": "a", "mountPath": "/metaflow_temp"}]},
        {"persistent_volume_claims": {"a": "/headway"}},
        {"tmpfs_size": 1, "tmpfs_path": "/headway/work"},
        {"volumes": [{"name": "headway-work", "emptyDir": {}}]},
        {"volumes": [{"name": "dhsm", "emptyDir": {}}]},
        {"volumes": [{"name": "a", "emptyDir": {}}], "persistent_volume_claims": {"a": "/mnt"}},
    ],
)
def test_what_cannot_stand_together_is_refused(values: dict[str, Any]) -> None:
    assert "step train" in refused(**values)


@pytest.mark.parametrize("key", ["terminationGracePeriodSeconds", "termination_grace_period_seconds"])
def test_a_grace_period_that_the_supervisor_would_not_know_is_refused(key: str) -> None:
    with pytest.raises(SettingsError) as caught:
        resolve(additional_pod_spec_args={key: 120, "hostPID": True})
    assert "{'terminationGracePeriodSeconds': 120} (@kubernetes on step train (flow.py:12))" in str(
        caught.value
    )
    assert caught.value.hint == "Write termination_grace_period_seconds=120 in its place."


def test_a_deadline_among_the_rest_of_the_spec_is_refused() -> None:
    with pytest.raises(SettingsError) as caught:
        resolve(additional_pod_spec_args={"activeDeadlineSeconds": 60})
    assert caught.value.hint == "Write active_deadline_seconds=60 in its place."


def test_memory_that_files_could_eat_is_warned_of() -> None:
    assert resolve(memory=4096, use_tmpfs=True, shared_memory=1024).warnings == ()
    (warning,) = resolve(memory=4096, tmpfs_size=3000, shared_memory=1024).warnings
    assert "4024 MiB" in warning
    assert "asks for only 4096 MB" in warning
    (warning,) = resolve(
        tmpfs_size=1024, resources={"limits": {"memory": "1Gi"}, "requests": {"cpu": 1}}, shared_memory=1
    ).warnings
    assert "may hold only 1073 MB" in warning
    assert resolve(memory=1, tmpfs_size=1000, resources={"requests": {"memory": "1Gi"}}).warnings == ()


def test_limits_below_requests_are_refused() -> None:
    said = refused(resources={"requests": {"memory": "2Gi"}, "limits": {"memory": "1Gi"}})
    for words in ("resources", "limits.memory is 1Gi", "requests.memory 2Gi"):
        assert words in said


def test_every_field_is_declared_whole() -> None:
    table = settings_of(KubernetesSettings)
    assert list(table) == list(KubernetesSettings.__annotations__)
    names = [name for name, setting in table.items() for name in (name, *setting.aliases)]
    assert len(set(names)) == len(names)
    for setting in table.values():
        assert setting.lands
        assert setting.doc.endswith(".")
        assert setting.argument or setting.variables, f"nobody can set {setting.name}"
        if setting.default is not None and setting.join is not Join.ADD:
            assert setting.parse(setting.default) == setting.default, (
                f"{setting.name}: a value is its own spelling"
            )


#: The variables of the Kubernetes configuration reference, without prefix.
VARIABLES = [
    "KUBERNETES_NAMESPACE",
    "KUBERNETES_SERVICE_ACCOUNT",
    "KUBERNETES_CONTAINER_IMAGE",
    "KUBERNETES_CONTAINER_REGISTRY",
    "KUBERNETES_IMAGE_PULL_POLICY",
    "KUBERNETES_IMAGE_PULL_SECRETS",
    "KUBERNETES_CPU",
    "KUBERNETES_MEMORY",
    "KUBERNETES_DISK",
    "KUBERNETES_GPU_VENDOR",
    "KUBERNETES_NODE_SELECTOR",
    "KUBERNETES_TOLERATIONS",
    "KUBERNETES_QOS",
    "KUBERNETES_PERSISTENT_VOLUME_CLAIMS",
    "KUBERNETES_SHARED_MEMORY",
    "KUBERNETES_SECRETS",
    "KUBERNETES_LABELS",
    "KUBERNETES_ANNOTATIONS",
    "KUBERNETES_PORT",
    "KUBERNETES_FETCH_EC2_METADATA",
    "KUBERNETES_SANDBOX_INIT_SCRIPT",
    "KUBERNETES_JOB_TTL_SECONDS_AFTER_FINISHED",
    "KUBERNETES_JOB_TERMINATE_MODE",
]

#: And the decorator's arguments.
ARGUMENTS = [
    "cpu",
    "memory",
    "disk",
    "gpu",
    "gpu_vendor",
    "image",
    "image_pull_policy",
    "image_pull_secrets",
    "namespace",
    "service_account",
    "secrets",
    "node_selector",
    "tolerations",
    "labels",
    "annotations",
    "use_tmpfs",
    "tmpfs_size",
    "tmpfs_path",
    "tmpfs_tempdir",
    "shared_memory",
    "persistent_volume_claims",
    "port",
    "compute_pool",
    "executable",
    "hostname_resolution_timeout",
    "qos",
    "extended_resources",
    "security_context",
]


def test_every_variable_and_argument_of_the_reference_is_there() -> None:
    table = settings_of(KubernetesSettings)
    variables = {variable for setting in table.values() for variable in setting.variables}
    assert set(VARIABLES) <= variables
    assert set(ARGUMENTS) <= {name for name, setting in table.items() if setting.argument}
