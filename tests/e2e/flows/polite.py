import signal
import sys
import time

from headway import FlowSpec, current, step


class PoliteFlow(FlowSpec):
    """A step whose handler turns SIGTERM into a normal exit; only its second attempt ends by itself."""

    @step
    def start(self):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        if current.retry_count == 0:
            print("listening", flush=True)
            time.sleep(600)
        self.attempt = current.retry_count
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    PoliteFlow()
