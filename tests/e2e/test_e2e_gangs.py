"""Gangs: pods that find each other, that begin together or not at all, and that end together."""

import json
import time
from collections.abc import Iterator

import pytest
from harness.kubectl import Kubectl, Object, eventually
from harness.launch import Launch
from harness.stage import Stage
from harness.workspace import Workspace, Workspaces

Started = tuple[Workspace, Launch]


@pytest.fixture(scope="module")
def reduced(workspaces: Workspaces) -> Started:
    space = workspaces()
    return space, space.start("all_reduce.py", "run", "--with", "kubernetes")


def rank_cpu(kubectl: Kubectl) -> str:
    """So much CPU that the node takes three pods, and not four."""
    sizes = [
        cpus(node["status"]["allocatable"]["cpu"])
        for node in kubectl.objects("nodes")
        if not node["spec"].get("taints")
    ]
    return f"{max(sizes) * 0.27:.2f}"


def cpus(quantity: str) -> float:
    return float(quantity[:-1]) / 1000 if quantity.endswith("m") else float(quantity)


def test_ranks_sum_over_the_network_once_all_are_tried_again(reduced: Started) -> None:
    space, launch = reduced
    result = launch.wait()
    assert result.returncode == 0, result.all
    run = space.read("AllReduceFlow", result)
    join = run.task("join").data
    assert join["totals"] == [[3, 111]] * 3
    assert join["ranks"] == [0, 1, 2]
    control, *workers = sorted(run.steps["train"], key=lambda task: len(task.id))
    assert [task.id for task in workers] == [f"{control.id}-worker-0", f"{control.id}-worker-1"]
    assert control.metadata["internal_task_type"] == "control_task"
    assert {task.metadata["parallel-world-size"] for task in run.steps["train"]} == {"3"}
    assert workers[1].data["read"] == {
        "RANK": "2", "WORLD_SIZE": "3", "MASTER_PORT": "29500", "MF_WORLD_SIZE": "3",
    }  # fmt: skip
    assert all("attempt 1" in task.stdout for task in run.steps["train"])
    assert run.task("end").data["told"][2] == 0, "rank 0 speaks for a gang that is one task"


def test_the_rank_that_failed_is_named_and_no_other_is_left_waiting(reduced: Started) -> None:
    space, launch = reduced
    result = launch.wait()
    assert "[train/2-worker-0] Task failed: ValueError: rank 1 is no good" in result.stderr
    assert "[train/2-worker-0] The first of 3 ranks to fail; all are tried again now" in result.stderr
    # A rank that had not begun by then is stopped without a word.
    assert 1 <= result.stdout.count("Task was stopped.") <= 2
    for rank in ("2", "2-worker-0", "2-worker-1"):
        assert "Task is starting (attempt 2)." in result.about(f"train/{rank}")
    ranks = space.read("AllReduceFlow", result).steps["train"]
    for task in ranks:
        assert [attempt.successful for attempt in task.attempts] == [False, True]
    (guilty,) = [task for task in ranks if task.id == "2-worker-0"]
    assert guilty.attempts[0].data["rank"] == 1


def test_a_gang_is_a_job_with_names_for_its_pods(reduced: Started) -> None:
    space, launch = reduced
    launch.wait()
    gangs = {
        job["metadata"]["name"]: job
        for job in space.jobs()
        if job["metadata"]["labels"]["metaflow/step_name"] in ("train", "single")
    }
    assert sorted(job["spec"]["parallelism"] for job in gangs.values()) == [2, 3, 3]
    services = space.kubectl.objects("services", space.selector)
    assert {service["metadata"]["name"] for service in services} == set(gangs)
    for service in services:
        (owner,) = service["metadata"]["ownerReferences"]
        assert owner["uid"] == gangs[service["metadata"]["name"]]["metadata"]["uid"]


TOO_LARGE = """\
from headway import FlowSpec, kubernetes, parallel, step


class TooLargeFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.train, num_parallel=3)

    @parallel
    @kubernetes(gpu=1, {chosen})
    @step
    def train(self):
        self.next(self.join)

    @step
    def join(self, inputs):
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    TooLargeFlow()
"""


def test_a_gang_that_the_nodes_could_never_hold_is_given_up(workspace: Workspace, kubectl: Kubectl) -> None:
    """The node has two GPUs, so two ranks of three are placed, and hold it."""
    stage = Stage(kubectl)
    try:
        chosen = ", ".join(f"{key}={value!r}" for key, value in stage.chosen.items())
        # Nobody is there to end its pods: with a grace they would stay for ever.
        env = {"UNSCHEDULABLE_TIMEOUT": "9", "TERMINATION_GRACE_PERIOD_SECONDS": "0"}
        env = {f"HEADWAY_KUBERNETES_{name}": value for name, value in env.items()}
        launch = workspace.start(TOO_LARGE.replace("{chosen}", chosen), "run", env=env)
        launch.until(r"Waiting: all 3 ranks of a gang have to run at a time, .* nodes could hold 2 of them")
        launch.until(r"cannot start: all 3 ranks of a gang")
        result = launch.wait()
        assert result.returncode == 1, result.all
        first = next(
            attempt
            for task in workspace.read("TooLargeFlow", result).steps["train"]
            for attempt in task.attempts
            if attempt.reason == "GangTooLarge"
        )
        assert first.kind == "configuration"
    finally:
        stage.close()


def test_two_gangs_that_fit_only_one_at_a_time_both_finish(workspace: Workspace, kubectl: Kubectl) -> None:
    cpu = {"RANK_CPU": rank_cpu(kubectl)}
    result = workspace.run_flow("crowding.py", "run", "--with", "kubernetes:cpu=0.02", env=cpu)
    assert result.returncode == 0, result.all
    first, second = workspace.read("CrowdingFlow", result).task("join").data["spans"]
    assert second[0] >= first[1], "there was no room for both"


@pytest.fixture
def seat(kubectl: Kubectl, session_name: str) -> Iterator[str]:
    """A resource of which the node has two."""
    name = f"example.com/{session_name}-seat"
    node = ("patch", "node", "node1", "--subresource=status", "--type=json", "--patch")
    path = "/status/capacity/" + name.replace("/", "~1")
    kubectl.run(*node, json.dumps([{"op": "add", "path": path, "value": "2"}]))
    yield name
    kubectl.run(*node, json.dumps([{"op": "remove", "path": path}]))


def held_back(space: Workspace) -> list[Object]:
    """The ranks that wait for their turn with the scheduler, in order."""
    found = [pod for pod in space.pods() if pod["spec"].get("schedulingGates")]
    return sorted(found, key=lambda pod: pod["metadata"]["name"])


def let_go(space: Workspace, pod: Object) -> None:
    patch = json.dumps([{"op": "remove", "path": "/spec/schedulingGates"}])
    space.kubectl.run("patch", "pod", pod["metadata"]["name"], "--type=json", "--patch", patch)


def seated(space: Workspace) -> int:
    return sum(bool(pod["spec"].get("nodeName")) for pod in space.pods())


@pytest.mark.budget(150)
def test_gangs_of_two_launchers_that_hold_each_others_seats_both_finish(
    workspaces: Workspaces, seat: str
) -> None:
    """One rank of each is on the node, and the others find no room there: neither would ever be whole."""
    spaces = workspaces(), workspaces()
    launches = []
    for space in spaces:
        launches.append(space.start("standing_off.py", "run", env={"SEAT": seat}))
        launches[-1].until(r"Run \d+ of \w+ starts")
    older, younger = launches
    ranks = [
        eventually(120, lambda space=space: len(held_back(space)) == 2 and held_back(space))
        for space in spaces
    ]
    for turn in range(2):
        for space, waiting in zip(spaces, ranks, strict=True):
            let_go(space, waiting[turn])
        if turn == 0:
            assert eventually(60, lambda: [seated(space) for space in spaces] == [1, 1])
    run = older.until(r"Run (\d+) of \w+ starts").group(1)
    younger.until(
        rf"\[train\] Waiting: 1 of 2 ranks have a node, there is none for the others, and a gang of the older run "
        rf"StandingOffFlow/{run} stands the same way \(.*\); all make room, and are tried again in \d+"
    )
    while any(launch.running for launch in launches):
        for space in spaces:
            for pod in held_back(space):
                let_go(space, pod)
        eventually(1, lambda: not any(launch.running for launch in launches))
    results = [launch.wait() for launch in launches]
    assert [result.returncode for result in results] == [0, 0], "\n\n".join(result.all for result in results)
    assert "make room" not in results[0].all, "the older one stays"
    read = [space.read("StandingOffFlow", result) for space, result in zip(spaces, results, strict=True)]
    first, second = (each.task("join").data["span"] for each in read)
    assert second[0] >= first[1], "there was no room for both"
    assert all(len(task.attempts) == 1 for each in read for task in each.steps["train"]), (
        "no attempt is spent"
    )


WAITING = """\
import time

from headway import FlowSpec, kubernetes, parallel, step


class WaitingFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.train, num_parallel=2)

    @parallel
    @kubernetes(cpu={cpu})
    @step
    def train(self):
        self.next(self.join)

    @step
    def join(self, inputs):
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    WaitingFlow()
"""


def test_a_rank_that_waits_for_the_others_ends_when_it_is_told_to(
    workspace: Workspace, kubectl: Kubectl
) -> None:
    cpu = float(rank_cpu(kubectl)) * 2.2
    launch = workspace.start(WAITING.replace("{cpu}", f"{cpu:.2f}"), "run")
    pod = launch.until(r"Running on Kubernetes pod: (\S+)").group(1)
    launch.until("Waiting: no node takes the pod")
    # Not in the moment in which its Python begins.
    assert not eventually(3, lambda: not launch.running)
    begun = time.monotonic()
    workspace.kubectl.run("delete", "pod", pod)
    assert time.monotonic() - begun < 20, "it has a grace of half a minute, and needs none"
    launch.until(rf"Task was lost: The pod {pod} was asked to stop \(SIGTERM\) before step train began")
    launch.until("not counted against @retry")
    launch.interrupt()
    assert launch.wait().returncode == 130
