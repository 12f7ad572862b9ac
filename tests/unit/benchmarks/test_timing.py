"""What a process took is its own: not what the benchmark that started it holds."""

import sys
from pathlib import Path

import pytest
from timing import BenchmarkError, process


def test_memory_is_not_that_of_who_measures(tmp_path: Path) -> None:
    held = b"x" * 150_000_000
    small = process([sys.executable, "-I", "-S", "-c", "pass"], tmp_path, {}, 60.0)
    large = process([sys.executable, "-I", "-S", "-c", "b'x' * 60_000_000"], tmp_path, {}, 60.0)
    assert small.peak < 40_000_000 < 60_000_000 < large.peak < len(held)
    assert small.cpu > 0


def test_what_it_prints_is_kept_and_a_failure_is_told(tmp_path: Path) -> None:
    assert process([sys.executable, "-c", "print('said')"], tmp_path, {}, 60.0).stdout == "said\n"
    with pytest.raises(BenchmarkError, match=r"exit code 3.*\n.*why"):
        process([sys.executable, "-c", "import sys; print('why'); sys.exit(3)"], tmp_path, {}, 60.0)


def test_what_takes_too_long_is_told_to_stop(tmp_path: Path) -> None:
    waits = "import signal, sys; signal.signal(signal.SIGINT, lambda *_: sys.exit(4)); signal.pause()"
    with pytest.raises(BenchmarkError, match=r"stopped after 0 s"):
        process([sys.executable, "-S", "-c", waits], tmp_path, {}, 0.4)
