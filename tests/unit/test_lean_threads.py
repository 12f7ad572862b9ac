"""Threads as a pod has them do what those of the standard library do: each case is held by both."""

import functools
import threading
import time
import types
from collections.abc import Callable
from typing import Any

import pytest

from headway.lean import functools as lean_functools
from headway.lean import threading as lean_threading
from headway.lean import types as lean_types

#: Seconds that no wait here comes near, unless something is wrong.
LONG = 20.0

both = pytest.mark.parametrize("module", [threading, lean_threading], ids=["threading", "lean"])


def started(module: Any, target: Callable[[], object]) -> Any:
    thread = module.Thread(target=target, name="case", daemon=True)
    thread.start()
    return thread


@both
def test_a_thread_runs_and_is_waited_for(module: Any) -> None:
    begin, done = module.Event(), []
    thread = started(module, lambda: (begin.wait(LONG), done.append(threading.get_ident())))
    thread.join(0.05)
    assert not done, "the wait for it was over before it was"
    begin.set()
    thread.join(LONG)
    assert len(done) == 1
    assert done != [threading.get_ident()]
    thread.join()  # as often as one likes
    thread.join(-1.0)


@both
def test_a_thread_that_fails_has_ended(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Any] = []
    monkeypatch.setattr("sys.unraisablehook", lambda said: heard.append(said.exc_value))
    monkeypatch.setattr(threading, "excepthook", lambda said: heard.append(said.exc_value))
    thread = started(module, lambda: 1 / 0)
    thread.join(LONG)
    until = time.monotonic() + LONG
    while not heard and time.monotonic() < until:
        time.sleep(0.01)  # it is told of after it has ended
    assert [type(error) for error in heard] == [ZeroDivisionError]


def test_a_lean_thread_keeps_no_process_alive() -> None:
    with pytest.raises(ValueError, match="daemon"):
        lean_threading.Thread(target=print, daemon=False)


@both
def test_an_event_is_waited_for(module: Any) -> None:
    event = module.Event()
    assert not event.is_set()
    begun = time.monotonic()
    assert event.wait(0.05) is False
    assert time.monotonic() - begun >= 0.05
    assert event.wait(0) is False
    assert event.wait(-1.0) is False
    heard: list[bool] = []
    threads = [started(module, lambda: heard.append(event.wait(LONG))) for _ in range(3)]
    event.set()
    for thread in threads:
        thread.join(LONG)
    assert heard == [True, True, True]
    assert event.is_set()
    assert event.wait() is True


@both
@pytest.mark.parametrize("times", [1, 2])
def test_who_waits_gives_the_lock_away_and_has_it_again(module: Any, times: int) -> None:
    """All of it, however often it was taken."""
    change, said = module.Condition(), []

    def tell() -> None:
        with change:
            said.append("told")
            change.notify()
            said.append("still held")

    for _ in range(times):
        change.acquire()
    thread = started(module, tell)
    assert said == []
    assert change.wait(LONG) is True
    assert said == ["told", "still held"]
    for _ in range(times):
        change.release()
    thread.join(LONG)
    with pytest.raises(RuntimeError, match=r"un-?acquired"):
        change.release()


@both
def test_so_many_are_told_as_are_meant(module: Any) -> None:
    change, waiting, told = module.Condition(), [], []

    def wait(name: int) -> None:
        with change:
            waiting.append(name)
            if change.wait(LONG):
                told.append(name)
                change.notify()

    threads = []
    for name in range(4):
        threads.append(started(module, functools.partial(wait, name)))
        until = time.monotonic() + LONG
        while len(waiting) <= name and time.monotonic() < until:
            time.sleep(0.001)
    with change:
        change.notify()  # each tells the next one
    for thread in threads:
        thread.join(LONG)
    assert told == [0, 1, 2, 3], "who has waited longest is told first"
    with change:
        change.notify(3)
        change.notify_all()  # nobody waits, which is no trouble
        assert change.wait(0.01) is False, "who was told before it waited was not told"


@both
def test_all_are_told(module: Any) -> None:
    change, open_now = module.Condition(), []
    through: list[int] = []

    def pass_through() -> None:
        with change:
            assert change.wait_for(lambda: open_now, LONG)
            through.append(1)

    threads = [started(module, pass_through) for _ in range(5)]
    with change:
        open_now.append(True)
        change.notify_all()
    for thread in threads:
        thread.join(LONG)
    assert len(through) == 5


@both
def test_what_is_waited_for_in_vain_is_false(module: Any) -> None:
    change = module.Condition()
    with change:
        assert not change.wait_for(lambda: False, 0.02)
        assert change.wait_for(lambda: "at once", 0.0) == "at once"
        assert change.wait(0.0) is False
        assert change.wait(-1.0) is False


@both
def test_nobody_waits_without_the_lock(module: Any) -> None:
    with pytest.raises(RuntimeError, match=r"un-?acquired"):
        module.Condition().wait(0.0)


def test_a_function_takes_over_what_wraps_would_give_it() -> None:
    def original(value: int, *, other: str = "x") -> str:
        """Says something."""
        return other * value

    original.mark = "kept"  # type: ignore[attr-defined]

    def stands_in(*args: Any, **kwargs: Any) -> Any:
        return original(*args, **kwargs)

    def another(*args: Any, **kwargs: Any) -> Any:
        return original(*args, **kwargs)

    theirs, ours = functools.wraps(original)(stands_in), lean_functools.wraps(original)(another)
    assert vars(ours) == vars(theirs)
    for name in functools.WRAPPER_ASSIGNMENTS:
        assert getattr(ours, name, None) == getattr(theirs, name, None)
    assert ours.__wrapped__ is original
    assert ours(2, other="y") == "yy"
    bare = lean_functools.wraps(functools.partial(print))(lambda: None)
    assert bare.__name__ == "<lambda>", "what it does not have is left"


def test_results_are_kept() -> None:
    calls: list[int] = []

    @lean_functools.lru_cache(maxsize=2)
    def double(value: int) -> int:
        calls.append(value)
        return 2 * value

    assert [double(value) for value in (1, 1, 2, 3, 3, 1)] == [2, 2, 4, 6, 6, 2]
    assert calls == [1, 2, 3, 1], "the oldest one is forgotten"
    assert double.__name__ == "double"
    assert lean_functools.partial is functools.partial


def test_types_are_those_of_the_interpreter() -> None:
    for name in lean_types.__all__:
        assert getattr(lean_types, name) is getattr(types, name)
