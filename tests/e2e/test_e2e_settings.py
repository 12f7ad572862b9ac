"""Settings reach the pod from wherever they are written: decorators, ``--with``, variables of both prefixes."""

import json
import re
from urllib.parse import urlsplit

from harness.kubectl import Object
from harness.target import Target
from harness.tcp_proxy import TcpProxy
from harness.workspace import OWNER, SMALL, Workspace

#: Everything the suite sets under our own prefix, taken away.
NONE_OF_OURS = dict.fromkeys(
    (
        *SMALL,
        "HEADWAY_DATASTORE_SYSROOT_S3",
        "HEADWAY_KUBERNETES_NAMESPACE",
        "HEADWAY_KUBERNETES_SECRETS",
        "HEADWAY_KUBERNETES_LABELS",
        "HEADWAY_USER",
    )
)


def only_pod(workspace: Workspace, step: str = "start") -> Object:
    (pod,) = workspace.pods(f"metaflow/step_name={step}")
    return pod


def test_metaflow_variables_are_understood(workspace: Workspace) -> None:
    env = {
        **NONE_OF_OURS,
        "METAFLOW_USER": "ann",
        "METAFLOW_DATASTORE_SYSROOT_S3": f"s3://{workspace.bucket.name}/{workspace.bucket.prefix}",
        "METAFLOW_KUBERNETES_NAMESPACE": workspace.kubectl.namespace,
        "METAFLOW_KUBERNETES_SECRETS": workspace.secret,
        "METAFLOW_KUBERNETES_CONTAINER_IMAGE": "python:3.11",
        "METAFLOW_KUBERNETES_IMAGE_PULL_POLICY": "Never",
        "METAFLOW_KUBERNETES_CPU": "0.03",
        "METAFLOW_KUBERNETES_MEMORY": "70",
        "METAFLOW_KUBERNETES_DISK": "60",
        "METAFLOW_KUBERNETES_NODE_SELECTOR": workspace.target.node_label,
        "METAFLOW_KUBERNETES_TOLERATIONS": '[{"key": "dedicated", "operator": "Exists", "effect": "NoSchedule"}]',
        "METAFLOW_KUBERNETES_LABELS": f"{workspace.selector},team=ml",
        "METAFLOW_KUBERNETES_ANNOTATIONS": "prometheus.io/scrape=true,prometheus.io/port=8080",
        "METAFLOW_KUBERNETES_SHARED_MEMORY": "16",
        "METAFLOW_KUBERNETES_JOB_TTL_SECONDS_AFTER_FINISHED": "600",
    }
    result = workspace.run_flow("linear.py", "run", "--with", "kubernetes", "--datastore=s3", env=env)
    assert result.returncode == 0, result.all
    pod = only_pod(workspace)
    (container,) = pod["spec"]["containers"]
    assert container["image"] == "python:3.11"
    assert container["imagePullPolicy"] == "Never"
    assert container["resources"]["requests"] == {"cpu": "30m", "memory": "70M", "ephemeral-storage": "60M"}
    key, _, value = workspace.target.node_label.partition("=")
    assert pod["spec"]["nodeSelector"] == {key: value}
    assert {"key": "dedicated", "operator": "Exists", "effect": "NoSchedule"} in pod["spec"]["tolerations"]
    assert pod["metadata"]["labels"]["team"] == "ml"
    assert pod["metadata"]["labels"]["metaflow/user"] == "ann"
    assert pod["metadata"]["annotations"]["prometheus.io/port"] == "8080"
    assert any(mount["mountPath"] == "/dev/shm" for mount in container["volumeMounts"])
    assert {job["spec"]["ttlSecondsAfterFinished"] for job in workspace.jobs()} == {600}


def test_with_takes_json_values(workspace: Workspace) -> None:
    key, _, value = workspace.target.node_label.partition("=")
    late = (
        f'kubernetes:labels={{"team": "ml", "{OWNER}": "{workspace.selector.partition("=")[2]}"}},'
        f'node_selector={{"{key}": "{value}"}},'
        'tolerations=[{"key": "fleet", "operator": "Exists"}],memory=80'
    )
    result = workspace.run_flow("linear.py", "run", "--with", late)
    assert result.returncode == 0, result.all
    pod = only_pod(workspace, "end")
    assert pod["metadata"]["labels"]["team"] == "ml"
    assert pod["spec"]["nodeSelector"] == {key: value}
    assert any(item.get("key") == "fleet" for item in pod["spec"]["tolerations"])
    assert pod["spec"]["containers"][0]["resources"]["requests"]["memory"] == "80M"


def test_environment_reaches_the_code_by_every_way(workspace: Workspace) -> None:
    extra = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "extra"}}
    workspace.kubectl.create({**extra, "stringData": {"FROM_SECRET": "four, from a secret"}})
    result = workspace.run_flow("environment.py", "run", "--with", "kubernetes")
    assert result.returncode == 0, result.all
    task = workspace.read("EnvironmentFlow", result).task("start")
    assert task.data["found"] == {
        "FROM_DECORATOR": "one, two $HOME",
        "FROM_ENVIRONMENT": "three",
        "FROM_SECRET": "four, from a secret",
        "METAFLOW_KUBERNETES_POD_NAME": task.metadata["kubernetes-pod-name"],
    }


def test_resources_and_kubernetes_join_by_maximum(workspace: Workspace) -> None:
    """And ``--with`` says what a step's own @kubernetes leaves open, and no more."""
    late = "kubernetes:memory=80,image_pull_policy=Never"
    result = workspace.run_flow("joined_resources.py", "run", "--with", late)
    assert result.returncode == 0, result.all
    (container,) = only_pod(workspace)["spec"]["containers"]
    assert container["resources"]["requests"] == {"cpu": "40m", "memory": "90M", "ephemeral-storage": "50M"}
    assert container["imagePullPolicy"] == "Never"
    assert only_pod(workspace, "end")["spec"]["containers"][0]["resources"]["requests"]["memory"] == "80M"


def test_pods_have_a_way_of_their_own_to_the_datastore(workspace: Workspace, target: Target) -> None:
    """This machine finds the store as by a port-forward: at an address where a pod finds itself."""
    there = target.store.get("AWS_ENDPOINT_URL_S3") or target.store["AWS_ENDPOINT_URL"]
    forward = TcpProxy(target.host, urlsplit(there).port or 80)
    here = {
        "AWS_ENDPOINT_URL_S3": f"http://localhost:{forward.port}",
        "AWS_ENDPOINT_URL_STS": "http://[::1]:1",
    }
    words = ("linear.py", "run", "--with", "kubernetes")
    refused = workspace.run_flow(*words, env=here)
    assert refused.returncode == 2, refused.all
    assert f"AWS_ENDPOINT_URL_S3='http://localhost:{forward.port}' is not possible" in refused.stderr
    assert "to a pod of step start it is the pod itself" in refused.stderr
    assert "HEADWAY_KUBERNETES_ENV=" in refused.stderr
    assert workspace.jobs() == []
    result = workspace.run_flow(
        *words, env={**here, "HEADWAY_KUBERNETES_ENV": json.dumps({"AWS_ENDPOINT_URL_S3": there})}
    )
    assert result.returncode == 0, result.all
    assert "AWS_ENDPOINT_URL_STS=http://[::1]:1 is not passed on to pods" in result.stderr
    told = {each["name"]: each.get("value") for each in only_pod(workspace)["spec"]["containers"][0]["env"]}
    assert told["AWS_ENDPOINT_URL_S3"] == there
    assert "AWS_ENDPOINT_URL_STS" not in told
    forward.close()


def test_a_pod_without_credentials_says_how_to_give_it_some(workspace: Workspace) -> None:
    result = workspace.run_flow(
        "linear.py", "run", "--with", "kubernetes", env={"HEADWAY_KUBERNETES_SECRETS": None}
    )
    assert result.returncode == 1, result.all
    assert any("no credentials for S3 were found" in line for line in result.about("start/1"))
    assert "--forward-credentials" in result.stderr
    assert "@kubernetes(secrets=" in result.stderr


def test_credentials_can_be_forwarded_and_do_not_stay(workspace: Workspace) -> None:
    before = set(workspace.kubectl.names("secrets"))
    result = workspace.run_flow(
        "linear.py",
        "run",
        "--with=kubernetes",
        "--forward-credentials",
        env={"HEADWAY_KUBERNETES_SECRETS": None},
    )
    assert result.returncode == 0, result.all
    for secret in workspace.kubectl.objects("secrets"):
        assert secret["metadata"]["name"] in before or secret["metadata"].get("ownerReferences")
    secret_key = workspace.target.credentials["AWS_SECRET_ACCESS_KEY"]
    assert secret_key not in workspace.kubectl.run("get", "pods,jobs", "--output=json")


SHOWN = """
from headway import FlowSpec, environment, parallel, step


class ShownFlow(FlowSpec):
    @environment(vars={"PYTHONHASHSEED": "7", "MODE": "x"})
    @step
    def start(self):
        self.items = [1, 2]
        self.next(self.work, foreach="items")

    @step
    def work(self):
        self.next(self.join)

    @step
    def join(self, inputs):
        self.next(self.train, num_parallel=2)

    @parallel
    @step
    def train(self):
        self.next(self.after)

    @step
    def after(self, inputs):
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    ShownFlow()
"""


def test_a_dry_run_shows_exactly_what_a_run_creates(workspace: Workspace) -> None:
    """The server completes what is shown as it completed what was created; only ids are beyond knowing."""
    typed = ("run", "--with", "kubernetes:pack=2", "--forward-credentials")
    typed += ("--override", "start:cpu=0.04")
    env = {"HEADWAY_KUBERNETES_SECRETS": None}
    shown = workspace.run_flow(SHOWN, *typed, "--dry-run", env=env)
    assert shown.returncode == 0, shown.all
    assert "Step start: cpu is 0.04 (--override start:cpu=0.04)" in shown.stderr
    assert workspace.target.credentials["AWS_SECRET_ACCESS_KEY"] not in shown.all
    assert not workspace.jobs()
    answer = workspace.kubectl.run(
        "create", "--dry-run=server", "--output=json", "-f", "-", given=shown.stdout
    )
    # kubectl prints one document after the other.
    completed = [json.loads(f"{{{each}") for each in f"\n{answer}".split("\n{")[1:]]
    assert [each["kind"] for each in completed].count("Secret") == 1

    result = workspace.run_flow(SHOWN, *typed, env=env)
    assert result.returncode == 0, result.all
    made = workspace.kubectl.objects("jobs,services", workspace.selector)
    assert [each["kind"] for each in made].count("Job") == 6
    run = workspace.read("ShownFlow", result).id
    assert by_batch([each for each in completed if each["kind"] != "Secret"], run) == by_batch(made, run)


def by_batch(objects: list[Object], run: str) -> dict[tuple[str, str], Object]:
    """The Jobs and Services, by kind and batch, without what differs from one creation to the next."""
    found: dict[tuple[str, str], Object] = {}
    for each in objects:
        batch = each["metadata"]["labels"]["headway.dev/batch"]
        text = json.dumps(each).replace(each["metadata"]["name"], "NAME").replace("dry-run", run)
        bare = json.loads(re.sub(r"headway-run-\w{10}", "headway-run-SECRET", text))
        bare.pop("status", None)
        for field in ("uid", "creationTimestamp", "resourceVersion", "generation", "managedFields"):
            bare["metadata"].pop(field, None)
        for owner in bare["metadata"].get("ownerReferences", ()):
            del owner["uid"]
        if each["kind"] == "Job":
            del bare["spec"]["selector"]
            for labels in (bare["metadata"]["labels"], bare["spec"]["template"]["metadata"]["labels"]):
                for label in ("controller-uid", "batch.kubernetes.io/controller-uid"):
                    labels.pop(label, None)
        found[each["kind"], batch] = bare
    return found


INITIATED = """
import os

from headway import FlowSpec, kubernetes, step


class InitiatedFlow(FlowSpec):
    @kubernetes
    @step
    def start(self):
        print("exported", os.environ.get("FROM_SCRIPT"))


if __name__ == "__main__":
    InitiatedFlow()
"""


def test_an_init_script_exports_or_fails_by_itself(workspace: Workspace) -> None:
    name = "HEADWAY_KUBERNETES_SANDBOX_INIT_SCRIPT"
    well = workspace.run_flow(INITIATED, "run", env={name: "FROM_SCRIPT='a b'; export FROM_SCRIPT"})
    assert well.returncode == 0, well.all
    assert "[start/1] exported a b" in well.stdout
    badly = workspace.run_flow(INITIATED, "run", env={name: "echo no tools >&2; exit 9"})
    assert badly.returncode == 1, badly.all
    assert "exported" not in badly.stdout
    (attempt,) = workspace.read("InitiatedFlow", badly).task("start").attempts
    assert (attempt.kind, attempt.reason) == ("configuration", "InitScript")
    assert "did not get beyond its sandbox init script" in attempt.message
    assert "exit code 9" in attempt.message
    assert "Try the script in the image" in badly.all
