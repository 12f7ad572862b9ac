"""What cannot work is refused before any pod exists: one error that says what, where, why and what to do next."""

import json
import re
import socket
from dataclasses import dataclass, field

import pytest
from harness.launch import Result
from harness.s3_proxy import forgetful_store
from harness.workspace import Variables, Workspace, Workspaces

FLOW = """
from headway import FlowSpec, kubernetes, step


class BadFlow(FlowSpec):
    {decorator}
    @step
    def start(self):
        self.next(self.{target})

    @step
    def end(self):
        pass


if __name__ == "__main__":
    BadFlow()
"""


@dataclass(frozen=True)
class Bad:
    """One kind of bad input and the words that its error owes.

    Attributes:
        says: What is wrong, where, and what to do, each a piece of the error.
        decorator: The decorator of the flow's first step.
        target: Where that step leads.
        late: A decorator given by ``--with``.
        env: Variables that differ.
    """

    says: tuple[str, ...]
    decorator: str = "@kubernetes"
    target: str = "end"
    late: str = ""
    env: Variables = field(default_factory=dict)


WRITTEN = {
    "unknown argument": Bad(
        ("flow.py, line 6", "'cpus'", "step 'start'", "Did you mean cpu?"), "@kubernetes(cpus=1)"
    ),
    "unknown argument of --with": Bad(
        ("--with kubernetes:cpus=1", "'cpus'", "Did you mean cpu?"), late="kubernetes:cpus=1"
    ),
    "unknown decorator": Bad(
        ("--with kubernets", "no step decorator", "Did you mean kubernetes?"), late="kubernets"
    ),
    "wrong type": Bad(
        ("flow.py, line 6", "memory='lots'", "step 'start'", "size in MB"), "@kubernetes(memory='lots')"
    ),
    "no cpu at all": Bad(
        ("flow.py, line 6", "cpu=0", "step 'start'", "greater than 0"), "@kubernetes(cpu=0)"
    ),
    "no cpu at all by --with": Bad(("cpu=0", "--with", "greater than 0"), late="kubernetes:cpu=0"),
    "a list that is none": Bad(
        ("flow.py, line 6", "secrets=5", "step 'start'", "list of names"), "@kubernetes(secrets=5)"
    ),
    "a label that Kubernetes refuses": Bad(
        ("flow.py, line 6", "'no blanks please'", "'team'", "at most 63 letters"),
        "@kubernetes(labels={'team': 'no blanks please'})",
    ),
    "a label in a variable": Bad(
        ("METAFLOW_KUBERNETES_LABELS", "'a b'", "at most 63 letters"),
        env={"HEADWAY_KUBERNETES_LABELS": None, "METAFLOW_KUBERNETES_LABELS": "team=a b"},
    ),
    "malformed JSON in a variable": Bad(
        ("METAFLOW_KUBERNETES_TOLERATIONS", "not valid JSON", "column 13", "single quotes"),
        env={"METAFLOW_KUBERNETES_TOLERATIONS": '[{"key": "a"'},
    ),
    "a number in a variable": Bad(
        ("METAFLOW_KUBERNETES_CPU", "'many'", "number of cores"),
        env={"HEADWAY_KUBERNETES_CPU": None, "METAFLOW_KUBERNETES_CPU": "many"},
    ),
    "an unknown step": Bad(
        ("flow.py, line 9", "'start'", "'nowhere'", "Known: end, start"), target="nowhere"
    ),
    "no root for the data": Bad(
        ("runs remotely", "HEADWAY_DATASTORE_SYSROOT_S3=s3://", "--datastore=s3"),
        env={"HEADWAY_DATASTORE_SYSROOT_S3": None},
    ),
}

CLUSTER = {
    "no kubeconfig": Bad(
        ("KUBECONFIG is not set", ".kube/config", "Set KUBECONFIG"), env={"KUBECONFIG": None}
    ),
    "a kubeconfig that is not there": Bad(
        ("KUBECONFIG names /nonexistent/config", "no such file", "Correct it"),
        env={"KUBECONFIG": "/nonexistent/config"},
    ),
    "a namespace that is not there": Bad(
        ("no namespace no-such-namespace", "kubectl create namespace no-such-namespace", "namespace="),
        env={"HEADWAY_KUBERNETES_NAMESPACE": "no-such-namespace"},
    ),
}

STORE = {
    "a bucket that is not there": Bad(
        ("no bucket 'no-such-bucket-e2e'", "Create it", "AWS_ENDPOINT_URL_S3"),
        env={"HEADWAY_DATASTORE_SYSROOT_S3": "s3://no-such-bucket-e2e/data"},
    ),
    "a wrong secret key": Bad(
        ("refuses the signature", "secret key does not fit", "Check AWS_SECRET_ACCESS_KEY"),
        env={"AWS_SECRET_ACCESS_KEY": "wrong"},
    ),
    "an unknown access key": Bad(
        ("does not know these credentials", "AWS_ACCESS_KEY_ID"), env={"AWS_ACCESS_KEY_ID": "nobody"}
    ),
}


@pytest.fixture(scope="module")
def space(workspaces: Workspaces) -> Workspace:
    """One for all: none of them leaves anything in it."""
    return workspaces()


def refuse(space: Workspace, bad: Bad, env: Variables | None = None) -> Result:
    """Run it and see that it is refused as everything here has to be."""
    late = ["--with", bad.late] if bad.late else []
    flow = FLOW.format(decorator=bad.decorator, target=bad.target)
    result = space.run_flow(flow, "run", *late, env={**bad.env, **(env or {})})
    assert result.returncode == 2, result.all
    assert not result.stdout, result.all
    assert "Traceback" not in result.stderr, result.all
    assert len(re.findall(r"^\S.*:$", result.stderr, re.MULTILINE)) == 1, f"not one error:\n{result.all}"
    missing = [words for words in bad.says if words not in result.stderr]
    assert not missing, f"{missing} not in\n{result.all}"
    assert not space.pods()
    assert not space.jobs()
    assert not [key for key in space.bucket.names() if "/runs/" in key or "/run/" in key]
    assert not (space.folder / ".headway").exists()
    return result


@pytest.mark.parametrize("bad", WRITTEN.values(), ids=WRITTEN)
def test_what_is_written_wrong(space: Workspace, bad: Bad) -> None:
    result = refuse(space, bad)
    # Nothing was waited for, however busy this machine is.
    assert result.seconds < 30


@pytest.mark.parametrize("bad", CLUSTER.values(), ids=CLUSTER)
def test_a_cluster_that_is_not_configured(space: Workspace, bad: Bad) -> None:
    refuse(space, bad)


def test_a_cluster_that_does_not_answer(space: Workspace) -> None:
    with socket.socket() as closed:  # bound and never listening: connections are refused
        closed.bind(("127.0.0.1", 0))
        address = f"https://127.0.0.1:{closed.getsockname()[1]}"
        config = json.loads(space.kubectl.run("config", "view", "--raw", "--output=json"))
        for cluster in config["clusters"]:
            cluster["cluster"]["server"] = address
        kubeconfig = space.folder / "unreachable.json"
        kubeconfig.write_text(json.dumps(config))
        refuse(
            space,
            Bad((address, "cannot be reached", "nothing listens", "kubectl version")),
            env={"KUBECONFIG": str(kubeconfig)},
        )


def test_a_namespace_where_one_may_do_nothing(space: Workspace) -> None:
    limited = space.target.limited_kubeconfig
    assert limited, "HEADWAY_TEST_LIMITED_KUBECONFIG names no kubeconfig"
    refuse(
        space,
        Bad((f"namespace {space.kubectl.namespace}", "create jobs.batch", "Role")),
        env={"KUBECONFIG": limited},
    )


@pytest.mark.parametrize("bad", STORE.values(), ids=STORE)
def test_a_store_that_does_not_let_us_in(space: Workspace, bad: Bad) -> None:
    refuse(space, bad)


def test_a_store_that_ignores_conditions(space: Workspace) -> None:
    with forgetful_store(space.target.store) as address:
        refuse(
            space,
            Bad(("ignores the condition of a write", f"s3://{space.bucket.name}", "Use AWS S3")),
            # Pods would have another way to it.
            env={
                "AWS_ENDPOINT_URL_S3": address,
                "HEADWAY_KUBERNETES_ENV": json.dumps(
                    {"AWS_ENDPOINT_URL_S3": space.target.store["AWS_ENDPOINT_URL_S3"]}
                ),
            },
        )
