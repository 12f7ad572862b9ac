"""Branches, a loop, a fan-out with a switch in it, and a gang: who comes from whom."""

from metaflow import FlowSpec, Parameter, current, parallel, project, step
from metaflow.exception import MissingInMergeArtifactsException, UnhandledInMergeArtifactsException


@project(name="kin")
class Family(FlowSpec):
    home = Parameter("home", default=lambda _: f"{current.project_name} {current.branch_name}")

    @step
    def start(self):
        self.common = ["kept"]
        self.next(self.left, self.right)

    @step
    def left(self):
        self.side = "left"
        self.rounds = 0
        self.next(self.turn)

    @step
    def turn(self):
        self.rounds += 1
        self.more = "yes" if self.rounds < 3 else "no"
        self.next({"yes": self.turn, "no": self.turned}, condition="more")

    @step
    def turned(self):
        self.only_left = True
        self.next(self.join)

    @step
    def right(self):
        self.side = "right"
        self.items = ["x", "y"]
        self.next(self.each, foreach="items")

    @step
    def each(self):
        self.kind = self.input
        self.next({"x": self.is_x, "y": self.is_y}, condition="kind")

    @step
    def is_x(self):
        self.told = f"x at {self.index}"
        self.next(self.after)

    @step
    def is_y(self):
        self.told = f"y at {self.index}"
        self.next(self.after)

    @step
    def after(self):
        self.own = self.index
        self.next(self.collect)

    @step
    def collect(self, inputs):
        self.told = [each.told for each in inputs]
        self.stack = inputs[1].index, inputs[1].input
        self.merge_artifacts(inputs, exclude=["kind", "own"])
        self.next(self.many)

    @step
    def many(self):
        self.next(self.rank, num_parallel=2)

    @parallel
    @step
    def rank(self):
        self.place = current.parallel.node_index
        self.nodes = current.parallel.num_nodes
        self.next(self.ranks)

    @step
    def ranks(self, inputs):
        self.places = [[each.place, each.nodes] for each in inputs]
        self.merge_artifacts(inputs, include=["side", "common", "told", "stack"])
        self.next(self.join)

    @step
    def join(self, inputs):
        self.sides = [inputs.turned.side, inputs.ranks.side, len(list(inputs))]
        try:
            self.merge_artifacts(inputs)
        except UnhandledInMergeArtifactsException as error:
            self.unhandled = sorted(error.artifact_names)
        self.nothing_merged = not hasattr(self, "common")
        try:
            self.merge_artifacts(inputs, include=["common", "nowhere"])
        except MissingInMergeArtifactsException as error:
            self.missing = sorted(error.artifact_names)
        self.merge_artifacts(inputs, include=["common", "only_left"])
        self.next(self.end)

    @step
    def end(self):
        self.project = [current.project_name, current.branch_name, current.is_production]


if __name__ == "__main__":
    Family()
