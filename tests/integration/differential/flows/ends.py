"""Steps that end in ways of their own, in a run that fails and is resumed; what each error is called."""

import time

from metaflow import FlowSpec, Task, catch, current, parallel, step, timeout
from metaflow.exception import ExternalCommandFailed, MetaflowException


class Own(MetaflowException):
    pass


class Ends(FlowSpec):
    @step
    def start(self):
        self.ways = ["ours", "own", "other", "python"]
        self.deep = [{"of": "many"}, "x" * 40]
        self.nobody = [list(frame) for frame in self._foreach_stack]
        self.next(self.way, foreach="ways")

    @catch(var="failed", print_exception=False)
    @step
    def way(self):
        self.frames = [list(frame) for frame in self._foreach_stack]
        errors = [MetaflowException("one"), Own("two"), ExternalCommandFailed("three"), KeyError("four")]
        if current.origin_run_id is None:
            raise errors[self.index]
        self.next(self.ways_meet)

    @step
    def ways_meet(self, inputs):
        self.types = [each.failed.type for each in inputs]
        self.told = [each.failed.exception for each in inputs]
        self.inner = [each.frames for each in inputs]
        self.merge_artifacts(inputs, include=["deep"])
        self.next(self.deeper)

    @step
    def deeper(self):
        self.next(self.outer, foreach="deep")

    @step
    def outer(self):
        self.pair = (1, 2)
        self.next(self.inner_most, foreach="pair")

    @step
    def inner_most(self):
        self.nested = [list(frame) for frame in self._foreach_stack]
        self.next(self.inner_join)

    @step
    def inner_join(self, inputs):
        self.nested = [each.nested for each in inputs]
        self.next(self.outer_join)

    @step
    def outer_join(self, inputs):
        self.nested = [each.nested for each in inputs]
        self.next(self.slow)

    @catch(var="late", print_exception=False)
    @timeout(seconds=1)
    @step
    def slow(self):
        time.sleep(4)
        self.next(self.fast)

    @step
    def fast(self):
        self.next(self.gang, num_parallel=2)

    @parallel
    @step
    def gang(self):
        self.rank = current.parallel.node_index
        if self.rank == 1:
            return
        self.main = True
        self.next(self.gathered)

    @step
    def gathered(self, inputs):
        self.ranks = sorted(each.rank for each in inputs)
        self.mains = sum(hasattr(each, "main") for each in inputs)
        self.resumed = current.origin_run_id is not None
        run = Task(current.pathspec).parent.parent
        run.add_tag(["one", "two"])
        run.replace_tag(["one"], ["three", "four"])
        self.tags = sorted(set(run.user_tags))
        if not self.resumed:
            raise MetaflowException("to be resumed")
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    Ends()
