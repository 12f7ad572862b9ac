"""Launchers that die at any moment, and runs that failed: another launcher goes on, and the result is right."""

import random
import sys
import time

import pytest
from harness.workspace import Workspace

FLOW = "GoingOnFlow"
#: The most launchers that one run uses up.
MOST = 4


@pytest.mark.parametrize("seed", [1, 2])
def test_launchers_that_are_killed_at_any_moment_leave_a_run_that_ends_right(
    workspace: Workspace, seed: int
) -> None:
    dice = random.Random(seed)
    launch = workspace.start("going_on.py", "run")
    launch.until("of GoingOnFlow starts")
    for _ in range(MOST):
        time.sleep(dice.uniform(0.0, 9.0))
        if not launch.running:
            break
        launch.kill()
        launch.wait()
        launch = workspace.start("going_on.py", "attach")
        launch.until("goes on here|has ended")
    result = launch.wait()
    run = workspace.read(FLOW)
    assert run.successful, result.all
    # A local attempt dies with its launcher and is made again; pods outlive it, and none is made twice.
    pods = {name: tasks for name, tasks in run.steps.items() if name in ("start", "work", "join")}
    assert [len(pods[name]) for name in ("start", "work", "join")] == [1, 5, 1]
    assert {len(task.attempts) for tasks in pods.values() for task in tasks} == {1}, result.all
    assert len(workspace.pods()) == 7
    told = workspace.start("going_on.py", "logs", f"{run.id}/end").wait()
    assert "total 510 origin None" in told.stdout
    assert workspace.unowned() == []


def test_a_run_that_failed_in_the_cluster_is_resumed_there(workspace: Workspace) -> None:
    flow = workspace.flow_file("going_on.py")
    flow.write_text(flow.read_text().replace("BROKEN = False", "BROKEN = True"))
    failed = workspace.start_command([sys.executable, "going_on.py", "run"]).wait()
    assert failed.returncode == 1, failed.all
    assert "To run the rest: python going_on.py resume" in failed.stderr
    resumed = workspace.run_flow("going_on.py", "resume", "--tag", "again")
    assert resumed.returncode == 0, resumed.all
    assert "[work] 4 of 5 tasks are taken over from run" in resumed.stdout
    assert resumed.about("work/6")[-2:] == ["ends 3", "Task finished successfully."]
    assert resumed.about("end/9")[1] == f"total 510 origin {failed.run_id}"
    # One pod for the item that failed, one for the join.
    assert len(workspace.pods(f"metaflow/run_id={resumed.run_id}")) == 2
    log = workspace.start("going_on.py", "logs", f"{resumed.run_id}/work").wait()
    assert sorted(line for line in log.stdout.splitlines() if "ends" in line) == [
        f"[work/{n + 3}] ends {n}" for n in range(5)
    ]


def test_a_run_that_failed_here_is_resumed_in_the_cluster(workspace: Workspace) -> None:
    local = "from headway import FlowSpec, step\n" + _LOCAL
    failed = workspace.run_flow(local, "run", env={"BREAK": "1"})
    assert failed.returncode == 1, failed.all
    resumed = workspace.run_flow(local, "resume", "--with", "kubernetes")
    assert resumed.returncode == 0, resumed.all
    assert len(workspace.pods()) == 1
    assert "[end/2] kept over [1, 2, 3]" in resumed.stdout
    log = workspace.start_command([sys.executable, "flow.py", "logs", f"{resumed.run_id}/start"]).wait()
    assert "said here" in log.stdout


_LOCAL = """
import os

class Moved(FlowSpec):
    @step
    def start(self):
        print("said here")
        self.kept = [1, 2, 3]
        self.next(self.end)

    @step
    def end(self):
        if os.environ.get("BREAK"):
            raise ValueError("broken")
        print("kept over", self.kept)

if __name__ == "__main__":
    Moved()
"""
