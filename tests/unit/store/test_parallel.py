"""Calls side by side."""

from functools import partial
from threading import Barrier, Event, Thread, current_thread, get_ident

import pytest

from headway.store.parallel import run_parallel


def test_results_stand_in_the_order_of_the_calls() -> None:
    assert run_parallel([partial(pow, number, 2) for number in range(20)], 4) == [n * n for n in range(20)]


def test_calls_run_side_by_side() -> None:
    barrier = Barrier(3)
    run_parallel([partial(barrier.wait, 5)] * 3, 3)  # passes only if all three wait at once


def test_the_callers_thread_works_too() -> None:
    barrier = Barrier(2)

    def who() -> int:
        barrier.wait(5)
        return get_ident()

    assert get_ident() in run_parallel([who, who], 2)


@pytest.mark.parametrize("count", [0, 1])
def test_one_call_needs_no_thread(count: int) -> None:
    assert run_parallel([current_thread] * count, 4) == [current_thread()] * count


def test_the_first_failure_is_raised_and_no_call_begins_after_it() -> None:
    made: list[int] = []

    def call(number: int) -> None:
        made.append(number)
        if number == 2:
            raise KeyError(number)

    with pytest.raises(KeyError, match="2"):
        run_parallel([partial(call, number) for number in range(1000)], 1)
    assert made == [0, 1, 2]
    with pytest.raises(KeyError, match="2"):
        run_parallel([partial(call, number) for number in range(1000)], 2)
    assert len(made) < 1000


def test_an_interrupt_does_not_wait_for_the_others() -> None:
    release, started = Event(), Barrier(2)
    caller = get_ident()

    def call() -> None:
        started.wait(5)
        if get_ident() == caller:
            raise KeyboardInterrupt
        release.wait(5)

    with pytest.raises(KeyboardInterrupt):
        run_parallel([call, call], 2)
    assert not release.is_set()
    release.set()


def test_a_machine_that_allows_no_more_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Thread, "start", refuse)
    assert run_parallel([partial(pow, number, 2) for number in range(5)], 3) == [0, 1, 4, 9, 16]
