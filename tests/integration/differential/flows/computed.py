"""Foreachs over what only the class has, each within the other, and functions as attributes."""

from metaflow import FlowSpec, Parameter, step


class Owner:
    def method(self):
        return 1


def first():
    return 1


def second():
    return 2


class Computed(FlowSpec):
    dry_run = Parameter("dry_run", default=False)
    override = Parameter("override", default="mine")
    _private = ("a", "b")

    @property
    def listed(self):
        return [5, 6]

    @property
    def yielded(self):
        yield from "xy"

    @step
    def start(self):
        class Local(Owner):
            pass

        self.inherited = "as it was"
        self.ends = lambda: 2
        self.bound = Local().method
        self.called = [self.ends(), self.bound()]
        self.builtin = self.called.count
        self.next(self.listing, foreach="listed")

    @step
    def listing(self):
        self.lambda_seen = hasattr(self, "ends") or hasattr(self, "bound")
        self.counts = self.builtin(1)
        self.inherited = lambda: 3
        self.next(self.private, foreach="_private")

    @step
    def private(self):
        self.outer = self.input
        self.next(self.most, foreach="yielded")

    @step
    def most(self):
        self.stack = self.foreach_stack()
        self.scorer = first if self.index else second
        self.next(self.yields)

    @step
    def yields(self, inputs):
        self.stacks = [each.stack for each in inputs]
        self.merge_artifacts(inputs, exclude=["stack"])
        self.conflict = hasattr(self, "scorer")
        self.items = [each.input for each in inputs] + [self.input]
        self.next(self.privates)

    @step
    def privates(self, inputs):
        self.stacks = [each.stacks for each in inputs]
        self.items = [each.items for each in inputs] + [each.input for each in inputs] + [self.input]
        self.next(self.listings)

    @step
    def listings(self, inputs):
        self.stacks = [each.stacks for each in inputs]
        self.items = [each.items for each in inputs] + [each.input for each in inputs] + [self.input]
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    Computed()
