"""What a run looks like to somebody with kubectl: names, labels, resources, deadlines, what it may not do."""

import re

import pytest
from harness.kubectl import Object
from harness.launch import Result
from harness.reading import RunView
from harness.workspace import Workspace, Workspaces

LABEL_VALUE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")


@pytest.fixture(scope="module")
def space(workspaces: Workspaces) -> Workspace:
    return workspaces()


@pytest.fixture(scope="module")
def linear(space: Workspace) -> Result:
    result = space.run_flow("linear.py", "run", "--with", "kubernetes")
    assert result.returncode == 0, result.all
    return result


@pytest.fixture(scope="module")
def run(space: Workspace, linear: Result) -> RunView:
    return space.read("LinearFlow", linear)


@pytest.fixture(scope="module")
def pod(space: Workspace, linear: Result) -> Object:
    (pod,) = space.pods("metaflow/step_name=work")
    return pod


@pytest.mark.parametrize(
    ("selector", "pods"),
    [
        ("metaflow/flow_name=LinearFlow", 3),
        ("metaflow/run_id={run}", 3),
        ("metaflow/step_name=work", 1),
        ("metaflow/user=e2e", 3),
        ("run={run}", 3),
        ("pipeline=LinearFlow", 3),
        ("app.kubernetes.io/name=metaflow-task", 3),
        ("app.kubernetes.io/part-of=metaflow", 3),
        ("app.kubernetes.io/managed-by=headway", 3),
    ],
)
def test_pods_are_found_by_their_labels(space: Workspace, linear: Result, selector: str, pods: int) -> None:
    assert len(space.pods(selector.format(run=linear.run_id))) == pods


def test_jobs_carry_the_labels_of_their_pods(space: Workspace, linear: Result, pod: Object) -> None:
    (job,) = [job for job in space.jobs() if job["metadata"]["labels"]["metaflow/step_name"] == "work"]
    assert job["metadata"]["labels"].items() <= pod["metadata"]["labels"].items()


def test_a_pod_is_named_after_flow_and_step(pod: Object) -> None:
    assert pod["metadata"]["name"].startswith("linearflow-work-")


def test_the_client_tells_which_pod_it_was(run: RunView, pod: Object) -> None:
    known = run.task("work").metadata
    assert known["kubernetes-pod-name"] == pod["metadata"]["name"]
    assert known["kubernetes-pod-namespace"] == pod["metadata"]["namespace"]
    assert known["kubernetes-pod-id"] == pod["metadata"]["uid"]
    assert known["kubernetes-node-name"] == pod["spec"]["nodeName"]
    assert known["kubernetes-node-ip"] == pod["status"]["hostIP"]
    assert known["kubernetes-pod-service-account-name"] == pod["spec"]["serviceAccountName"]


def test_a_plain_client_finds_the_run_without_being_told_where(space: Workspace, linear: Result) -> None:
    nowhere = {"HEADWAY_DATASTORE_SYSROOT_S3": None}
    assert space.read("LinearFlow", "latest", nowhere).id == linear.run_id


def test_a_pod_asks_for_what_was_asked_for_and_may_do_little(pod: Object) -> None:
    (container,) = pod["spec"]["containers"]
    assert container["resources"] == {"requests": {"cpu": "20m", "memory": "64M", "ephemeral-storage": "50M"}}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert pod["spec"]["restartPolicy"] == "Never"


def test_every_job_has_an_end_and_a_time_to_live(space: Workspace, linear: Result) -> None:
    for job in space.jobs():
        assert job["spec"]["ttlSecondsAfterFinished"] == 86400
        assert job["spec"]["activeDeadlineSeconds"] > 0
        assert job["spec"]["template"]["spec"]["activeDeadlineSeconds"] > 0


def test_what_a_label_cannot_hold_is_shortened_and_kept_whole_beside_it(workspace: Workspace) -> None:
    user = "Ann Example <ann@example.org>"
    stem = "a_step_whose_name_is_longer_than_what_kubernetes_takes_as_the_value_of_a_label"
    result = workspace.run_flow("long_names.py", "run", "--with", "kubernetes", env={"HEADWAY_USER": user})
    assert result.returncode == 0, result.all
    pods = workspace.pods()
    assert len(pods) == 2
    for pod in pods:
        labels, annotations = pod["metadata"]["labels"], pod["metadata"]["annotations"]
        assert all(LABEL_VALUE.fullmatch(value) for value in labels.values())
        assert labels["metaflow/user"].startswith("Ann-Example-ann-example.org-")
        assert annotations["metaflow/user"] == user
        assert labels["metaflow/step_name"].startswith("a_step_whose_name_is_longer_than")
        assert annotations["metaflow/step_name"].startswith(stem)
    assert len({pod["metadata"]["labels"]["metaflow/step_name"] for pod in pods}) == 2
    assert {pod["metadata"]["annotations"]["metaflow/step_name"] for pod in pods} == {
        f"{stem}_1",
        f"{stem}_2",
    }
