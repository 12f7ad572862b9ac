"""The snippets of the seed documents on a real cluster: the server takes their Jobs, and they run.

What each needs beyond what its document says stands in ``seeds``; that every snippet is known there, and
which Jobs it yields, is held by the unit tests.
"""

import json
import os
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.kubectl import Kubectl
from harness.launch import Launch, Result
from harness.workspace import SMALL, Workspace
from seeds.case import Case
from seeds.documents import PYTHON, SEEDS, SHELL, all_snippets, seed_documents
from seeds.flows import flow_file, flow_name
from seeds.objects import Objects
from seeds.shell import FITTING_VARIABLES, FLOW_TEXT, exports
from seeds.table import CASES, READS_RUNS

pytestmark = pytest.mark.skipif(not SEEDS.is_dir(), reason=f"the seed documents are not here ({SEEDS})")

ROOT = Path(__file__).parents[2]
GOLDEN = sorted((ROOT / "tests" / "golden" / "seeds").glob("0*.json"))
ALIASES = ROOT / "compat" / "metaflow" / "src"
SNIPPETS = {snippet.key: snippet for snippet in all_snippets() if snippet.kind == PYTHON}
RUNS = [case for case in CASES if not case.not_yet]
REFUSED = [case for case in CASES if case.not_yet]
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


def person(space: Workspace) -> Workspace:
    """Somebody whose Metaflow is Headway, and whose pods have no access to the object store of their own."""
    path = [str(ALIASES), *filter(None, [os.environ.get("PYTHONPATH")])]
    space.environ |= {"PYTHONPATH": os.pathsep.join(path), "HEADWAY_FORWARD_CREDENTIALS": "1"}
    del space.environ["HEADWAY_KUBERNETES_SECRETS"]
    return space


@pytest.fixture
def space(workspace: Workspace) -> Workspace:
    return person(workspace)


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


@pytest.mark.parametrize("case", RUNS, **by_slug)
def test_it_runs(case: Case, space: Workspace, objects: Objects) -> None:
    program = case.fitted(flow_file(SNIPPETS[case.snippet], case), space.kubectl.namespace)
    for name, text in case.files.items():
        (space.folder / name).write_text(text)
    objects.ensure(case.needs)
    result = space.run_flow(program, "run", "--forward-credentials", env=variables_of(case, space))
    assert result.returncode == 0, result.all
    assert [words for words in case.prints if words not in result.stdout] == []
    run = space.read(flow_name(program) or "", result, env=variables_of(case, space))
    in_pods = {step for step, (task,) in run.steps.items() if "kubernetes-pod-name" in task.metadata}
    assert in_pods == steps_in_pods(program)
    assert {pod["metadata"]["labels"]["metaflow/step_name"] for pod in space.pods()} == in_pods


def variables_of(case: Case, space: Workspace) -> dict[str, str | None]:
    """The document's own environment for this snippet, in place of what the workspace says instead."""
    if not case.environment:
        return {}
    own = {
        "namespace": space.kubectl.namespace,
        "datastore": space.environ["HEADWAY_DATASTORE_SYSROOT_S3"],
        "owner": space.selector,
    }
    said: dict[str, str | None] = dict.fromkeys(name for name in space.environ if name in SMALL)
    for name, value in exports(all_snippets())[case.environment]:
        fitting = FITTING_VARIABLES.get(name, value)
        said[name] = None if fitting is None else fitting.format_map(own) if fitting != value else value
        said[name.replace("METAFLOW_", "HEADWAY_")] = None
    return said


def steps_in_pods(program: str) -> set[str]:
    """The steps under a @kubernetes, as the text has them."""
    decorated = re.findall(r"@kubernetes\b(?:(?!\bdef ).)*?@step\s+def (\w+)", program, re.DOTALL)
    assert decorated
    return set(decorated)


@pytest.mark.parametrize("case", REFUSED, **by_slug)
def test_what_cannot_run_yet_is_refused_before_anything_starts(case: Case, space: Workspace) -> None:
    result = space.run_flow(flow_file(SNIPPETS[case.snippet], case), "run")
    assert result.returncode == 2, result.all
    assert case.not_yet in result.stderr
    assert "Traceback" not in result.stderr
    assert space.jobs() == []


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


class TestMyFlow:
    """What the documents do with ``myflow.py`` and its run."""

    @pytest.fixture(scope="class")
    def mine(self, make_workspace) -> Workspace:
        space = person(make_workspace())
        (space.folder / "myflow.py").write_text(MY_FLOW)
        return space

    @pytest.fixture(scope="class")
    def run(self, mine: Workspace) -> Result:
        result = type_in(mine, "python myflow.py run --with kubernetes").wait()
        assert result.returncode == 0, result.all
        return result

    @pytest.fixture(scope="class")
    def pod(self, run: Result) -> str:
        found = re.search(r"Running on Kubernetes pod: (\S+)", run.stdout)
        assert found, run.all
        return found[1]

    def test_its_lines_are_the_documents(self, run: Result, pod: str) -> None:
        lines = re.findall(r"^# (\[train/1\] .*)$", seed_documents()["000"], re.MULTILINE)
        assert len(lines) == 4
        printed = [line for line in run.stdout.splitlines() if line.startswith("[train/1]")]
        assert printed == [line.replace("myflow-train-abc123", pod) for line in lines]

    def test_its_log_is_there_later(self, mine: Workspace, run: Result) -> None:
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
    def test_kubectl_finds_it(self, mine: Workspace, pod: str, command: str, shows: str) -> None:
        own = command.replace("-n metaflow", f"-n {mine.kubectl.namespace}").replace(
            "myflow-train-abc123", pod
        )
        result = type_in(mine, own).wait()
        assert shows.format(pod=pod) in result.stdout, result.all

    def test_its_metadata_tell_pod_and_node(self, mine: Workspace, pod: str) -> None:
        (mine.folder / "read.py").write_text(SNIPPETS[READS_RUNS].text)
        result = mine.start_command([sys.executable, "read.py"]).wait()
        (found,) = [item for item in mine.pods() if item["metadata"]["name"] == pod]
        assert result.stdout.splitlines() == [
            f"Pod: {pod}",
            f"Node: {found['status']['hostIP']}",
            f"Namespace: {mine.kubectl.namespace}",
        ], result.all

    def test_another_platform_is_refused_in_clear_words(self, mine: Workspace) -> None:
        result = type_in(mine, "python myflow.py run --with batch").wait()
        assert result.returncode == 2, result.all
        assert "Headway does not run steps on AWS Batch; @kubernetes runs them on a cluster." in result.stderr
        assert "Traceback" not in result.stderr
