"""Warm pods over the fake API server: the suite with ``reuse``, and what only they can do."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from executor_run import Run
from warm_player import PackedTask, WarmPlayer, WarmPod

from headway.config.kubernetes import RUNTIME_LIMIT, KubernetesSettings
from headway.config.resolve import Layer, resolve_kubernetes
from headway.executors.base import Broken, Ended, Started
from headway.executors.kubernetes.deadlines import TIMEOUT_MARGIN
from headway.executors.kubernetes.executor import KubernetesExecutor
from headway.store import layout
from headway.store.batch import Code
from headway.store.inbox import FAREWELL, Inbox, decode_order
from headway.store.records import (
    CONFIGURATION,
    INFRASTRUCTURE,
    LOST,
    NOT_BEGUN,
    RESOURCES,
    SUCCEEDED,
    USER,
    AttemptRef,
    Failure,
    FrameTuple,
    Record,
)
from headway.testing.executor_suite import (
    FLOW,
    LIMIT,
    RUN,
    STEPS,
    STOPPED,
    ExecutorSuite,
    refs_of,
)
from headway.testing.fake_kubernetes import FakeKubernetes
from headway.testing.memory_store import MemoryStore


@pytest.fixture
async def player(
    fake: FakeKubernetes, store: MemoryStore, clock: Callable[[], float]
) -> AsyncIterator[WarmPlayer]:
    player = WarmPlayer(fake, store, clock)
    yield player
    await player.stop()


@pytest.fixture
def said() -> dict[str, object]:
    return {"reuse": True}


@pytest.fixture
def settings(said: dict[str, object]) -> dict[str, KubernetesSettings]:
    layer = Layer({"image": "python:3.11", **said}, "a test")
    return {step: resolve_kubernetes(step, overrides=layer).settings for step in STEPS}


class TestWarmPods(ExecutorSuite):
    """The suite; pods of the fake cluster are gone the moment they are deleted."""

    heeds_grace = False

    @pytest.fixture
    def left_behind(self, fake: FakeKubernetes, player: WarmPlayer) -> Callable[[], list[str]]:
        def names() -> list[str]:
            idle = {pod.name for pod in player.warm if all(task.over for task in pod.tasks)}
            active = [pod["metadata"]["name"] for pod in fake.pods() if pod["status"]["phase"] == "Running"]
            return [name for name in active if name not in idle]

        return names


class WarmRun(Run[WarmPlayer]):
    """A run whose pods are warm."""

    async def again(self, ref: AttemptRef) -> AttemptRef:
        """Start the next attempt of a task."""
        batch = self.batch(ref.step)
        task = batch.tasks[0]._replace(task=ref.task, attempt=ref.attempt + 1)
        return (await self.start_batch(batch._replace(tasks=(task,), frames=_foreach(100))))[0]

    async def follow(self, step: str, tasks: int) -> list[AttemptRef]:
        """Start the second step of a foreach's body: each task is a batch, as its own task before it has ended."""
        refs: list[AttemptRef] = []
        for index in range(tasks):
            batch = self.batch(step)
            (task,) = batch.tasks
            inputs = (AttemptRef("before", str(index), 0),)
            alone = batch._replace(tasks=(task._replace(index=index),), frames=_foreach(tasks), inputs=inputs)
            refs += await self.start_batch(alone)
        return refs

    async def task(self, ref: AttemptRef) -> PackedTask:
        """The attempt, once it runs."""
        await self.until(lambda: any(pod.ref == ref for pod in self.player.pods))
        found = self.player.by_ref(ref)
        assert isinstance(found, PackedTask)
        return found

    async def ends(self, *refs: AttemptRef) -> list[Record]:
        return await self.heard.end_of(*refs)

    def created(self) -> list[Any]:
        """What was sent for each Job that was made."""
        return self.fake.seen("create", "jobs")


@pytest.fixture
async def run(
    executor: KubernetesExecutor, fake: FakeKubernetes, store: MemoryStore, player: WarmPlayer, code: Code
) -> AsyncIterator[WarmRun]:
    run = WarmRun(executor, fake, store, player, code)
    await executor.open(run.heard)
    yield run
    await executor.close(now=True)
    assert not run.heard.of(Broken), run.heard.events


async def test_one_pod_goes_on_from_step_to_step(run: WarmRun) -> None:
    for step in ("succeeds", "prints", "succeeds"):
        refs = await run.start(step)
        (record,) = await run.ends(*refs)
        assert record.outcome == SUCCEEDED
        (started,) = run.heard.of(Started, refs[0])
        assert started.facts["kubernetes-pod-name"] == run.player.warm[0].name
    assert len(run.player.warm) == 1
    assert len(run.created()) == 1


async def test_its_pods_are_told_to_leave_at_the_end_and_nothing_is_deleted(run: WarmRun) -> None:
    await run.ends(*await run.start("succeeds"))
    await run.executor.close()
    await run.until(lambda: run.player.warm[0].left)
    assert not run.fake.seen("delete")


async def test_a_limit_of_pods_is_a_limit_of_pods(run: WarmRun) -> None:
    refs = await run.start("succeeds", 30)
    assert {record.outcome for record in await run.ends(*refs)} == {SUCCEEDED}
    assert len(run.player.warm) == LIMIT
    assert [len(run.heard.of(Ended, ref)) for ref in refs] == [1] * 30


async def test_what_is_told_twice_to_stop_ends_once(run: WarmRun) -> None:
    """A second Ctrl-C comes while what no pod was told of is still being written off."""
    refs = await run.start("succeeds", 30)
    await run.executor.cancel(refs, STOPPED)
    await run.executor.cancel(refs, STOPPED, now=True)
    assert {record.outcome for record in await run.ends(*refs)} == {LOST}
    assert [len(run.heard.of(Ended, ref)) for ref in refs] == [1] * 30


async def test_a_failed_task_does_not_stop_the_others_of_its_pod(run: WarmRun) -> None:
    bad = await run.start("fails", 3)
    good = await run.start("succeeds", 3)
    assert {record.failure.reason for record in await run.ends(*bad) if record.failure} == {"Exception"}
    assert {record.outcome for record in await run.ends(*good)} == {SUCCEEDED}
    assert len(run.player.warm) <= LIMIT


async def test_a_pod_that_has_left_is_given_nothing(run: WarmRun) -> None:
    await run.ends(*await run.start("succeeds"))
    (pod,) = run.player.warm
    # It leaves, and nobody has told yet.
    assert Inbox(run.store, pod.inbox._folder, pod.inbox.number).leave()
    (ref,) = await run.start("succeeds")
    (record,) = await run.ends(ref)
    assert record.outcome == SUCCEEDED
    assert ref.attempt == record.ref.attempt == 0
    assert [each.name for each in run.player.warm].index(record.metadata["kubernetes-pod-name"]) == 1


async def test_an_idle_pod_leaves_when_another_one_needs_its_room(run: WarmRun, code: Code) -> None:
    await run.ends(*await run.start("succeeds", LIMIT))
    other = ExecutorSuite().batch(code, "succeeds", 1)._replace(env={"LEVEL": "2"})
    (record,) = await run.ends(*await run.start_batch(other))
    assert record.outcome == SUCCEEDED
    assert any(pod.left for pod in run.player.warm[:LIMIT])


async def test_cancel_ends_what_no_pod_was_told_of(run: WarmRun) -> None:
    refs = await run.start("waits", LIMIT + 3)
    await run.until(lambda: len(run.player.pods) == LIMIT)
    await run.executor.cancel(refs, STOPPED)
    records = await run.ends(*refs)
    assert {record.failure for record in records} == {STOPPED}
    await run.until(lambda: not run.fake.pods())


async def test_a_pod_that_cannot_start_is_one_failure_and_goes(run: WarmRun) -> None:
    run.player.held = True
    (ref,) = await run.start("succeeds")
    await run.until(lambda: run.fake.pods())
    run.fake.pod_waiting(run.fake.pod_names()[0], "ErrImageNeverPull", "not there")
    (record,) = await run.ends(ref)
    assert record.failure is not None
    assert (record.failure.kind, record.failure.reason) == (CONFIGURATION, "ErrImageNeverPull")
    await run.until(lambda: not run.fake.pods())


async def test_why_a_pod_was_stopped_is_told_by_its_state(run: WarmRun) -> None:
    (ref,) = await run.start("waits")
    task = await run.task(ref)
    task.fail(Failure(INFRASTRUCTURE, "Terminated", "It was asked to stop."))
    run.fake.pod_evicted(task.name)
    (record,) = await run.ends(ref)
    assert record.failure is not None
    assert record.failure.reason == "TerminationByKubelet"
    second = await run.again(ref)
    await run.task(second)
    assert run.player.by_ref(second).name != task.name, "the place that failed it is not tried again"


async def test_a_pod_that_has_run_for_its_time_costs_nobody_a_try(run: WarmRun) -> None:
    """What it had in hand and did not begin is given to another, by its own last words."""
    run.player.held = True
    (ref,) = await run.start("succeeds")
    await run.until(lambda: run.player.warm)
    (pod,) = run.player.warm
    words = {"headway": 1, "reason": NOT_BEGUN, "message": "It had run for its time.", "hint": ""}
    run.fake.pod_running(pod.name)
    run.fake.pod_succeeded(pod.name, message=json.dumps(words))
    (record,) = await run.ends(ref)
    assert record.failure is not None
    assert (record.failure.kind, record.failure.reason) == (INFRASTRUCTURE, NOT_BEGUN)


@pytest.mark.parametrize(("noted", "kind"), [(True, USER), (False, INFRASTRUCTURE)])
async def test_the_deadline_of_a_pod_is_that_of_the_task_that_ran_into_it_alone(
    run: WarmRun, noted: bool, kind: str
) -> None:
    (ref,) = await run.start("waits")
    task = await run.task(ref)
    words = json.dumps({"headway": 1, "running": ref if noted else None})
    run.fake.pod_overdue(task.name, message=words)
    (record,) = await run.ends(ref)
    assert record.failure is not None
    assert record.failure.kind == kind
    assert "stopped at its deadline" in record.failure.message


async def test_a_warm_pod_may_begin_tasks_for_as_long_as_one_may_run(run: WarmRun) -> None:
    await run.ends(*await run.start("succeeds"))
    (created,) = run.created()
    spec = created.body["spec"]["template"]["spec"]
    env = {each["name"]: each.get("value") for each in spec["containers"][0]["env"]}
    assert env["HEADWAY_POD_LIMIT"] == str(RUNTIME_LIMIT)
    assert spec["activeDeadlineSeconds"] == 2 * RUNTIME_LIMIT + TIMEOUT_MARGIN


class TestPacked:
    """A foreach in few pods."""

    @pytest.fixture
    def said(self) -> dict[str, object]:
        return {"pods": 2}

    async def test_one_job_of_few_pods_runs_it_all(self, run: WarmRun) -> None:
        refs = await run.start("succeeds", 100)
        assert {record.outcome for record in await run.ends(*refs)} == {SUCCEEDED}
        assert len(run.created()) == 1
        assert len(run.player.warm) == 2
        assert min(len(pod.tasks) for pod in run.player.warm) > 10

    async def test_tasks_that_come_one_by_one_share_the_pods(self, run: WarmRun) -> None:
        refs = await run.follow("succeeds", 40)
        records = await run.ends(*refs)
        assert {record.outcome for record in records} == {SUCCEEDED}
        assert [record.inputs for record in records] == [
            (AttemptRef("before", str(index), 0),) for index in range(40)
        ]
        assert [record.frames for record in records] == [_foreach(40, index) for index in range(40)]
        assert len(run.player.warm) == 2
        assert len(run.created()) <= 2
        orders = [len(hand) for pod in run.player.warm for hand in _orders(run, pod)]
        assert max(orders) > 2, "one order for tasks of several batches"

    async def test_the_second_step_of_a_body_goes_on_in_the_pods_of_the_first(self, run: WarmRun) -> None:
        first = await run.start("prints", 20)
        await run.until(lambda: len(run.heard.of(Ended)) > 4)
        refs = await run.follow("succeeds", 20)
        assert {record.outcome for record in await run.ends(*first, *refs)} == {SUCCEEDED}
        assert len(run.player.warm) == 2

    async def test_a_pod_killed_amid_several_batches_is_still_one_tasks_fault(self, run: WarmRun) -> None:
        refs = await run.follow("waits", 12)
        await run.until(lambda: len(run.player.warm) == 2 and all(pod.tasks for pod in run.player.warm))
        pod = run.player.warm[0]
        hand = _hand(run, pod)
        assert len(hand) > 1
        pod.killed()
        first, *others = await run.ends(*hand)
        assert first.failure is not None
        assert (first.ref, first.failure.reason) == (pod.tasks[0].ref, "OutOfMemory")
        assert {record.failure.reason for record in others if record.failure} == {NOT_BEGUN}
        assert [record.frames for record in others] == [_foreach(12, refs.index(ref)) for ref in hand[1:]]

    async def test_what_no_pod_has_of_several_batches_can_be_told_to_stop(self, run: WarmRun) -> None:
        refs = await run.follow("waits", 12)
        await run.until(lambda: len(run.player.warm) == 2 and all(pod.tasks for pod in run.player.warm))
        await run.executor.cancel(tuple(refs), STOPPED)
        assert {record.failure for record in await run.ends(*refs)} == {STOPPED}
        await run.until(lambda: not run.fake.pods())

    async def test_its_pods_wait_only_briefly(self, run: WarmRun) -> None:
        await run.ends(*await run.start("succeeds", 10))
        await run.until(lambda: all(pod.left for pod in run.player.warm), 10)

    async def test_retries_at_once_go_to_the_same_pods(self, run: WarmRun) -> None:
        refs = await run.start("fails", 10)
        await run.ends(*refs)
        again = [await run.again(ref) for ref in refs[:3]]
        await run.ends(*again)
        assert len(run.created()) == 1

    async def test_a_killed_container_is_its_running_tasks_fault_alone(self, run: WarmRun) -> None:
        refs = await run.start("waits", 24)
        await run.until(lambda: len(run.player.warm) == 2 and all(pod.tasks for pod in run.player.warm))
        pod = run.player.warm[0]
        pod.tasks[0].succeed("next")
        await run.until(lambda: len(pod.tasks) == 2)
        hand = _hand(run, pod)
        pod.killed()
        records = {record.ref: record for record in await run.ends(pod.tasks[0].ref, *hand)}
        assert records[pod.tasks[0].ref].outcome == SUCCEEDED
        blamed = records[pod.tasks[1].ref].failure
        assert blamed is not None
        assert (blamed.kind, blamed.reason) == (RESOURCES, "OutOfMemory")
        others = [records[ref] for ref in hand if ref not in (pod.tasks[0].ref, pod.tasks[1].ref)]
        assert others
        for record in others:
            assert record.failure is not None
            assert (record.outcome, record.failure.reason) == (LOST, NOT_BEGUN)
            assert run.store.size(layout.record(FLOW, RUN, *record.ref)) is not None
        assert all(len(run.heard.of(Ended, ref)) <= 1 for ref in refs)

    async def test_where_nothing_is_noted_the_first_without_a_record_answers(self, run: WarmRun) -> None:
        await run.start("waits", 4)
        await run.until(lambda: len(run.player.warm) == 2 and all(pod.tasks for pod in run.player.warm))
        pod = run.player.warm[0]
        hand = _hand(run, pod)
        run.fake.pod_lost(pod.name)
        first, *others = await run.ends(*hand)
        assert first.failure is not None
        assert first.failure.reason == "DeletionByPodGC"
        assert {record.failure.reason for record in others if record.failure} <= {NOT_BEGUN}

    async def test_a_single_task_has_a_pod_of_its_own(self, run: WarmRun) -> None:
        await run.ends(*await run.start("succeeds"))
        assert not run.player.warm


def _foreach(tasks: int, index: int = 0) -> tuple[FrameTuple, ...]:
    return (("prints", "0", index, tasks, "items"),)


def _orders(run: WarmRun, pod: WarmPod) -> list[list[AttemptRef]]:
    """What a pod was given, order by order."""
    letters = [run.store.get(info.key) for info in run.store.list(pod.inbox._folder)]
    return [
        [ref for batch in decode_order(data) for ref in refs_of(batch)]
        for data in letters
        if data != FAREWELL
    ]


def _hand(run: WarmRun, pod: WarmPod) -> list[AttemptRef]:
    """What a pod was given and has not ended."""
    return [ref for order in _orders(run, pod) for ref in order if not run.heard.of(Ended, ref)]
