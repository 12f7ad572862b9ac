"""Pods that cannot start: the reason is told while they stand still, and the run ends when waiting is no use."""

import json

from harness.kubectl import active, eventually
from harness.launch import Launch
from harness.workspace import Workspace


def test_a_pod_that_no_node_takes_says_why_and_can_be_stopped(workspace: Workspace) -> None:
    launch = workspace.start("linear.py", "run", "--with", 'kubernetes:node_selector={"pool": "moon"}')
    launch.until(
        r"\[start/1\] Waiting: no node takes the pod linearflow-start-\S+: .*not the labels that node_selector"
    )
    listed = workspace.run_flow("linear.py", "kubernetes", "list").stdout
    assert "Status: Pending: no node takes the pod linearflow-start-" in listed, "from elsewhere, too"
    launch.interrupt()
    result = launch.wait()
    assert result.returncode == 130, result.all
    assert f"Run {result.run_id} interrupted" in result.stderr
    assert "Task is starting" not in result.stdout
    assert not workspace.still_active()
    run = workspace.read("LinearFlow", result)
    assert not run.successful
    (attempt,) = run.task("start").attempts
    assert attempt.reason == "Cancelled"


def test_a_toleration_lets_a_pod_run(workspace: Workspace) -> None:
    tolerations = json.dumps([{"key": "dedicated", "value": "ml", "effect": "NoSchedule"}])
    result = workspace.run_flow(
        "linear.py",
        "run",
        "--with",
        f"kubernetes:tolerations={tolerations},node_selector=kubernetes.io/os=linux",
    )
    assert result.returncode == 0, result.all


def test_a_secret_that_is_not_there_is_named(workspace: Workspace) -> None:
    launch = workspace.start("linear.py", "run", "--with", 'kubernetes:secrets=["nowhere-to-be-found"]')
    launch.until(r'Waiting: the container cannot be made .*secret "nowhere-to-be-found" not found')
    launch.interrupt()
    result = launch.wait()
    assert result.returncode == 130, result.all
    assert "Task is starting" not in result.stdout, "its container never ran"
    assert not workspace.still_active()


def test_an_image_that_is_not_there_fails_as_configuration(missing_image: tuple[Workspace, Launch]) -> None:
    workspace, launch = missing_image
    result = launch.wait()
    assert result.returncode == 1, result.all
    assert 50 < result.seconds < 170
    words = result.about("start/1")
    assert any("Waiting: the image nowhere.invalid/team/image:1 cannot be pulled" in line for line in words)
    assert any("cannot start: the image nowhere.invalid/team/image:1" in line for line in words)
    assert any("Check the image's name and tag" in line for line in words)
    attempt = workspace.read("LinearFlow", result).task("start").attempts[0]
    assert (attempt.successful, attempt.kind) == (False, "configuration")
    assert eventually(90, lambda: not active(workspace.pods()))
