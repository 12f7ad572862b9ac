import time

from headway import FlowSpec, current, kubernetes, step


class HalfWayFlow(FlowSpec):
    """A packed foreach with one task that takes long in its first attempt, so that its pod can be killed."""

    @step
    def start(self):
        self.items = list(range(6))
        self.next(self.work, foreach="items")

    @kubernetes(pods=1)
    @step
    def work(self):
        if self.input == 1 and current.retry_count == 0:
            print("takes long", flush=True)
            time.sleep(600)
        self.item, self.attempt = self.input, current.retry_count
        self.next(self.join)

    @step
    def join(self, inputs):
        self.items = sorted(each.item for each in inputs)
        self.next(self.end)

    @step
    def end(self):
        print("items", self.items)


if __name__ == "__main__":
    HalfWayFlow()
