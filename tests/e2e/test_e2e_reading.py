"""Reading runs back: from Python with a Runner, within a pod, and with the commands that look and change tags."""

import json
import sys
from typing import Any

import pytest
from harness.workspace import Workspace, Workspaces


@pytest.fixture(scope="module")
def space(workspaces: Workspaces) -> Workspace:
    return workspaces()


@pytest.fixture(scope="module")
def said(space: Workspace) -> dict[str, Any]:
    """What a program that starts the flow learns of its run."""
    space.flow_file("reader.py")
    program = space.flow_file("start_reader.py")
    result = space.start_command([sys.executable, program.name]).wait()
    assert result.returncode == 0, result.all
    told: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return told


def test_a_runner_follows_a_run_in_the_cluster(said: dict[str, Any]) -> None:
    assert (said["begun"], said["status"]) == ("running", "successful")
    assert any("token=abc" in line for line in said["lines"])
    assert said["tags"] == ["from-a-pod", "nightly"], "what a pod added and what the run began with"


def test_a_pod_reads_its_own_run(said: dict[str, Any]) -> None:
    runner = said["saw"].pop("runner")
    assert said["saw"] == {
        "tags": ["from-a-pod", "nightly"],
        "task": f"ReaderFlow/{said['run']}/start/1",
        "finished": False,
        "word": "y",
        "latest": True,
    }
    assert runner == "Runner is not there in a pod."
    assert said["read_back"] == [f"ReaderFlow/{said['run']}/start/1", "y", True]


def test_the_code_that_ran_and_the_facts_about_a_task(said: dict[str, Any]) -> None:
    assert said["code"].startswith("from headway import Flow")
    assert "reader.py" in said["files"]
    facts = said["facts"]
    assert (facts["ds-type"], facts["attempt"], facts["attempt_ok"]) == ("s3", "0", "True")
    assert facts["kubernetes-pod-name"]
    assert facts["python_version"]
    assert json.loads(facts["code-package"])["script"] == "reader.py"


def test_the_commands_that_read_and_change_what_is_in_the_bucket(
    space: Workspace, said: dict[str, Any]
) -> None:
    run = said["run"]
    changed = space.run_flow("reader.py", "tag", "replace", "--run-id", run, "--remove=nightly", "--add=kept")
    assert changed.returncode == 0, changed.all
    listed = space.run_flow("reader.py", "tag", "list", run, "--hide-system-tags")
    assert listed.stdout == "from-a-pod\nkept\n"
    assert space.run_flow("reader.py", "logs", f"{run}/start/1").stdout == "token=abc\n"
    scrubbed = space.run_flow("reader.py", "logs", "scrub", f"{run}/start", "--stdout")
    assert scrubbed.returncode == 0, scrubbed.all
    assert space.run_flow("reader.py", "logs", f"{run}/start/1").stdout == "[scrubbed]\n"
    dumped = space.run_flow("reader.py", "dump", f"{run}/end", "--include", "read_back")
    assert f"('ReaderFlow/{run}/start/1', 'y', True)" in dumped.stdout
