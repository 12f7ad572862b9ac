"""``kubernetes list`` and ``kubernetes kill``: from another process than the launcher's, and without one."""

from harness.workspace import Workspace


def test_pods_are_listed_and_killed_with_their_run(workspace: Workspace) -> None:
    launch = workspace.start("spreading.py", "run", "--seconds=90", "--with", "kubernetes")
    launch.until("working on 3")
    run = launch.until(r"Run (\d+) of").group(1)
    pods = [item["metadata"]["name"] for item in workspace.pods("metaflow/step_name=work")]
    listed = workspace.run_flow("spreading.py", "kubernetes", "list")
    lines = listed.stdout.splitlines()
    for pod in pods:
        (line,) = [each for each in lines if f"Run: {run} Pod: {pod} Started At: " in each]
        assert line.endswith("Status: Running")
    assert len(lines) == 4, "the one of start has ended"
    killed = workspace.run_flow("spreading.py", "kubernetes", "kill", "--my-runs")
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


def test_pods_of_a_launcher_that_is_gone_are_killed_and_the_run_is_over(workspace: Workspace) -> None:
    launch = workspace.start("spreading.py", "run", "--seconds=90", "--with", "kubernetes")
    launch.until("working on 3")
    run = launch.until(r"Run (\d+) of").group(1)
    launch.kill()
    launch.wait()
    killed = workspace.run_flow("spreading.py", "kubernetes", "kill")
    assert killed.returncode == 0, killed.all
    assert "Killing Kubernetes pod " in killed.stderr
    assert "driven by" not in killed.stderr
    assert workspace.still_active() == []
    view = workspace.read("SpreadingFlow", run)
    assert view.finished
    assert not view.successful
