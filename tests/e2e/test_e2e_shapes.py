"""Flows of every shape end with the right results, read back through the client."""

import pytest
from harness.launch import Launch
from harness.reading import RunView
from harness.workspace import Workspace, Workspaces

Started = dict[str, tuple[Workspace, Launch]]

FLOWS = {"NestedFlow": "nested.py", "BranchFlow": "branch.py", "MixedFlow": "mixed.py"}


@pytest.fixture(scope="module")
def started(workspaces: Workspaces) -> Started:
    """Every flow of this module, started side by side."""
    spaces = {name: workspaces() for name in FLOWS}
    return {
        name: (
            space,
            space.start(FLOWS[name], "run", *([] if name == "MixedFlow" else ["--with", "kubernetes"])),
        )
        for name, space in spaces.items()
    }


def ended_well(started: Started, flow: str) -> RunView:
    workspace, launch = started[flow]
    result = launch.wait()
    assert result.returncode == 0, result.all
    assert f"Run {result.run_id} succeeded" in result.stderr
    run = workspace.read(flow, result)
    assert run.successful
    assert run.finished
    assert all(len(task.attempts) == 1 for tasks in run.steps.values() for task in tasks)
    return run


def test_three_levels_of_foreach(started: Started) -> None:
    run = ended_well(started, "NestedFlow")
    assert run.task("end").data["scores"] == [
        [["eu-1-10", "eu-1-20"], ["eu-2-10", "eu-2-20"]],
        [["us-1-10", "us-1-20"], ["us-2-10", "us-2-20"]],
    ]
    assert run.task("end").data["places"] == [
        [[[0, 0, 0], [0, 0, 1]], [[0, 1, 0], [0, 1, 1]]],
        [[[1, 0, 0], [1, 0, 1]], [[1, 1, 0], [1, 1, 1]]],
    ]
    tasks = {step: len(tasks) for step, tasks in run.steps.items()}
    assert tasks == {
        "start": 1,
        "region": 2,
        "model": 4,
        "seed": 8,
        "join_seeds": 4,
        "join_models": 2,
        "join_regions": 1,
        "end": 1,
    }


def test_a_foreach_is_one_job_and_says_its_size(started: Started) -> None:
    workspace, launch = started["NestedFlow"]
    result = launch.wait()
    assert result.stdout.count("[region] Foreach yields 2 tasks.") == 1
    assert result.stdout.count("[seed] Foreach yields 2 tasks.") == 4
    sizes = [
        job["spec"]["completions"]
        for job in workspace.jobs()
        if job["metadata"]["labels"]["metaflow/step_name"] == "seed"
    ]
    assert sizes == [2, 2, 2, 2]


def test_a_join_reads_its_inputs_by_name_and_by_position(started: Started) -> None:
    run = ended_well(started, "BranchFlow")
    join = run.task("join").data
    assert join["by_name"] == [11, 12]
    assert join["by_position"] == ["left", "right"]
    assert join["all"] == ["left", "right"]
    assert run.task("end").data["sum"] == 33
    assert "side" not in run.task("end").data


def test_steps_here_and_steps_in_pods_share_their_artifacts(started: Started) -> None:
    run = ended_well(started, "MixedFlow")
    assert run.task("end").data["trail"] == ["here", "pod", "here"]
    assert "kubernetes-pod-name" in run.task("train").metadata
    assert "kubernetes-pod-name" not in run.task("end").metadata


def test_two_launchers_of_one_flow_at_once_do_not_disturb_each_other(workspace: Workspace) -> None:
    pair = [
        workspace.start("linear.py", "run", "--factor", factor, "--with", "kubernetes")
        for factor in ("3", "5")
    ]
    results = [launch.wait() for launch in pair]
    assert [result.returncode for result in results] == [0, 0], results[0].all + results[1].all
    assert results[0].run_id != results[1].run_id
    runs = [workspace.read("LinearFlow", result) for result in results]
    assert [run.task("end").data["message"] for run in runs] == ["the total was 30", "the total was 50"]
    for result, run in zip(results, runs, strict=True):
        pods = workspace.pods(f"metaflow/run_id={result.run_id}")
        assert {pod["metadata"]["name"] for pod in pods} == {
            task.metadata["kubernetes-pod-name"] for tasks in run.steps.values() for task in tasks
        }
