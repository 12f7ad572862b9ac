"""A function over many values, each in a process of its own."""

import os
import signal
import sys
from collections.abc import Iterator

import pytest

from headway import parallel_imap_unordered, parallel_map, profile
from headway.errors import UsageError
from headway.flow.many import MulticoreError


def test_results_come_in_the_order_of_the_values_and_from_other_processes() -> None:
    factor = 3
    results = parallel_map(lambda value: (value * factor, os.getpid()), range(5), max_parallel=2)
    assert [value for value, _ in results] == [0, 3, 6, 9, 12]
    assert len({pid for _, pid in results} | {os.getpid()}) == 6
    assert parallel_map(str, []) == []


def test_results_of_any_size() -> None:
    assert [len(each) for each in parallel_map(lambda size: b"x" * size, [3 << 20, 1, 2 << 20])] == [
        3 << 20,
        1,
        2 << 20,
    ]


def test_each_result_comes_when_it_is_there_and_values_are_taken_as_needed() -> None:
    taken: list[int] = []
    go, wait = os.pipe()

    def values() -> Iterator[int]:
        for number in range(4):
            taken.append(number)
            yield number

    def work(number: int) -> int:
        if number == 0:
            os.read(go, 1)
        return number

    results = parallel_imap_unordered(work, values(), max_parallel=2)
    assert taken == []
    assert [next(results) for _ in range(3)] == [1, 2, 3]
    os.write(wait, b"x")
    assert list(results) == [0]
    os.close(go)
    os.close(wait)


def test_whoever_stops_asking_leaves_no_process() -> None:
    never, writer = os.pipe()
    results = parallel_imap_unordered(lambda number: os.read(never, number), [0, 1, 1], max_parallel=3)
    assert next(results) == b""
    results.close()  # type: ignore[attr-defined]  # a generator, as the other tests do not know
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
    os.close(never)
    os.close(writer)


def broken(value: int) -> int:
    raise ValueError(f"no {value}")


class Odd(Exception):
    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def odd(_: int) -> int:
    raise Odd(1, 2)


def test_what_the_function_raises_is_the_cause(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(MulticoreError, match="The call for value 0 raised ValueError: no 7") as caught:
        parallel_map(broken, [7, 8], max_parallel=1)
    assert isinstance(caught.value.__cause__, ValueError)
    assert "in broken" in capfd.readouterr().err, "the traceback is printed where it is known"
    with pytest.raises(MulticoreError, match="raised Odd: 1 and 2") as caught:
        parallel_map(odd, [1])
    assert caught.value.__cause__ is None, "it cannot be pickled"


def test_a_process_that_dies_or_has_what_cannot_travel(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(MulticoreError, match="value 0 ended with signal 9"):
        parallel_map(lambda _: os.kill(os.getpid(), signal.SIGKILL), [1])
    with pytest.raises(MulticoreError, match="ended with exit code 3"):
        parallel_map(lambda _: os._exit(3), [1])
    with pytest.raises(MulticoreError, match="value 0 raised"):
        parallel_map(lambda _: lambda: 0, [1])
    with pytest.raises(MulticoreError, match="raised SystemExit: 4"):
        parallel_map(lambda _: sys.exit(4), [1])
    capfd.readouterr()


def test_at_least_one_at_a_time() -> None:
    with pytest.raises(UsageError, match="max_parallel=0"):
        parallel_map(str, [1], max_parallel=0)


def test_profile_prints_or_adds_up(capsys: pytest.CaptureFixture[str]) -> None:
    with profile("loading"):
        pass
    assert capsys.readouterr().out == "PROFILE: loading starting\nPROFILE: loading completed in 0ms\n"
    stats = {"loading": 5}
    with profile("loading", stats_dict=stats), profile("else", stats):
        pass
    assert stats == {"loading": 5, "else": 0}
    assert capsys.readouterr().out == ""
