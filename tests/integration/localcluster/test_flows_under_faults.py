"""What the person before the launcher reads when the cluster goes wrong, as `headway cluster fault` makes it do.

The cluster is found as a newcomer's is, in the state folder, and the data stay in the plain local folder.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.launch import Launch, Result
from localcluster_harness import Cluster

from headway.localcluster import Options, start, stop

FLOW = """
import time
from pathlib import Path

from headway import FlowSpec, Parameter, current, retry, step


class FaultyFlow(FlowSpec):
    go = Parameter("go")

    @retry(times=0)
    @step
    def start(self):
        print("working", flush=True)
        while not Path(self.go).exists():
            time.sleep(0.05)
        self.attempt = current.retry_count
        self.next(self.end)

    @step
    def end(self):
        print("attempt", self.attempt)


if __name__ == "__main__":
    FaultyFlow()
"""


class Desk:
    """Where a person sits: a folder, a cluster of two nodes with GPUs, a flow that goes on until it is told."""

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        self._folder = folder
        self._go = folder / "go"
        self._launches: list[Launch] = []
        self.cluster = cluster
        self.environ = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}",
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "XDG_STATE_HOME": str(cluster.handle.kubeconfig.parents[2]),
            "HEADWAY_USER": "ann",
            "HEADWAY_KUBERNETES_CPU": "0.1",
            "HEADWAY_KUBERNETES_MEMORY": "64",
            "HEADWAY_KUBERNETES_DISK": "50",
        }
        (folder / "flow.py").write_text(FLOW)

    def run(self, *options: str) -> Launch:
        """Start the flow; it waits in its step for `go`."""
        options = options or ("--with", "kubernetes")
        command = [sys.executable, "flow.py", "run", "--go", str(self._go), *options]
        self._launches.append(Launch(command, self._folder, self.environ))
        return self._launches[-1]

    def go(self, launch: Launch) -> Result:
        self._go.touch()
        return launch.wait()

    def fault(self, *words: str) -> None:
        done = Launch(["headway", "cluster", "fault", *words], self._folder, self.environ).wait()
        assert done.returncode == 0, done.all

    def pods(self, result: Result) -> list[str]:
        """The pods of a run's first step."""
        chosen = f"metaflow/run_id={result.run_id},metaflow/step_name=start"
        return self.cluster.kubectl("get", "pods", "-l", chosen, "-o", "name").split()

    def close(self) -> None:
        for launch in self._launches:
            launch.kill()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("state") / "headway" / "cluster"
    yield Cluster(start(Options(nodes=2, cpu="4", memory="8Gi", gpu=2, labels={"zone": "a"}), folder))
    stop(folder)


@pytest.fixture
def desk(tmp_path: Path, cluster: Cluster) -> Iterator[Desk]:
    desk = Desk(tmp_path, cluster)
    yield desk
    desk.close()
    desk.fault("clear")


def test_a_node_that_is_lost(desk: Desk) -> None:
    launch = desk.run()
    pod = launch.until(r"\[start/1\] Running on Kubernetes pod: (\S+)")[1]
    launch.until("working")
    node = desk.cluster.get("pod", pod)["spec"]["nodeName"]
    desk.fault("kill-node", node, "--after", "0.5")
    launch.until("tried again .*not counted against @retry")
    result = desk.go(launch)
    desk.fault("start-node", node)
    assert result.returncode == 0, result.all
    assert f"Task was lost: The pod {pod} was disrupted: its node is gone." in result.about("start/1")
    assert "attempt 1" in result.about("end/2")


def test_a_pod_that_is_preempted(desk: Desk) -> None:
    launch = desk.run()
    pod = launch.until(r"\[start/1\] Running on Kubernetes pod: (\S+)")[1]
    launch.until("working")
    desk.fault("preempt", pod)
    launch.until("tried again .*not counted against @retry")
    result = desk.go(launch)
    assert result.returncode == 0, result.all
    assert any("a pod of higher priority took its place" in line for line in result.about("start/1"))
    assert "attempt 1" in result.about("end/2")


def test_an_image_that_takes_its_time(desk: Desk) -> None:
    desk.fault("slow-pull", "--seconds", "2", "--count", "1")
    launch = desk.run()
    result = desk.go(launch)
    assert result.returncode == 0, result.all
    (starts,) = [line.seen for line in result.lines if " starts, for user" in line.text]
    (runs,) = [line.seen for line in result.lines if line.text == "[start/1] working"]
    # Both were read a little later than they were written.
    assert runs - starts >= 1.5, result.all


def test_an_image_that_cannot_be_pulled_at_first(desk: Desk) -> None:
    desk.fault("pull-failure", "python:*", "--count", "1", "--message", "the registry is at lunch")
    launch = desk.run()
    launch.until(r"\[start/1\] Waiting: the image python:\S+ cannot be pulled \(ErrImagePull.* is at lunch\)")
    result = desk.go(launch)
    assert result.returncode == 0, result.all
    assert "attempt 0" in result.about("end/2"), "it was waited for, not tried again"


def test_an_api_that_has_bad_moments(desk: Desk) -> None:
    desk.fault("api", "--status", "429", "--retry-after", "1", "--count", "1")
    desk.fault("api", "--status", "500", "--count", "2")
    desk.fault("api", "--status", "0", "--count", "2")
    desk.fault("api", "--status", "0", "--method", "POST", "--after", "--count", "2")
    result = desk.go(desk.run())
    assert result.returncode == 0, result.all
    assert "attempt 0" in result.about("end/2")
    assert len(desk.pods(result)) == 1


def test_watches_that_break_off(desk: Desk) -> None:
    launch = desk.run()
    launch.until("working")
    desk.fault("compact")
    desk.fault("drop-watches")
    result = desk.go(launch)
    assert result.returncode == 0, result.all
    assert "attempt 0" in result.about("end/2")


def test_declared_gpus_are_given_and_run_out(desk: Desk) -> None:
    many = desk.run("--with", "kubernetes:gpu=3,node_selector=zone=a")
    elsewhere = desk.run("--with", "kubernetes:gpu=2,node_selector=zone=b")
    fitting = desk.run("--with", "kubernetes:gpu=2,node_selector=zone=a")
    many.until("Waiting: no node takes the pod .* of 2 nodes 2 have too few free GPUs")
    elsewhere.until("Waiting: no node takes the pod .* of 2 nodes 2 have not the labels that node_selector")
    for launch in (many, elsewhere):
        launch.interrupt()
        assert launch.wait().returncode == 130
    result = desk.go(fitting)
    assert result.returncode == 0, result.all
