"""What must not be there twice: threads that do not come back after a fork, and what is open."""

import os
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from headway.runtime import forking
from headway.runtime.forking import descriptors, unforkable


def test_a_process_with_no_more_than_before_may_be_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forking.os, "listdir", lambda path: ["1"])
    assert unforkable(descriptors()) == ""


def test_where_nothing_can_be_asked_linux_alone_may_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_proc(path: str) -> list[str]:
        raise FileNotFoundError(path)

    monkeypatch.setattr(forking.os, "listdir", no_proc)
    assert (descriptors(), unforkable({})) == ({}, "")
    monkeypatch.setattr(forking.sys, "platform", "darwin")
    assert unforkable({}) == "forking is not safe on this system"


@pytest.mark.parametrize(
    ("functions", "count"),
    [
        ({"openblas_get_num_threads": 4, "openblas_get_parallel": 1}, 3),
        ({"scipy_openblas_get_num_threads64_": 8, "scipy_openblas_get_parallel64_": 1}, 7),
        ({"openblas_get_num_threads64_": 1, "openblas_get_parallel64_": 1}, 0),
        ({"openblas_get_num_threads": 4, "openblas_get_parallel": 2}, 0),
        ({"openblas_get_num_threads": 4, "openblas_get_parallel": 0}, 0),
        ({"openblas_get_num_threads": 4}, 0),
        ({}, 0),
    ],
)
def test_threads_that_an_openblas_has(functions: dict[str, int], count: int) -> None:
    library = SimpleNamespace(**{name: lambda answer=answer: answer for name, answer in functions.items()})
    assert forking._openblas_threads(library) == count


def test_no_library_of_this_process_brings_its_threads_back() -> None:
    assert forking.returning_threads() == 0
    assert any("libc" in path for path in forking._libraries())


@pytest.mark.parametrize(
    ("name", "flags", "shared"),
    [
        ("log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, False),
        ("log", os.O_RDWR | os.O_APPEND | os.O_CREAT, True),
        ("database", os.O_RDWR | os.O_CREAT, True),
        ("table", os.O_RDONLY | os.O_CREAT, True),
    ],
)
def test_files(tmp_path: Path, name: str, flags: int, shared: bool) -> None:
    before = descriptors()
    opened = os.open(tmp_path / name, flags)
    try:
        assert forking._opened(before) == (
            f"importing the flow opened the file {tmp_path / name}, which its tasks would share"
            if shared
            else ""
        )
        assert forking._opened(descriptors()) == ""
    finally:
        os.close(opened)


def test_what_takes_the_number_of_what_was_closed(tmp_path: Path) -> None:
    first = os.open(tmp_path, os.O_RDONLY)
    before = descriptors()
    os.close(first)
    with socket.socket() as second:
        assert second.fileno() == first
        assert (
            forking._opened(before) == "importing the flow opened a connection, which its tasks would share"
        )


def test_pipes_and_all_else() -> None:
    before = descriptors()
    ends = os.pipe()
    assert forking._opened(before) == "importing the flow opened a pipe, which its tasks would share"
    for end in ends:
        os.close(end)
    queue = os.memfd_create("jit")
    assert "the file /memfd:jit" in forking._opened(before)
    os.close(queue)


def test_devices() -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    try:
        assert forking._shared(null, "/dev/null") == forking._shared(null, "/dev/pts/3") == ""
        assert forking._shared(null, "/dev/nvidiactl") == "the device /dev/nvidiactl"
    finally:
        os.close(null)
    assert forking._shared(null, "/dev/nvidiactl") == "", "closed since"


def test_what_waits_to_be_collected_is_not_shared() -> None:
    before = descriptors()
    knot = SimpleNamespace(pipe=_Pipe())
    knot.itself = knot
    del knot
    assert forking._opened(before) == ""


class _Pipe:
    def __init__(self) -> None:
        self._ends = os.pipe()

    def __del__(self) -> None:
        for end in self._ends:
            os.close(end)
