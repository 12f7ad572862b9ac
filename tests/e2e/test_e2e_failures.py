"""Steps that fail, each its own way: the right outcome, the right words, the right number of attempts."""

import contextlib
import os
import signal

import pytest
from harness.kubectl import Object
from harness.launch import Launch, Result
from harness.reading import RunView
from harness.workspace import Workspace, Workspaces

Started = dict[str, tuple[Workspace, Launch]]

FLOWS = {
    "ThirdTimeFlow": "third_time.py",
    "TooSlowFlow": "too_slow.py",
    "TooLargeFlow": "too_large.py",
    "GrowingFlow": "growing.py",
    "VanishingFlow": "vanishing.py",
    "MissingModuleFlow": "missing_module.py",
    "RaisingFlow": "raising.py",
}


@pytest.fixture(scope="module")
def started(workspaces: Workspaces) -> Started:
    """Every flow that fails by itself, started side by side."""
    spaces = {name: workspaces() for name in FLOWS}
    return {
        name: (space, space.start(FLOWS[name], "run", "--with", "kubernetes"))
        for name, space in spaces.items()
    }


def failed(started: Started, flow: str) -> tuple[Result, RunView]:
    """The flow's first step failed for good, at its first attempt, and the run with it."""
    workspace, launch = started[flow]
    result = launch.wait()
    assert result.returncode == 1, result.all
    assert "[end/" not in result.stdout
    run = workspace.read(flow, result)
    assert run.finished
    assert not run.successful
    assert list(run.steps) == ["start"]
    assert len(run.task("start").attempts) == 1
    assert len(workspace.pods()) == 1
    assert (
        f"Run {result.run_id} failed: start/1 failed: {run.task('start').attempts[0].message}"
        in result.stderr
    )
    return result, run


def pod_of(workspace: Workspace, launch: Launch) -> Object:
    """The pod of the first attempt, once its step runs."""
    name = launch.until(r"\[start/1\] Running on Kubernetes pod: (\S+)").group(1)
    launch.until(r"\[start/1\] (listening|waiting)")
    (pod,) = [pod for pod in workspace.pods() if pod["metadata"]["name"] == name]
    return pod


def test_a_step_that_fails_twice_succeeds_at_the_third_attempt(started: Started) -> None:
    workspace, launch = started["ThirdTimeFlow"]
    result = launch.wait()
    assert result.returncode == 0, result.all
    words = result.about("start/1")
    assert "Task is starting." in words
    assert "Task is starting (attempt 2)." in words
    assert "Task is starting (attempt 3)." in words
    assert "Task failed: RuntimeError: attempt 0 is not lucky" in words
    assert sum("tried again now" in line and "@retry" in line for line in words) == 2
    run = workspace.read("ThirdTimeFlow", result)
    task = run.task("start")
    assert task.data["lucky"] == 2
    assert "unlucky" not in task.data
    assert [attempt.data.get("unlucky") for attempt in task.attempts] == [0, 1, None]
    assert [attempt.successful for attempt in task.attempts] == [False, False, True]
    assert [attempt.stdout for attempt in task.attempts] == ["attempt 0\n", "attempt 1\n", "attempt 2\n"]
    assert "attempt 1 is not lucky" in task.attempts[1].stderr
    assert len({attempt.pod for attempt in task.attempts}) == 3
    assert len(workspace.pods("metaflow/step_name=start")) == 3


def test_a_step_over_its_timeout_is_stopped_and_says_so(started: Started) -> None:
    result, run = failed(started, "TooSlowFlow")
    assert "Task failed: Step start timed out after 2 seconds." in result.about("start/1")
    assert any("@timeout" in line for line in result.about("start/1"))
    attempt = run.task("start").attempts[0]
    assert (attempt.kind, attempt.reason) == ("user", "Timeout")
    assert attempt.stdout == "begun\n"
    assert attempt.data["before"] == "kept"


def test_a_step_that_runs_out_of_memory_is_told_how_much_it_had(started: Started) -> None:
    result, run = failed(started, "TooLargeFlow")
    attempt = run.task("start").attempts[0]
    assert (attempt.kind, attempt.reason) == ("resources", "OutOfMemory")
    assert "out of memory" in attempt.message
    assert "64 MB" in attempt.message
    assert any("memory=" in line for line in result.about("start/1"))


def test_a_process_that_exits_with_success_but_no_result_has_failed(started: Started) -> None:
    _, run = failed(started, "VanishingFlow")
    attempt = run.task("start").attempts[0]
    assert (attempt.kind, attempt.reason) == ("user", "Exit")
    assert "exit code 0" in attempt.message
    assert "no result" in attempt.message
    assert attempt.stdout == "going\n"


def test_a_module_that_the_image_lacks_is_named_with_what_to_do(started: Started) -> None:
    result, run = failed(started, "MissingModuleFlow")
    attempt = run.task("start").attempts[0]
    assert (attempt.kind, attempt.reason) == ("user", "ModuleMissing")
    assert "No module named 'obstore'" in attempt.message
    advice = next(line for line in result.about("start/1") if line.startswith("The image"))
    assert "does not have obstore" in advice
    assert "@kubernetes(image=" in advice
    assert "package list" in advice


def test_an_exception_is_shown_without_our_own_frames(started: Started) -> None:
    result, run = failed(started, "RaisingFlow")
    assert "Task failed: ValueError: the answer is 41" in result.about("start/1")
    attempt = run.task("start").attempts[0]
    assert (attempt.kind, attempt.reason) == ("user", "Exception")
    trace = run.task("start").stderr.partition("self.lock")[0]
    assert trace.startswith("Traceback (most recent call last):\n")
    assert 'raise ValueError("the answer is 41")' in trace
    assert trace.count("  File ") == 1
    assert run.task("start").stdout == "about to raise\n"
    kept = {"before": "kept", "name": "RaisingFlow"}
    assert run.task("start").data == kept, "what can be kept of what it had set"
    assert "self.lock is not kept of this attempt: " in run.task("start").stderr
    assert "_thread.lock" in run.task("start").metadata["artifacts-not-kept"]


def test_a_pod_told_to_stop_counts_neither_as_success_nor_against_retry(workspace: Workspace) -> None:
    launch = workspace.start("polite.py", "run", "--with", "kubernetes")
    pod = pod_of(workspace, launch)
    workspace.kubectl.run("delete", "pod", pod["metadata"]["name"], "--wait=false")
    result = launch.wait()
    assert result.returncode == 0, result.all
    words = result.about("start/1")
    assert any("asked to stop (SIGTERM)" in line and "exited with code 0" in line for line in words), (
        result.all
    )
    assert any("tried again" in line and "not counted against @retry" in line for line in words)
    task = workspace.read("PoliteFlow", result).task("start")
    assert task.data["attempt"] == 1
    first, second = task.attempts
    assert (first.successful, first.kind) == (False, "infrastructure")
    assert first.stdout == "listening\n"
    assert second.successful
    assert first.pod == pod["metadata"]["name"] != second.pod


def test_a_container_whose_every_process_is_killed_is_retried_and_explained(workspace: Workspace) -> None:
    launch = workspace.start("killed.py", "run", "--with", "kubernetes")
    pod = pod_of(workspace, launch)
    for process in workspace.target.processes(pod):
        # With its first process a container's others end by themselves.
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    result = launch.wait()
    assert result.returncode == 0, result.all
    words = result.about("start/1")
    assert any("killed (SIGKILL" in line for line in words), result.all
    assert any("tried again" in line and "as its @retry says" in line for line in words)
    task = workspace.read("KilledFlow", result).task("start")
    assert task.data["attempt"] == 1
    assert [attempt.successful for attempt in task.attempts] == [False, True]
    assert task.attempts[0].stdout == "waiting\n", "what it had printed is kept"
    assert task.attempts[0].reason == "Killed"


def test_a_step_that_runs_out_of_memory_gets_more_of_it_up_to_the_cap(started: Started) -> None:
    workspace, launch = started["GrowingFlow"]
    result = launch.wait()
    assert result.returncode == 0, result.all
    words = result.about("start/1")
    assert sum("ran out of memory" in line for line in words) == 1
    assert sum("Task failed: MemoryError" in line for line in words) == 1
    said = [line.text for line in result.lines if "starts again with" in line.text]
    assert said == [
        "start/1 starts again with 200 MB of memory.",
        "start/1 starts again with 300 MB of memory.",
    ]
    run = workspace.read("GrowingFlow", result)
    assert run.task("start").data["held"] == 220_000_000
    assert [attempt.successful for attempt in run.task("start").attempts] == [False, False, True]
    limits = [
        pod["spec"]["containers"][0]["resources"]["limits"]["memory"]
        for pod in workspace.pods("metaflow/step_name=start")
    ]
    assert sorted(limits) == ["100M", "200M", "300M"]
