"""A foreach of short tasks, a local step between, and a sum that tells whether each was done once."""

import time

from headway import FlowSpec, current, kubernetes, step

BROKEN = False


class GoingOnFlow(FlowSpec):
    @kubernetes
    @step
    def start(self):
        self.items = list(range(5))
        self.next(self.here)

    @step
    def here(self):
        time.sleep(0.5)
        self.base = 100
        self.next(self.work, foreach="items")

    @kubernetes
    @step
    def work(self):
        print("begins", self.input, flush=True)
        time.sleep(2)
        if BROKEN and self.input == 3:
            time.sleep(3)  # until the others are done
            raise ValueError("broken")
        print("ends", self.input)
        self.made = self.base + self.input
        self.next(self.join)

    @kubernetes
    @step
    def join(self, inputs):
        self.total = sum(each.made for each in inputs)
        self.next(self.end)

    @step
    def end(self):
        print("total", self.total, "origin", current.origin_run_id)


if __name__ == "__main__":
    GoingOnFlow()
