"""Whatever becomes of a run, no pod is left that nobody owns, and what is known of it can still be read."""

import random
import time
from concurrent.futures import ThreadPoolExecutor

from harness.kubectl import Kubectl, active, eventually
from harness.workspace import Workspace, Workspaces

#: Ten moments at which somebody presses Ctrl-C, in seconds after the launcher's first line.
_RANDOM = random.Random(2026)
MOMENTS = sorted(_RANDOM.uniform(0.0, 9.0) for _ in range(10))

#: Launchers at a time.
SIDE_BY_SIDE = 3

#: Labels of what is kept on purpose, one object per version of the runtime.
KEPT = {"app.kubernetes.io/managed-by": "headway", "app.kubernetes.io/part-of": "metaflow"}


def press_ctrl_c(workspace: Workspace, moment: float) -> str:
    """One run, interrupted; returns what is wrong afterwards, "" where nothing is."""
    launch = workspace.start("spreading.py", "run", "--with", "kubernetes")
    launch.until("Headway .* runs SpreadingFlow")
    time.sleep(moment)
    launch.interrupt()
    result = launch.wait()
    succeeded = "succeeded in" in result.stderr
    if result.returncode != (0 if succeeded else 130):
        return f"the exit code is wrong\n{result.all}"
    if "Traceback" in result.stderr:
        return f"a traceback\n{result.all}"
    if left := workspace.still_active():
        return f"still active: {left}\n{result.all}"
    if left := workspace.unowned():
        return f"without a time to live: {left}\n{result.all}"
    if "starts, for user" not in result.stderr:
        return ""
    run = workspace.read("SpreadingFlow", result)
    if not run.finished or run.successful is not succeeded:
        return f"the run does not show as interrupted\n{result.all}"
    done = [task for task in run.steps.get("work", ()) if task.successful]
    if not all(task.stdout.startswith("working on ") and "square" in task.data for task in done):
        return f"what was done cannot be read\n{result.all}"
    return ""


def test_ctrl_c_at_ten_random_moments(workspaces: Workspaces) -> None:
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        found = list(pool.map(press_ctrl_c, [workspaces() for _ in MOMENTS], MOMENTS))
    wrong = [f"at {moment:.2f} s: {what}" for moment, what in zip(MOMENTS, found, strict=True) if what]
    assert not wrong, "\n\n".join(wrong)


def test_a_second_ctrl_c_ends_a_step_that_does_not_listen(workspace: Workspace) -> None:
    launch = workspace.start("stubborn.py", "run", "--with", "kubernetes")
    launch.until("not listening")
    launch.interrupt()
    launch.until("Stopping: running tasks are asked to end")
    launch.interrupt()
    again = time.monotonic()
    result = launch.wait()
    assert result.returncode == 130, result.all
    # Sooner than its grace is over, which is half a minute.
    assert time.monotonic() - again < 25, result.all
    assert not workspace.still_active(20)


def test_a_killed_launcher_leaves_nothing_but_what_it_had_submitted(workspace: Workspace) -> None:
    env = {"HEADWAY_KUBERNETES_JOB_TTL_SECONDS_AFTER_FINISHED": "5"}
    launch = workspace.start("spreading.py", "run", "--seconds", "6", "--with", "kubernetes", env=env)
    for item in (1, 2, 3):
        launch.until(f"working on {item}")
    # At once: a launcher that lived on would submit the join some seconds later.
    launch.kill()
    result = launch.wait()
    submitted = {job["metadata"]["name"] for job in workspace.jobs()}

    seen: set[str] = set()

    def all_gone() -> bool:
        seen.update(job["metadata"]["name"] for job in workspace.jobs())
        return not workspace.jobs() and not workspace.pods()

    assert eventually(150, all_gone, pause=0.5), "not gone after the time to live"
    assert seen <= submitted

    run = workspace.read("SpreadingFlow", result)
    assert not run.successful
    assert not run.finished
    assert set(run.steps) == {"start", "work"}
    assert sorted(task.data["square"] for task in run.steps["work"]) == [1, 4, 9]
    task = run.steps["work"][0]
    logs = workspace.run_flow("spreading.py", "logs", f"{result.run_id}/work/{task.id}")
    assert (logs.returncode, logs.stdout.count("working on")) == (0, 1), logs.all


def test_after_success_and_after_failure_no_pod_is_active(workspaces: Workspaces) -> None:
    good, bad = workspaces(), workspaces()
    launches = [
        good.start("spreading.py", "run", "--with", "kubernetes"),
        bad.start("half_failing.py", "run", "--with", "kubernetes"),
    ]
    results = [launch.wait() for launch in launches]
    assert [result.returncode for result in results] == [0, 1], results[0].all + results[1].all
    for workspace in (good, bad):
        assert not workspace.still_active()
        assert not workspace.unowned()
    run = bad.read("HalfFailingFlow", results[1])
    assert run.finished
    assert not run.successful
    assert "join" not in run.steps
    reasons = [task.attempts[-1].message for task in run.steps["work"]]
    assert reasons.count("ValueError: 2 is not welcome") == 1


def test_every_object_has_an_owner_an_end_or_is_kept_on_purpose(
    workspace: Workspace, kubectl: Kubectl
) -> None:
    result = workspace.run_flow("linear.py", "run", "--with", "kubernetes")
    assert result.returncode == 0, result.all
    kinds = "jobs,pods,configmaps,secrets,services,serviceaccounts,roles,rolebindings,persistentvolumeclaims"
    ours = [
        item
        for item in kubectl.objects(kinds)
        if item["metadata"]["name"] not in ("default", "kube-root-ca.crt", workspace.secret, "extra")
    ]
    astray = [
        f"{item['kind']} {item['metadata']['name']}"
        for item in ours
        if not item["metadata"].get("ownerReferences")
        and item.get("spec", {}).get("ttlSecondsAfterFinished") is None
        and not (item.get("immutable") and KEPT.items() <= item["metadata"].get("labels", {}).items())
    ]
    assert not astray
    assert eventually(90, lambda: not active(workspace.pods()))
