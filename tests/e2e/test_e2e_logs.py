"""What tasks print: seen while they run, told apart, and kept after their pods are gone."""

import statistics

import pytest
from harness.kubectl import eventually
from harness.launch import Result
from harness.reading import RunView
from harness.workspace import Workspace, Workspaces

#: Seconds within which a line is seen, for 95 of 100.
SEEN_WITHIN = 2.0

#: The network of a small test cluster stalls for seconds when other pods come and go: the best of so many.
TRIES = 3


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


def test_a_task_says_when_it_starts_where_it_runs_and_when_it_ends(linear: Result, run: RunView) -> None:
    assert [line.text for line in linear.lines if line.text.startswith("[work/2] ")] == [
        "[work/2] Task is starting.",
        f"[work/2] Running on Kubernetes pod: {run.task('work').metadata['kubernetes-pod-name']}",
        "[work/2] total is 30",
        "[work/2] Task finished successfully.",
    ]


def test_stdout_and_stderr_stay_apart(linear: Result, run: RunView) -> None:
    assert "[start/1] out of start\n" in linear.stdout
    assert "[start/1] err of start\n" in linear.stderr
    assert "err of start" not in linear.stdout
    assert "out of start" not in linear.stderr
    start = run.task("start")
    assert (start.stdout, start.stderr) == ("out of start\n", "err of start\n")


def test_a_line_is_seen_within_two_seconds(workspace: Workspace) -> None:
    found: list[float] = []
    while len(found) < TRIES and min(found, default=SEEN_WITHIN) >= SEEN_WITHIN:
        result = workspace.run_flow("talking.py", "run", "--with", "kubernetes")
        assert result.returncode == 0, result.all
        stamped = [line for line in result.lines if "[start/1] stamp " in line.text]
        delays = [line.seen - float(line.text.split()[-1]) for line in stamped]
        assert len(delays) == 20, result.all
        found.append(statistics.quantiles(delays, n=20)[-1])
    assert min(found) < SEEN_WITHIN, f"95 of 100 lines are seen within {found} seconds"


def test_logs_are_kept_when_the_pods_are_gone(space: Workspace, linear: Result) -> None:
    space.kubectl.run("delete", "jobs", "--selector", space.selector)
    assert eventually(90, lambda: not space.pods())
    path = f"{linear.run_id}/start/1"
    both = space.run_flow("linear.py", "logs", path)
    assert both.returncode == 0, both.all
    assert "out of start" in both.stdout
    assert "err of start" in both.stdout + both.stderr
    only = space.run_flow("linear.py", "logs", "--stderr", path)
    assert (only.returncode, only.stdout + only.stderr) == (0, "err of start\n"), only.all
    assert space.read("LinearFlow", linear).task("work").stdout == "total is 30\n"
