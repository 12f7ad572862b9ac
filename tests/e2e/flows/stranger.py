import getpass
import os
import tempfile
from pathlib import Path

from headway import FlowSpec, step


class StrangerFlow(FlowSpec):
    """A user whom the image does not know, and files that cannot be written: what a step still can do."""

    @step
    def start(self):
        self.ids = (os.getuid(), os.getgid())
        self.called = getpass.getuser()
        cache = Path.home() / ".cache" / "tool"
        cache.mkdir(parents=True)
        (cache / "kept").write_text("x")
        Path("beside_the_code").write_text("x")
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"x")
        self.root_is_writable = os.access("/usr", os.W_OK)
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    StrangerFlow()
