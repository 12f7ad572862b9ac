"""The snippets of the seed documents on a cluster: the server takes their Jobs, and they run.

What each needs beyond what its document says stands in ``seeds``; that every snippet is known there, and
which Jobs it yields, is held by the unit tests.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.kubectl import Kubectl
from harness.launch import Launch, Result
from harness.workspace import Workspace, Workspaces
from seeds.case import Case
from seeds.documents import SHELL, all_snippets, seed_documents
from seeds.objects import Objects
from seeds.runs import SNIPPETS, SeedRuns, newcomer
from seeds.shell import FLOW_TEXT
from seeds.table import CASES, READS_RUNS

GOLDEN = sorted((Path(__file__).parents[1] / "golden" / "seeds").glob("0*.json"))
by_slug = {"ids": lambda case: case.slug}

MY_FLOW = """
from metaflow import FlowSpec, step


class MyFlow(FlowSpec):
    @step
    def train(self):
        print("Training model...")


if __name__ == "__main__":
    MyFlow()
"""


@pytest.fixture(scope="module")
def objects(kubectl: Kubectl) -> Iterator[Objects]:
    made = Objects(kubectl)
    yield made
    made.close()


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, workspaces: Workspaces, objects: Objects) -> SeedRuns:
    """The runs of the snippets that are asked for."""
    chosen = [
        item.callspec.params["case"] for item in request.session.items if item.originalname == "test_it_runs"
    ]
    return SeedRuns([case for case in CASES if case in chosen], workspaces, objects)


@pytest.fixture
def space(workspace: Workspace) -> Workspace:
    return newcomer(workspace)


def type_in(space: Workspace, command: str) -> Launch:
    """A command as it is typed into a shell."""
    return space.start_command(["sh", "-c", command])


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_the_server_takes_its_jobs(path: Path, kubectl: Kubectl) -> None:
    jobs = json.loads(path.read_text())
    for job in jobs:
        job["metadata"]["namespace"] = kubectl.namespace
    given = json.dumps({"apiVersion": "v1", "kind": "List", "items": jobs})
    taken = kubectl.run(
        "create", "--dry-run=server", "--validate=strict", "-o", "name", "-f", "-", given=given
    )
    assert len(taken.split()) == len(jobs)


@pytest.mark.parametrize("case", CASES, **by_slug)
def test_it_runs(case: Case, runs: SeedRuns) -> None:
    run = runs.of(case)
    result = run.launch.wait()
    assert result.returncode == 0, result.all
    assert [words for words in case.prints if words not in result.stdout] == []
    steps = run.read().steps
    in_pods = {
        step for step, tasks in steps.items() if all("kubernetes-pod-name" in each.metadata for each in tasks)
    }
    assert in_pods == run.steps_in_pods
    assert {pod["metadata"]["labels"]["metaflow/step_name"] for pod in run.space.pods()} == in_pods


def test_the_flow_that_is_given_on_the_command_line(space: Workspace) -> None:
    commands = [snippet.text for snippet in all_snippets() if snippet.kind == SHELL]
    (command,) = [text for text in commands if FLOW_TEXT.match(text)]
    result = type_in(space, command).wait()
    assert result.returncode == 0, result.all
    assert "[start/1] Running on Kubernetes!" in result.stdout
    # The pods of a flow go by its name, as another of the documents shows.
    delete = "kubectl delete pod -n zenml -l pipeline=kubernetes_example_pipeline"
    assert delete in commands
    own = delete.replace("zenml", space.kubectl.namespace).replace("kubernetes_example_pipeline", "TestFlow")
    assert type_in(space, own).wait().stdout.count("deleted") == 2


# What the documents do with ``myflow.py`` and its run.


@pytest.fixture(scope="module")
def mine(workspaces: Workspaces) -> Workspace:
    space = newcomer(workspaces())
    (space.folder / "myflow.py").write_text(MY_FLOW)
    return space


@pytest.fixture(scope="module")
def run(mine: Workspace) -> Result:
    result = type_in(mine, "python myflow.py run --with kubernetes").wait()
    assert result.returncode == 0, result.all
    return result


@pytest.fixture(scope="module")
def pod(run: Result) -> str:
    found = re.search(r"Running on Kubernetes pod: (\S+)", run.stdout)
    assert found, run.all
    return found[1]


def test_its_lines_are_the_documents(run: Result, pod: str) -> None:
    lines = re.findall(r"^# (\[train/1\] .*)$", seed_documents()["000"], re.MULTILINE)
    assert len(lines) == 4
    printed = [line for line in run.stdout.splitlines() if line.startswith("[train/1]")]
    assert printed == [line.replace("myflow-train-abc123", pod) for line in lines]


def test_its_log_is_there_later(mine: Workspace, run: Result) -> None:
    again = type_in(
        mine, "python myflow.py logs 123/train/456".replace("123/train/456", f"{run.run_id}/train/1")
    )
    assert again.wait().stdout == "Training model...\n"


@pytest.mark.parametrize(
    ("command", "shows"),
    [
        ("kubectl get pods -n metaflow -l metaflow/flow_name=MyFlow", "{pod}"),
        ("kubectl describe pod myflow-train-abc123 -n metaflow", "metaflow/step_name=train"),
        ("kubectl logs myflow-train-abc123 -n metaflow", "Training model..."),
    ],
)
def test_kubectl_finds_it(mine: Workspace, pod: str, command: str, shows: str) -> None:
    own = command.replace("-n metaflow", f"-n {mine.kubectl.namespace}").replace("myflow-train-abc123", pod)
    result = type_in(mine, own).wait()
    assert shows.format(pod=pod) in result.stdout, result.all


def test_its_metadata_tell_pod_and_node(mine: Workspace, pod: str) -> None:
    (mine.folder / "read.py").write_text(SNIPPETS[READS_RUNS].text)
    result = mine.start_command([sys.executable, "read.py"]).wait()
    (found,) = [item for item in mine.pods() if item["metadata"]["name"] == pod]
    assert result.stdout.splitlines() == [
        f"Pod: {pod}",
        f"Node: {found['status']['hostIP']}",
        f"Namespace: {mine.kubectl.namespace}",
    ], result.all


def test_another_platform_is_refused_in_clear_words(mine: Workspace) -> None:
    result = type_in(mine, "python myflow.py run --with batch").wait()
    assert result.returncode == 2, result.all
    assert "Headway does not run steps on AWS Batch; @kubernetes runs them on a cluster." in result.stderr
    assert "Traceback" not in result.stderr
