"""Which signals stop a run: those that somebody may send, and not the terminal's end where that is silenced."""

import asyncio
import signal
import threading
from collections.abc import Iterator

import pytest

from headway.launch.ending import interruptible

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped:
    """What a driver and a reporter are to signals."""

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.notes: list[str] = []

    def stop(self, reason: str) -> bool:
        self.reasons.append(reason)
        return len(self.reasons) == 1

    def note(self, message: str) -> None:
        self.notes.append(message)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """This process's own, given back afterwards."""
    before = {number: signal.getsignal(number) for number in NUMBERS}
    for number in NUMBERS:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


async def test_each_signal_is_heard_within_the_block_and_no_longer() -> None:
    stopped = Stopped()
    with interruptible(stopped, stopped):  # type: ignore[arg-type]
        assert not {signal.getsignal(number) for number in NUMBERS} & {signal.SIG_DFL, signal.SIG_IGN}
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL


async def test_a_run_under_nohup_outlives_its_terminal() -> None:
    """nohup silences the one signal before we start."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    stopped = Stopped()
    with interruptible(stopped, stopped):  # type: ignore[arg-type]
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


async def test_a_run_in_the_background_of_a_script_can_still_be_interrupted() -> None:
    """A shell without job control silences Ctrl-C for it; who sends the signal to it alone means it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stopped = Stopped()
    with interruptible(stopped, stopped):  # type: ignore[arg-type]
        assert signal.getsignal(signal.SIGINT) is not signal.SIG_IGN


async def test_the_programs_own_handlers_are_back_afterwards() -> None:
    own = {number: (lambda number, frame: None) for number in NUMBERS}
    for number, handler in own.items():
        signal.signal(number, handler)
    stopped = Stopped()
    with interruptible(stopped, stopped):  # type: ignore[arg-type]
        assert all(signal.getsignal(number) is not own[number] for number in NUMBERS)
    assert {number: signal.getsignal(number) for number in NUMBERS} == own


def test_in_another_thread_nothing_is_heard_and_nothing_fails() -> None:
    ended: list[str] = []

    async def run() -> None:
        stopped = Stopped()
        with interruptible(stopped, stopped):  # type: ignore[arg-type]
            ended.append("ran")

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    thread.join()
    assert ended == ["ran"]
