"""A signal that comes before a run hears signals itself ends the process as Ctrl-C does."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

#: The parameter is asked for its value when all is loaded and nothing has begun.
FLOW = """
import os, signal
from headway import FlowSpec, Parameter, step

# As at a terminal: under nohup, or in the background, these tests may have been started with some of them ignored.
signal.signal(signal.SIGTERM, signal.SIG_DFL)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)

class Struck(FlowSpec):
    when = Parameter("when", default=lambda context: os.kill(os.getpid(), {number}))

    @step
    def start(self):
        print("never")

if __name__ == "__main__":
    Struck()
"""


@pytest.mark.budget(6)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_it_is_an_interruption(number: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text(FLOW.format(number=int(number)))
    done = subprocess.run(
        [sys.executable, "flow.py", "run"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr.endswith("Interrupted.\n")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / ".headway").exists()
