"""Steps in pods that leave early by another ``self.next``, and a run that comes after another of the same flow."""

from headway import FlowSpec, Run, current, kubernetes, step, trigger_on_finish

FEW = "few"


@trigger_on_finish(flow="LeavingFlow")
class LeavingFlow(FlowSpec):
    @kubernetes
    @step
    def start(self):
        self.few, self.all = [1, 2], [1, 2, 3]
        if "trigger" not in current:
            self.next(self.work, foreach="all")
            return
        self.before = Run(current.trigger.run.pathspec).data.total
        self.next(self.work, foreach=FEW)

    @kubernetes
    @step
    def work(self):
        self.kind = "even" if self.input % 2 == 0 else "odd"
        if self.input == 3:
            self.next(self.odd)
            return
        self.next({"even": self.even, "odd": self.odd}, condition="kind")

    @step
    def even(self):
        self.made = 10 * self.input
        self.next(self.made_it)

    @step
    def odd(self):
        self.made = self.input
        self.next(self.made_it)

    @step
    def made_it(self):
        self.next(self.join)

    @step
    def join(self, inputs):
        self.total = sum(each.made for each in inputs)
        self.before = getattr(inputs[0], "before", None)
        self.next(self.end)

    @step
    def end(self):
        print("total", self.total, "before", self.before)


if __name__ == "__main__":
    LeavingFlow()
