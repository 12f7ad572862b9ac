import time

from headway import FlowSpec, Parameter, step


class SpreadingFlow(FlowSpec):
    """A foreach whose tasks take a while, for interrupting."""

    seconds = Parameter("seconds", default=1.0)

    @step
    def start(self):
        self.items = [1, 2, 3]
        self.next(self.work, foreach="items")

    @step
    def work(self):
        print(f"working on {self.input}", flush=True)
        time.sleep(self.seconds)
        self.square = self.input**2
        self.next(self.join)

    @step
    def join(self, inputs):
        self.squares = [task.square for task in inputs]
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    SpreadingFlow()
