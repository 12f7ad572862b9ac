import os

from headway import FlowSpec, current, kubernetes, step

SHARED = os.environ.get("SHARED", "/nowhere")
CLAIM = os.environ.get("CLAIM", "none")
claimed = kubernetes(persistent_volume_claims={CLAIM: SHARED})
mounted = kubernetes(
    volumes=[{"name": "shared", "hostPath": {"path": SHARED, "type": "Directory"}}],
    volume_mounts=[{"name": "shared", "mountPath": SHARED}],
)


class SharedFolderFlow(FlowSpec):
    """Pods whose datastore is a folder that all of them mount, as a folder of their nodes or by a claim."""

    @step
    def start(self):
        self.items = [1, 2, 3]
        self.next(self.work, foreach="items")

    @mounted
    @step
    def work(self):
        self.square = self.input**2
        self.large = b"x" * 3_000_000
        print("in", current.pathspec)
        self.next(self.join)

    @claimed
    @step
    def join(self, inputs):
        self.squares = [found.square for found in inputs]
        self.pods = sorted({os.environ["HEADWAY_DATASTORE"]})
        self.next(self.end)

    @step
    def end(self):
        print("squares", self.squares, "from", self.pods)


if __name__ == "__main__":
    SharedFolderFlow()
