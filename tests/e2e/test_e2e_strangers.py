"""Pods as strict platforms make them: a uid that no image knows, a root file system that cannot be written."""

import pytest
from harness.launch import Launch
from harness.target import Target
from harness.workspace import NewNamespace, Workspace, WorkspaceIn, Workspaces

#: As OpenShift gives them.
UID = 1_000_650_000
STRANGER = f'"run_as_user": {UID}, "run_as_group": 0'
READ_ONLY = '"read_only_root_filesystem": true'

Started = dict[str, tuple[Workspace, Launch]]


def with_context(fields: str) -> tuple[str, ...]:
    return ("run", "--with", f"kubernetes:security_context={{{fields}}}")


@pytest.fixture(scope="module")
def started(
    workspaces: Workspaces, target: Target, new_namespace: NewNamespace, workspace_in: WorkspaceIn
) -> Started:
    """Every run, started side by side."""
    restricted = new_namespace("strict", {"pod-security.kubernetes.io/enforce": "restricted"})
    runs = {
        "uid": (workspaces(), STRANGER),
        "read only": (workspaces(), READ_ONLY),
        "both": (workspace_in(target, restricted), f"{STRANGER}, {READ_ONLY}"),
    }
    return {
        name: (space, space.start("stranger.py", *with_context(fields)))
        for name, (space, fields) in runs.items()
    }


@pytest.mark.parametrize(("name", "ids"), [("uid", [UID, 0]), ("read only", [0, 0]), ("both", [UID, 0])])
def test_a_step_has_a_home_a_name_and_temporary_files(started: Started, name: str, ids: list[int]) -> None:
    space, launch = started[name]
    result = launch.wait()
    assert result.returncode == 0, result.all
    found = space.read("StrangerFlow", result).task("start").data
    assert found["ids"] == ids
    assert found["called"] == ("root" if ids[0] == 0 else f"uid-{UID}")
    assert found["root_is_writable"] is False
    assert space.still_active() == []
    assert space.unowned() == []
