import time
from pathlib import Path

from headway import FlowSpec, catch, current, package_sources, parallel, step


@package_sources("elsewhere/forecast", suffixes=[".py", ".txt"])
class CaughtGangFlow(FlowSpec):
    """A gang that fails for good, with code and a file that the flow does not import where it is started."""

    @step
    def start(self):
        self.next(self.train, num_parallel=2)

    @catch(var="failed", print_exception=False)
    @parallel
    @step
    def train(self):
        import forecast

        print("forecast", forecast.VALUE, Path("forecast/notes.txt").exists())
        if current.parallel.node_index == 1:
            raise ValueError("no good")
        time.sleep(600)
        self.next(self.join)

    @step
    def join(self, inputs):
        for each in inputs:
            each.said = each.failed.exception
        self.seen = [(each.failed.type, each.said) for each in inputs]
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    CaughtGangFlow()
