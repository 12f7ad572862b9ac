import sys

from headway import FlowSpec, Parameter, step


class LinearFlow(FlowSpec):
    """Three steps, one after the other."""

    factor = Parameter("factor", default=3)

    @step
    def start(self):
        self.numbers = list(range(5))
        print("out of start")
        print("err of start", file=sys.stderr)
        self.next(self.work)

    @step
    def work(self):
        self.total = sum(self.numbers) * self.factor
        print(f"total is {self.total}")
        self.next(self.end)

    @step
    def end(self):
        self.message = f"the total was {self.total}"


if __name__ == "__main__":
    LinearFlow()
