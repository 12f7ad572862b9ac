import os

from headway import FlowSpec, kubernetes, step


class MixedFlow(FlowSpec):
    """A step in a pod between two on this machine."""

    @step
    def start(self):
        self.trail = [self.place()]
        self.next(self.train)

    @kubernetes
    @step
    def train(self):
        self.trail.append(self.place())
        self.next(self.end)

    @step
    def end(self):
        self.trail.append(self.place())
        print("back again")

    def place(self):
        return "pod" if "METAFLOW_KUBERNETES_WORKLOAD" in os.environ else "here"


if __name__ == "__main__":
    MixedFlow()
