"""Attach: a launcher that dies at any moment leaves a run that the next one brings to the same end."""

import asyncio
import contextlib
import random
from collections.abc import Sequence

import pytest
from driven_runs import BROKEN_CODE, FLOW, FOREACH, RUN, DrivenRun, Told, ref, to

from headway.errors import StoreError, UsageError
from headway.executors.base import Adoption
from headway.flow.graph import Graph, Node
from headway.launch.attach import ATTACHED, Launched, TakenOver, check_attachable, how_launched, take_over
from headway.launch.batches import BatchFactory, StepRun
from headway.launch.driver import Driver
from headway.launch.journal import Decision, Journal, read_journal
from headway.launch.lease import Holder, Lease, LeaseHeldError, LeaseLostError
from headway.launch.past import PastRun
from headway.launch.standing import NotTakenOverError, replay
from headway.runtime.commit import commit
from headway.runtime.state import PARAMETERS
from headway.schedule.events import AttemptSucceeded, RunStarted
from headway.schedule.instructions import RunEnded
from headway.schedule.plan import Plan, StepPolicy
from headway.store import layout
from headway.store.batch import Code
from headway.store.records import LOST, SUCCEEDED, USER, Failure, Record, Transition
from headway.store.run_records import RunEnd, RunRecord
from headway.testing.fake_executor import Act, FakeExecutor
from headway.testing.memory_store import MemoryStore

CODE = Code("path", "flow.py", ("__main__", FLOW))
POLICIES = {"work": StepPolicy({USER: 1}, 10.0)}
GRAPH = Graph(
    FLOW,
    [
        Node("start", "foreach", ("work",), foreach="items"),
        Node("work", "linear", ("join",)),
        Node("join", "join", ("end",), takes_inputs=True),
        Node("end", "end"),
    ],
    "start",
    "end",
)


def past_of(store: MemoryStore) -> PastRun:
    return PastRun(store, RunRecord(FLOW, RUN, "ann", 1.0, graph=GRAPH.to_json()))


class Second:
    """The launcher that comes after one that died."""

    def __init__(self, store: MemoryStore, executor: FakeExecutor, holder: str = "second") -> None:
        self.store, self.executor, self.told = store, executor, Told()
        self.taken: TakenOver = take_over(store, past_of(store), FOREACH, POLICIES, holder)
        self.driver = Driver(
            self.taken.standing.scheduler,
            dict.fromkeys(FOREACH.nodes, executor),
            BatchFactory(FLOW, RUN, "ann", "user:ann", (), {step: StepRun(CODE) for step in FOREACH.nodes}),
            self.taken.journal,
            self.told,
            jitter=lambda: 0.0,
        )

    async def drive(self) -> RunEnded:
        return await self.driver.run(self.taken.standing, self.taken.recorded)


def scripted(store: MemoryStore, *, outlive: bool = True, seconds: float = 5.0) -> FakeExecutor:
    executor = FakeExecutor(store, limit=3, outlive=outlive)
    executor.script(Act(seconds=seconds, outcome=Transition(("work",), "items", 6)), "start")
    executor.script(Act(seconds=seconds, outcome=to("join")), "work")
    # Fails once, and waits ten seconds for its retry.
    executor.script(Act(seconds=seconds, outcome=BROKEN_CODE), "work", "4", 0)
    executor.script(Act(seconds=seconds, outcome=to("end")), "join")
    executor.script(Act(seconds=seconds), "end")
    return executor


async def dies(driving: "asyncio.Future[RunEnded]", after: float) -> bool:
    """Let a launcher die after some seconds; whether it had not come to its end by then."""
    with contextlib.suppress(asyncio.TimeoutError, asyncio.CancelledError):
        await asyncio.wait_for(driving, after)
        return False
    return True


@pytest.mark.budget(10)
@pytest.mark.parametrize("outlive", [True, False])
@pytest.mark.parametrize("seed", range(12))
async def test_whenever_launchers_die_the_run_ends_as_it_would_have(seed: int, outlive: bool) -> None:
    dice = random.Random(seed)
    store = MemoryStore()
    first = DrivenRun(FOREACH, POLICIES, store=store, executor=scripted(store, outlive=outlive))
    driving = asyncio.ensure_future(first.drive())
    deaths = 0
    while await dies(driving, dice.uniform(0, 25)) and deaths < 4:
        deaths += 1
        second = Second(store, scripted(store, outlive=outlive), f"launcher {deaths}")
        driving = asyncio.ensure_future(second.drive())
    if driving.cancelled():
        second = Second(store, scripted(store, outlive=outlive), "the last")
        driving = asyncio.ensure_future(second.drive())
    ended = await driving
    assert ended.outcome == SUCCEEDED
    records = past_of(store).records(past_of(store).attempts())
    won = [record.ref for record in records if record.outcome == SUCCEEDED]
    assert len({each[:2] for each in won}) == len(won), "nothing succeeded twice"
    assert sorted({each.step for each in won}) == ["end", "join", "start", "work"]
    (join,) = [record for record in records if record.ref.step == "join" and record.outcome == SUCCEEDED]
    assert [each.task for each in join.inputs] == [str(task) for task in range(2, 8)]
    if outlive:
        assert not [record for record in records if record.outcome == LOST]


async def test_what_runs_goes_on_and_what_has_a_record_is_not_run_again() -> None:
    store = MemoryStore()
    first = DrivenRun(FOREACH, POLICIES, store=store, executor=scripted(store))
    assert await dies(asyncio.ensure_future(first.drive()), 7)
    # One of three that run ends while nobody looks.
    commit(store, FLOW, RUN, Record(ref("work", 3), SUCCEEDED, transition=to("join")))
    second = Second(store, scripted(store))
    assert (await second.drive()).outcome == SUCCEEDED
    (adoption,) = second.executor.adopted
    assert isinstance(adoption, Adoption)
    assert adoption.recorded == {ref("work", 3)}
    assert adoption.refs == {ref("work", n) for n in range(2, 8)}
    assert [task.index for task in adoption.batch.tasks] == list(range(6))
    assert ref("work", 3) not in second.executor.started
    assert second.told.of("fan_out") == [], "that was told before"


async def test_a_wait_for_a_retry_is_waited_again() -> None:
    store = MemoryStore()
    first = DrivenRun(FOREACH, POLICIES, store=store, executor=scripted(store, seconds=1.0))
    assert await dies(asyncio.ensure_future(first.drive()), 9)
    second = Second(store, scripted(store, seconds=1.0))
    begun = asyncio.get_running_loop().time()
    assert (await second.drive()).outcome == SUCCEEDED
    assert second.taken.standing.waits == {ref("work", 4, 1): 10.0}
    assert asyncio.get_running_loop().time() - begun >= 10


async def test_a_run_that_had_failed_is_stopped_to_its_end() -> None:
    store = MemoryStore()
    executor = scripted(store, seconds=1.0)
    executor.script(Act(seconds=1.0, outcome=BROKEN_CODE), "work", "3")
    executor.script(Act(deaf=True, seconds=100.0), "work", "2")
    first = DrivenRun(FOREACH, {}, store=store, executor=executor)
    assert await dies(asyncio.ensure_future(first.drive()), 5)
    again = scripted(store)
    again.script(Act(seconds=600.0), "work")
    taken = take_over(store, past_of(store), FOREACH, {}, "second")
    assert taken.standing.scheduler.stopping
    assert ref("work", 2) in taken.standing.cancelled
    second = Second.__new__(Second)
    second.store, second.executor, second.told, second.taken = store, again, Told(), taken
    second.driver = Driver(
        taken.standing.scheduler,
        dict.fromkeys(FOREACH.nodes, again),
        BatchFactory(FLOW, RUN, "ann", "user:ann", (), {step: StepRun(CODE) for step in FOREACH.nodes}),
        taken.journal,
        second.told,
    )
    ended = await second.drive()
    assert ended.outcome == "failed"
    assert "work/3 failed" in ended.message
    assert again.cancelled


async def test_a_run_that_had_ended_ends() -> None:
    store = MemoryStore()
    first = DrivenRun(FOREACH, POLICIES, store=store, executor=scripted(store))
    await first.drive()
    second = Second(store, scripted(store))
    ended = await second.drive()
    assert (ended.outcome, second.executor.started, second.executor.adopted) == (SUCCEEDED, [], [])


async def test_a_run_that_had_not_begun_begins() -> None:
    store = MemoryStore()
    second = Second(store, scripted(store))
    assert (await second.drive()).outcome == SUCCEEDED
    assert second.executor.adopted == []


async def test_a_launcher_that_was_only_slow_is_fenced_off() -> None:
    store = MemoryStore()
    first = DrivenRun(FOREACH, POLICIES, store=store, executor=scripted(store))
    slow = asyncio.ensure_future(first.drive())
    await asyncio.sleep(7)
    second = Second(store, scripted(store))
    other = asyncio.ensure_future(second.drive())
    with pytest.raises(LeaseLostError):
        await slow
    assert first.executor.gone
    assert (await other).outcome == SUCCEEDED
    (fence,) = [entry for entry in read_journal(store, FLOW, RUN) if isinstance(entry, Decision)]
    assert (fence.what, fence.data) == (ATTACHED, {"holder": "second"})


async def test_what_cannot_be_found_out_leaves_the_run_as_it_is() -> None:
    class Blind(FakeExecutor):
        async def adopt(self, adoptions: Sequence[Adoption]) -> None:
            raise StoreError("no answer", "Ask later.")

    store = MemoryStore()
    first = DrivenRun(FOREACH, POLICIES, store=store, executor=scripted(store))
    assert await dies(asyncio.ensure_future(first.drive()), 7)
    second = Second(store, Blind(store))
    with pytest.raises(NotTakenOverError, match="no answer"):
        await second.drive()
    assert (second.executor.gone, second.executor.closed) == (True, [])


def started_run(store: MemoryStore) -> PastRun:
    past = past_of(store)
    store.put(layout.run_record(FLOW, RUN), past.record.encode())
    commit(store, FLOW, RUN, Record(PARAMETERS, SUCCEEDED))
    return past


def test_how_it_was_launched_is_known_again() -> None:
    store = MemoryStore()
    past = started_run(store)
    assert how_launched(past) == Launched()
    told = Launched("user:bob", 7, 200, 20, True, ("memory=100",))
    journal = Journal(store, FLOW, RUN)
    journal.append(told.decision())
    journal.append(RunStarted())
    journal.flush()
    assert how_launched(past) == told
    assert Launched.of({"max_workers": 3, "new": 1}) == Launched(max_workers=3)


def test_what_cannot_be_attached_to_is_refused() -> None:
    store = MemoryStore()
    past = started_run(store)
    check_attachable(past, GRAPH, clock=lambda: 5.0)
    Lease(store, FLOW, RUN, Holder("a", "laptop", 17, "bob"), lambda: 0.0).acquire()
    with pytest.raises(LeaseHeldError, match="bob on laptop") as held:
        check_attachable(past, GRAPH, clock=lambda: 5.0)
    assert "in 55 seconds" in str(held.value.hint)
    check_attachable(past, GRAPH, clock=lambda: 61.0)
    other = Graph(FLOW, [Node("start", "linear", ("end",)), Node("end", "end")], "start", "end")
    with pytest.raises(UsageError, match=r"changed .* start, work, join lead elsewhere") as changed:
        check_attachable(past, other, clock=lambda: 61.0)
    assert "resume --origin-run-id 7" in str(changed.value.hint)
    store.put(layout.run_end(FLOW, RUN), RunEnd("interrupted", 1.0).encode())
    with pytest.raises(UsageError, match="was interrupted"):
        check_attachable(past, GRAPH, clock=lambda: 61.0)


def test_a_journal_of_another_plan_is_refused() -> None:
    events = [RunStarted(), AttemptSucceeded(ref("middle", 2), to("end"))]
    with pytest.raises(UsageError, match="does not fit"):
        replay(FOREACH, {}, events)
    other = Plan("start", FOREACH.nodes)
    failed = [RunStarted(), AttemptSucceeded(ref("start", 1), None)]
    assert replay(other, {}, failed).ended is not None
    assert Failure(USER, "", "").kind == USER
