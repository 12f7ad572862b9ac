"""A person with the Role of the documentation and no more, in a namespace that enforces Pod Security *restricted*."""

from collections.abc import Iterator

import pytest
from harness.kubectl import eventually
from harness.launch import Launch
from harness.rights import bind, role
from harness.target import Target
from harness.webhook import LABEL, webhooks
from harness.workspace import NewNamespace, Workspace, WorkspaceIn

RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}

#: What each person does: the flow, and what is typed behind it.
RUNS = {
    "gang": ("all_reduce.py", ("run", "--with", "kubernetes", "--forward-credentials")),
    "warm": ("packed.py", ("run", "--with", "kubernetes:reuse=true")),
    "attached": ("spreading.py", ("run", "--seconds=600", "--with", "kubernetes")),
    "killed": ("spreading.py", ("run", "--seconds=600", "--with", "kubernetes:reuse=true")),
    "doctor": ("linear.py", ("doctor", "--with", "kubernetes", "--forward-credentials")),
}
#: Those whose pods have no secret but the one that the run lends them.
LENT = {"HEADWAY_KUBERNETES_SECRETS": None}

Started = dict[str, tuple[Workspace, Launch]]


@pytest.fixture(scope="module")
def started(target: Target, new_namespace: NewNamespace, workspace_in: WorkspaceIn) -> Iterator[Started]:
    """Every run, started side by side."""
    kubectl = new_namespace("least", RESTRICTED)
    bind(kubectl, target, role())
    found = {}
    for name, (flow, words) in RUNS.items():
        space = workspace_in(target.as_limited(), kubectl)
        found[name] = (space, space.start(flow, *words, env=LENT if "--forward-credentials" in words else {}))
    # The administrator may read what the namespace enforces, and pods are right at once.
    space = workspace_in(target, kubectl)
    found["administrator"] = (space, space.start("linear.py", "run", "--with", "kubernetes"))
    # Who may not list events either is told nothing of why a Job gets no pod.
    for name, labels in (("blind", RESTRICTED), ("full", {})):
        kubectl = new_namespace(name, labels)
        bind(kubectl, target, role(without=(("list", "events"),)))
        space = workspace_in(target.as_limited(), kubectl)
        if name == "full":
            quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}}
            kubectl.create({**quota, "spec": {"hard": {"pods": "0"}}})
        found[name] = (space, space.start("linear.py", "run", "--with", "kubernetes"))
    yield found
    for space, _ in found.values():
        space.close()
        assert space.still_active() == []
        assert space.unowned() == []


def test_a_gang_with_lent_credentials_leaves_no_secret(started: Started) -> None:
    space, launch = started["gang"]
    result = launch.wait()
    assert result.returncode == 0, result.all
    assert space.read("AllReduceFlow", result).task("join").data["totals"] == [[3, 111]] * 3
    assert space.kubectl.objects("services", space.selector), "the ranks have names"
    assert space.kubectl.names("secrets", f"metaflow/run_id={result.run_id}") == []


def test_what_was_left_is_swept(started: Started) -> None:
    space, launch = started["gang"]
    result = launch.wait()
    pods = space.pods(f"metaflow/run_id={result.run_id}")
    (lent,) = {
        ref["secretRef"]["name"]
        for pod in pods
        for container in pod["spec"]["containers"]
        for ref in container.get("envFrom", ())
    }
    selector = f"metaflow/run_id={result.run_id}"

    def closed() -> bool:
        # The controller may write down a moment after the run's end that its last Job is complete.
        jobs = space.kubectl.objects("jobs", selector)
        said = [{each["type"] for each in job["status"].get("conditions", ())} for job in jobs]
        return all(types & {"Complete", "Failed"} for types in said)

    assert eventually(60, closed)
    old = "headway-runtime-of-old"
    ours = {"app.kubernetes.io/managed-by": "headway"}
    for kind, name in (("Secret", lent), ("ConfigMap", old)):
        # As a launcher leaves them that is killed, and one of another version.
        space.kubectl.create({"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "labels": ours}})
    sweep = ("all_reduce.py", "kubernetes", "sweep")
    dry = space.run_flow(*sweep, "--dry-run", env=LENT)
    place = space.kubectl.namespace
    assert f"Would delete Secret {lent} in {place}: lent to run {result.run_id}, which is over." in dry.stdout
    assert f"Would delete ConfigMap {old} in {place}: a runtime that no Job mounts." in dry.stdout
    assert lent in space.kubectl.names("secrets")
    done = space.run_flow(*sweep, env=LENT)
    assert done.stdout == dry.stdout.replace("Would delete", "Deleted"), done.all
    assert lent not in space.kubectl.names("secrets")
    runtimes = [name for name in space.kubectl.names("configmaps") if name.startswith("headway-runtime-")]
    assert runtimes, "the one that is in use stays"
    assert old not in runtimes
    again = space.run_flow(*sweep, env=LENT)
    assert "Nothing is left" in again.stderr


def test_warm_pods(started: Started) -> None:
    _, launch = started["warm"]
    result = launch.wait()
    assert result.returncode == 0, result.all
    assert "total 780 tries 46" in result.stdout


def test_a_killed_launcher_is_attached_to_and_interrupted(started: Started) -> None:
    space, launch = started["attached"]
    for item in (1, 2, 3):
        launch.until(f"working on {item}")
    launch.kill()
    launch.wait()
    again = space.start("spreading.py", "attach")
    again.until("goes on here")
    again.interrupt()
    result = again.wait()
    assert result.returncode == 130, result.all
    assert space.still_active() == []
    run = space.read("SpreadingFlow")
    assert run.finished
    assert not run.successful


def test_pods_are_listed_and_killed(started: Started) -> None:
    space, launch = started["killed"]
    launch.until("working on 1")
    listed = space.run_flow("spreading.py", "kubernetes", "list")
    assert "Status: Running" in listed.stdout, listed.all
    assert f"of all namespaces: looked into {space.kubectl.namespace}." in listed.stderr
    killed = space.run_flow("spreading.py", "kubernetes", "kill", "--my-runs")
    assert "Killing Kubernetes pod " in killed.stderr, killed.all
    assert launch.wait().returncode == 130
    assert space.still_active() == []


def test_doctor_finds_all_there(started: Started) -> None:
    _, launch = started["doctor"]
    result = launch.wait()
    assert result.returncode == 0, result.all
    assert "FAIL" not in result.stdout
    assert "You may not list nodes" in result.stdout
    assert "ran: Python 3." in result.stdout


def test_pods_meet_the_standard_and_nothing_else_is_needed(started: Started) -> None:
    space, launch = started["administrator"]
    result = launch.wait()
    assert result.returncode == 0, result.all
    assert "violates PodSecurity" not in result.stderr
    for pod in space.pods():
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
        assert pod["spec"]["containers"][0]["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_without_the_right_to_list_events_security_is_tried_and_all_else_is_told(started: Started) -> None:
    space, launch = started["blind"]
    result = launch.wait()
    assert result.returncode == 0, result.all
    assert "no pod was made for it in 15 seconds" in result.stderr
    assert "its pods are tried as Pod Security *restricted* asks" in result.stderr
    assert result.stderr.count("*restricted*") == 1, "the next steps' pods are right at once"
    assert {pod["spec"]["securityContext"]["runAsNonRoot"] for pod in space.pods()} == {True}
    space, launch = started["full"]
    launch.until(
        "no pod was made for its Job .* and why stands in events, which you may not list in namespace"
    )
    assert [job["spec"]["template"]["spec"].get("securityContext", {}) for job in space.jobs()] == [{}]
    launch.interrupt()
    assert launch.wait().returncode == 130


def test_what_the_role_lacks_is_named(
    target: Target, new_namespace: NewNamespace, workspace_in: WorkspaceIn
) -> None:
    kubectl = new_namespace("less")
    lacking = (
        ("create", "services"),
        ("delete", "secrets"),
        ("list", "events"),
        ("list", "configmaps"),
    )
    bind(kubectl, target, role(without=lacking))
    space = workspace_in(target.as_limited(), kubectl)
    flow, words = RUNS["gang"]
    run = space.start(flow, *words, env=LENT)
    doctor = space.start(flow, "doctor", "--no-inside", *words[1:], env=LENT)
    result = run.wait()
    assert result.returncode == 2, result.all
    assert f"You may not do in namespace {kubectl.namespace} what a run needs:" in result.stderr
    assert "create services, delete secrets." in result.stderr
    swept = space.run_flow(flow, "kubernetes", "sweep", env=LENT)
    assert swept.returncode == 0, swept.all
    assert f"You may not list config maps in {kubectl.namespace}" in swept.stdout
    told = doctor.wait()
    assert told.returncode == 1, told.all
    assert "--forward-credentials needs the right to delete secrets" in told.stdout
    assert "You may not list events" in told.stdout
    assert "You may not create services in" in told.stdout
    assert space.jobs() == []


@pytest.mark.budget(90)
def test_a_platform_that_chooses_uids_is_left_to_it(
    target: Target, new_namespace: NewNamespace, workspace_in: WorkspaceIn, session_name: str
) -> None:
    """As on OpenShift, played by a webhook: a pod that names a user is refused, one that names none is given one."""
    space = workspace_in(target, new_namespace("platform", RESTRICTED))
    labels = f"{space.environ['HEADWAY_KUBERNETES_LABELS']},{LABEL}=choose-uid"
    with webhooks(space.kubectl, f"{session_name}-platform"):
        result = space.run_flow(
            "linear.py", "run", "--with", "kubernetes", env={"HEADWAY_KUBERNETES_LABELS": labels}
        )
    assert result.returncode == 0, result.all
    assert "the platform chooses uids in namespace" in result.stderr
    users = {pod["spec"]["securityContext"].get("runAsUser") for pod in space.pods()}
    assert users == {1000680001}
    space.close()
