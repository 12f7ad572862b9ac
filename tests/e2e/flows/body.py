import os

from headway import FlowSpec, current, kubernetes, retry, step


class BodyFlow(FlowSpec):
    """A foreach whose body has three steps in few pods: two that share them, and one with pods of its own."""

    @step
    def start(self):
        self.items = list(range(40))
        self.next(self.double, foreach="items")

    @kubernetes(pods=4)
    @step
    def double(self):
        self.doubled = 2 * self.input
        self.next(self.add)

    @retry(times=1, minutes_between_retries=0)
    @kubernetes(pods=4)
    @step
    def add(self):
        if self.input % 13 == 0 and current.retry_count == 0:
            raise ValueError(f"bad luck of {self.input}")
        self.added = self.doubled + self.input
        self.next(self.check)

    @kubernetes(pods=4, memory=300)
    @step
    def check(self):
        assert self.added == 3 * self.input
        print("item", self.input, "is", self.added, "in", os.getpid())
        self.next(self.join)

    @step
    def join(self, inputs):
        self.items = [each.added for each in inputs]
        self.next(self.end)

    @step
    def end(self):
        print("items", self.items)


if __name__ == "__main__":
    BodyFlow()
