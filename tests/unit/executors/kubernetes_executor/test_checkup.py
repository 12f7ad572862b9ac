"""What is found wrong with a cluster for certain steps, before any of them runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from test_cluster import write_kubeconfig

from headway.config.kubernetes import KubernetesSettings
from headway.config.resolve import Layer, resolve_kubernetes
from headway.executors.kubernetes.checkup import examine_cluster
from headway.executors.kubernetes.checkup_steps import Maker
from headway.executors.kubernetes.findings import BAD, GOOD, POOR, Finding
from headway.executors.kubernetes.preview import Previewer
from headway.store.batch import Batch, Code, Gang, TaskSpec
from headway.testing.fake_kubernetes import FakeKubernetes, Fault


@pytest.fixture(autouse=True)
def _kubeconfig(fake: FakeKubernetes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "kubeconfig"
    write_kubeconfig(path, fake.server)
    monkeypatch.setenv("KUBECONFIG", str(path))


def step(**said: Any) -> dict[str, KubernetesSettings]:
    return {"train": resolve_kubernetes("train", decorator=Layer(said, "@kubernetes")).settings}


def make(ranks: int = 0, lent: tuple[str, ...] = ()) -> Maker:
    """Makes what a run would create: one task for each step, or a gang of so many ranks."""

    def made(steps: Mapping[str, KubernetesSettings]) -> dict[str, list[dict[str, Any]]]:
        previewer = Previewer(steps, "s3://b/p", {}, "0" * 20, 200, lent, ("F", "dry-run"))
        code = Code("path", "f.py", ("__main__", "F"))
        gang = Gang(4444, 60.0) if ranks else None
        tasks = tuple(TaskSpec(str(number), 0, number) for number in range(max(1, ranks)))
        return {
            name: previewer.show(Batch("F", "dry-run", name, name, code, tasks, gang=gang)).manifests
            for name in steps
        }

    return made


async def found(
    steps: dict[str, KubernetesSettings], *, lends: bool = False, ranks: int = 0
) -> list[Finding]:
    lent = ("AWS_ACCESS_KEY_ID",) if lends else ()
    return [
        finding async for finding in examine_cluster(steps, make(ranks, lent), lends=lends, gangs=bool(ranks))
    ]


def of(findings: list[Finding], grade: str) -> list[str]:
    return [finding.what for finding in findings if finding.grade == grade]


def node(
    fake: FakeKubernetes, name: str, *, ready: bool = True, made_by: str = "", **allocatable: str
) -> None:
    fake.state.add(
        "nodes",
        "",
        {
            "metadata": {"name": name, "labels": {"kubernetes.io/arch": "arm64"}},
            "spec": {"providerID": made_by},
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


@pytest.mark.parametrize(
    ("made_by", "grade"), [("", BAD), ("kind://docker/kind/n1", BAD), ("aws:///eu-west-1a/i-0", POOR)]
)
@pytest.mark.parametrize(
    ("said", "stops"), [({"cpu": 16}, False), ({"node_selector": {"no": "where"}}, True)]
)
async def test_where_an_autoscaler_may_make_such_nodes_a_run_would_wait(
    fake: FakeKubernetes, made_by: str, grade: str, said: dict[str, Any], stops: bool
) -> None:
    node(fake, "n1", made_by=made_by, cpu="2", memory="4Gi")
    (finding,) = [each for each in await found(step(**said)) if each.grade != GOOD]
    assert finding.grade == grade
    assert finding.steps == ("train",)
    assert finding.in_the_way is stops, "a small pod would show all else, if there is a node for it"
    assert ("HEADWAY_KUBERNETES_UNSCHEDULABLE_TIMEOUT" in finding.hint) is (grade == POOR)


async def test_what_may_not_be_looked_at_is_said_once_of_each_kind(fake: FakeKubernetes) -> None:
    node(fake, "n1", cpu="8", memory="32Gi")
    for verb, resource in (("get", "secrets"), ("get", "priorityclasses"), ("list", "resourcequotas")):
        fake.deny(verb, resource)
    one = step(secrets=["a", "b"], priority_class_name="high", persistent_volume_claims={"data": "/data"})
    findings = await found({**one, "score": step(secrets=["c"])["train"]})
    assert of(findings, POOR) == [
        "Quotas of namespace default are not checked: you may not list resourcequotas.",
        (
            "Steps train, score: whether each Secret that their pods name is there is not checked: "
            "you may not get secrets in namespace default."
        ),
        (
            "Step train: whether each PriorityClass that its pods name is there is not checked: "
            "you may not get priorityclasses."
        ),
    ]
    assert of(findings, BAD) == ["Step train: there is no PersistentVolumeClaim data in namespace default."]
    (bad,) = [finding for finding in findings if finding.grade == BAD]
    assert (bad.steps, bad.in_the_way) == (("train",), True)


@pytest.mark.parametrize(("ranks", "bad"), [(3, 0), (4, 1)])
async def test_a_gang_that_all_nodes_together_have_no_places_for(
    fake: FakeKubernetes, ranks: int, bad: int
) -> None:
    node(fake, "n1", cpu="5", memory="32Gi")
    node(fake, "n2", cpu="7", memory="32Gi", pods="1")
    node(fake, "n3", cpu="1", memory="32Gi")
    found_bad = of(await found(step(cpu=2), ranks=ranks), BAD)
    assert len(found_bad) == bad
    for what in found_bad:
        assert what == (
            "Step train: at least 4 of its pods run at the same time, and the nodes, if empty, have places for 3."
        )


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
    for verb, resource in (("list", "events"), ("list", "nodes"), ("create", "pods"), ("create", "secrets")):
        fake.deny(verb, resource)
    findings = await found(step(), lends=True)
    assert [what.partition(":")[0] for what in of(findings, POOR)[:3]] == [
        "You may not list events in default",
        "You may not list nodes",
        "You may not create pods in default",
    ]
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
    (bad,) = of(await found(step(), ranks=2), BAD)
    assert bad.startswith("You may not create services in default")


async def test_without_the_needed_rights_nothing_more_is_looked_at(fake: FakeKubernetes) -> None:
    fake.deny("create", "jobs")
    findings = await found(step(secrets=["gone"]))
    assert [finding.grade for finding in findings] == [GOOD, BAD]
    assert "create jobs.batch" in findings[1].what


# What admission says


def refusing(fake: FakeKubernetes, resource: str, message: str, **said: Any) -> None:
    """Let the API server refuse objects of a kind, dry run or not."""
    answer = {"status": 403, "reason": "Forbidden", **said}
    fake.fault(Fault(verb="create", resource=resource, times=9, message=message, **answer))


FORBIDDEN = 'pods "f-train-x" is forbidden: '


async def test_what_is_asked_is_what_a_run_creates_and_nothing_stays(fake: FakeKubernetes) -> None:
    await found(step(cpu=3, secrets=["there"], labels={"team": "ml"}), lends=True, ranks=3)
    asked = {
        request.resource: request
        for request in fake.seen("create")
        if request.resource in ("jobs", "pods", "secrets", "services")
    }
    assert set(asked) == {"jobs", "pods", "secrets", "services"}
    assert {request.query["dryRun"] for request in asked.values()} == {"All"}
    template = asked["jobs"].body["spec"]["template"]
    assert asked["pods"].body["spec"] == template["spec"]
    assert asked["pods"].body["metadata"]["labels"].items() >= template["metadata"]["labels"].items()
    (container,) = template["spec"]["containers"]
    assert next(each["secretRef"]["name"] for each in container["envFrom"]) == "there"
    assert asked["secrets"].body["metadata"]["name"] == container["envFrom"][1]["secretRef"]["name"]
    for resource in asked:
        assert not list(fake.state.all(resource))


@pytest.mark.parametrize(
    ("resource", "message", "grade", "words", "hint"),
    [
        (
            "pods", FORBIDDEN + "maximum memory usage per Container is 1G, but limit is 2G", BAD,
            "the cluster refuses its pods: the namespace's limit range forbids what it asks for: maximum memory",
            "kubectl describe limitrange",
        ),
        (
            "pods", FORBIDDEN + "cpu max limit to request ratio per Container is 2, but provided ratio is 4", BAD,
            "limit range forbids", "kubectl describe limitrange",
        ),
        (
            "pods", FORBIDDEN + "failed quota: small: must specify limits.cpu for: train", BAD,
            "wants every pod to name its limits", "qos=Guaranteed",
        ),
        (
            "pods", FORBIDDEN + "exceeded quota: q, requested: pods=1, used: pods=3, limited: pods=3", POOR,
            "the namespace's quota q is used up (pods: it asks for 1, 3 of 3 is in use)", "Waiting goes on",
        ),
        (
            "pods", 'admission webhook "a.example.com" denied the request: Tuesdays only', BAD,
            "a policy of the cluster forbids it", "the policy's own",
        ),
        (
            "jobs", ("jobs.batch is forbidden: exceeded quota: q, requested: count/jobs.batch=1, used: "
            "count/jobs.batch=3, limited: count/jobs.batch=3"), POOR,
            "the cluster refuses the Job: the namespace's quota q is used up", "kubectl describe quota",
        ),
        ("jobs", "no reason that anybody knows", BAD, "no reason that anybody knows", ""),
    ],
)  # fmt: skip
async def test_what_admission_refuses_is_told_in_the_words_of_a_run(
    fake: FakeKubernetes, resource: str, message: str, grade: str, words: str, hint: str
) -> None:
    node(fake, "n1", cpu="8", memory="32Gi")
    refusing(fake, resource, message)
    (told,) = [each for each in await found(step()) if each.grade != GOOD]
    assert told.grade == grade
    assert told.what.startswith("Step train: the cluster refuses ")
    assert words in told.what
    assert hint in told.hint


async def test_a_limit_that_a_limit_range_sets_is_told_as_its_doing(fake: FakeKubernetes) -> None:
    node(fake, "n1", cpu="8", memory="32Gi")
    field = "spec.containers[0].resources.requests"
    words = 'Invalid value: "2G": must be less than or equal to memory limit of 1G'
    causes = {"causes": [{"reason": "FieldValueInvalid", "message": words, "field": field}]}
    refusing(
        fake, "pods", f'Pod "x" is invalid: {field}: {words}', status=422, reason="Invalid", details=causes
    )
    (told,) = [each for each in await found(step()) if each.grade == BAD]
    assert "the cluster refuses its pods: it asks for more than its limit, which the namespace's" in told.what
    assert "kubectl describe limitrange" in told.hint


async def test_a_webhook_that_knows_no_dry_runs_is_no_refusal(fake: FakeKubernetes) -> None:
    node(fake, "n1", cpu="8", memory="32Gi")
    said = 'admission webhook "a.example.com" does not support dry run'
    refusing(fake, "pods", said, status=400, reason="BadRequest")
    (told,) = [each for each in await found(step()) if each.grade != GOOD]
    assert told.grade == POOR
    assert "could not be asked beforehand" in told.what
    assert said in told.what


async def test_a_service_account_that_is_not_there_is_told_once(fake: FakeKubernetes) -> None:
    node(fake, "n1", cpu="8", memory="32Gi")
    refusing(fake, "pods", FORBIDDEN + 'error looking up service account default/robot: "robot" not found')
    (told,) = of(await found(step(service_account="robot")), BAD)
    assert told == "Step train: there is no ServiceAccount robot in namespace default."


async def test_pods_that_a_namespace_wants_restricted_are_asked_about_as_they_will_be(
    fake: FakeKubernetes,
) -> None:
    node(fake, "n1", cpu="8", memory="32Gi")
    words = 'violates PodSecurity "restricted:latest": runAsNonRoot != true'
    fake.fault(
        Fault(verb="create", resource="pods", status=403, reason="Forbidden", message=FORBIDDEN + words)
    )
    assert {finding.grade for finding in await found(step())} == {GOOD}
    first, second = fake.seen("create", "pods")
    assert "securityContext" not in first.body["spec"]
    assert second.body["spec"]["securityContext"]["runAsNonRoot"] is True
    refusing(fake, "pods", FORBIDDEN + words)
    (told,) = of(await found(step(security_profile="default")), BAD)
    assert "the namespace's Pod Security forbids the pod" in told


async def test_steps_that_share_a_trouble_share_a_line(fake: FakeKubernetes) -> None:
    refusing(fake, "pods", FORBIDDEN + "maximum cpu usage per Pod is 1, but limit is 2")
    (told,) = of(await found({**step(), "test": step()["train"]}), BAD)
    assert told.startswith("Steps train, test: the cluster refuses their pods: ")


# What quotas have room for


def quota(fake: FakeKubernetes, used: dict[str, str], **hard: str) -> None:
    amounts = {name.replace("_", "."): amount for name, amount in hard.items()}
    status = {"hard": amounts, "used": used}
    fake.state.add("resourcequotas", "default", {"metadata": {"name": "team"}, "status": status})


async def test_how_many_pods_fit_is_told(fake: FakeKubernetes) -> None:
    node(fake, "n1", cpu="8", memory="32Gi")
    quota(fake, {"requests.cpu": "3"}, requests_cpu="10", pods="50")
    (told,) = [what for what in of(await found(step(cpu=2)), GOOD) if what.startswith("Step")]
    assert told == (
        "Step train: 3 of its pods at once fit into quota team in default "
        "(requests.cpu: each asks for 2, and 7 of 10 is free); more would wait."
    )


@pytest.mark.parametrize(
    ("ranks", "used", "grade", "words"),
    [
        (0, "9.5", POOR, "quota team in default has no room for its pods now (requests.cpu: each asks for 2, and 0.5"),
        (0, "0", GOOD, "5 of its pods at once fit"),
        (4, "4", POOR, "has no room for its pods now, of which at least 4 run at the same time"),
        (6, "0", BAD, "the whole quota team in default holds 5 of its pods, of which at least 6 run at the same time"),
    ],
)  # fmt: skip
async def test_what_has_to_run_at_once_has_to_fit_at_once(
    fake: FakeKubernetes, ranks: int, used: str, grade: str, words: str
) -> None:
    node(fake, "n1", cpu="32", memory="64Gi")
    quota(fake, {"requests.cpu": used}, requests_cpu="10")
    (told,) = [each for each in await found(step(cpu=2), ranks=ranks) if each.what.startswith("Step")]
    assert told.grade == grade
    assert words in told.what
    assert grade == GOOD or "describe quota team" in told.hint


async def test_a_quota_that_admission_speaks_of_is_told_once(fake: FakeKubernetes) -> None:
    node(fake, "n1", cpu="8", memory="32Gi")
    quota(fake, {"requests.cpu": "1"}, requests_cpu="1")
    said = "exceeded quota: team, requested: requests.cpu=2, used: requests.cpu=1, limited: requests.cpu=1"
    refusing(fake, "pods", FORBIDDEN + said)
    (told,) = of(await found(step(cpu=2)), BAD)
    assert "the whole quota team in default is too small for a pod of it" in told
