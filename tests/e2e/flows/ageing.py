import time

from headway import FlowSpec, kubernetes, step


class AgeingFlow(FlowSpec):
    """A foreach in one pod, which takes longer than any one task may."""

    @step
    def start(self):
        self.items = list(range(6))
        self.next(self.work, foreach="items")

    @kubernetes(pods=1, active_deadline_seconds=7)
    @step
    def work(self):
        time.sleep(3)
        self.item = self.input
        self.next(self.join)

    @step
    def join(self, inputs):
        print("items", [each.item for each in inputs])
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    AgeingFlow()
