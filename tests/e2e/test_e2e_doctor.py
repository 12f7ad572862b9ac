"""``doctor``: what is there and what is missing, from outside and from inside a pod."""

from harness.workspace import Workspace


def test_all_is_there(workspace: Workspace) -> None:
    result = workspace.run_flow("linear.py", "doctor", "--with", "kubernetes")
    assert result.returncode == 0, result.all
    assert "FAIL" not in result.stdout
    assert f"you may run pods in {workspace.kubectl.namespace}" in result.stdout
    assert "can be read and written, and keeps conditional writes" in result.stdout
    assert "ran: Python 3." in result.stdout
    assert "All is there that a run needs." in result.stderr


def test_each_thing_that_is_missing_is_named_with_what_to_do(workspace: Workspace) -> None:
    result = workspace.run_flow(
        "linear.py", "doctor", "--no-inside", "--with", "kubernetes:secrets=not-there,cpu=5000"
    )
    assert result.returncode == 1, result.all
    assert f"there is no Secret not-there in namespace {workspace.kubectl.namespace}" in result.stdout
    assert "no node could ever take its pods" in result.stdout
    assert "things would make a run fail." in result.stderr
    assert workspace.jobs() == []


def test_a_pod_that_cannot_reach_the_datastore_says_so(workspace: Workspace) -> None:
    env = {"HEADWAY_KUBERNETES_SECRETS": None, "HEADWAY_KUBERNETES_ENV": '{"AWS_ACCESS_KEY_ID": "wrong"}'}
    result = workspace.run_flow("linear.py", "doctor", "--with", "kubernetes", env=env)
    assert result.returncode == 1, result.all
    (failed,) = [line for line in result.stdout.splitlines() if line.startswith("FAIL")]
    assert "A pod like start" in failed
    assert "credentials" in failed
