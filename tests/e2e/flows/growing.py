from headway import FlowSpec, current, kubernetes, retry, step


class GrowingFlow(FlowSpec):
    """Needs more memory than it asks for, and is given it."""

    @retry(times=0, on_oom={"factor": 2, "max_memory": 300})
    @kubernetes(qos="Guaranteed", memory=100, cpu=0.3)
    @step
    def start(self):
        print(f"attempt {current.retry_count}", flush=True)
        if current.retry_count == 1:
            # As where one array alone is larger than all there is: Python says so, and the kernel kills nobody.
            bytearray(1 << 60)
        self.held = len(b"x" * 220_000_000)
        self.attempts = current.retry_count + 1
        self.next(self.end)

    @step
    def end(self):
        assert self.held == 220_000_000


if __name__ == "__main__":
    GrowingFlow()
