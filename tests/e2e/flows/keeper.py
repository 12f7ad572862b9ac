import os
import time

from headway import FlowSpec, secrets, step

INLINE = {"type": "inline", "id": "written", "options": {"env_vars": {"INLINE": "PLANTED_INLINE"}}}


class KeeperFlow(FlowSpec):
    """Steps that are given secrets and use them without telling anybody."""

    @secrets(sources=[INLINE])
    @step
    def start(self):
        names = ("AWS_SECRET_ACCESS_KEY", "NAMED", "REFERRED", "INLINE")
        self.lengths = [len(os.environ[name]) for name in names]
        print("ready", flush=True)
        time.sleep(3)
        self.next(self.end)

    @step
    def end(self):
        raise ValueError("a failure is told as well")


if __name__ == "__main__":
    KeeperFlow()
