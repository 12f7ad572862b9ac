import os
import time

from headway import FlowSpec, kubernetes, parallel, step

CPU = os.environ.get("RANK_CPU", "0.02")


class CrowdingFlow(FlowSpec):
    """Two gangs of two ranks each, of which the node takes only one at a time."""

    @step
    def start(self):
        self.next(self.left, self.right)

    @kubernetes(cpu=CPU, hostname_resolution_timeout=3)
    @parallel(num_nodes=2)
    @step
    def left(self):
        self.begun = time.time()
        time.sleep(2)
        self.ended = time.time()
        self.next(self.join)

    @kubernetes(cpu=CPU, hostname_resolution_timeout=3)
    @parallel(num_nodes=2)
    @step
    def right(self):
        self.begun = time.time()
        time.sleep(2)
        self.ended = time.time()
        self.next(self.join)

    @step
    def join(self, inputs):
        self.spans = sorted((each.begun, each.ended) for each in inputs)
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    CrowdingFlow()
