import time

from headway import FlowSpec, step


class TalkingFlow(FlowSpec):
    """A step that prints the time, twenty times."""

    @step
    def start(self):
        for _ in range(20):
            print(f"stamp {time.time():.6f}", flush=True)
            time.sleep(0.23)
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    TalkingFlow()
