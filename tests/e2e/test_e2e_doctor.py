"""``doctor``: what is there and what is missing, from outside and from inside a pod."""

import sys
from typing import Any

from harness.causes import Branch, flow_of
from harness.kubectl import Kubectl, Object
from harness.rights import bind, role
from harness.target import Target
from harness.webhook import LABEL, webhooks
from harness.workspace import NewNamespace, Workspace, WorkspaceIn, Workspaces


def test_all_is_there(workspace: Workspace) -> None:
    result = workspace.run_flow("linear.py", "doctor", "--with", "kubernetes")
    assert result.returncode == 0, result.all
    assert "FAIL" not in result.stdout
    assert f"you may run pods in {workspace.kubectl.namespace}" in result.stdout
    assert "can be read and written, and keeps conditional writes" in result.stdout
    assert "ran: Python 3." in result.stdout
    assert "All is there that a run needs." in result.stderr


def test_each_thing_that_is_missing_is_named_with_what_to_do(workspace: Workspace) -> None:
    result = workspace.run_flow(
        "linear.py", "doctor", "--no-inside", "--with", "kubernetes:secrets=not-there,cpu=5000"
    )
    assert result.returncode == 1, result.all
    assert f"there is no Secret not-there in namespace {workspace.kubectl.namespace}" in result.stdout
    assert "no node could ever take their pods" in result.stdout
    assert "things would make a run fail." in result.stderr
    assert workspace.jobs() == []


def test_a_pod_that_cannot_reach_the_datastore_says_so(workspace: Workspace) -> None:
    env = {"HEADWAY_KUBERNETES_SECRETS": None, "HEADWAY_KUBERNETES_ENV": '{"AWS_ACCESS_KEY_ID": "wrong"}'}
    result = workspace.run_flow("linear.py", "doctor", "--with", "kubernetes", env=env)
    assert result.returncode == 1, result.all
    (failed,) = [line for line in result.stdout.splitlines() if line.startswith("FAIL")]
    assert "A pod like start" in failed
    assert "credentials" in failed


def with_rule(new_namespace: NewNamespace, name: str, kind: str, spec: Object) -> dict[str, Any]:
    """Settings of a step whose pods go to a namespace of their own, with a rule."""
    space = new_namespace(name)
    space.create({"apiVersion": "v1", "kind": kind, "metadata": {"name": "rule"}, "spec": spec})
    return {"namespace": space.namespace}


def test_what_quotas_and_admission_would_say_is_told_beforehand(
    workspaces: Workspaces, new_namespace: NewNamespace, kubectl: Kubectl, session_name: str
) -> None:
    def quota(name: str, **hard: str) -> dict[str, Any]:
        amounts = {key.replace("_", "."): amount for key, amount in hard.items()}
        return with_rule(new_namespace, f"doctor-{name}", "ResourceQuota", {"hard": amounts})

    def limits(name: str, **limit: Object) -> dict[str, Any]:
        spec = {"limits": [{"type": "Container", **limit}]}
        return with_rule(new_namespace, f"doctor-{name}", "LimitRange", spec)

    strict = new_namespace("doctor-strict", {"pod-security.kubernetes.io/enforce": "baseline"})
    # By step: its settings, the grade, words of what is found, words of what to do.
    expected: dict[str, tuple[dict[str, Any], str, str, str]] = {
        "roomy": (
            quota("roomy", requests_cpu="110m"), "ok", "5 of its pods at once fit into quota rule", "",
        ),
        "crowded": (
            quota("crowded", **{"count/jobs.batch": "0"}), "warn",
            "the cluster refuses the Job: the namespace's quota rule is used up (count/jobs.batch", "quota",
        ),
        "never": (
            quota("never", requests_memory="10M"), "FAIL",
            "the whole quota rule in", "describe quota rule",
        ),
        "limitless": (quota("limitless", limits_cpu="4"), "FAIL", "wants every pod to name its limits", "qos="),
        "largest": (limits("largest", max={"memory": "1M"}), "FAIL", "limit range", "describe limitrange"),
        "least": (limits("least", min={"cpu": "1"}), "FAIL", "minimum cpu usage per Container is 1", "limitrange"),
        "ratio": (
            {
                **limits("ratio", maxLimitRequestRatio={"cpu": "2"}),
                "resources": {"requests": {"cpu": "20m"}, "limits": {"cpu": "200m"}},
            },
            "FAIL", "cpu max limit to request ratio per Container is 2", "limitrange",
        ),
        "insecure": (
            {"namespace": strict.namespace, "host_ipc": True}, "FAIL",
            "the namespace's Pod Security forbids the pod", "Remove what it names",
        ),
        "refused": ({"labels": {LABEL: "refuse"}}, "FAIL", "run on Tuesdays only", "the policy's own"),
        "nowhere": (
            {"additional_pod_spec_args": {"nodeName": "moon"}}, "FAIL",
            "There is no node moon, which nodeName asks for", "change the selector",
        ),
        "unknown": (
            {"additional_pod_spec_args": {"somethingOfTomorrow": 1}}, "FAIL",
            "the cluster knows no field spec.somethingOfTomorrow", "additional_pod_spec_args=…",
        ),
    }  # fmt: skip
    steps = {name: Branch(settings) for name, (settings, *_) in expected.items()}
    space = workspaces()
    with webhooks(kubectl, session_name):
        result = space.run_flow(flow_of(steps), "doctor", "--no-inside")
    assert result.returncode == 1, result.all
    lines = result.stdout.splitlines()
    for name, (_, grade, what, hint) in expected.items():
        (at,) = [number for number, line in enumerate(lines) if f"Step {name}: " in line]
        assert lines[at].startswith(grade), lines[at]
        assert what in lines[at], lines[at]
        assert hint in lines[min(at + 1, len(lines) - 1)], lines[at : at + 2]
    assert space.jobs() == [], "nothing stays of what was asked"
    assert space.pods() == []


def test_who_may_not_create_pods_is_told_what_is_not_looked_at(
    target: Target, new_namespace: NewNamespace, workspace_in: WorkspaceIn
) -> None:
    own = new_namespace("doctor-limited")
    bind(own, target, role())
    space = workspace_in(target.as_limited(), own)
    try:
        # As for run: a variable asks for it, too.
        env = {"HEADWAY_FORWARD_CREDENTIALS": "1", "HEADWAY_KUBERNETES_SECRETS": None}
        late = f"kubernetes:secrets={space.secret}"
        result = space.run_flow("linear.py", "doctor", "--with", late, env=env)
    finally:
        space.close()
    assert result.returncode == 0, result.all
    assert f"You may not create pods in {own.namespace}: whether quotas, limit ranges" in result.stdout
    assert "Pods would be lent AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY" in result.stdout
    assert f"Quotas of namespace {own.namespace} are not checked: you may not list" in result.stdout
    (unread,) = [line for line in result.stdout.splitlines() if "Secret that" in line]
    assert unread.endswith(f"is there is not checked: you may not get secrets in namespace {own.namespace}.")
    assert "Nothing was found that would make a run fail; see what is marked warn." in result.stderr
    assert "ran: Python 3." in result.stdout


def test_what_one_step_lacks_keeps_no_pod_of_another_from_being_tried(workspaces: Workspaces) -> None:
    steps = {"fine": Branch({}), "nowhere": Branch({"node_selector": {"no": "where"}})}
    result = workspaces().run_flow(flow_of(steps), "doctor")
    assert result.returncode == 1, result.all
    assert "Step nowhere: no node could ever take its pods" in result.stdout
    (ran,) = [line for line in result.stdout.splitlines() if "ran: Python 3." in line]
    assert "A pod like fine" in ran
    assert "warn  No pod like nowhere was tried from inside" in result.stdout


#: Asks one pod that no node takes, with less patience than doctor has.
IMPATIENT = """
import sys
from headway.config.datastore import Choice
from headway.launch import probe
probe._PATIENCE = 12
spec = 'kubernetes:cpu=0.1,memory=128,disk=100,node_selector={"no": "where"}'
found = probe.Probe("A pod", (spec,), "any", Choice("s3", sys.argv[1]), forward_credentials=True).run()
print(found.grade, found.what)
"""


def test_a_pod_that_does_not_begin_is_taken_away_with_what_it_was_lent(workspace: Workspace) -> None:
    root = f"s3://{workspace.bucket.name}/{workspace.bucket.prefix}"
    before = set(workspace.kubectl.names("secrets"))
    result = workspace.start_command([sys.executable, "-c", IMPATIENT, root]).wait()
    assert result.stdout.startswith("warn A pod did not begin to run within 12 seconds"), result.all
    assert "no node takes the pod" in result.stdout
    assert workspace.still_active() == []
    assert workspace.jobs() == []
    assert set(workspace.kubectl.names("secrets")) <= before
