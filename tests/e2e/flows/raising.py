import threading

from headway import FlowSpec, step


class RaisingFlow(FlowSpec):
    """A step that raises."""

    @step
    def start(self):
        self.before = "kept"
        self.lock = threading.Lock()
        print("about to raise")
        raise ValueError("the answer is 41")
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    RaisingFlow()
