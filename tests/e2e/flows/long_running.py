import time

from headway import FlowSpec, step


class LongRunningFlow(FlowSpec):
    """Much happens around it while its first step runs."""

    @step
    def start(self):
        print("ready", flush=True)
        time.sleep(24)
        self.next(self.end)

    @step
    def end(self):
        print("the end")


if __name__ == "__main__":
    LongRunningFlow()
