"""``kubernetes list`` and ``kubernetes kill``: from another process than the launcher's, and without one."""

import uuid
from pathlib import Path

from harness.kubectl import eventually
from harness.workspace import Workspace


def test_pods_are_listed_and_killed_with_their_run(workspace: Workspace) -> None:
    # Somebody who runs nothing else: other namespaces are looked into as well.
    me = {"METAFLOW_USER": f"ann-{uuid.uuid4().hex[:8]}"}
    launch = workspace.start("spreading.py", "run", "--seconds=600", "--with", "kubernetes", env=me)
    launch.until("working on 3")
    run = launch.until(r"Run (\d+) of").group(1)
    pods = [item["metadata"]["name"] for item in workspace.pods("metaflow/step_name=work")]
    listed = workspace.run_flow("spreading.py", "kubernetes", "list")
    lines = listed.stdout.splitlines()
    for pod in pods:
        (line,) = [each for each in lines if f"Run: {run} Pod: {pod} Started At: " in each]
        assert line.endswith("Status: Running")
    assert len(lines) == 4, "the one of start has ended"
    killed = workspace.run_flow("spreading.py", "kubernetes", "kill", "--my-runs", env=me)
    assert killed.returncode == 0, killed.all
    for pod in pods:
        assert f"Killing Kubernetes pod {pod} (run {run}, step work)." in killed.stderr
    result = launch.wait()
    assert result.returncode == 130, result.all
    assert "interrupted: stopped by " in result.stderr
    assert workspace.still_active() == []
    assert result.stdout.count("Running on Kubernetes pod") == 4, "nothing was tried again"
    again = workspace.run_flow("spreading.py", "kubernetes", "kill", "--run-id", run)
    assert (again.returncode, again.stderr.strip()) == (0, f"No active Kubernetes pods found for run {run}.")
    unknown = workspace.run_flow("spreading.py", "kubernetes", "kill", "--run-id", "99")
    assert unknown.returncode == 1
    assert "Nothing of a run 99 of SpreadingFlow is on the cluster" in unknown.stderr


def test_a_run_is_killed_by_who_does_not_know_its_datastore(workspace: Workspace, tmp_path: Path) -> None:
    launch = workspace.start("spreading.py", "run", "--seconds=600", "--with", "kubernetes")
    launch.until("working on 3")
    run = launch.until(r"Run (\d+) of").group(1)
    elsewhere = {
        "HEADWAY_DATASTORE_SYSROOT_S3": f"s3://{workspace.bucket.name}/elsewhere",
        "HOME": str(tmp_path),
    }
    words = ("kubernetes", "kill", "--run-id", run)
    killed = workspace.start("spreading.py", *words, env=elsewhere, folder=tmp_path).wait()
    assert killed.returncode == 0, killed.all
    assert f"Run {run} is in no datastore that is configured here" in killed.stderr
    result = launch.wait()
    assert result.returncode == 130, result.all
    assert "interrupted: stopped by " in result.stderr
    assert workspace.still_active() == []
    assert result.stdout.count("Running on Kubernetes pod") == 4, "nothing was tried again"


def test_pods_of_a_launcher_that_is_gone_are_killed_and_the_run_is_over(workspace: Workspace) -> None:
    launch = workspace.start("spreading.py", "run", "--seconds=600", "--with", "kubernetes")
    launch.until("working on 3")
    run = launch.until(r"Run (\d+) of").group(1)
    launch.kill()
    launch.wait()
    (job,) = workspace.kubectl.names("jobs", f"{workspace.selector},metaflow/step_name=work")
    workspace.kubectl.run("patch", "job", job, "--patch", '{"spec": {"suspend": true}}')
    assert eventually(20, lambda: workspace.still_active() == []), "a Job that is held back has no pods"
    # Neither that nor another configuration than the run's hides it.
    moved = {"HEADWAY_KUBERNETES_NAMESPACE": "default"}
    listed = workspace.run_flow("spreading.py", "kubernetes", "list", env=moved)
    (line,) = [each for each in listed.stdout.splitlines() if f"Run: {run} Job: {job} Created At: " in each]
    assert line.endswith("Status: Suspended")
    killed = workspace.run_flow("spreading.py", "kubernetes", "kill", env=moved)
    assert killed.returncode == 0, killed.all
    assert f"Killing Kubernetes Job {job} (run {run}, step work), which has no pod." in killed.stderr
    assert job not in workspace.kubectl.names("jobs", workspace.selector)
    assert "driven by" not in killed.stderr
    assert workspace.still_active() == []
    view = workspace.read("SpreadingFlow", run)
    assert view.finished
    assert not view.successful
