from headway import FlowSpec, kubernetes, step


class TooLargeFlow(FlowSpec):
    """A step that takes more memory than its limit; guaranteed CPU is a limit too, so there is some of it."""

    @kubernetes(qos="Guaranteed", memory=64, cpu=0.3)
    @step
    def start(self):
        print("begun", flush=True)
        hoard = []
        while len(hoard) < 1000:
            hoard.append(b"x" * 1_000_000)
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    TooLargeFlow()
