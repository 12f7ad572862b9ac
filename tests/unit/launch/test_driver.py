"""The driver: events in, decisions written down, instructions carried out, and everybody told."""

import asyncio
from typing import Any

import pytest
from driven_runs import BROKEN_CODE, FOREACH, LINEAR, DrivenRun, ref, to, until

from headway.errors import RunInterruptedError
from headway.launch.driver import PROGRESS_SECONDS
from headway.schedule.plan import Plan, PlanNode, StepPolicy
from headway.schedule.tasks import StepCounts
from headway.store.records import (
    FAILED,
    INFRASTRUCTURE,
    SUCCEEDED,
    USER,
    Failure,
)
from headway.testing.fake_executor import Act, FakeExecutor
from headway.testing.memory_store import MemoryStore

EVICTED = Failure(INFRASTRUCTURE, "Evicted", "The node was drained.")


def now() -> float:
    return asyncio.get_running_loop().time()


# Ways through


async def test_a_linear_run() -> None:
    run = DrivenRun(LINEAR).linear(middle=Act(prints=(("stdout", "hello"),), outcome=to("end")))
    ended = await run.drive()
    assert (ended.outcome, ended.end_ref) == (SUCCEEDED, ref("end", 3))
    assert run.executor.started == [ref("start", 1), ref("middle", 2), ref("end", 3)]
    assert [batch.inputs for batch in run.executor.batches] == [
        (("_parameters", "0", 0),),
        (ref("start", 1),),
        (ref("middle", 2),),
    ]
    assert run.ended() == [
        ("start/1", SUCCEEDED, None),
        ("middle/2", SUCCEEDED, None),
        ("end/3", SUCCEEDED, None),
    ]
    assert run.told.of("output") == [(ref("middle", 2), ["hello"])]
    assert run.told.of("fan_out") == []
    assert (run.executor.opened, run.executor.closed) == (True, [False])
    assert run.told.of("progress") == [], "a short run needs none"
    assert run.scheduler.counts()["end"] == StepCounts(succeeded=1)


async def test_a_long_run_tells_every_five_minutes_where_it_stands() -> None:
    work = Act(seconds=2 * PROGRESS_SECONDS, outcome=to("join"))
    run = DrivenRun(FOREACH).foreach(3).acts(end=Act(seconds=PROGRESS_SECONDS + 1), work=work)
    assert (await run.drive()).outcome == SUCCEEDED
    told = [counts for (counts,) in run.told.of("progress")]
    assert [list(counts) for counts in told] == [["start", "work", "join", "end"]] * 3
    assert told[0]["work"] == StepCounts(running=3)
    assert told[-1] == {
        "start": StepCounts(succeeded=1),
        "work": StepCounts(succeeded=3),
        "join": StepCounts(succeeded=1),
        "end": StepCounts(running=1),
    }
    # Its timer ended with the run.
    await asyncio.sleep(3 * PROGRESS_SECONDS)
    assert len(run.told.of("progress")) == 3


async def test_a_foreach_is_one_batch_and_its_join_has_all_inputs() -> None:
    run = DrivenRun(FOREACH).foreach(3)
    assert (await run.drive()).outcome == SUCCEEDED
    assert [(batch.step, len(batch.tasks)) for batch in run.executor.batches] == [
        ("start", 1), ("work", 3), ("join", 1), ("end", 1),
    ]  # fmt: skip
    work, join = run.executor.batches[1:3]
    assert work.frames == (("start", "1", 0, 3, "items"),)
    assert (join.join, join.inputs) == (True, (ref("work", 2), ref("work", 3), ref("work", 4)))
    assert run.told.of("fan_out") == [("work", 3)]


async def test_a_slow_split_does_not_hold_back_the_next_step_of_another() -> None:
    plan = Plan.of(
        "start",
        [
            PlanNode("start", ("work",)),
            PlanNode("work", ("check",)),
            PlanNode("check", ("join",)),
            PlanNode("join", ("end",), join=True),
            PlanNode("end", end=True),
        ],
    )
    run = DrivenRun(plan).foreach(3, work=Act(outcome=to("check")), check=Act(outcome=to("join")))
    run.executor.script(Act(held=True, outcome=to("check")), "work", "3")
    driving = asyncio.ensure_future(run.drive())
    await until(lambda: sum(done.step == "check" for done in run.executor.started) == 2)
    run.executor.release()
    assert (await driving).outcome == SUCCEEDED


async def test_ends_at_the_same_time_are_decided_on_together() -> None:
    store = MemoryStore()
    run = DrivenRun(FOREACH, store=store).foreach(50)
    await run.drive()
    windows = [key for method, key in store.calls if "/journal/" in key and method.startswith("put")]
    assert 0 < len(windows) < 20


async def test_each_step_goes_to_its_executor() -> None:
    store = MemoryStore()
    pods = FakeExecutor(store)
    pods.script(Act(outcome=to("end")), "middle")
    run = DrivenRun(LINEAR, store=store, executors={"middle": pods}).linear()
    assert (await run.drive()).outcome == SUCCEEDED
    assert pods.started == [ref("middle", 2)]
    assert run.executor.started == [ref("start", 1), ref("end", 3)]
    assert (pods.closed, run.executor.closed) == ([False], [False])


# Trying again


async def test_a_retry_without_a_wait_starts_at_once() -> None:
    run = DrivenRun(LINEAR, {"middle": StepPolicy({USER: 2})}).linear()
    run.executor.script(Act(outcome=BROKEN_CODE), "middle", attempt=0)
    run.executor.script(Act(outcome=BROKEN_CODE), "middle", attempt=1)
    begun = now()
    assert (await run.drive()).outcome == SUCCEEDED
    assert now() - begun < 1.0
    assert run.ended()[1:4] == [
        ("middle/2", "Exception", 0.0),
        ("middle/2 (attempt 1)", "Exception", 0.0),
        ("middle/2 (attempt 2)", SUCCEEDED, None),
    ]


async def test_a_retry_waits_as_long_as_it_was_told() -> None:
    run = DrivenRun(LINEAR, {"middle": StepPolicy({USER: 1}, 120.0)}, jitter=lambda: 1.0).linear()
    run.executor.script(Act(outcome=BROKEN_CODE), "middle", attempt=0)
    begun = now()
    assert (await run.drive()).outcome == SUCCEEDED
    assert 120.0 <= now() - begun < 121.0
    assert run.ended()[1] == ("middle/2", "Exception", 120.0)


async def test_retries_after_trouble_with_the_infrastructure_are_spread_and_that_is_told() -> None:
    run = DrivenRun(LINEAR, jitter=lambda: 1.0).linear()
    run.executor.script(Act(outcome=EVICTED), "middle", attempt=0)
    begun = now()
    assert (await run.drive()).outcome == SUCCEEDED
    assert run.ended()[1] == ("middle/2", "Evicted", 1.2)
    assert 1.2 <= now() - begun < 2.0


@pytest.mark.parametrize("delay", [0.0, 120.0])
@pytest.mark.parametrize("failure", [BROKEN_CODE, EVICTED], ids=["user", "infrastructure"])
async def test_tasks_that_fail_together_are_tried_again_in_one_batch(delay: float, failure: Failure) -> None:
    chances = iter(range(1000))
    run = DrivenRun(
        FOREACH, {"work": StepPolicy({USER: 1}, delay)}, jitter=lambda: (next(chances) % 10) / 10
    ).foreach(20)
    run.executor.script(Act(outcome=failure), "work", attempt=0)
    assert (await run.drive()).outcome == SUCCEEDED
    tries = [
        (len(batch.tasks), batch.tasks[0].attempt) for batch in run.executor.batches if batch.step == "work"
    ]
    assert tries == [(20, 0), (20, 1)]
    assert run.told.of("fan_out") == [("work", 20)], "a retry is no foreach"


async def test_tasks_that_fail_one_after_the_other_do_not_wait_for_each_other() -> None:
    run = DrivenRun(FOREACH, {"work": StepPolicy({USER: 1})}).foreach(2)
    run.executor.script(Act(outcome=BROKEN_CODE), "work", "2", 0)
    run.executor.script(Act(seconds=60, outcome=BROKEN_CODE), "work", "3", 0)
    await run.drive()
    tries = [[task.task for task in batch.tasks] for batch in run.executor.batches if batch.step == "work"]
    assert tries == [["2", "3"], ["2"], ["3"]]


async def test_a_rank_that_fails_ends_its_gang_and_is_told_first() -> None:
    gang = Plan.of("start", [PlanNode("start", ("end",), gang=True, nodes=3), PlanNode("end", end=True)])
    start = gang.nodes["start"]
    plan = Plan.of("begin", [PlanNode("begin", ("start",)), start, gang.nodes["end"]])
    run = DrivenRun(plan, {"start": StepPolicy({USER: 1}, 7.0)})
    run.acts(begin=Act(outcome=to("start")), start=Act(outcome=to("end")), end=Act())
    run.executor.script(Act(seconds=60, outcome=to("end")), "start", attempt=0)
    run.executor.script(Act(seconds=1, outcome=BROKEN_CODE), "start", "2_node_1", 0)
    assert (await run.drive()).outcome == SUCCEEDED
    assert run.told.of("fan_out") == []
    ended = [end for end in run.ended() if end[0].startswith("start/")]
    assert sorted(ended[:2]) == [("start/2", "Cancelled", None), ("start/2_node_2", "Cancelled", None)]
    assert ended[2] == ("start/2_node_1", "Exception", 7.0)
    assert [end[1] for end in ended[3:]] == [SUCCEEDED] * 3
    assert [batch.name for batch in run.executor.batches] == ["begin-1", "start-2", "start-3", "end-4"]


async def test_when_the_retries_are_used_up_the_run_fails_and_the_rest_is_stopped() -> None:
    run = DrivenRun(FOREACH, {"work": StepPolicy({USER: 1})}).foreach(3, work=Act(held=True))
    run.executor.script(Act(outcome=BROKEN_CODE), "work", "3")
    ended = await run.drive()
    assert (ended.outcome, ended.failed_ref) == (FAILED, ref("work", 3, 1))
    assert ended.message == "work/3 failed after 2 attempts: ValueError: no good"
    (cancelled,) = run.executor.cancelled
    assert (cancelled.refs, cancelled.now) == ((ref("work", 2), ref("work", 4)), False)
    assert cancelled.failure == Failure(USER, "Cancelled", "Stopped: work/3 failed")
    assert run.ended()[1:] == [
        ("work/3", "Exception", 0.0),
        ("work/3 (attempt 1)", "Exception", None),
        ("work/2", "Cancelled", None),
        ("work/4", "Cancelled", None),
    ]
    assert run.driver.stopping


async def test_what_succeeds_although_it_was_to_stop_counts() -> None:
    run = DrivenRun(FOREACH).foreach(2, work=Act(seconds=5, deaf=True, outcome=to("join")))
    run.executor.script(Act(outcome=BROKEN_CODE), "work", "2")
    await run.drive()
    assert run.ended()[-1] == ("work/3", SUCCEEDED, None)
    assert run.scheduler.winners() == {"start/1": 0, "work/3": 0}


# Being stopped


async def test_one_stop_ends_the_run_with_grace() -> None:
    run = DrivenRun(LINEAR).linear(middle=Act(held=True))
    driving = asyncio.ensure_future(run.drive())
    await until(lambda: ref("middle", 2) in run.executor.running)
    assert run.driver.stop("interrupted by Ctrl-C") is True
    ended = await driving
    assert (ended.outcome, ended.message) == ("interrupted", "interrupted by Ctrl-C")
    assert [(each.refs, each.now) for each in run.executor.cancelled] == [((ref("middle", 2),), False)]
    assert run.executor.closed == [False]
    assert run.ended()[-1] == ("middle/2", "Cancelled", None)


async def test_a_second_stop_does_not_wait_for_the_grace() -> None:
    run = DrivenRun(LINEAR).linear(middle=Act(held=True, deaf=True))
    driving = asyncio.ensure_future(run.drive())
    await until(lambda: ref("middle", 2) in run.executor.running)
    begun = now()
    assert [run.driver.stop("interrupted by Ctrl-C") for _ in range(3)] == [True, False, False]
    assert (await driving).outcome == "interrupted"
    assert now() - begun < 1.0
    assert any(each.now for each in run.executor.cancelled)
    assert run.executor.closed == [True]


async def test_a_stop_before_anything_began() -> None:
    run = DrivenRun(LINEAR).linear()
    run.driver.stop("interrupted by SIGTERM")
    assert (await run.drive()).outcome == "interrupted"
    assert len(run.executor.started) <= 1


async def test_a_stop_gives_up_the_waits_for_retries() -> None:
    run = DrivenRun(LINEAR, {"middle": StepPolicy({USER: 5}, 3600.0)}).linear(middle=Act(outcome=BROKEN_CODE))
    driving = asyncio.ensure_future(run.drive())
    await until(lambda: run.scheduler.retrying())
    begun = now()
    run.driver.stop("interrupted by Ctrl-C")
    assert (await driving).outcome == "interrupted"
    assert now() - begun < 1.0


async def test_a_pod_that_says_itself_that_it_was_stopped_was_stopped() -> None:
    terminated = Failure(INFRASTRUCTURE, "Terminated", "The pod was asked to stop (SIGTERM).")
    run = DrivenRun(LINEAR).linear(middle=Act(held=True, deaf=True, outcome=terminated))
    driving = asyncio.ensure_future(run.drive())
    await until(lambda: ref("middle", 2) in run.executor.running)
    run.driver.stop("interrupted by Ctrl-C")
    await asyncio.sleep(0.1)
    run.executor.release()
    assert (await driving).outcome == "interrupted"
    assert run.ended()[-1] == ("middle/2", "Cancelled", None)
    assert run.scheduler.counts()["middle"] == StepCounts(cancelled=1)


class DeafExecutor(FakeExecutor):
    """One whose attempts cannot be stopped at all, as of a cluster that does not answer."""

    async def cancel(self, refs: Any, failure: Failure, *, now: bool = False) -> None:
        return


async def test_a_run_that_cannot_be_stopped_is_left_after_a_second_stop() -> None:
    store = MemoryStore()
    run = DrivenRun(LINEAR, store=store, executor=DeafExecutor(store)).linear(middle=Act(held=True))
    driving = asyncio.ensure_future(run.drive())
    await until(lambda: ref("middle", 2) in run.executor.running)
    begun = now()
    run.driver.stop("interrupted by Ctrl-C")
    await asyncio.sleep(100)
    assert not driving.done()
    run.driver.stop("interrupted by Ctrl-C")
    with pytest.raises(RunInterruptedError, match="middle/2"):
        await driving
    assert 100 < now() - begun < 200
    assert run.executor.closed == [True]
