import os
import time

from headway import FlowSpec, kubernetes, parallel, step


class StandingOffFlow(FlowSpec):
    """A gang of two whose ranks need one of two seats each, and are let to the scheduler one by one."""

    @step
    def start(self):
        self.next(self.train, num_parallel=2)

    @kubernetes(
        extended_resources={os.environ.get("SEAT", "example.com/seat"): 1},
        additional_pod_spec_args={"schedulingGates": [{"name": "example.com/turn"}]},
    )
    @parallel
    @step
    def train(self):
        self.begun = time.time()
        time.sleep(3)
        self.ended = time.time()
        self.next(self.join)

    @step
    def join(self, inputs):
        self.span = (min(each.begun for each in inputs), max(each.ended for each in inputs))
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    StandingOffFlow()
