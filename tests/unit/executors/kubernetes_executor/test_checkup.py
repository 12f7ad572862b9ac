"""What is found wrong with a cluster for certain steps, before any of them runs."""

from pathlib import Path
from typing import Any

import pytest
from test_cluster import write_kubeconfig

from headway.config.kubernetes import KubernetesSettings
from headway.config.resolve import Layer, resolve_kubernetes
from headway.executors.kubernetes.checkup import BAD, GOOD, POOR, Finding, examine_cluster
from headway.testing.fake_kubernetes import FakeKubernetes


@pytest.fixture(autouse=True)
def _kubeconfig(fake: FakeKubernetes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "kubeconfig"
    write_kubeconfig(path, fake.server)
    monkeypatch.setenv("KUBECONFIG", str(path))


def step(**said: Any) -> dict[str, KubernetesSettings]:
    return {"train": resolve_kubernetes("train", decorator=Layer(said, "@kubernetes")).settings}


async def found(steps: dict[str, KubernetesSettings], *, lends: bool = False) -> list[Finding]:
    return [finding async for finding in examine_cluster(steps, lends=lends)]


def of(findings: list[Finding], grade: str) -> list[str]:
    return [finding.what for finding in findings if finding.grade == grade]


def node(fake: FakeKubernetes, name: str, *, ready: bool = True, **allocatable: str) -> None:
    fake.state.add(
        "nodes",
        "",
        {
            "metadata": {"name": name, "labels": {"kubernetes.io/arch": "arm64"}},
            "status": {
                "allocatable": {"ephemeral-storage": "100Gi", **allocatable},
                "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            },
        },
    )


async def test_a_cluster_where_all_is_well(fake: FakeKubernetes) -> None:
    node(fake, "n1", cpu="8", memory="32Gi")
    findings = await found(step(cpu=2), lends=True)
    assert {finding.grade for finding in findings} == {GOOD}
    assert "1 of 1 nodes are ready (arm64)." in of(findings, GOOD)
    assert any("v1.36.0, and you may run pods in default" in what for what in of(findings, GOOD))


async def test_steps_that_no_node_can_take(fake: FakeKubernetes) -> None:
    node(fake, "n1", cpu="2", memory="4Gi")
    (what,) = of(await found(step(cpu=16)), BAD)
    assert what.startswith("Step train: no node could ever take its pods. N1: has 2 of cpu in all")


async def test_nodes_that_are_all_down(fake: FakeKubernetes) -> None:
    node(fake, "n1", ready=False, cpu="8", memory="32Gi")
    assert of(await found(step()), BAD) == ["0 of 1 nodes are ready (arm64)."]


async def test_what_the_pods_name_and_is_not_there(fake: FakeKubernetes) -> None:
    fake.state.add("secrets", "default", {"metadata": {"name": "there"}})
    said = step(
        secrets=["there", "gone"],
        service_account="robot",
        persistent_volume_claims={"data": "/data"},
        env_from=[{"configMapRef": {"name": "words"}}, {"configMapRef": {"name": "x", "optional": True}}],
    )
    assert of(await found(said), BAD) == [
        "Step train: there is no Secret gone in namespace default.",
        "Step train: there is no PersistentVolumeClaim data in namespace default.",
        "Step train: there is no ServiceAccount robot in namespace default.",
        "Step train: there is no ConfigMap words in namespace default.",
    ]


async def test_what_environment_and_volumes_refer_to(fake: FakeKubernetes) -> None:
    def key(kind: str, name: str, **said: Any) -> dict[str, Any]:
        return {"valueFrom": {kind: {"name": name, "key": "k", **said}}}

    said = step(
        env_from=[{"secretRef": {"name": "s1"}}, {"secretRef": {"name": "o1", "optional": True}}],
        env=[
            {"name": "A", **key("secretKeyRef", "s2")},
            {"name": "B", **key("configMapKeyRef", "c2")},
            {"name": "C", **key("secretKeyRef", "o2", optional=True)},
            {"name": "D", **key("secretKeyRef", "s1")},
            {"name": "E", "value": "v"},
        ],
        volumes=[
            {"name": "a", "secret": {"secretName": "s3"}},
            {"name": "b", "configMap": {"name": "c3"}},
            {"name": "c", "secret": {"secretName": "o3", "optional": True}},
            {"name": "d", "persistentVolumeClaim": {"claimName": "p4"}},
            {
                "name": "e",
                "projected": {"sources": [{"secret": {"name": "s5"}}, {"configMap": {"name": "c5"}}]},
            },
            {"name": "f", "emptyDir": {}},
        ],
    )
    named = [what.removeprefix("Step train: there is no ") for what in of(await found(said), BAD)]
    assert named == [
        *(f"Secret {name} in namespace default." for name in ("s1", "s2", "s3", "s5")),
        "PersistentVolumeClaim p4 in namespace default.",
        *(f"ConfigMap {name} in namespace default." for name in ("c2", "c3", "c5")),
    ]


@pytest.mark.parametrize(
    ("phase", "grade", "why"),
    [("Pending", POOR, "pods wait until it is, unless"), ("Lost", BAD, "is gone"), ("Bound", GOOD, "")],
)
async def test_a_claim_that_is_not_bound(fake: FakeKubernetes, phase: str, grade: str, why: str) -> None:
    node(fake, "n1", cpu="8", memory="32Gi")
    claim = {"metadata": {"name": "data"}, "status": {"phase": phase}}
    fake.state.add("persistentvolumeclaims", "default", claim)
    findings = await found(step(persistent_volume_claims={"data": "/data"}))
    told = [finding for finding in findings if "PersistentVolumeClaim" in finding.what]
    assert {finding.grade for finding in findings} == {GOOD, grade}
    assert len(told) == (phase != "Bound")
    for finding in told:
        assert f"data in namespace default is not bound ({phase}): " in finding.what
        assert why in finding.what
        assert finding.hint == "kubectl --namespace default describe persistentvolumeclaims data says why."


async def test_a_priority_class_that_is_not_there(fake: FakeKubernetes) -> None:
    fake.state.add("priorityclasses", "", {"metadata": {"name": "high"}})
    assert of(await found(step(priority_class_name="high")), BAD) == []
    (bad,) = [each for each in await found(step(priority_class_name="low")) if each.grade == BAD]
    assert bad.what == "Step train: there is no PriorityClass low."
    assert bad.hint == "kubectl get priorityclasses shows what there is."
    fake.deny("get", "priorityclasses")
    assert of(await found(step(priority_class_name="low")), BAD) == []


async def test_a_cluster_without_nodes_needs_an_autoscaler(fake: FakeKubernetes) -> None:
    assert of(await found(step()), POOR) == ["The cluster has no nodes yet: an autoscaler has to bring one."]
    fake.deny("list", "nodes")
    (poor,) = of(await found(step()), POOR)
    assert poor.startswith("You may not list nodes")


async def test_rights_that_are_missed(fake: FakeKubernetes) -> None:
    for verb, resource in (("list", "events"), ("list", "nodes"), ("create", "secrets")):
        fake.deny(verb, resource)
    findings = await found(step(), lends=True)
    assert len(of(findings, POOR)) == 2
    assert of(findings, BAD) == ["--forward-credentials needs the right to create secrets in default."]
    assert of(await found(step()), BAD) == []


async def test_a_quota_is_told_with_its_figures(fake: FakeKubernetes) -> None:
    fake.state.add(
        "resourcequotas",
        "default",
        {
            "metadata": {"name": "team"},
            "status": {"hard": {"requests.cpu": "10"}, "used": {"requests.cpu": "9"}},
        },
    )
    assert "Quota team in default: requests.cpu 9 of 10. Pods beyond it wait." in of(
        await found(step()), GOOD
    )


async def test_gangs_need_a_right_more(fake: FakeKubernetes) -> None:
    fake.deny("create", "services")
    assert of(await found(step()), BAD) == []
    (bad,) = of([finding async for finding in examine_cluster(step(), lends=False, gangs=True)], BAD)
    assert bad.startswith("You may not create services in default")


async def test_without_the_needed_rights_nothing_more_is_looked_at(fake: FakeKubernetes) -> None:
    fake.deny("create", "jobs")
    findings = await found(step(secrets=["gone"]))
    assert [finding.grade for finding in findings] == [GOOD, BAD]
    assert "create jobs.batch" in findings[1].what
