"""Decorators around a step that runs as a pod: what was caught, secrets, the project, what is called at the exit."""

import json

import pytest
from harness.launch import Result
from harness.workspace import Workspace, Workspaces


@pytest.fixture(scope="module")
def space(workspaces: Workspaces) -> Workspace:
    return workspaces()


@pytest.fixture(scope="module")
def result(space: Workspace) -> Result:
    result = space.run_flow("decorated.py", "run", "--branch", "exp")
    assert result.returncode == 0, result.all
    return result


def test_steps_that_raised_exited_or_ran_out_of_memory_are_caught(result: Result) -> None:
    assert "failed None" in result.stdout
    assert "failed ('builtins.ValueError', 'Exception', 'no good')" in result.stdout
    handled = "failed ('headway.errors.FailureHandledByCatchError', "
    assert f"{handled}'Exit', 'Step body failed for good after 1 attempt: " in result.stdout
    assert f"{handled}'OutOfMemory', " in result.stdout
    assert "Step body failed for good after 1 attempt: Step body ran out of memory" in result.stdout
    assert result.stdout.count("Task fallback is starting to handle the failure.") == 2
    assert result.stderr.count("@catch takes over: the run goes on.") == 2


def test_fallbacks_need_no_pods(space: Workspace, result: Result) -> None:
    assert len(space.pods("metaflow/step_name=body")) == 4


def test_secrets_are_variables_of_the_step_and_stand_nowhere(space: Workspace, result: Result) -> None:
    assert "tokens [7, 7]" in result.stdout
    seen = json.dumps([*space.pods(), *space.jobs()]) + result.all
    assert "hunter2" not in seen


def test_the_project_is_known_in_the_step_and_on_its_pods(space: Workspace, result: Result) -> None:
    assert "places {('fraud', 'test.exp', False, 'fraud.test.exp.DecoratedFlow')}" in result.stdout
    for item in (*space.pods(), *space.jobs()):
        found = item["metadata"]["annotations"]
        assert found["metaflow/project_name"] == "fraud"
        assert found["metaflow/branch_name"] == "test.exp"
        assert found["metaflow/project_flow_name"] == "fraud.test.exp.DecoratedFlow"


def test_the_hook_is_called_after_the_run(result: Result) -> None:
    assert f"hook: DecoratedFlow/{result.run_id} True" in result.stdout


def test_a_gang_that_failed_for_good_is_caught_and_code_from_elsewhere_ships(space: Workspace) -> None:
    package = space.folder / "elsewhere" / "forecast"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("VALUE = 42\n")
    (package / "notes.txt").write_text("\n")
    result = space.run_flow("caught_gang.py", "run", "--with", "kubernetes")
    assert result.returncode == 0, result.all
    assert "forecast 42 True" in result.about("train/2-worker-0")
    assert "[train/2-worker-0] @catch takes over: the run goes on." in result.stderr
    run = space.read("CaughtGangFlow", result)
    assert run.task("join").data["seen"] == [["builtins.ValueError", "no good"]] * 2, "on both ranks"
    assert [task.successful for task in run.steps["train"]] == [False, False]
