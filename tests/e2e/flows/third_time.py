from headway import FlowSpec, current, retry, step


class ThirdTimeFlow(FlowSpec):
    """A step that fails twice and succeeds at the third attempt."""

    @retry(times=2, minutes_between_retries=0)
    @step
    def start(self):
        print(f"attempt {current.retry_count}")
        if current.retry_count < 2:
            self.unlucky = current.retry_count
            raise RuntimeError(f"attempt {current.retry_count} is not lucky")
        self.lucky = current.retry_count
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    ThirdTimeFlow()
