"""What the tests of commands share."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from flow_machine import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    yield machine
    # Whatever was killed last may be on its way.
    gone = machine.all_gone()
    for pid in machine.processes():
        os.kill(int(pid), signal.SIGKILL)
    assert gone, "processes were left behind"
