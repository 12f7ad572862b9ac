import time

from headway import FlowSpec, step, timeout


class TooSlowFlow(FlowSpec):
    """A step that goes on after its time is up."""

    @timeout(seconds=2)
    @step
    def start(self):
        self.before = "kept"
        print("begun", flush=True)
        time.sleep(600)
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    TooSlowFlow()
