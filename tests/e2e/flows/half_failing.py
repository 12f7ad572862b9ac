import time

from headway import FlowSpec, step


class HalfFailingFlow(FlowSpec):
    """A foreach of which one task fails while another would go on for long."""

    @step
    def start(self):
        self.items = [1, 2, 3]
        self.next(self.work, foreach="items")

    @step
    def work(self):
        self.which = self.input
        if self.input == 2:
            raise ValueError("2 is not welcome")
        if self.input == 3:
            time.sleep(600)
        self.next(self.join)

    @step
    def join(self, inputs):
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    HalfFailingFlow()
