import os

from headway import FlowSpec, current, kubernetes, step


class InACloudFlow(FlowSpec):
    """Pods whose datastore is a cloud's; what of the environment tells of it is kept."""

    @step
    def start(self):
        self.items = [1, 2]
        self.next(self.work, foreach="items")

    @kubernetes
    @step
    def work(self):
        self.square = self.input**2
        self.large = os.urandom(17_000_000)
        print("in", current.pathspec)
        self.next(self.join)

    @kubernetes
    @step
    def join(self, inputs):
        self.squares = [found.square for found in inputs]
        self.sizes = [len(found.large) for found in inputs]
        self.given = sorted(
            name
            for name in os.environ
            if "AZURE" in name or name.startswith(("STORAGE_", "CLOUDSDK_", "HEADWAY_GOOGLE", "HEADWAY_GS_"))
        )
        self.next(self.end)

    @step
    def end(self):
        print("squares", self.squares, self.sizes)


if __name__ == "__main__":
    InACloudFlow()
