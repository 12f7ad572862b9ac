"""@pypi: packages on a stock image that has neither them nor, for all it knows, a network."""

import os
import re
import sys
from pathlib import Path

import pytest
from emulators.program import cache
from harness.launch import Launch
from harness.workspace import Workspace, Workspaces

OTHER_PYTHON = """
from headway import FlowSpec, pypi, step


class OtherFlow(FlowSpec):
    @pypi(packages={"iniconfig": "2.0.0"}, python="3.9")
    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    OtherFlow()
"""

JAX = Path(__file__).parents[2] / "examples" / "jax_gang.py"

Started = dict[str, tuple[Workspace, Launch]]


def resolver(space: Workspace) -> dict[str, str]:
    """Where this machine has uv or pip: with the Python that the environment of the tests was made of."""
    index = ("PIP_", "UV_", "SSL_CERT_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
    told = {name: value for name, value in os.environ.items() if name.upper().startswith(index)}
    return {"PATH": f"{space.environ['PATH']}:{sys.base_prefix}/bin", **told}


@pytest.fixture(scope="module")
def started(workspaces: Workspaces) -> Started:
    """Every run, started side by side."""
    flows = {
        "pods": "packaged.py",
        "other": OTHER_PYTHON,
        "nothing": OTHER_PYTHON.replace('"2.0.0"', '"0.0.99"'),
    }
    spaces = {name: workspaces() for name in flows}
    jax = workspaces()
    # A hundred megabytes, which one run of the tests brings for the next ones.
    kept = {**resolver(jax), "XDG_CACHE_HOME": str(cache())}
    found = {"jax": (jax, jax.start(JAX.read_text(), "run", env=kept))}
    # jax listens at all addresses: where pods share one network, the other gang needs a port of its own.
    port = {"HEADWAY_KUBERNETES_PORT": "29511"}
    for name, space in spaces.items():
        launch = space.start(flows[name], "run", "--with", "kubernetes", env={**resolver(space), **port})
        found[name] = (space, launch)
    return found


def test_steps_find_the_packages_that_they_ask_for_and_no_others(started: Started) -> None:
    workspace, launch = started["pods"]
    result = launch.wait()
    assert result.returncode == 0, result.all
    assert "Packages: 1 for step start, " in result.stderr
    assert "Packages: 2 for step train, " in result.stderr
    assert re.search(r"start has iniconfig of \S*/packages/iniconfig/__init__.py", result.stdout), result.all
    assert "train has numpy True iniconfig " in result.stdout
    assert "/packages/numpy/" in result.stdout
    for rank in range(3):
        assert f"rank {rank} has (500, 500) of 3 ranks" in result.stdout
    assert re.search(r"end has (no numpy|numpy of (?!.*/work/packages/).*), total 45", result.stdout), (
        result.all
    )
    # Which indexes are asked belongs to what was resolved.
    command = ("packaged.py", "--with", "kubernetes", "package", "list")
    listed = workspace.run_flow(*command, env=resolver(workspace))
    assert "iniconfig 2.0.0  (step start, " in listed.stdout


def test_a_pod_with_another_python_says_which_it_has(started: Started) -> None:
    space, launch = started["other"]
    result = launch.wait()
    assert result.returncode == 1, result.all
    (attempt,) = space.read("OtherFlow", result).task("start").attempts
    assert (attempt.kind, attempt.reason) == ("configuration", "SettingsError")
    assert "@pypi(python=…)='3.9' is not possible" in result.all
    assert " has Python 3." in result.all


def test_what_cannot_be_resolved_is_said_before_anything_runs(started: Started) -> None:
    workspace, launch = started["nothing"]
    result = launch.wait()
    assert result.returncode == 2, result.all
    assert "The packages iniconfig==0.0.99 cannot be resolved for Python 3.9, linux/x86_64:" in result.stderr
    assert "Choose a version that the index has" in result.stderr
    assert not workspace.pods()


@pytest.mark.budget(240)
def test_jax_sums_over_the_pods_of_a_gang(started: Started) -> None:
    """The example as it stands: its own collective operation, over what jax reads of the environment."""
    workspace, launch = started["jax"]
    result = launch.wait()
    assert result.returncode == 0, result.all
    tasks = workspace.read("JaxFlow", result).steps["train"]
    assert [task.data["total"] for task in tasks] == [[11.0] * 4] * 2
    assert len({task.metadata["kubernetes-pod-name"] for task in tasks}) == 2
