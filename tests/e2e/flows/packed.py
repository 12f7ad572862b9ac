import os

from headway import FlowSpec, current, kubernetes, retry, step


class PackedFlow(FlowSpec):
    """A foreach in two pods, one in seven of whose tasks fails at first, and steps that share a pod."""

    @step
    def start(self):
        self.items = list(range(40))
        self.next(self.work, foreach="items")

    @retry(times=1, minutes_between_retries=0)
    @kubernetes(pods=2)
    @step
    def work(self):
        if self.input % 7 == 0 and current.retry_count == 0:
            self.unlucky = self.input
            raise ValueError(f"bad luck of {self.input}")
        print("item", self.input)
        self.item, self.tries, self.pid = self.input, current.retry_count + 1, os.getpid()
        self.next(self.join)

    @step
    def join(self, inputs):
        self.total = sum(each.item for each in inputs)
        self.tries = sum(each.tries for each in inputs)
        self.next(self.end)

    @step
    def end(self):
        print("total", self.total, "tries", self.tries)


if __name__ == "__main__":
    PackedFlow()
