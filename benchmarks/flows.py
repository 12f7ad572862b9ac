"""The flow files of the benchmarks: the same text runs on Headway and on Metaflow."""

LINEAR = """
from {module} import FlowSpec, step


class LinearFlow(FlowSpec):
    @step
    def start(self):
        self.x = 1
        self.next(self.a)

    @step
    def a(self):
        self.x += 1
        self.next(self.b)

    @step
    def b(self):
        self.x += 1
        self.next(self.end)

    @step
    def end(self):
        assert self.x == 3


if __name__ == "__main__":
    LinearFlow()
"""

FOREACH = """
from {module} import FlowSpec, Parameter, step


class ForeachFlow(FlowSpec):
    width = Parameter("width", default=20)

    @step
    def start(self):
        self.items = list(range(self.width))
        self.next(self.work, foreach="items")

    @step
    def work(self):
        self.y = self.input * 2
        self.next(self.join)

    @step
    def join(self, inputs):
        self.total = sum(each.y for each in inputs)
        self.next(self.end)

    @step
    def end(self):
        assert self.total == self.width * (self.width - 1)


if __name__ == "__main__":
    ForeachFlow()
"""
