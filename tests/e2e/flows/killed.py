import time

from headway import FlowSpec, current, retry, step


class KilledFlow(FlowSpec):
    """A step that waits to be killed in its first attempt."""

    @retry(times=1, minutes_between_retries=0)
    @step
    def start(self):
        if current.retry_count == 0:
            print("waiting", flush=True)
            time.sleep(600)
        self.attempt = current.retry_count
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    KilledFlow()
