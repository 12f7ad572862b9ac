import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from headway import FlowSpec, current, kubernetes, parallel, step

#: One sidecar that never ends, and one of Kubernetes' own kind, which is ended after the step, badly.
LASTING = {"image": "{{ image }}", "command": ["python", "-c", "import time; time.sleep(3600)"]}
SETTINGS = {
    "additional_pod_spec_args": {
        "containers": [{"name": "beside", **LASTING, "args": ["beside"]}],
        "initContainers": [{"name": "before", "restartPolicy": "Always", **LASTING}],
        # So that the step can see them.
        "shareProcessNamespace": True,
    },
    "termination_grace_period_seconds": 2,
}


def company():
    """How many sidecars there are, once they are all there."""
    for _ in range(600):
        seen = 0
        for process in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                seen += b"sleep(3600)" in process.read_bytes()
        if seen == 2:
            break
        time.sleep(0.1)
    return seen


def kill_sidecar():
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cmdline").read_bytes().endswith(b"\0beside\0"):
                os.kill(int(process.name), signal.SIGKILL)


class AccompaniedFlow(FlowSpec):
    """Pods with two sidecars, one of which never ends by itself; the last task of each step ends long after the others.

    In one split and in the rank that is done first, that sidecar has been killed by then.
    """

    @step
    def start(self):
        self.next(self.gang, self.fan)

    @step
    def gang(self):
        self.next(self.train, num_parallel=3)

    @kubernetes(**SETTINGS)
    @parallel
    @step
    def train(self):
        self.rank = current.parallel.node_index
        self.company = company()
        if self.rank == 0:
            kill_sidecar()
        # Longer than it takes to count a pod and to send a sidecar away.
        time.sleep(14 * (self.rank == 2))
        self.next(self.gather)

    @step
    def gather(self, inputs):
        self.ranks = [task.rank for task in inputs]
        self.next(self.join)

    @step
    def fan(self):
        self.items = [0, 9, 3]
        self.next(self.work, foreach="items")

    @kubernetes(**SETTINGS)
    @step
    def work(self):
        self.company = company()
        time.sleep(self.input)
        if self.input == 9:
            # It goes down badly, and with it goes the pod's good name.
            kill_sidecar()
        self.item = self.input
        self.next(self.collect)

    @step
    def collect(self, inputs):
        self.done = [task.item for task in inputs]
        self.next(self.join)

    @step
    def join(self, inputs):
        self.seen = [inputs.gather.ranks, inputs.collect.done]
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    AccompaniedFlow()
