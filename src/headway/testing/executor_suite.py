"""What every executor has to do: a suite to subclass, with fixtures that give the executor and its datastore."""

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from headway.errors import KeyNotFoundError
from headway.executors.base import Adoption, Broken, Ended, Executor, ExecutorEvent, Output, Started
from headway.runtime.commit import commit, lost
from headway.store import layout
from headway.store.base import ObjectStore
from headway.store.batch import Batch, Code, TaskSpec
from headway.store.records import FAILED, LOST, SUCCEEDED, USER, AttemptRef, Failure, Record

E = TypeVar("E", bound=ExecutorEvent)

FLOW, RUN = "SuiteFlow", "1"
#: Attempts at a time of the executor under test.
LIMIT = 2
#: Lines that the step ``prints`` prints on each stream.
LINES = 20

#: The suite's batches name these steps, and an attempt of each behaves like this method of the same name.
SUITE_FLOW = f"""
import signal
import sys
import time

from headway import FlowSpec, step


class {FLOW}(FlowSpec):
    @step
    def succeeds(self):
        self.made = "by succeeds"
        self.next(self.prints)

    @step
    def fails(self):
        raise ValueError("it fails")

    @step
    def prints(self):
        for number in range({LINES}):
            print("out", number)
            print("err", number, file=sys.stderr)
        print("unfinished", end="")
        self.next(self.succeeds)

    @step
    def waits(self):
        time.sleep(600)

    @step
    def deaf(self):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("cannot hear")
        time.sleep(600)


if __name__ == "__main__":
    {FLOW}()
"""

STEPS = ("succeeds", "fails", "prints", "waits", "deaf")

STOPPED = Failure(USER, "Cancelled", "Stopped by the suite.")

_batches = itertools.count(1)


def write_suite_flow(folder: Path) -> Code:
    """Write the suite's flow into a folder; how it is started from there."""
    (folder / "suite_flow.py").write_text(SUITE_FLOW)
    return Code("path", "suite_flow.py", ("__main__", FLOW), root=str(folder))


class Heard:
    """A sink that keeps what it hears.

    Args:
        patience: Seconds for which something is waited for before it counts as missing.

    Attributes:
        events: Everything, in order.
    """

    def __init__(self, patience: float = 120.0) -> None:
        self.events: list[ExecutorEvent] = []
        self._patience = patience
        self._changed = asyncio.Event()

    def __call__(self, event: ExecutorEvent) -> None:
        self.events.append(event)
        self._changed.set()

    def of(self, kind: type[E], ref: AttemptRef | None = None) -> list[E]:
        """The events of one kind, about one attempt if one is named."""
        return [
            event
            for event in self.events
            if isinstance(event, kind) and ref in (None, getattr(event, "ref", None))
        ]

    def lines(self, ref: AttemptRef, stream: str) -> list[str]:
        """What an attempt printed on a stream."""
        return [text for event in self.of(Output, ref) for name, _, text in event.lines if name == stream]

    async def until(self, condition: Callable[[], Any], what: str) -> None:
        """Wait until this holds; fails the test where it does not within the patience."""

        async def come_true() -> None:
            while not condition():
                self._changed.clear()
                await self._changed.wait()

        try:
            await asyncio.wait_for(come_true(), self._patience)
        except asyncio.TimeoutError:
            raise AssertionError(f"not heard: {what}; heard: {self.events}") from None

    async def end_of(self, *refs: AttemptRef) -> list[Record]:
        """Wait until each of these attempts has ended; their records."""
        await self.until(lambda: all(self.of(Ended, ref) for ref in refs), f"the ends of {refs}")
        assert not self.of(Broken), self.events
        return [self.of(Ended, ref)[0].record for ref in refs]


class ExecutorSuite:
    """The conformance suite of :class:`~headway.executors.base.Executor`.

    Subclass it (the name beginning with ``Test``) and define these fixtures:

    - ``store``: an empty datastore that the attempts reach too;
    - ``code``: how :data:`SUITE_FLOW` is started where attempts run (:func:`write_suite_flow`);
    - ``executor``: one that runs :data:`LIMIT` attempts at a time, made but not opened;
    - ``left_behind``: called after ``close``, gives the names of whatever still runs, for messages.

    An executor under which no real code runs arranges that its attempts behave like the flow's steps.

    Attributes:
        heeds_grace: Whether attempts are asked to stop before they are killed.
    """

    heeds_grace = True

    @pytest.fixture
    def left_behind(self) -> Callable[[], list[str]]:
        return list

    async def opened(self, executor: Executor, store: ObjectStore) -> Heard:
        """Open the executor for a run that has its parameters."""
        commit(store, FLOW, RUN, Record(AttemptRef("_parameters", "0", 0), SUCCEEDED))
        heard = Heard()
        await executor.open(heard)
        return heard

    def batch(self, code: Code, step: str, tasks: int = 1, grace: float = 30.0) -> Batch:
        """A batch of this step's attempts, of tasks that no other batch has."""
        number = next(_batches)
        names = [f"{number}{index:02d}" for index in range(tasks)]
        return Batch(
            flow=FLOW,
            run=RUN,
            step=step,
            name=f"{step}-{number}",
            code=code,
            tasks=tuple(TaskSpec(name, 0, index) for index, name in enumerate(names)),
            frames=(("prints", "0", 0, tasks, "items"),) if tasks > 1 else (),
            inputs=(AttemptRef("_parameters", "0", 0),),
            grace=grace,
        )

    async def test_a_success_has_its_transition_and_artifacts(
        self, executor: Executor, store: ObjectStore, code: Code
    ) -> None:
        heard = await self.opened(executor, store)
        batch = self.batch(code, "succeeds")
        await executor.start(batch)
        (record,) = await heard.end_of(*refs_of(batch))
        await executor.close()
        assert record.outcome == SUCCEEDED
        assert record.transition is not None
        assert record.transition.targets == ("prints",)
        assert record.artifacts["made"].type.endswith("str")

    async def test_a_failure_says_why(self, executor: Executor, store: ObjectStore, code: Code) -> None:
        heard = await self.opened(executor, store)
        batch = self.batch(code, "fails")
        await executor.start(batch)
        (record,) = await heard.end_of(*refs_of(batch))
        await executor.close()
        assert record.outcome == FAILED
        assert record.failure is not None
        assert record.failure.kind == USER
        assert "it fails" in record.failure.message

    async def test_the_record_is_in_place_when_the_end_is_told(
        self, executor: Executor, store: ObjectStore, code: Code
    ) -> None:
        heard = await self.opened(executor, store)
        batch = self.batch(code, "succeeds")
        (ref,) = refs_of(batch)
        in_place: list[bool] = []

        def look(event: ExecutorEvent) -> None:
            if isinstance(event, Ended):
                in_place.append(stored_record(store, event.ref) == event.record)
            heard(event)

        await executor.open(look)
        await executor.start(batch)
        await heard.end_of(ref)
        await executor.close()
        assert in_place == [True]

    async def test_every_attempt_of_a_batch_ends_once(
        self, executor: Executor, store: ObjectStore, code: Code
    ) -> None:
        heard = await self.opened(executor, store)
        batch = self.batch(code, "succeeds", tasks=5)
        await executor.start(batch)
        records = await heard.end_of(*refs_of(batch))
        await executor.close()
        assert [len(heard.of(Ended, ref)) for ref in refs_of(batch)] == [1] * 5
        assert [len(heard.of(Started, ref)) for ref in refs_of(batch)] == [1] * 5
        assert [record.frames[-1][2] for record in records] == list(range(5))

    async def test_start_then_lines_then_end(
        self, executor: Executor, store: ObjectStore, code: Code
    ) -> None:
        heard = await self.opened(executor, store)
        batch = self.batch(code, "prints")
        (ref,) = refs_of(batch)
        await executor.start(batch)
        (record,) = await heard.end_of(ref)
        await executor.close()
        assert heard.lines(ref, "stdout") == [f"out {number}" for number in range(LINES)] + ["unfinished"]
        assert heard.lines(ref, "stderr") == [f"err {number}" for number in range(LINES)]
        about = [event for event in heard.events if getattr(event, "ref", None) == ref]
        assert isinstance(about[0], Started)
        assert isinstance(about[-1], Ended)
        assert record.log_lines in ({}, {"stdout": LINES + 1, "stderr": LINES})

    async def test_no_more_than_the_limit_run_at_a_time(
        self, executor: Executor, store: ObjectStore, code: Code
    ) -> None:
        heard = await self.opened(executor, store)
        batches = [self.batch(code, "waits"), self.batch(code, "waits", tasks=LIMIT + 1)]
        refs = tuple(ref for batch in batches for ref in refs_of(batch))
        for batch in batches:
            await executor.start(batch)
        await heard.until(lambda: len(heard.of(Started)) >= LIMIT, "the first starts")
        await asyncio.sleep(0.5)
        assert len(heard.of(Started)) == LIMIT
        await executor.cancel(refs, STOPPED, now=True)
        await heard.end_of(*refs)
        await executor.close()

    async def test_cancel_ends_what_runs(self, executor: Executor, store: ObjectStore, code: Code) -> None:
        heard = await self.opened(executor, store)
        batch = self.batch(code, "waits")
        (ref,) = refs_of(batch)
        await executor.start(batch)
        await heard.until(lambda: heard.of(Started, ref), "its start")
        await executor.cancel((ref,), STOPPED)
        (record,) = await heard.end_of(ref)
        await executor.close()
        assert record.outcome != SUCCEEDED
        assert record.failure is not None
        assert stored_record(store, ref) == record

    async def test_cancel_with_grace_ends_what_does_not_listen_once_the_grace_is_over(
        self, executor: Executor, store: ObjectStore, code: Code
    ) -> None:
        heard = await self.opened(executor, store)
        batch = self.batch(code, "deaf", grace=1.0)
        (ref,) = refs_of(batch)
        await executor.start(batch)
        await heard.until(lambda: heard.lines(ref, "stdout"), "its first line")
        begun = asyncio.get_running_loop().time()
        await executor.cancel((ref,), STOPPED)
        (record,) = await heard.end_of(ref)
        took = asyncio.get_running_loop().time() - begun
        await executor.close()
        assert record.outcome != SUCCEEDED
        assert took >= 0.9 or not self.heeds_grace

    async def test_cancel_in_haste_ends_what_does_not_listen(
        self, executor: Executor, store: ObjectStore, code: Code
    ) -> None:
        heard = await self.opened(executor, store)
        batch = self.batch(code, "deaf", grace=3600.0)
        (ref,) = refs_of(batch)
        await executor.start(batch)
        await heard.until(lambda: heard.lines(ref, "stdout"), "its first line")
        await executor.cancel((ref,), STOPPED)
        await executor.cancel((ref,), STOPPED, now=True)
        (record,) = await heard.end_of(ref)
        await executor.close()
        assert record.outcome != SUCCEEDED
        assert len(heard.of(Ended, ref)) == 1

    async def test_cancel_ends_what_waits_for_its_turn(
        self, executor: Executor, store: ObjectStore, code: Code
    ) -> None:
        heard = await self.opened(executor, store)
        batch = self.batch(code, "waits", tasks=LIMIT + 2)
        refs = refs_of(batch)
        await executor.start(batch)
        await heard.until(lambda: len(heard.of(Started)) == LIMIT, "the first starts")
        waiting = tuple(ref for ref in refs if not heard.of(Started, ref))
        await executor.cancel(waiting, STOPPED)
        records = await heard.end_of(*waiting)
        assert [record.outcome for record in records] == [LOST] * 2
        assert [record.failure for record in records] == [STOPPED] * 2
        assert [stored_record(store, ref) for ref in waiting] == records
        await executor.cancel(refs, STOPPED, now=True)
        await heard.end_of(*refs)
        await executor.close()
        assert [len(heard.of(Ended, ref)) for ref in refs] == [1] * len(refs)
        assert not [ref for ref in waiting if heard.of(Started, ref)]

    async def test_what_is_unknown_or_over_cannot_be_cancelled(
        self, executor: Executor, store: ObjectStore, code: Code
    ) -> None:
        heard = await self.opened(executor, store)
        batch = self.batch(code, "succeeds")
        (ref,) = refs_of(batch)
        await executor.start(batch)
        (record,) = await heard.end_of(ref)
        await executor.cancel((ref, AttemptRef("succeeds", "no such task", 0)), STOPPED, now=True)
        await executor.close()
        assert stored_record(store, ref) == record
        assert len(heard.of(Ended)) == 1

    async def test_a_record_that_is_there_already_is_the_truth(
        self, executor: Executor, store: ObjectStore, code: Code
    ) -> None:
        heard = await self.opened(executor, store)
        batch = self.batch(code, "succeeds")
        (ref,) = refs_of(batch)
        given_up = commit(store, FLOW, RUN, lost(batch, batch.tasks[0], STOPPED, {}, 1.0))
        await executor.start(batch)
        (record,) = await heard.end_of(ref)
        await executor.close()
        assert record == given_up
        assert stored_record(store, ref) == given_up

    async def test_one_attempt_does_not_wait_for_another_of_its_batch(
        self, executor: Executor, store: ObjectStore, code: Code
    ) -> None:
        heard = await self.opened(executor, store)
        slow, quick = self.batch(code, "waits"), self.batch(code, "succeeds", tasks=3)
        await executor.start(slow)
        await executor.start(quick)
        await heard.end_of(*refs_of(quick))
        assert not heard.of(Ended, refs_of(slow)[0])
        await executor.cancel(refs_of(slow), STOPPED, now=True)
        await heard.end_of(*refs_of(slow))
        await executor.close()

    @pytest.mark.parametrize("now", [False, True])
    async def test_close_leaves_nothing(
        self,
        executor: Executor,
        store: ObjectStore,
        code: Code,
        left_behind: Callable[[], list[str]],
        now: bool,
    ) -> None:
        heard = await self.opened(executor, store)
        batch = self.batch(code, "waits", tasks=LIMIT + 1)
        await executor.start(batch)
        await heard.until(lambda: len(heard.of(Started)) == LIMIT, "the first starts")
        await executor.close(now=now)
        assert left_behind() == []

    async def test_what_another_launcher_left_ends_as_it_was_recorded_or_once_it_is_known(
        self, executor: Executor, store: ObjectStore, code: Code
    ) -> None:
        heard = await self.opened(executor, store)
        batch = self.batch(code, "succeeds", tasks=3)
        over, left, elsewhere = refs_of(batch)
        verdict = commit(store, FLOW, RUN, lost(batch, batch.tasks[0], STOPPED, {}, 1.0))
        commit(store, FLOW, RUN, Record(elsewhere, SUCCEEDED))
        await executor.adopt([Adoption(batch, frozenset({over, left}), frozenset({over}))])
        first, second = await heard.end_of(over, left)
        await executor.close()
        assert first == verdict
        assert second.outcome in (SUCCEEDED, LOST)
        assert second == stored_record(store, left)
        assert not heard.of(Ended, elsewhere), "its end was told to the other launcher"

    async def test_what_is_let_go_of_is_not_ended(
        self, executor: Executor, store: ObjectStore, code: Code
    ) -> None:
        heard = await self.opened(executor, store)
        batch = self.batch(code, "waits", tasks=LIMIT + 1)
        await executor.start(batch)
        await heard.until(lambda: len(heard.of(Started)) == LIMIT, "the first starts")
        await executor.let_go()
        assert not heard.of(Ended)
        assert not heard.of(Broken)
        assert [stored_record(store, ref) for ref in refs_of(batch)] == [None] * (LIMIT + 1)

    async def test_let_go_without_any_attempt(self, executor: Executor, store: ObjectStore) -> None:
        await self.opened(executor, store)
        await executor.let_go()

    async def test_close_without_any_attempt(self, executor: Executor, store: ObjectStore) -> None:
        await self.opened(executor, store)
        await executor.close()


def refs_of(batch: Batch) -> tuple[AttemptRef, ...]:
    """The attempts of a batch, by index."""
    return tuple(AttemptRef(batch.step, task.task, task.attempt) for task in batch.tasks)


def stored_record(store: ObjectStore, ref: AttemptRef) -> Record | None:
    """The record of an attempt in the datastore, None where there is none."""
    try:
        return Record.decode(store.get(layout.record(FLOW, RUN, *ref)))
    except KeyNotFoundError:
        return None
