"""What steps set, read and are told; what their inputs take."""

import os

from metaflow import FlowSpec, Parameter, current, step

NAMES = (
    "flow_name",
    "run_id",
    "step_name",
    "task_id",
    "retry_count",
    "origin_run_id",
    "pathspec",
    "username",
)


class Values(FlowSpec):
    alpha = Parameter("alpha", default=0.5)
    limit = 3

    @step
    def start(self):
        self.models = ["a" * 40, (3, 4), ""]
        self.common = 1
        self.known = {name: current.get(name, "else") is not None for name in NAMES}
        self.within = {name: name in current for name in (*NAMES, "task", "run", "nothing", "tempdir")}
        self.tempdir = current.tempdir
        self.next(self.train, foreach="models")

    @step
    def train(self):
        self.score = [self.index, len(str(self.input))]
        self.sizes = ["x"]
        self.next(self.fit, foreach="sizes")

    @step
    def fit(self):
        self.kind = self.input
        self.next(self.inner)

    @step
    def inner(self, inputs):
        self.merge_artifacts(inputs, exclude=["kind"])
        self.next(self.join)

    @step
    def join(self, inputs):
        for each in inputs:
            each.score = [*each.score, "cleaned"]
            each.extra = each.score[0] * 10
        self.seen = [[*each.score, each.extra] for each in inputs]
        del inputs[0].score
        self.again = inputs[0].score
        self.refused = []
        for name in ("alpha", "limit"):
            try:
                setattr(inputs[0], name, 9)
            except AttributeError:
                self.refused.append(name)
        self.merge_artifacts(inputs, include=["common"])
        self.kept = hasattr(self, "extra")
        self.next(self.end)

    @step
    def end(self):
        self.where = os.environ.get("NOTHING", "")


if __name__ == "__main__":
    Values()
