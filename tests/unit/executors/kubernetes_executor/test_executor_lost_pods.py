"""Attempts that end without a word of theirs: their pod, Job or node is gone, or they were stopped."""

import asyncio
import json
from collections.abc import Callable

import pytest
from executor_run import Run
from pod_player import PlayedPod, PodPlayer

from headway.config.fields import replace
from headway.config.kubernetes import KubernetesSettings
from headway.errors import StoreUnavailableError
from headway.executors.base import Ended, Waiting
from headway.executors.kubernetes import lost_nodes
from headway.store import layout
from headway.store.logs import END
from headway.store.records import (
    INFRASTRUCTURE,
    LOST,
    RESOURCES,
    SUCCEEDED,
    USER,
    Failure,
)
from headway.testing.executor_suite import (
    FLOW,
    RUN,
    STOPPED,
    stored_record,
)
from headway.testing.fake_kubernetes import FakeKubernetes, Fault


@pytest.mark.parametrize(
    ("happens", "kind", "reason"),
    [
        (lambda fake, pod: fake.pod_failed(pod, 137, "OOMKilled"), RESOURCES, "OutOfMemory"),
        (lambda fake, pod: fake.pod_succeeded(pod), USER, "Exit"),
        (lambda fake, pod: fake.pod_evicted(pod), INFRASTRUCTURE, "TerminationByKubelet"),
        (lambda fake, pod: fake.pod_preempted(pod), INFRASTRUCTURE, "PreemptionByScheduler"),
        (lambda fake, pod: fake.pod_lost(pod), INFRASTRUCTURE, "DeletionByPodGC"),
        (lambda fake, pod: fake.pod_deleted(pod), INFRASTRUCTURE, "PodDeleted"),
    ],
    ids=["memory", "nothing", "evicted", "preempted", "lost", "deleted"],
)
async def test_a_pod_that_ends_without_a_record_is_lost_for_a_reason(
    run: Run[PodPlayer], happens: Callable[[FakeKubernetes, str], None], kind: str, reason: str
) -> None:
    (ref,) = await run.start("waits")
    pod = await run.pod_of(ref)
    pod.print("so far\n")
    await run.until(lambda: run.heard.lines(ref, "stdout"))
    happens(run.fake, pod.name)
    record = await run.end(ref)
    assert record.failure is not None
    assert (record.outcome, record.failure.kind, record.failure.reason) == (LOST, kind, reason)
    assert record.metadata["kubernetes-pod-name"] == pod.name
    assert record.log_lines == {"stdout": 1}, "what it had reported is its log"
    assert stored_record(run.store, ref) == record


async def test_how_long_a_lost_attempt_had_run_is_in_its_record(
    run: Run[PodPlayer], clock: Callable[[], float]
) -> None:
    (ref,) = await run.start("waits")
    pod = await run.pod_of(ref)
    found = run.executor._jobs.find(ref)
    assert found is not None
    attempt = found[1]
    assert attempt.began_at is not None, "its container's state says it"
    attempt.began_at = clock() - 7200
    run.fake.pod_deleted(pod.name)
    record = await run.end(ref)
    assert 7199 < record.ended - record.started < 7260


async def test_one_lost_pod_of_a_batch_stops_no_other(run: Run[PodPlayer]) -> None:
    refs = await run.start("waits", 2)
    first, second = [await run.pod_of(ref) for ref in refs]
    run.fake.pod_deleted(first.name)
    assert (await run.end(refs[0])).outcome == LOST
    second.succeed("next")
    assert (await run.end(refs[1])).outcome == SUCCEEDED


async def test_why_a_stopped_pod_was_stopped_is_told_by_its_state(run: Run[PodPlayer]) -> None:
    (ref,) = await run.start("waits")
    pod = await run.pod_of(ref)
    pod.commit(failure=Failure(INFRASTRUCTURE, "Terminated", "The pod was asked to stop (SIGTERM)."))
    pod.report(END, [])
    await asyncio.sleep(1)
    run.fake.pod_evicted(pod.name)
    record = await run.end(ref)
    failure = record.failure
    assert failure is not None
    assert failure.reason == "TerminationByKubelet"
    assert stored_record(run.store, ref) == record, "who reads it later finds the reason too"
    assert "The node was low on resource: memory." in failure.message


async def test_somebody_deleting_the_job_is_an_interruption_from_outside(run: Run[PodPlayer]) -> None:
    run.player.held = True
    (ref,) = await run.start("waits")
    await run.until(lambda: run.player.pods)
    run.fake.state.remove("jobs", "default", run.jobs()[0]["metadata"]["name"])
    failure = (await run.end(ref)).failure
    assert failure is not None
    assert failure.kind == INFRASTRUCTURE


@pytest.mark.parametrize("said", ["FailureTarget", "Failed"])
async def test_a_job_that_waited_until_its_deadline_is_no_fault_of_the_steps(
    run: Run[PodPlayer], said: str
) -> None:
    run.player.held = True
    (ref,) = await run.start("waits")
    await run.until(lambda: run.player.pods)
    job = run.jobs()[0]
    message = "Job was active longer than specified deadline"
    condition = {"type": said, "status": "True", "reason": "DeadlineExceeded", "message": message}
    job["status"]["conditions"] = [condition]
    run.fake.state.update("jobs", job)
    await asyncio.sleep(1)
    run.fake.pod_deleted(run.player.pods[0].name)
    failure = (await run.end(ref)).failure
    assert failure is not None
    assert (failure.kind, failure.reason) == (INFRASTRUCTURE, "DeadlineExceeded")
    assert "Step waits waited so long for nodes" in failure.message


async def test_a_pod_that_is_deleted_before_it_ran_says_so(run: Run[PodPlayer]) -> None:
    run.player.held = True
    (ref,) = await run.start("waits")
    await run.until(lambda: run.player.pods)
    run.fake.pod_deleted(run.player.pods[0].name)
    failure = (await run.end(ref)).failure
    assert failure is not None
    assert (failure.kind, failure.reason) == (INFRASTRUCTURE, "PodDeleted")
    assert "was deleted before its container began" in failure.message


def node_answers(run: Run[PodPlayer], status: str) -> None:
    """Let node1 answer the cluster, or not."""
    ready = {"type": "Ready", "status": status}
    node = {"kind": "Node", "metadata": {"name": "node1"}, "status": {"conditions": [ready]}}
    known = [each for each in run.fake.state.all("nodes") if each["metadata"]["name"] == "node1"]
    if known:
        known[0]["status"] = node["status"]
        run.fake.state.update("nodes", known[0])
    else:
        run.fake.state.add("nodes", "", node)


def beat(run: Run[PodPlayer], pod: PlayedPod, ahead: float = 0.0) -> None:
    """The pod is alive, by a clock that is so many seconds ahead of the launcher's."""
    said = json.dumps({"at": run.player.now() + ahead, "peak": 61_000_000}).encode()
    run.store.put(layout.heart(FLOW, RUN, *pod.ref), said)


@pytest.mark.budget(6)
async def test_a_node_that_is_gone_is_noticed_in_a_minute(run: Run[PodPlayer]) -> None:
    node_answers(run, "True")
    (ref,) = await run.start("waits")
    pod = await run.pod_of(ref)
    await asyncio.sleep(20)
    beat(run, pod)
    node_answers(run, "Unknown")
    begun = asyncio.get_running_loop().time()
    record = await run.end(ref)
    assert asyncio.get_running_loop().time() - begun < 60
    assert record.failure is not None
    assert (record.outcome, record.failure.kind, record.failure.reason) == (LOST, INFRASTRUCTURE, "NodeLost")
    assert "The node node1 of the pod" in record.failure.message
    assert "does not answer the cluster, and nothing was heard of the pod for" in record.failure.message
    assert [reason for reason, _ in run.waits() if reason] == ["NodeSilent"]
    begun = asyncio.get_running_loop().time()
    await run.executor.close()
    assert asyncio.get_running_loop().time() - begun < 5, "a pod that nobody can stop is not waited for"


@pytest.mark.budget(6)
@pytest.mark.parametrize(("few", "least", "most"), [(20, 0, 20), (0, 35, 60)])
async def test_of_few_pods_it_is_known_by_then_whether_they_beat(
    run: Run[PodPlayer], monkeypatch: pytest.MonkeyPatch, few: int, least: float, most: float
) -> None:
    monkeypatch.setattr(lost_nodes, "_FEW", few)
    node_answers(run, "True")
    (ref,) = await run.start("waits")
    beat(run, await run.pod_of(ref))
    # So long the cluster takes to find out that a node is silent.
    await asyncio.sleep(50)
    assert [reason for reason, _ in run.waits() if reason] == []
    node_answers(run, "Unknown")
    begun = asyncio.get_running_loop().time()
    record = await run.end(ref)
    assert least <= asyncio.get_running_loop().time() - begun < most
    assert record.failure is not None
    assert record.failure.reason == "NodeLost"


@pytest.mark.budget(6)
async def test_a_pod_that_still_beats_is_not_given_up(run: Run[PodPlayer]) -> None:
    run.fake.fault(Fault(verb="get", resource="nodes", status=403, reason="Forbidden", times=1000))
    (ref,) = await run.start("waits")
    pod = await run.pod_of(ref)
    state = run.fake.pods()[0]
    state["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
    run.fake.state.update("pods", state)
    for _ in range(8):
        beat(run, pod)
        await asyncio.sleep(15)
    assert not run.heard.of(Ended, ref)
    assert [reason for reason, _ in run.waits() if reason] == ["NodeSilent"]
    assert len(run.fake.seen("get", "nodes")) == 1, "who may not read nodes does not ask again"
    record = await run.end(ref)
    assert record.failure is not None
    assert record.failure.reason == "NodeLost"


@pytest.mark.budget(6)
@pytest.mark.parametrize("ahead", [7200, -7200])
async def test_a_dead_pod_is_noticed_whatever_its_clock_says(run: Run[PodPlayer], ahead: float) -> None:
    node_answers(run, "True")
    (ref,) = await run.start("waits")
    beat(run, await run.pod_of(ref), ahead=ahead)
    node_answers(run, "Unknown")
    begun = asyncio.get_running_loop().time()
    record = await run.end(ref)
    assert 35 < asyncio.get_running_loop().time() - begun < 60
    assert record.failure is not None
    assert record.failure.reason == "NodeLost"


@pytest.mark.budget(6)
@pytest.mark.parametrize("ahead", [7200, 0, -40, -7200])
async def test_a_pod_whose_beats_are_seen_to_come_lives_whatever_its_clock_says(
    run: Run[PodPlayer], ahead: float
) -> None:
    node_answers(run, "True")
    (ref,) = await run.start("waits")
    pod = await run.pod_of(ref)
    beat(run, pod, ahead)
    await asyncio.sleep(14)
    node_answers(run, "Unknown")
    for _ in range(8):
        await asyncio.sleep(15)
        beat(run, pod, ahead)
    assert not run.heard.of(Ended, ref)


@pytest.mark.budget(6)
async def test_a_pod_that_the_datastore_may_have_kept_from_beating_is_not_given_up(
    run: Run[PodPlayer],
) -> None:
    node_answers(run, "True")
    (ref,) = await run.start("waits")
    pod = await run.pod_of(ref)
    beat(run, pod)
    for _ in range(15):
        run.store.fail_next(StoreUnavailableError("no answer"), "get")
    node_answers(run, "Unknown")
    await asyncio.sleep(100)
    beat(run, pod)
    await asyncio.sleep(15)
    assert not run.heard.of(Ended, ref)


class TestStopped:
    """Whatever Metaflow's setting says of the Jobs of a run that is stopped."""

    @pytest.fixture(params=["stop", "delete"])
    def settings(
        self, settings: dict[str, KubernetesSettings], request: pytest.FixtureRequest
    ) -> dict[str, KubernetesSettings]:
        return {step: replace(own, job_terminate_mode=request.param) for step, own in settings.items()}

    async def test_no_job_of_it_stays(self, run: Run[PodPlayer]) -> None:
        (ref,) = await run.start("waits")
        await run.pod_of(ref)
        await run.executor.cancel((ref,), STOPPED)
        assert (await run.end(ref)).failure == STOPPED
        await run.until(lambda: run.jobs() == [])


async def test_an_attempt_whose_pod_has_not_begun_is_given_up_when_it_is_cancelled(
    run: Run[PodPlayer],
) -> None:
    run.player.held = True
    (ref,) = await run.start("waits")
    await run.until(lambda: run.player.pods)
    await run.executor.cancel((ref,), STOPPED)
    assert (await run.end(ref)).failure == STOPPED


async def test_how_much_a_container_held_that_was_killed_is_told(run: Run[PodPlayer]) -> None:
    (ref,) = await run.start("waits")
    pod = await run.pod_of(ref)
    beat(run, pod)
    run.fake.pod_failed(pod.name, 137, "OOMKilled")
    failure = (await run.end(ref)).failure
    assert failure is not None
    assert "It had held up to 61 MB" in failure.message


async def test_what_an_attempt_waited_for_until_it_was_cancelled_is_in_its_record(
    run: Run[PodPlayer],
) -> None:
    run.player.held = True
    (ref,) = await run.start("waits")
    await run.until(lambda: run.player.pods)
    run.fake.pod_unschedulable(run.player.pods[0].name)
    await run.until(lambda: any(each.ref == ref for each in run.heard.of(Waiting)))
    await run.executor.cancel((ref,), STOPPED)
    failure = (await run.end(ref)).failure
    assert failure is not None
    assert (failure.kind, failure.reason) == (STOPPED.kind, STOPPED.reason)
    words = "Stopped by the suite. It had not begun: no node takes the pod "
    assert failure.message.startswith(words)
    assert "1 has too little free cpu" in failure.message
