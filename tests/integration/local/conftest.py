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
    left = machine.processes()
    for pid in left:
        os.kill(int(pid), signal.SIGKILL)
    assert not left, "processes were left behind"
