"""Retries wait for their time, start together, and leave nothing behind once it has come."""

import asyncio
import gc

from headway.launch.retries import RETRY_WINDOW, Retries
from headway.schedule.events import RetriesDue
from headway.store.records import AttemptRef


class Heard:
    """Takes what is due."""

    def __init__(self) -> None:
        self.due: list[RetriesDue] = []

    def __call__(self, due: RetriesDue) -> None:
        self.due.append(due)


REFS = [AttemptRef("train", str(number), 1) for number in range(3)]


async def test_what_is_due_at_about_the_same_time_starts_together() -> None:
    heard = Heard()
    retries = Retries(heard)
    for ref, delay in zip(REFS, (1.0, 1.0 + RETRY_WINDOW / 2, 5.0), strict=True):
        retries.wait(ref, delay)
    await asyncio.sleep(2)
    assert heard.due == [RetriesDue(tuple(REFS[:2]))]
    await asyncio.sleep(4)
    assert heard.due[1:] == [RetriesDue((REFS[2],))]


async def test_what_is_forgotten_never_becomes_due() -> None:
    heard = Heard()
    retries = Retries(heard)
    retries.wait(REFS[0], 1.0)
    retries.forget()
    await asyncio.sleep(10)
    assert heard.due == []


async def test_a_wait_that_is_over_is_not_kept() -> None:
    heard = Heard()
    retries = Retries(heard)
    before = _timers()
    for _ in range(100):
        retries.wait(REFS[0], 0.0)
    await asyncio.sleep(1)
    assert len(heard.due) == 1
    assert _timers() <= before + 5
    retries.forget()


def _timers() -> int:
    """How many timers there are, whoever keeps them."""
    gc.collect()
    return sum(isinstance(each, asyncio.TimerHandle) for each in gc.get_objects())
