from headway import FlowSpec, step


class BranchFlow(FlowSpec):
    """Two branches and a join that reads them by name, by position and all together."""

    @step
    def start(self):
        self.base = 10
        self.next(self.left, self.right)

    @step
    def left(self):
        self.side = "left"
        self.from_left = self.base + 1
        self.next(self.join)

    @step
    def right(self):
        self.side = "right"
        self.from_right = self.base + 2
        self.next(self.join)

    @step
    def join(self, inputs):
        self.by_name = [inputs.left.from_left, inputs.right.from_right]
        self.by_position = [inputs[0].side, inputs[1].side]
        self.all = [task.side for task in inputs]
        self.merge_artifacts(inputs, exclude=["side"])
        self.next(self.end)

    @step
    def end(self):
        self.sum = self.from_left + self.from_right + self.base


if __name__ == "__main__":
    BranchFlow()
