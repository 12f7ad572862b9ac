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
from headway.executors.kubernetes.findings import BAD, GOOD, POOR
from headway.flow.late import parse_with
from headway.launch import probe
from headway.launch.limited import Ended
from headway.launch.probe import Probe, alike, beneath

CHOICE = Choice("s3", "s3://bucket/root/")


def settings(attributes: Any) -> KubernetesSettings:
    return resolve_kubernetes("train", decorator=Layer(attributes, "@kubernetes")).settings


def test_the_command_line_names_the_same_datastore_and_configuration() -> None:
    assert Probe("A pod", ("kubernetes:cpu=1",), "python:3.11", CHOICE, True, "prod").arguments == [
        "--datastore=s3",
        "--datastore-root=s3://bucket/root/.doctor",
        "--config-name=prod",
        "--with",
        "kubernetes:cpu=1",
        "run",
        "--forward-credentials",
    ]
    assert Probe("A pod", ("kubernetes:cpu=1",), "python:3.11", CHOICE).arguments == [
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
    finding = Probe("A pod", ("kubernetes:cpu=1",), "python:3.11", CHOICE, False, "prod").run()
    assert finding.grade == BAD
    assert "config_prod.json" in finding.what


def test_the_answer_of_a_pod_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interpreter = tmp_path / "python"
    interpreter.write_text("#!/bin/sh\necho PROBE 3.11.4 aarch64 glibc\n")
    interpreter.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(interpreter))
    finding = Probe("A pod like train", ("kubernetes:cpu=1",), "python:3.11", CHOICE).run()
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


def test_what_fills_a_step_in_is_said_of_the_probe_too() -> None:
    late = {"cpu": 16, "labels": {"team": "ml"}, "pod_settings": {"memory": 9, "node_selector": {"a": "b"}}}
    said = ("kubernetes:cpu=0.1", beneath(late))
    assert said[1] == 'kubernetes:labels={"team": "ml"},node_selector={"a": "b"}'
    arguments = Probe("A pod", said, "python:3.11", CHOICE).arguments
    assert arguments[2:] == ["--with", said[0], "--with", said[1], "run"]
    assert beneath({"cpu": 16}) == "", "sizes are the probe's own"


PULLS = "[look/1] Waiting: its node is still pulling the image x"
RUNS = "[look/1] Running on Kubernetes pod: doctorflow-look-x"


@pytest.mark.budget(6)
@pytest.mark.parametrize(
    ("said", "grade", "words"),
    [
        (
            f"echo '{PULLS}' >&2",
            POOR,
            "A pod did not begin to run within 0.5 seconds, and is taken away again.",
        ),
        (f"echo '{RUNS}'; echo '{PULLS}' >&2", BAD, "A pod ran, and gave no answer in 0.5 seconds."),
    ],
)
def test_a_pod_that_takes_its_time_is_no_failure_and_is_taken_away(
    said: str, grade: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interpreter, cleared = tmp_path / "python", tmp_path / "cleared"
    script = f"#!/bin/sh\ntrap 'touch {cleared}; exit 130' TERM\n{said}\nwhile :; do sleep 0.05; done\n"
    interpreter.write_text(script)
    interpreter.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(interpreter))
    monkeypatch.setattr(probe, "_PATIENCE", 0.5)
    finding = Probe("A pod", ("kubernetes:cpu=1",), "python:3.11", CHOICE).run()
    assert finding.grade == grade
    assert finding.what == f"{words} Waiting: its node is still pulling the image x"
    assert cleared.exists(), "it was told to stop, and had time to clear away"


@pytest.mark.parametrize(("code", "left"), [(0, False), (1, True), (None, True)])
def test_what_a_killed_launcher_leaves_is_deleted(
    code: int | None, left: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed: list[list[str]] = []

    def limited(command: list[str], *_: object) -> Ended:
        typed.append(command)
        if len(typed) > 1:
            return Ended(code, "", "")
        return Ended(None, "", "Run 17 of DoctorFlow starts, for user ann.\n", killed=True)

    monkeypatch.setattr(probe, "run_limited", limited)
    finding = Probe("A pod", ("kubernetes:cpu=1",), "python:3.11", CHOICE, True).run()
    assert finding.grade == POOR
    assert typed[1][3:] == [*typed[0][3:-2], "kubernetes", "kill", "--run-id", "17"]
    assert ("kubectl delete jobs --selector metaflow/run_id=17" in finding.what) is left
