"""Gangs over the fake API server, in virtual time: whole or not at all."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from pod_player import PodPlayer

from headway.executors.base import Broken, Ended, Started, Waiting
from headway.executors.kubernetes.executor import KubernetesExecutor
from headway.executors.kubernetes.labels import FLOW as FLOW_LABEL
from headway.executors.kubernetes.labels import RUN as RUN_LABEL
from headway.runtime.barrier import Verdict, decide
from headway.store.batch import Batch, Code, Gang
from headway.store.records import CONFIGURATION, INFRASTRUCTURE, RESOURCES, USER, AttemptRef, Failure
from headway.testing.executor_suite import FLOW, LIMIT, ExecutorSuite, Heard, refs_of
from headway.testing.fake_kubernetes import FakeKubernetes, Fault
from headway.testing.memory_store import MemoryStore

CODE = Code("path", "suite_flow.py", ("__main__", "SuiteFlow"), bundle="0" * 64)
#: Less than a node may be silent: the fake cluster has none.
PATIENCE = 15.0
CANCELLED = Failure(USER, "Cancelled", "Stopped: waits/1 of the same gang failed")


class GangRun:
    """An executor that is given gangs."""

    def __init__(
        self, executor: KubernetesExecutor, fake: FakeKubernetes, store: MemoryStore, player: PodPlayer
    ) -> None:
        self.executor, self.fake, self.store, self.player = executor, fake, store, player
        self.heard = Heard(patience=240)
        self._suite = ExecutorSuite()

    async def start(self, ranks: int) -> tuple[Batch, tuple[AttemptRef, ...]]:
        batch = self._suite.batch(CODE, "waits", ranks)._replace(gang=Gang(29500, PATIENCE))
        await self.executor.start(batch)
        return batch, refs_of(batch)

    async def until(self, condition: Callable[[], Any], patience: float = 240.0) -> None:
        for _ in range(int(patience * 10)):
            if condition():
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"it never came true; heard: {self.heard.events}")

    def jobs(self) -> list[dict[str, Any]]:
        return list(self.fake.state.all("jobs"))

    def incomplete(self) -> list[Waiting]:
        return [event for event in self.heard.of(Waiting) if event.reason == "GangIncomplete"]

    def running(self) -> int:
        return len(self.heard.of(Started))


@pytest.fixture
async def gangs(
    executor: KubernetesExecutor, fake: FakeKubernetes, store: MemoryStore, player: PodPlayer
) -> AsyncIterator[GangRun]:
    run = GangRun(executor, fake, store, player)
    await executor.open(run.heard)
    yield run
    await executor.close(now=True)
    assert not run.heard.of(Broken), run.heard.events


async def test_a_gang_larger_than_the_limit_starts_whole_with_names_for_its_ranks(gangs: GangRun) -> None:
    await gangs.start(LIMIT + 1)
    await gangs.until(lambda: gangs.running() == LIMIT + 1)
    (job,) = gangs.jobs()
    assert (job["spec"]["parallelism"], job["spec"]["backoffLimitPerIndex"]) == (LIMIT + 1, 0)
    (service,) = gangs.fake.state.all("services")
    assert service["metadata"]["name"] == job["metadata"]["name"]
    assert service["metadata"]["ownerReferences"][0]["uid"] == job["metadata"]["uid"]
    assert service["spec"]["publishNotReadyAddresses"] is True
    assert job["spec"]["template"]["spec"]["subdomain"] == service["metadata"]["name"]


async def test_a_gang_waits_until_there_is_room_for_all_of_it(gangs: GangRun) -> None:
    _, refs = await gangs.start(LIMIT)
    await gangs.start(LIMIT)
    await gangs.until(lambda: gangs.running() == LIMIT)
    gangs.player.by_ref(refs[0]).succeed("next")
    await gangs.until(lambda: gangs.heard.of(Ended, refs[0]))
    await asyncio.sleep(8)
    assert len(gangs.jobs()) == 1, "one free place is not enough"
    gangs.player.by_ref(refs[1]).succeed("next")
    await gangs.until(lambda: gangs.running() == 2 * LIMIT)


async def test_a_gang_whose_ranks_do_not_all_come_makes_room_and_comes_again(gangs: GangRun) -> None:
    gangs.player.held = True
    batch, refs = await gangs.start(2)
    await gangs.until(lambda: len(gangs.player.pods) == 2)
    gangs.player.pods[0].begin()
    gangs.player.held = False
    await gangs.until(gangs.incomplete)
    (waits, *_) = gangs.incomplete()
    assert waits.message.startswith("1 of 2 ranks were there after 15 seconds")
    assert "tried again in" in waits.message
    assert decide(gangs.store, batch, Verdict(["10.0.0.1"] * 2)).why, "no rank of the first try may begin"
    await gangs.until(lambda: gangs.running() >= 3)
    assert not gangs.heard.of(Ended), "the attempts are untouched"
    again = gangs.player.pods[-1].batch
    assert (again.name, again.tasks) == (f"{batch.name}-again-1", batch.tasks)
    for pod in gangs.player.pods[-2:]:
        pod.succeed("next")
    for ref in refs:
        (record,) = await gangs.heard.end_of(ref)
        assert record.outcome == "succeeded"


@pytest.mark.budget(6)
async def test_a_gang_that_was_given_up_a_thousand_times_is_tried_again(gangs: GangRun) -> None:
    gangs.player.held = True
    await gangs.start(2)
    await gangs.until(lambda: len(gangs.player.pods) == 2)
    (job,) = gangs.executor._jobs
    job.tries = 5000
    gangs.player.pods[0].begin()
    await gangs.until(gangs.incomplete)
    await gangs.until(lambda: len(gangs.player.pods) == 4)


@pytest.mark.budget(6)
async def test_a_gang_that_the_nodes_could_never_hold_is_given_up_over_all_its_tries(gangs: GangRun) -> None:
    """Each rank alone would fit, so one of the two holds its node, again and again."""
    gangs.player.held = True
    gangs.fake.state.add(
        "nodes",
        None,
        {
            "metadata": {"name": "n"},
            "status": {
                "allocatable": {"cpu": "1500m", "memory": "64Gi", "ephemeral-storage": "100Gi", "pods": "110"}
            },
        },
    )
    _, refs = await gangs.start(2)
    begun = asyncio.get_running_loop().time()
    placed: set[str] = set()
    while not gangs.heard.of(Ended):
        names = gangs.fake.pod_names()
        if len(names) == 2 and not placed & set(names):
            gangs.fake.pod_scheduled(names[0], "n")
            gangs.fake.pod_unschedulable(names[1])
            placed.add(names[0])
        await asyncio.sleep(0.5)
    failure = gangs.heard.of(Ended)[0].record.failure
    assert failure is not None
    assert (failure.kind, failure.reason) == (CONFIGURATION, "GangTooLarge")
    assert (
        "all 2 ranks of a gang have to run at a time, and the cluster's nodes could hold 1 of them"
        in failure.message
    )
    assert "Use fewer ranks, or smaller ones" in failure.hint
    assert len(placed) > 1, "it was given up in between, and tried again"
    # 40 seconds are allowed, of which the pauses between the tries are none.
    assert 40 < asyncio.get_running_loop().time() - begun < 200
    assert refs


async def test_ranks_that_began_in_the_last_moment_go_on(gangs: GangRun) -> None:
    gangs.player.held = True
    batch, _ = await gangs.start(2)
    await gangs.until(lambda: len(gangs.player.pods) == 2)
    gangs.player.pods[0].begin()
    decide(gangs.store, batch, Verdict(["10.0.0.1", "10.0.0.2"]))
    await asyncio.sleep(PATIENCE * 1.5)
    assert len(gangs.jobs()) == 1
    assert not gangs.incomplete()


async def test_one_failed_rank_ends_the_others_without_a_launcher_and_its_pod_stays(gangs: GangRun) -> None:
    _, refs = await gangs.start(3)
    await gangs.until(lambda: gangs.running() == 3)
    failed = gangs.player.by_ref(refs[0])
    failed.fail(Failure(USER, "Exception", "ValueError: no good"))
    for ref in refs[1:]:
        (record,) = await gangs.heard.end_of(ref)
        # Whether the failed pod or the deletion of the others is heard of first is not for us to say.
        assert record.failure is not None
        assert record.failure.reason in ("Cancelled", "PodDeleted")
    assert gangs.fake.pod_names() == [failed.name]


async def test_of_ranks_that_end_in_one_moment_the_first_answers(gangs: GangRun) -> None:
    """As when somebody deletes the pods of all of them: not each blames another."""
    _, refs = await gangs.start(2)
    await gangs.until(lambda: gangs.running() == 2)
    (job,) = gangs.executor._jobs
    gone = Failure(INFRASTRUCTURE, "PodDeleted", "The pod was deleted.")
    # What this one came to is waited for a while, as its pod may tell more.
    told = Failure(INFRASTRUCTURE, "Terminated", "The pod was asked to stop.")
    for attempt, failure in zip(list(job.attempts.values()), (told, gone), strict=True):
        gangs.executor.over(job, attempt, failure)
    ends = [(await gangs.heard.end_of(ref))[0].failure for ref in refs]
    assert [end and end.reason for end in ends] == ["Terminated", "Cancelled"]
    assert tuple(end.ref for end in gangs.heard.of(Ended)) == refs, (
        "the scheduler goes by which it hears first"
    )


async def test_ranks_are_stopped_one_by_one_where_another_has_ended(gangs: GangRun) -> None:
    _, refs = await gangs.start(3)
    await gangs.until(lambda: gangs.running() == 3)
    done = gangs.player.by_ref(refs[1])
    done.succeed("next")
    await gangs.until(lambda: gangs.heard.of(Ended, refs[1]))
    await gangs.executor.cancel((refs[0], refs[2]), CANCELLED)
    for ref in (refs[0], refs[2]):
        (record,) = await gangs.heard.end_of(ref)
        assert record.failure == CANCELLED
    assert gangs.fake.pod_names() == [done.name]


async def test_a_rank_that_died_before_it_was_asked_to_stop_says_why(
    gangs: GangRun, clock: Callable[[], float]
) -> None:
    _, refs = await gangs.start(2)
    await gangs.until(lambda: gangs.running() == 2)
    found = gangs.executor._jobs.find(refs[1])
    assert found is not None
    job, attempt = found
    attempt.cancelled, attempt.cancelled_at, attempt.ended_at = CANCELLED, clock(), clock() - 1
    gangs.executor.over(job, attempt, Failure(RESOURCES, "OutOfMemory", "It ran out of memory."))
    (record,) = await gangs.heard.end_of(refs[1])
    assert record.failure is not None
    assert record.failure.reason == "OutOfMemory"
    assert record.ended == attempt.ended_at


def other_gang(fake: FakeKubernetes, run: str, flow: str = FLOW, missing: str = "Unschedulable") -> list[str]:
    """The pods of a gang that another launcher started: one has a node, the other finds none."""
    names = [f"other-{run}-{rank}" for rank in range(2)]
    for name in names:
        labels = {"headway.dev/gang": "2", "job-name": f"other-{run}", FLOW_LABEL: flow, RUN_LABEL: run}
        about = {"name": name, "namespace": "default", "labels": labels}
        fake.state.add("pods", "default", {"kind": "Pod", "metadata": about, "spec": {}, "status": {}})
    pods = {pod["metadata"]["name"]: pod for pod in fake.pods()}
    pods[names[0]]["spec"]["nodeName"] = "node1"
    pods[names[1]]["status"]["conditions"] = [{"type": "PodScheduled", "status": "False", "reason": missing}]
    for name in names:
        fake.state.update("pods", pods[name])
    return names


async def half_of(gangs: GangRun, pods: int) -> None:
    """Of the last gang of two one rank has a node and runs, and the other finds none, once there are so many pods."""
    await gangs.until(lambda: len(gangs.player.pods) == pods)
    gangs.player.pods[-2].begin()
    gangs.fake.pod_unschedulable(gangs.player.pods[-1].name)


async def half_placed(gangs: GangRun) -> None:
    """A gang of two of which only one rank has a node; all goes well from then on."""
    gangs.player.held = True
    await gangs.start(2)
    await half_of(gangs, 2)
    gangs.player.held = False


async def test_of_two_gangs_that_hold_each_others_nodes_the_younger_runs_makes_room_at_once(
    gangs: GangRun,
) -> None:
    other_gang(gangs.fake, "0")
    begun = asyncio.get_running_loop().time()
    await half_placed(gangs)
    await gangs.until(gangs.incomplete)
    assert asyncio.get_running_loop().time() - begun < PATIENCE
    (waits, *_) = gangs.incomplete()
    assert waits.message.startswith(
        f"1 of 2 ranks have a node, there is none for the others, and a gang of the older run {FLOW}/0 stands the "
        "same way (Unschedulable); all make room, and are tried again in"
    )
    given_up = asyncio.get_running_loop().time()
    await gangs.until(lambda: gangs.running() == 3)
    # Once a pod has found no node, the scheduler looks at it again after ten seconds at most.
    assert 10 <= asyncio.get_running_loop().time() - given_up < 25
    assert not gangs.heard.of(Ended), "the attempts are untouched"


async def test_the_gang_of_the_older_run_stays(gangs: GangRun) -> None:
    other_gang(gangs.fake, "2")
    await half_placed(gangs)
    await asyncio.sleep(PATIENCE - 2)
    assert not gangs.incomplete()
    gangs.player.pods[1].begin()
    await gangs.until(lambda: gangs.running() == 2)
    assert len(gangs.jobs()) == 1


@pytest.mark.parametrize("case", ["whole", "going", "ended", "held back", "holds nothing"])
async def test_room_is_made_for_no_gang_that_needs_none(gangs: GangRun, case: str) -> None:
    names = other_gang(gangs.fake, "0", missing="SchedulingGated" if case == "held back" else "Unschedulable")
    first, second = (pod for pod in gangs.fake.pods() if pod["metadata"]["name"] in names)
    if case == "whole":
        second["spec"]["nodeName"] = "node2"
    elif case == "holds nothing":
        del first["spec"]["nodeName"]
    elif case == "going":
        second["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    elif case == "ended":
        first["status"]["phase"] = "Succeeded"
    for pod in (first, second):
        gangs.fake.state.update("pods", pod)
    await half_placed(gangs)
    await asyncio.sleep(PATIENCE - 2)
    assert not gangs.incomplete()


async def test_who_may_see_pods_of_one_namespace_only_sees_the_gangs_there(gangs: GangRun) -> None:
    other_gang(gangs.fake, "0")
    await half_placed(gangs)
    gangs.fake.fault(Fault(verb="list", resource="pods", status=403, reason="Forbidden"))
    await gangs.until(gangs.incomplete)


async def test_what_does_not_help_is_not_done_for_ever(gangs: GangRun) -> None:
    """The older run's gang may lack what no other holds."""
    other_gang(gangs.fake, "0")
    gangs.player.held = True
    await gangs.start(2)

    async def made_room(times: int) -> None:
        await half_of(gangs, 2 * times)
        await gangs.until(lambda: len(gangs.incomplete()) == times)

    for times in (1, 2, 3):
        await made_room(times)
    await half_of(gangs, 8)
    await asyncio.sleep(PATIENCE - 2)
    assert len(gangs.incomplete()) == 3
    gangs.player.pods[-1].begin()
    await asyncio.sleep(2)
    assert len(gangs.jobs()) == 1
