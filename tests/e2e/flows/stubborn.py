import signal
import time

from headway import FlowSpec, step


class StubbornFlow(FlowSpec):
    """A step that does not listen to SIGTERM."""

    @step
    def start(self):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("not listening", flush=True)
        time.sleep(600)
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    StubbornFlow()
