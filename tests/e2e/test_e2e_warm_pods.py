"""Warm pods: steps that share one, a foreach in few of them, and one that is killed in the middle."""

import re

import pytest
from harness.launch import Launch
from harness.workspace import Workspace, Workspaces

Started = dict[str, tuple[Workspace, Launch]]

RUNS = {
    "linear": ("linear.py", "kubernetes:reuse=true"),
    "packed": ("packed.py", "kubernetes:reuse=true"),
    "body": ("body.py", "kubernetes"),
    "half_way": ("half_way.py", "kubernetes"),
    "ageing": ("ageing.py", "kubernetes"),
}


@pytest.fixture(scope="module")
def started(workspaces: Workspaces) -> Started:
    """Every run, started side by side."""
    spaces = {name: workspaces() for name in RUNS}
    return {
        name: (space, space.start(RUNS[name][0], "run", "--with", RUNS[name][1]))
        for name, space in spaces.items()
    }


def test_one_pod_runs_all_steps_and_goes(started: Started) -> None:
    workspace, launch = started["linear"]
    result = launch.wait()
    assert result.returncode == 0, result.all
    run = workspace.read("LinearFlow", result)
    names = {run.task(step).attempts[0].pod for step in ("start", "work", "end")}
    assert names == {pod["metadata"]["name"] for pod in workspace.pods()}
    assert len(names) == 1
    assert "total is 30" in result.about("work/2")
    assert not workspace.still_active()


def test_a_foreach_in_two_pods_with_failures_that_are_tried_again(started: Started) -> None:
    workspace, launch = started["packed"]
    result = launch.wait()
    assert result.returncode == 0, result.all
    assert "total 780 tries 46" in result.stdout
    assert len(workspace.pods()) <= 4, "two for the foreach, one for the other steps"
    assert not workspace.still_active()
    assert result.stdout.count("item ") == 40
    tried = [task for task in workspace.read("PackedFlow", result).steps["work"] if len(task.attempts) == 2]
    assert [task.attempts[0].data["unlucky"] for task in tried] == [0, 7, 14, 21, 28, 35]
    assert not any("unlucky" in task.data for task in tried)


def test_every_step_of_a_foreachs_body_has_few_pods(started: Started) -> None:
    workspace, launch = started["body"]
    result = launch.wait()
    assert result.returncode == 0, result.all
    assert f"items {[3 * item for item in range(40)]}" in result.stdout
    run = workspace.read("BodyFlow", result)
    pods = {
        step: {each.pod for task in run.steps[step] for each in task.attempts}
        for step in ("double", "add", "check")
    }
    assert len(pods["double"] | pods["add"]) <= 4, "alike, they share them"
    assert len(pods["check"]) <= 4
    assert len(workspace.pods()) <= 4 + 4 + len(("start", "join", "end"))
    assert not workspace.still_active()


def test_a_killed_pod_is_the_running_tasks_affair(started: Started) -> None:
    workspace, launch = started["half_way"]
    launch.until(r"\[work/3\] takes long")
    name = launch.until(r"\[work/3\] Running on Kubernetes pod: (\S+)").group(1)
    workspace.kubectl.run("delete", "pod", name, "--grace-period=0", "--force")
    result = launch.wait()
    assert result.returncode == 0, result.all
    assert "items [0, 1, 2, 3, 4, 5]" in result.stdout
    assert re.search(r"\[work/3\] Task (failed|was lost)", result.all), result.all
    assert re.search(r"\[work/[4-7]\] Task was lost: .* before the task had its turn", result.all), result.all
    again = set(re.findall(r"\[work/3\] Running on Kubernetes pod: (\S+)", result.stdout))
    assert len(again) == 2, "a new pod for what was lost"
    firsts = [task.attempts[0] for task in workspace.read("HalfWayFlow", result).steps["work"]]
    lost = [each for each in firsts if not each.successful]
    assert {each.kind for each in lost} == {"infrastructure"}, result.all
    # The one that ran may have heard the signal first, and say so itself.
    reasons = {each.reason for each in lost}
    assert "NotBegun" in reasons, result.all
    assert reasons - {"NotBegun"} <= {"PodEnded", "PodDeleted", "Terminated"}, result.all


def test_no_task_fails_by_the_deadline_of_the_pod_it_shares(started: Started) -> None:
    workspace, launch = started["ageing"]
    result = launch.wait()
    assert result.returncode == 0, result.all
    assert "items [0, 1, 2, 3, 4, 5]" in result.stdout
    tasks = workspace.read("AgeingFlow", result).steps["work"]
    assert {each.reason for task in tasks for each in task.attempts if not each.successful} <= {"NotBegun"}
    assert len({task.attempts[-1].pod for task in tasks}) > 1, "no pod ran all of them"
    assert not workspace.still_active()
