"""The pods that ``doctor`` tries: like the step's own, found with the same configuration."""

import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import kubernetes.client as k8s
import pytest

from headway.config.datastore import Choice
from headway.config.kubernetes import KubernetesSettings
from headway.config.resolve import Layer, resolve_kubernetes
from headway.executors.kubernetes.findings import BAD, GOOD
from headway.flow.late import parse_with
from headway.launch.probe import Probe, alike

CHOICE = Choice("s3", "s3://bucket/root/")


def settings(attributes: Any) -> KubernetesSettings:
    return resolve_kubernetes("train", decorator=Layer(attributes, "@kubernetes")).settings


def test_the_command_line_names_the_same_datastore_and_configuration() -> None:
    assert Probe("A pod", "kubernetes:cpu=1", "python:3.11", CHOICE, True, "prod").arguments == [
        "--datastore=s3",
        "--datastore-root=s3://bucket/root/.doctor",
        "--config-name=prod",
        "--with",
        "kubernetes:cpu=1",
        "run",
        "--forward-credentials",
    ]
    assert Probe("A pod", "kubernetes:cpu=1", "python:3.11", CHOICE).arguments == [
        "--datastore=s3",
        "--datastore-root=s3://bucket/root/.doctor",
        "--with",
        "kubernetes:cpu=1",
        "run",
    ]


@pytest.mark.parametrize("env_profile", [None, "other"])
def test_a_probe_reads_the_named_configuration(
    env_profile: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what it says where there is none of that name: a named configuration without a file is refused."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEADWAY_HOME", str(tmp_path))
    if env_profile is not None:
        monkeypatch.setenv("HEADWAY_PROFILE", env_profile)
    finding = Probe("A pod", "kubernetes:cpu=1", "python:3.11", CHOICE, False, "prod").run()
    assert finding.grade == BAD
    assert "config_prod.json" in finding.what


def test_the_answer_of_a_pod_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interpreter = tmp_path / "python"
    interpreter.write_text("#!/bin/sh\necho PROBE 3.11.4 aarch64 glibc\n")
    interpreter.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(interpreter))
    finding = Probe("A pod like train", "kubernetes:cpu=1", "python:3.11", CHOICE).run()
    assert finding.grade == GOOD
    assert finding.what.startswith(
        "A pod like train ran: Python 3.11.4 on aarch64 (glibc) in python:3.11; it reached the datastore"
    )


def test_objects_of_the_kubernetes_package_are_the_probes_too() -> None:
    written = {
        "volumes": [
            k8s.V1Volume(
                name="data",
                persistent_volume_claim=k8s.V1PersistentVolumeClaimVolumeSource(claim_name="ml-data"),
            )
        ],
        "affinity": k8s.V1Affinity(
            pod_anti_affinity=k8s.V1PodAntiAffinity(
                required_during_scheduling_ignored_during_execution=[
                    k8s.V1PodAffinityTerm(
                        topology_key="kubernetes.io/hostname",
                        label_selector=k8s.V1LabelSelector(match_labels={"my_app": "a,b:c"}),
                    )
                ]
            )
        ),
        "env_from": [k8s.V1EnvFromSource(secret_ref=k8s.V1SecretEnvSource(name="keys"))],
    }
    found = settings(parse_with(alike(written, "python:3.11")).attributes)
    asked = settings(written)
    for name in written:
        assert getattr(found, name) == getattr(asked, name) != type(getattr(asked, name))(), name


def test_a_probe_is_small_and_else_like_the_step() -> None:
    written = {
        "cpu": 16,
        "memory": 64000,
        "gpu": 1,
        "resources": {"limits": {"cpu": "32"}},
        "pod_settings": {"resources": {"limits": {"cpu": "32"}}, "tolerations": [{"operator": "Exists"}]},
        "secrets": frozenset(["b", "a"]),
        "api_request_timeout": Decimal("2.5"),
        "namespace": None,
    }
    found = settings(parse_with(alike(written, "r/i:1")).attributes)
    assert (found.cpu, found.memory, found.disk, found.gpu) == (Decimal("0.1"), 128, 100, None)
    assert found.resources == {}
    assert found.tolerations == ({"operator": "Exists"},)
    assert found.secrets == ("a", "b")
    assert found.api_request_timeout == Decimal("2.5")
    assert found.image == "r/i:1"


def test_a_step_without_a_decorator_gives_a_small_pod() -> None:
    assert alike({}, "python:3.11") == 'kubernetes:cpu=0.1,memory=128,disk=100,image="python:3.11"'
