"""How pods end that had begun: the words, the class, and that only what is the step's own doing spends ``@retry``.

What a healthy cluster does is done to real pods.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from harness.causes import FLOW, SOON, Branch, Cause, flow_of, told, wrongs
from harness.kubectl import Kubectl, eventually
from harness.launch import Launch, Result
from harness.reading import RunView
from harness.target import Target
from harness.tcp_proxy import TcpProxy
from harness.webhook import LABEL, webhooks
from harness.workspace import NewNamespace, Workspace, Workspaces

LONG = "time.sleep(600)"

#: The step's own doing, or what it asked for: it spends the step's tries, of which there are none.
OWN = {
    "exits": Cause({}, "user", "Exit", "exit code 3", body="os._exit(3)"),
    "declines": Cause({}, "user", "ExitForGood", "called sys.exit(202)", "not tried again", body="sys.exit(202)"),
    "signals": Cause({}, "user", "Signal", "SIGSEGV", body="os.kill(os.getpid(), signal.SIGSEGV)"),
    # More than a container's processes share, unless they are given it.
    "shares": Cause(
        {}, "user", "Signal", "SIGBUS", "@kubernetes(shared_memory=…)",
        body=(
            "import mmap\nfile = open('/dev/shm/x', 'wb+')\nfile.truncate(200_000_000)\n"
            "view = mmap.mmap(file.fileno(), 0)\nfor at in range(0, 200_000_000, 4096):\n    view[at] = 1"
        ),
    ),
    "lasts": Cause(
        {"active_deadline_seconds": 12}, "user", "DeadlineExceeded", "stopped at its deadline",
        "It may run for 12 seconds: raise @kubernetes(active_deadline_seconds=…)", body=LONG,
    ),
    "writes": Cause(
        {"qos": "Guaranteed", "disk": 20, "cpu": 0.3}, "resources", "DiskFull", "used more disk than it may",
        "disk=", body=f"open('/tmp/large', 'wb').write(bytes(90_000_000))\n{LONG}",
    ),
    "overflows": Cause(
        {
            "volumes": [{"name": "v", "emptyDir": {"sizeLimit": "5Mi"}}],
            "volume_mounts": [{"name": "v", "mountPath": "/v"}],
        },
        "resources", "DiskFull", "put more into its volume v than the 5Mi that it may hold", "emptyDir.sizeLimit",
        body=f"open('/v/large', 'wb').write(bytes(9_000_000))\n{LONG}",
    ),
    # The kernel's choice falls on the first process of the container, and so on all of it.
    "starves": Cause(
        {"qos": "Guaranteed", "cpu": 0.3, "disk": 100}, "resources", "OutOfMemory",
        "the kernel killed its container at its limit of 64 MB (OOMKilled)", "on_oom",
        body="open('/proc/1/oom_score_adj', 'w').write('1000')\nx = b'x' * 300_000_000",
    ),
}  # fmt: skip

#: It waits in its first attempt for what will be done to it.
FIRST_WAITS = f"if current.retry_count == 0:\n    print('waits', flush=True)\n    {LONG}"

#: What others do, by step: the reason, words of the message.
OTHERS = {
    "evicted": ("EvictionByEvictionAPI", "evicted, as when a node is drained"),
    "preempted": ("PreemptionByScheduler", "a pod of higher priority took its place"),
    "critical": ("TerminationByKubelet", "make room for a pod that the cluster cannot do without"),
    "job_deleted": ("Terminated|JobDeleted|PodDeleted", "deleted|asked to stop"),
    "overdue": ("DeadlineExceeded", "waited so long for nodes, .* that the deadline of the Job \\S+ passed"),
    "suspended": ("JobSuspended", "was suspended while step suspended ran in it"),
    "unreached": ("StoreUnavailableError", "datastore: cannot reach bucket .* through the proxy"),
}

#: Four processes that hold 40 MB each at the same time; the step's own process holds next to nothing.
CROWD = """\
import subprocess
program = "import time; held = b'x' * 40_000_000; time.sleep(2)"
crowd = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(4)]
print([each.wait() for each in crowd])
"""

#: It puts a file where the code is to be unpacked.
BLOCKS = {
    "name": "blocks",
    "image": "python:3.11",
    "command": ["touch", "/work/code"],
    "volumeMounts": [{"name": "headway-work", "mountPath": "/work"}],
}

#: What fails as often as the infrastructure's failures are tried again: the reason, words of the message.
AGAIN_AND_AGAIN = {
    "rejected": ("PodGone", "OutOfcpu"),
    "blocked": (
        "PodError",
        "could not unpack or start its code: [Errno 17] File exists: '/headway/work/code'",
    ),
}

#: Who gives way to another pod, and the end of the name of what both want.
SEATS = {"preempted": "", "critical": "-more"}


@pytest.fixture(scope="module")
def scarce(kubectl: Kubectl, session_name: str) -> Iterator[str]:
    """How the names of two resources of the real node and of two priority classes (``…-low``, ``…-high``) begin."""
    places = [f"/status/capacity/example.com~1{session_name}{kind}" for kind in SEATS.values()]
    node = ("patch", "node", "node1", "--subresource=status", "--type=json", "--patch")
    kubectl.run(*node, json.dumps([{"op": "add", "path": at, "value": "1"} for at in places]))
    for name, value in (("low", 1000), ("high", 100000)):
        about = {"metadata": {"name": f"{session_name}-{name}"}, "value": value}
        kubectl.create({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", **about})
    yield session_name
    kubectl.run("delete", "priorityclass", f"{session_name}-low", f"{session_name}-high")
    kubectl.run(*node, json.dumps([{"op": "remove", "path": at} for at in places]))


@pytest.fixture(scope="module")
def all_cores(kubectl: Kubectl) -> Iterator[str]:
    """As many cores as the real node has, of which somebody holds some."""
    program = ["python", "-c", "import time; time.sleep(900)"]
    resources = {"requests": {"cpu": "10m"}}
    container = {"name": "holder", "image": "python:3.11", "command": program, "resources": resources}
    spec = {"nodeName": "node1", "containers": [container], "terminationGracePeriodSeconds": 0}
    kubectl.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "core-holder"}, "spec": spec})
    yield kubectl.run("get", "node", "node1", "-o", "jsonpath={.status.allocatable.cpu}")
    kubectl.run("delete", "pod", "core-holder", "--wait=false")


@pytest.fixture(scope="module")
def doomed(new_namespace: NewNamespace) -> Kubectl:
    """A namespace that is deleted while a pod runs there."""
    return new_namespace("doomed")


@pytest.fixture(scope="module")
def detour(target: Target) -> Iterator[TcpProxy]:
    """A proxy by which one step's pods reach the datastore; for now it lets nothing through."""
    proxy = to_the_store(target)
    proxy.cut()
    yield proxy
    proxy.close()


def to_the_store(target: Target) -> TcpProxy:
    """A way to the object store, for pods as well."""
    return TcpProxy(target.host, urlsplit(target.store["AWS_ENDPOINT_URL_S3"]).port or 80, target.host)


@pytest.fixture(scope="module")
def running(
    workspaces: Workspaces, scarce: str, all_cores: str, doomed: Kubectl, target: Target, detour: TcpProxy
) -> tuple[Workspace, Launch]:
    """Every end, side by side."""

    def seat(name: str) -> dict[str, Any]:
        if name not in SEATS:
            return {}
        wanted = {f"example.com/{scarce}{SEATS[name]}": 1}
        return {"extended_resources": wanted, "priority_class_name": f"{scarce}-low"}

    others = {name: Branch(seat(name), FIRST_WAITS) for name in OTHERS if name != "unreached"}
    further = {
        "injected": Branch({"labels": {LABEL: "inject"}}),
        "crowded": Branch({}, CROWD),
        "homeless": Branch({"namespace": doomed.namespace}, FIRST_WAITS),
        # Its node has no room for it: it is put there without the scheduler, who would wait.
        "rejected": Branch({"additional_pod_spec_args": {"nodeName": "node1"}, "cpu": all_cores}),
        "unreached": Branch({"env": {"HTTP_PROXY": f"http://{target.host}:{detour.port}"}}),
        "blocked": Branch({"additional_pod_spec_args": {"initContainers": [BLOCKS]}}),
    }
    space = workspaces()
    return space, space.start(flow_of({**OWN, **others, **further}), "run", "--max-workers=100", env=SOON)


@pytest.fixture(scope="module")
def accompanied(workspaces: Workspaces) -> tuple[Workspace, Launch]:
    """A gang and a foreach with sidecars."""
    space = workspaces()
    return space, space.start("accompanied.py", "run")


@pytest.fixture(scope="module")
def ended(
    running: tuple[Workspace, Launch],
    cut_off: tuple[Workspace, Launch, list[TcpProxy]],
    scarce: str,
    doomed: Kubectl,
    detour: TcpProxy,
    kubectl: Kubectl,
    session_name: str,
) -> tuple[Result, RunView]:
    """The whole of it, once everything was done that others do; meanwhile another run is cut off."""
    space, launch = running
    with webhooks(kubectl, session_name):
        _evict(space, pod_of(launch, "evicted"))
        pod_of(launch, "homeless")
        kubectl.run("delete", "namespace", doomed.namespace, "--wait=false")
        _unseat(
            kubectl, launch, "preempted", scarce, {"priorityClassName": f"{scarce}-high"}, "higher priority"
        )
        # Whom the scheduler is not asked about, the kubelet makes room for.
        critical = {"priorityClassName": "system-node-critical", "nodeName": "node1"}
        _unseat(kubectl, launch, "critical", scarce, critical, "cannot do without")
        # The Job's own is days away: a person may still set it earlier.
        pod_of(launch, "overdue")
        kubectl.run(
            "patch", "job", job_of(space, "overdue"), "--patch", '{"spec": {"activeDeadlineSeconds": 1}}'
        )
        pod_of(launch, "job_deleted")
        kubectl.run("delete", "job", job_of(space, "job_deleted"), "--wait=false")
        pod_of(launch, "suspended")
        held = job_of(space, "suspended")
        kubectl.run("patch", "job", held, "--patch", json.dumps({"spec": {"suspend": True}}))
        assert eventually(60, lambda: held not in kubectl.names("jobs")), (
            "it would wait for its turn for ever"
        )
        launch.until(r"\[unreached/\d+\] Task was lost: Its pod cannot use the datastore")
        detour.mend()
        result = launch.wait()
    assert result.returncode == 0, result.all
    return result, space.read(FLOW, result, env=SOON)


def pod_of(launch: Launch, step: str) -> str:
    """The pod of the step's first attempt, once that waits."""
    name = launch.until(rf"\[{step}/\d+\] Running on Kubernetes pod: (\S+)").group(1)
    launch.until(rf"\[{step}/\d+\] waits")
    return name


def job_of(space: Workspace, step: str) -> str:
    """The name of the step's one Job."""
    (job,) = space.kubectl.names("jobs", f"{space.selector},metaflow/step_name={step}")
    return job


def _evict(space: Workspace, pod: str) -> None:
    """As ``kubectl drain`` does it, without the rest of the node."""
    namespace = space.kubectl.namespace
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": namespace}}
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/eviction"
    space.kubectl.run("create", "--raw", path, "-f", "-", given=json.dumps(body))


def _unseat(
    kubectl: Kubectl, launch: Launch, step: str, scarce: str, rank: dict[str, str], words: str
) -> None:
    """Another pod wants the same, and is worth more; it leaves as soon as it has had its way."""
    pod_of(launch, step)
    container = {
        "name": "vip",
        "image": "python:3.11",
        "command": ["python", "-c", "import time; time.sleep(600)"],
        "resources": {"limits": {f"example.com/{scarce}{SEATS[step]}": "1"}},
    }
    spec = {**rank, "containers": [container], "terminationGracePeriodSeconds": 0}
    name = f"vip-{step}"
    kubectl.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})
    launch.until(rf"\[{step}/\d+\] Task (was lost|failed): .*{words}")
    kubectl.run("delete", "pod", name, "--wait=false")


@pytest.mark.budget(240)
def test_what_a_step_does_to_itself_spends_its_tries(ended: tuple[Result, RunView]) -> None:
    wrong = wrongs(OWN, *ended)
    assert not wrong, "\n\n".join(wrong)


def test_what_others_do_to_a_pod_spends_none(ended: tuple[Result, RunView]) -> None:
    result, run = ended
    for step, (reason, words) in OTHERS.items():
        first, second = run.task(step).attempts
        said = told(result, step)
        assert (first.kind, first.successful, second.successful) == ("infrastructure", False, True), said
        assert re.fullmatch(reason, first.reason), said
        assert re.search(words, first.message), said
        assert "not counted against @retry" in said


def test_a_namespace_that_is_deleted_under_a_run_ends_its_step(
    ended: tuple[Result, RunView],
) -> None:
    result, run = ended
    *before, last = (each for each in run.task("homeless").attempts if not each.successful)
    said = told(result, "homeless")
    assert {each.kind for each in before} == {"infrastructure"}, said
    assert (last.kind, last.reason) == ("configuration", "Namespace"), said
    assert "not counted against @retry" in said
    # By the time of the next attempt it may have gone.
    assert re.search(r"The cluster refuses the Job: its namespace (is being deleted|does not exist)", said), (
        said
    )
    assert "ame another with namespace=" in said


def test_what_fails_by_the_infrastructure_is_tried_again_five_times(ended: tuple[Result, RunView]) -> None:
    result, run = ended
    for step, (reason, words) in AGAIN_AND_AGAIN.items():
        lost = [each for each in run.task(step).attempts if not each.successful]
        said = told(result, step)
        assert {each.kind for each in lost} == {"infrastructure"}, said
        assert len(lost) == 6, said
        # What takes other pods' places here may take this one's, too.
        meant = [each for each in lost if each.reason != "PreemptionByScheduler"]
        assert {each.reason for each in meant} == {reason}, said
        assert all(words in each.message for each in meant), said
        assert said.count("It is tried again in") == 5


def test_a_sidecar_that_a_webhook_adds_keeps_no_task_and_no_pod(
    ended: tuple[Result, RunView], running: tuple[Workspace, Launch]
) -> None:
    result, run = ended
    (attempt,) = run.task("injected").attempts
    assert attempt.successful
    assert "tried again" not in told(result, "injected")
    space, _ = running
    own = "metaflow/step_name=injected"
    assert eventually(
        90, lambda: not [pod for pod in space.pods(own) if pod["status"]["phase"] == "Running"]
    ), "its pod is gone"
    jobs = space.kubectl.objects("jobs", f"{space.selector},{own}")
    assert not any(job["status"].get("failed") for job in jobs), "no Job is left that says Failed"


def test_what_all_processes_of_a_container_hold_is_measured(ended: tuple[Result, RunView]) -> None:
    result, run = ended
    task = run.task("crowded")
    assert "[0, 0, 0, 0]" in task.stdout
    peak = int(task.metadata["peak-memory"])
    assert 160_000_000 < peak < 260_000_000
    assert float(task.metadata["cpu-seconds"]) > 0
    # The run tells it in the end, and what to ask for.
    assert "Used by pods, at most: " in result.stderr
    words = rf"Step crowded used {peak / 1e6:.0f} of the 64 MB it asks for: memory=(\d+) would be safer\."
    advised = re.search(words, result.stderr)
    assert advised, result.all
    assert int(advised[1]) > peak / 1e6


def test_sidecars_keep_no_rank_and_no_split_and_end_none(accompanied: tuple[Workspace, Launch]) -> None:
    space, launch = accompanied
    result = launch.wait()
    assert result.returncode == 0, result.all
    run = space.read("AccompaniedFlow", result)
    assert run.task("end").data["seen"] == [[0, 1, 2], [0, 9, 3]]
    tasks = [*run.steps["train"], *run.steps["work"]]
    assert [len(task.attempts) for task in tasks] == [1] * 6, result.all
    assert [task.data["company"] for task in tasks] == [2] * 6, "they were there"
    assert space.still_active() == []
    failed = {job["metadata"]["name"]: job["status"] for job in space.jobs() if job["status"].get("failed")}
    assert not failed, "no Job is left that says Failed, for no task did"


@pytest.fixture(scope="module")
def cut_off(workspaces: Workspaces) -> Iterator[tuple[Workspace, Launch, list[TcpProxy]]]:
    """A run whose way to the API server and to the datastore is cut while its pod runs; the pod's to the latter too."""
    workspace = workspaces()
    config = yaml.safe_load(Path(workspace.target.kubeconfig).read_text(encoding="utf-8"))
    cluster = config["clusters"][0]["cluster"]
    host, _, port = cluster["server"].removeprefix("https://").partition(":")
    api = TcpProxy(host, int(port))
    cluster["server"] = f"https://127.0.0.1:{api.port}"
    store = to_the_store(workspace.target)
    away = workspace.folder / "away.kubeconfig"
    away.write_text(json.dumps(config))
    try:
        steps = {"beside": Branch(), "waits": Branch({}, "print('waits', flush=True)\ntime.sleep(45)")}
        env = {"KUBECONFIG": str(away), "AWS_ENDPOINT_URL_S3": f"http://{workspace.target.host}:{store.port}"}
        launch = workspace.start(flow_of(steps, catches=False), "run", env=env)
        launch.until(r"\[waits/\d+\] waits")
        for each in (api, store):
            each.cut()
        yield workspace, launch, [api, store]
    finally:
        for each in (api, store):
            each.close()


@pytest.mark.budget(120)
def test_an_api_server_and_a_datastore_that_are_away_cost_nothing(
    cut_off: tuple[Workspace, Launch, list[TcpProxy]],
) -> None:
    workspace, launch, proxies = cut_off
    launch.until(r"Waiting: The API server has not answered for \d+ s")
    launch.until(r"Waiting: Cannot reach bucket .*: the connection is cut off")
    for each in proxies:
        each.mend()
    result = launch.wait()
    assert result.returncode == 0, result.all
    assert len(workspace.read(FLOW, result).task("waits").attempts) == 1, "no attempt is lost by it"
