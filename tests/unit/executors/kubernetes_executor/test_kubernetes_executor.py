"""The Kubernetes executor over the fake API server: the suite, and what only pods can do."""

import asyncio
import contextlib
import dataclasses
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from pod_player import PlayedPod, PodPlayer

from headway.config.kubernetes import KubernetesSettings
from headway.errors import StoreUnavailableError
from headway.executors.base import Broken, Ended, Started, Waiting
from headway.executors.kubernetes.executor import KubernetesExecutor
from headway.runtime.channel import Report
from headway.store import layout
from headway.store.batch import Batch, Code
from headway.store.logs import END
from headway.store.records import (
    CONFIGURATION,
    INFRASTRUCTURE,
    LOST,
    RESOURCES,
    SUCCEEDED,
    USER,
    AttemptRef,
    Failure,
    Record,
    Transition,
)
from headway.testing.executor_suite import (
    FLOW,
    LIMIT,
    RUN,
    STOPPED,
    ExecutorSuite,
    Heard,
    refs_of,
    stored_record,
)
from headway.testing.fake_kubernetes import FakeKubernetes, Fault
from headway.testing.memory_store import MemoryStore


@pytest.fixture
def code() -> Code:
    return Code("path", "suite_flow.py", ("__main__", "SuiteFlow"), bundle="0" * 64)


class TestKubernetesExecutor(ExecutorSuite):
    """The suite; pods of the fake cluster are gone the moment they are deleted."""

    heeds_grace = False

    @pytest.fixture
    def left_behind(self, fake: FakeKubernetes, player: PodPlayer) -> Callable[[], list[str]]:
        def names() -> list[str]:
            active = [pod["metadata"]["name"] for pod in fake.pods() if pod["status"]["phase"] == "Running"]
            return active + [job["metadata"]["name"] for job in fake.state.all("jobs")]

        return names


# What only pods can do


class Run:
    """A run's executor, opened; what it says, and the cluster and datastore behind it."""

    def __init__(
        self,
        executor: KubernetesExecutor,
        fake: FakeKubernetes,
        store: MemoryStore,
        player: PodPlayer,
        code: Code,
    ) -> None:
        self.executor = executor
        self.fake = fake
        self.store = store
        self.player = player
        self.heard = Heard(patience=120)
        self._suite = ExecutorSuite()
        self._code = code

    def batch(self, step: str, tasks: int = 1) -> Batch:
        return self._suite.batch(self._code, step, tasks)

    async def start(self, step: str, tasks: int = 1) -> tuple[AttemptRef, ...]:
        """Start a batch of this step."""
        batch = self.batch(step, tasks)
        await self.executor.start(batch)
        return refs_of(batch)

    async def until(self, condition: Callable[[], Any], patience: float = 30.0) -> None:
        """Let time pass until this holds."""
        for _ in range(int(patience * 20)):
            if condition():
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"it never came true; heard: {self.heard.events}")

    async def pod_of(self, ref: AttemptRef) -> PlayedPod:
        """The pod that makes an attempt, once it runs."""
        await self.heard.until(lambda: self.heard.of(Started, ref), f"the start of {ref}")
        return self.player.by_ref(ref)

    async def end(self, ref: AttemptRef) -> Record:
        (record,) = await self.heard.end_of(ref)
        return record

    def waits(self) -> list[tuple[str, str]]:
        """What was told of what stands still: (reason, message), from the first word to the last."""
        return [(event.reason, event.message) for event in self.heard.of(Waiting)]

    def jobs(self) -> list[dict[str, Any]]:
        return list(self.fake.state.all("jobs"))


@pytest.fixture
async def run(
    executor: KubernetesExecutor, fake: FakeKubernetes, store: MemoryStore, player: PodPlayer, code: Code
) -> AsyncIterator[Run]:
    run = Run(executor, fake, store, player, code)
    await executor.open(run.heard)
    yield run
    await executor.close(now=True)
    assert not run.heard.of(Broken), run.heard.events


async def test_a_batch_is_one_job_that_is_widened_as_room_comes(run: Run) -> None:
    first, second = await run.start("waits", 2), await run.start("waits", 3)
    await run.until(lambda: len(run.heard.of(Started)) == LIMIT)
    assert [job["spec"]["parallelism"] for job in run.jobs()] == [2], "there is no room for the second"
    run.player.by_ref(first[0]).succeed("next")
    await run.end(first[0])
    await run.until(lambda: len(run.heard.of(Started)) == LIMIT + 1)
    assert sorted(job["spec"]["parallelism"] for job in run.jobs()) == [1, 2]
    run.player.by_ref(first[1]).succeed("next")
    await run.until(lambda: len(run.heard.of(Started)) == LIMIT + 2)
    assert len(run.fake.seen("create", "jobs")) == 2
    assert not run.heard.of(Ended, second[0])


async def test_the_start_is_told_with_the_pod(run: Run) -> None:
    (ref,) = await run.start("waits")
    pod = await run.pod_of(ref)
    (event,) = run.heard.of(Started)
    assert event.where == f"pod {pod.name}"
    assert event.facts["kubernetes-pod-name"] == pod.name
    assert event.facts["kubernetes-node-name"] == "node1"
    assert event.facts["kubernetes-pod-namespace"] == "default"


async def test_lines_are_seen_while_the_pod_runs_and_none_twice(run: Run) -> None:
    (ref,) = await run.start("waits")
    pod = await run.pod_of(ref)
    for number in range(5):
        pod.print(f"line {number}\n")
        await run.until(lambda number=number: f"line {number}" in run.heard.lines(ref, "stdout"), 2.0)
    pod.print("last\n")
    pod.succeed("next")
    await run.end(ref)
    assert run.heard.lines(ref, "stdout") == [*(f"line {number}" for number in range(5)), "last"]


async def test_lines_that_come_while_the_end_is_settled_are_not_shown_twice(run: Run) -> None:
    (ref,) = await run.start("waits")
    pod = await run.pod_of(ref)
    pod.print("first\n")
    await run.until(lambda: run.heard.lines(ref, "stdout"))
    # The watch tells of the end first, and settling it takes a while, during which the feed is read.
    run.store.fail_next(StoreUnavailableError("no answer"), "put_if_absent")
    run.fake.pod_failed(pod.name)
    await run.until(lambda: ("Datastore", "no answer") in run.waits())
    pod.print("second\n")
    await run.end(ref)
    await asyncio.sleep(2)
    assert run.heard.lines(ref, "stdout") == ["first", "second"]


async def test_a_log_that_was_never_heard_comes_with_the_end(run: Run) -> None:
    (ref,) = await run.start("waits")
    pod = await run.pod_of(ref)
    pod.book.feed("stdout", b"one\ntwo\n")
    pod.succeed("next")
    await run.end(ref)
    assert run.heard.lines(ref, "stdout") == ["one", "two"]


async def test_a_line_in_pieces_is_one_line_of_the_log(run: Run) -> None:
    (ref,) = await run.start("waits")
    pod = await run.pod_of(ref)
    pod.print("x" * 70_000)
    await run.until(lambda: run.heard.lines(ref, "stdout"))
    pod.print("y\nnext\n")
    await run.until(lambda: "next" in run.heard.lines(ref, "stdout"))
    pod.book.feed("stdout", b"unheard\n")
    pod.succeed("next")
    record = await run.end(ref)
    assert record.log_lines == {"stdout": 3}
    assert [len(line) for line in run.heard.lines(ref, "stdout")] == [70_000, 1, 4, 7]


async def test_a_note_that_is_lost_costs_nothing_but_time(run: Run) -> None:
    (ref,) = await run.start("waits")
    pod = await run.pod_of(ref)
    pod.commit(Report(transition=Transition(("next",))))
    run.fake.pod_succeeded(pod.name)
    assert (await run.end(ref)).outcome == SUCCEEDED


async def test_a_note_is_enough_before_the_watch_tells(run: Run) -> None:
    (ref,) = await run.start("waits")
    pod = await run.pod_of(ref)
    pod.commit(Report(transition=Transition(("next",))))
    pod.report(END, [])
    assert (await run.end(ref)).outcome == SUCCEEDED
    run.fake.pod_succeeded(pod.name)
    await asyncio.sleep(3)
    assert len(run.heard.of(Ended, ref)) == 1


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
    run: Run, happens: Callable[[FakeKubernetes, str], None], kind: str, reason: str
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


async def test_one_lost_pod_of_a_batch_stops_no_other(run: Run) -> None:
    refs = await run.start("waits", 2)
    first, second = [await run.pod_of(ref) for ref in refs]
    run.fake.pod_deleted(first.name)
    assert (await run.end(refs[0])).outcome == LOST
    second.succeed("next")
    assert (await run.end(refs[1])).outcome == SUCCEEDED


async def test_why_a_stopped_pod_was_stopped_is_told_by_its_state(run: Run) -> None:
    (ref,) = await run.start("waits")
    pod = await run.pod_of(ref)
    pod.commit(failure=Failure(INFRASTRUCTURE, "Terminated", "The pod was asked to stop (SIGTERM)."))
    pod.report(END, [])
    await asyncio.sleep(1)
    run.fake.pod_evicted(pod.name)
    failure = (await run.end(ref)).failure
    assert failure is not None
    assert failure.reason == "TerminationByKubelet"
    assert "The node was low on resource: memory." in failure.message


@pytest.mark.budget(6)
async def test_a_pod_that_stands_still_is_told_once_and_fails_when_it_is_hopeless(run: Run) -> None:
    run.player.held = True
    (ref,) = await run.start("waits")
    await run.until(lambda: run.player.pods)
    name = run.player.pods[0].name
    begun = asyncio.get_running_loop().time()
    run.fake.pod_waiting(name, "ErrImagePull", "no such image")
    await asyncio.sleep(20)
    run.fake.pod_waiting(name, "ImagePullBackOff", "no such image")
    record = await run.end(ref)
    took = asyncio.get_running_loop().time() - begun
    assert record.failure is not None
    assert (record.outcome, record.failure.kind) == (LOST, CONFIGURATION)
    assert "cannot be pulled" in record.failure.message
    assert 59 < took < 65, "counted from the first failure"
    assert [reason for reason, _ in run.waits()] == ["", "ImagePullBackOff"], "one trouble, told once"
    assert not run.heard.of(Started), "it never ran"
    await run.until(lambda: not run.fake.pods(), 5.0)


@pytest.mark.budget(6)
async def test_waiting_for_a_node_takes_nothing_from_the_patience_with_an_image(run: Run) -> None:
    run.player.held = True
    (ref,) = await run.start("waits")
    await run.until(lambda: run.player.pods)
    name = run.player.pods[0].name
    run.fake.pod_unschedulable(name)
    await asyncio.sleep(65)
    assert not run.heard.of(Ended, ref), "a node may come"
    assert [reason for reason, _ in run.waits()] == ["", "Unschedulable"]
    # As after a watch that missed what lay between.
    pod = run.fake.pods()[0]
    pod["status"]["conditions"] = []
    pod["spec"]["nodeName"] = "node1"
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": ""}}
    pod["status"]["containerStatuses"] = [{"name": "waits", "state": waiting}]
    run.fake.state.update("pods", pod)
    await asyncio.sleep(10)
    assert not run.heard.of(Ended, ref), "the registry may recover"
    run.player.play(run.player.pods[0])
    run.player.pods[0].succeed("next")
    assert (await run.end(ref)).outcome == SUCCEEDED
    assert run.waits()[-1] == ("", "")


# The API server's bad days


@pytest.mark.parametrize(
    "fault",
    [
        Fault(verb="create", resource="jobs", status=422, reason="Invalid", message="spec is wrong"),
        Fault(verb="create", resource="jobs", status=403, reason="Forbidden", message="may not"),
    ],
    ids=["invalid", "forbidden"],
)
async def test_a_job_that_is_refused_fails_its_attempts_as_configured_wrongly(run: Run, fault: Fault) -> None:
    run.fake.fault(fault)
    refs = await run.start("waits", 3)
    records = await run.heard.end_of(*refs)
    assert {record.outcome for record in records} == {LOST}
    assert {record.failure.kind for record in records if record.failure} == {CONFIGURATION}
    assert len(run.fake.seen("create", "jobs")) == 1


QUOTA = Fault(
    verb="create", resource="jobs", status=403, reason="Forbidden", times=2,
    message='jobs.batch "x" is forbidden: exceeded quota: small, requested: count/jobs.batch=1',
)  # fmt: skip


async def test_a_job_for_which_there_is_no_room_waits(run: Run) -> None:
    run.fake.fault(dataclasses.replace(QUOTA))
    (ref,) = await run.start("succeeds")
    assert (await run.end(ref)).outcome == SUCCEEDED
    told = [message for reason, message in run.waits() if reason]
    assert told
    assert all("exceeded quota" in message for message in told)


@pytest.mark.budget(6)
async def test_a_job_that_waits_can_be_cancelled_at_once(run: Run) -> None:
    run.fake.fault(dataclasses.replace(QUOTA, times=10_000))
    (ref,) = await run.start("waits")
    await asyncio.sleep(40)  # by now the pauses are long
    begun = asyncio.get_running_loop().time()
    await run.executor.cancel((ref,), STOPPED)
    record = await run.end(ref)
    assert asyncio.get_running_loop().time() - begun < 3
    assert record.failure == STOPPED


async def test_a_job_that_cannot_be_widened_is_asked_again_but_not_incessantly(run: Run) -> None:
    first, second = await run.start("waits", 2), await run.start("waits", 2)
    await run.until(lambda: len(run.heard.of(Started)) == LIMIT)
    run.player.by_ref(first[0]).succeed("next")
    await run.until(lambda: run.heard.of(Started, second[0]))
    run.fake.fault(Fault(verb="patch", resource="jobs", status=422, reason="Invalid", times=5))
    run.player.by_ref(first[1]).succeed("next")
    begun = asyncio.get_running_loop().time()
    await run.until(lambda: run.heard.of(Started, second[1]))
    assert asyncio.get_running_loop().time() - begun > 9
    assert len(run.fake.seen("patch", "jobs")) == 6


async def test_a_pod_that_cannot_be_deleted_does_not_end_the_run(run: Run) -> None:
    refs = await run.start("waits", 2)
    first, second = [await run.pod_of(ref) for ref in refs]
    run.fake.fault(Fault(verb="delete", resource="pods", status=403, reason="Forbidden", times=3))
    await run.executor.cancel((refs[0],), STOPPED)
    assert (await run.end(refs[0])).failure is not None
    assert first.name not in run.fake.pod_names()
    second.succeed("next")
    assert (await run.end(refs[1])).outcome == SUCCEEDED


async def test_a_job_that_cannot_be_deleted_is_tried_again(run: Run) -> None:
    (ref,) = await run.start("waits")
    await run.pod_of(ref)
    run.fake.fault(Fault(verb="delete", resource="jobs", status=403, reason="Forbidden", times=3))
    await run.executor.cancel((ref,), STOPPED)
    assert (await run.end(ref)).failure == STOPPED
    assert run.jobs() == []
    assert any("cannot be deleted" in message for _, message in run.waits())


@pytest.mark.budget(6)
async def test_a_cluster_that_is_gone_does_not_keep_anybody_waiting_for_ever(run: Run) -> None:
    (ref,) = await run.start("waits")
    await run.pod_of(ref)
    run.fake.fault(Fault("reset", times=100_000))
    begun = asyncio.get_running_loop().time()
    await run.executor.close(now=True)
    assert asyncio.get_running_loop().time() - begun < 120


async def test_somebody_deleting_the_job_is_an_interruption_from_outside(run: Run) -> None:
    run.player.held = True
    (ref,) = await run.start("waits")
    await run.until(lambda: run.player.pods)
    run.fake.state.remove("jobs", "default", run.jobs()[0]["metadata"]["name"])
    failure = (await run.end(ref)).failure
    assert failure is not None
    assert failure.kind == INFRASTRUCTURE


async def test_a_job_at_its_deadline(run: Run) -> None:
    run.player.held = True
    (ref,) = await run.start("waits")
    await run.until(lambda: run.player.pods)
    job = run.jobs()[0]
    message = "Job was active longer than specified deadline"
    condition = {"type": "Failed", "status": "True", "reason": "DeadlineExceeded", "message": message}
    job["status"]["conditions"] = [condition]
    run.fake.state.update("jobs", job)
    run.fake.pod_deleted(run.player.pods[0].name)
    record = await run.end(ref)
    assert record.failure is not None
    assert record.failure.reason in ("DeadlineExceeded", "PodDeleted")


@pytest.mark.budget(6)
async def test_pods_that_are_refused_are_told_and_fail_when_it_goes_on(run: Run) -> None:
    run.player.held = True
    with without_pods(run.fake):
        (ref,) = await run.start("waits")
        await run.until(run.jobs)
        name = run.jobs()[0]["metadata"]["name"]
        words = 'Error creating: pods "x" is forbidden: service account "nobody" not found'
        run.fake.event("jobs", name, "FailedCreate", words)
        await run.until(lambda: [reason for reason, _ in run.waits() if reason] == ["ServiceAccount"])
        record = await run.end(ref)
    assert record.failure is not None
    assert (record.failure.kind, record.failure.reason) == (CONFIGURATION, "ServiceAccount")
    assert 'service account "nobody" not found' in record.failure.message
    assert len(run.fake.seen("list", "events")) <= 5, "events are not asked for every second"


@pytest.mark.budget(6)
async def test_pods_that_are_refused_for_want_of_quota_wait(run: Run) -> None:
    run.player.held = True
    with without_pods(run.fake):
        (ref,) = await run.start("waits")
        await run.until(run.jobs)
        name = run.jobs()[0]["metadata"]["name"]
        run.fake.event(
            "jobs", name, "FailedCreate", "Error creating: pods is forbidden: exceeded quota: small"
        )
        await asyncio.sleep(30)
        assert not run.heard.of(Ended, ref)
        assert [reason for reason, _ in run.waits() if reason] == ["Quota"]


@pytest.mark.budget(6)
async def test_pods_that_are_refused_by_somebodys_trouble_wait(run: Run) -> None:
    run.player.held = True
    with without_pods(run.fake):
        (ref,) = await run.start("waits")
        await run.until(run.jobs)
        name = run.jobs()[0]["metadata"]["name"]
        words = 'Error creating: Internal error occurred: failed calling webhook "x": connection refused'
        run.fake.event("jobs", name, "FailedCreate", words)
        await asyncio.sleep(50)
    assert not run.heard.of(Ended, ref)
    assert [reason for reason, _ in run.waits() if reason] == ["Webhook"]


@pytest.mark.budget(6)
async def test_a_volume_that_cannot_be_mounted_is_told_by_events(run: Run) -> None:
    run.player.held = True
    (ref,) = await run.start("waits")
    await run.until(lambda: run.player.pods)
    name = run.player.pods[0].name
    run.fake.pod_scheduled(name)
    run.fake.event(
        "pods", name, "FailedMount", 'MountVolume.SetUp failed for volume "v" : secret "s" not found'
    )
    begun = asyncio.get_running_loop().time()
    record = await run.end(ref)
    assert 60 <= asyncio.get_running_loop().time() - begun < 75
    assert record.failure is not None
    assert (record.failure.kind, record.failure.reason) == (CONFIGURATION, "FailedMount")
    assert "the secret s does not exist" in record.failure.message
    assert [reason for reason, _ in run.waits() if reason] == ["FailedMount"]


@pytest.mark.budget(6)
async def test_what_no_node_could_ever_take_fails_in_the_end_unless_an_autoscaler_helps(run: Run) -> None:
    run.player.held = True
    refs = await run.start("waits", 2)
    await run.until(lambda: len(run.player.pods) == 2)
    run.fake.state.add(
        "nodes", None, {"kind": "Node", "metadata": {"name": "n"}, "status": {"allocatable": {"cpu": "0"}}}
    )
    for pod in run.player.pods:
        run.fake.pod_unschedulable(pod.name)
    hopeful, hopeless = run.player.by_ref(refs[0]), run.player.by_ref(refs[1])
    run.fake.event("pods", hopeful.name, "TriggeredScaleUp", "pool 1->2", type_="Normal")
    record = await run.end(hopeless.ref)
    assert record.failure is not None
    assert (record.failure.kind, record.failure.reason) == (CONFIGURATION, "NeverSchedulable")
    assert "n: has 0 of cpu in all, the pod asks for 1" in record.failure.message
    assert not run.heard.of(Ended, hopeful.ref)
    assert {"ScaleUp", "NeverSchedulable"} <= {reason for reason, _ in run.waits()}


@pytest.mark.budget(6)
async def test_a_sidecar_that_never_ends_is_sent_away(run: Run) -> None:
    (ref,) = await run.start("waits")
    pod = await run.pod_of(ref)
    beside = {"name": "proxy", "ready": True, "state": {"running": {}}}
    state = run.fake.pods()[0]
    state["status"]["containerStatuses"].append(beside)
    run.fake.state.update("pods", state)
    pod.commit(Report(transition=Transition(("next",))))
    state = run.fake.pods()[0]
    state["status"]["containerStatuses"][0]["state"] = {"terminated": {"exitCode": 0, "reason": "Completed"}}
    run.fake.state.update("pods", state)
    assert (await run.end(ref)).outcome == SUCCEEDED
    await run.until(lambda: not run.fake.pods())
    assert run.jobs() == []
    assert len(run.heard.of(Ended)) == 1


async def test_what_is_done_is_forgotten(run: Run) -> None:
    for _ in range(3):
        (ref,) = await run.start("succeeds")
        await run.end(ref)
    await run.until(lambda: not list(run.executor._jobs))


async def test_a_namespace_that_wants_more_security_gets_it(run: Run) -> None:
    run.player.held = True
    with without_pods(run.fake):
        (ref,) = await run.start("succeeds")
        await run.until(run.jobs)
        name = run.jobs()[0]["metadata"]["name"]
        words = 'Error creating: pods "x" is forbidden: violates PodSecurity "restricted:latest"'
        run.fake.event("jobs", name, "FailedCreate", words)
        await run.until(lambda: len(run.fake.seen("create", "jobs")) == 2)
    run.player.held = False
    successor = run.fake.seen("create", "jobs")[1].body
    assert successor["spec"]["template"]["spec"]["securityContext"]["runAsNonRoot"] is True
    poke(run.fake, successor["metadata"]["name"])
    assert (await run.end(ref)).outcome == SUCCEEDED
    assert "Restricted" in [reason for reason, _ in run.waits()]
    await run.until(lambda: name not in [job["metadata"]["name"] for job in run.jobs()])


# The datastore's bad days


async def test_a_batch_that_cannot_be_stored_is_stored_later(run: Run) -> None:
    for _ in range(3):
        run.store.fail_next(StoreUnavailableError("no answer"), "put")
    (ref,) = await run.start("succeeds")
    assert (await run.end(ref)).outcome == SUCCEEDED
    assert ("Datastore", "no answer") in run.waits()


async def test_a_batch_that_cannot_be_stored_can_be_cancelled(run: Run) -> None:
    for _ in range(1000):
        run.store.fail_next(StoreUnavailableError("no answer"), "put")
    (ref,) = await run.start("waits")
    await asyncio.sleep(20)
    await run.executor.cancel((ref,), STOPPED)
    assert (await run.end(ref)).failure == STOPPED
    assert run.jobs() == []


async def test_an_end_is_settled_once_the_datastore_answers(run: Run) -> None:
    (ref,) = await run.start("waits")
    pod = await run.pod_of(ref)
    pod.commit(Report(transition=Transition(("next",))))
    for _ in range(4):
        run.store.fail_next(StoreUnavailableError("no answer"), "get")
    run.fake.pod_succeeded(pod.name)
    assert (await run.end(ref)).outcome == SUCCEEDED
    assert ("Datastore", "no answer") in run.waits()


async def test_an_error_of_ours_does_not_go_unheard(run: Run) -> None:
    run.store.fail_next(ZeroDivisionError("a defect"), "put")
    await run.start("waits")
    await run.until(lambda: run.heard.of(Broken))
    (broken,) = run.heard.of(Broken)
    assert isinstance(broken.error, ZeroDivisionError)
    run.heard.events.remove(broken)


# The end


async def test_what_nobody_knows_of_is_swept(run: Run) -> None:
    (ref,) = await run.start("waits")
    await run.pod_of(ref)
    job = run.jobs()[0]
    stray = {**job, "metadata": {**job["metadata"], "name": "stray"}, "status": {}}
    run.fake.state.add("jobs", "default", stray)
    await run.executor.cancel((ref,), STOPPED)
    await run.end(ref)
    await run.executor.close()
    assert run.jobs() == []


async def test_a_run_that_succeeded_leaves_its_ended_pods_and_no_feed(run: Run) -> None:
    (ref,) = await run.start("prints")
    await run.end(ref)
    await run.executor.close()
    assert [pod["status"]["phase"] for pod in run.fake.pods()] == ["Succeeded"]
    assert list(run.store.list(layout.feed(FLOW, RUN))) == []


@contextlib.contextmanager
def without_pods(fake: FakeKubernetes) -> Iterator[None]:
    """A cluster whose Job controller is refused every pod."""
    state, listeners = fake.state, list(fake.state.listeners)
    state.listeners[:] = [each for each in listeners if getattr(each, "__self__", None) is not fake._jobs]
    yield
    state.listeners[:] = [*state.listeners, *(each for each in listeners if each not in state.listeners)]


def poke(fake: FakeKubernetes, name: str) -> None:
    """Let the Job controller look at a Job again."""
    job = fake.state.get("jobs", "default", name)
    assert job is not None
    job["metadata"].setdefault("annotations", {})["poked"] = "yes"
    fake.state.update("jobs", job)


async def test_a_run_that_is_let_go_of_keeps_its_jobs_and_pods(run: Run) -> None:
    refs = await run.start("waits", tasks=2)
    await run.heard.until(lambda: len(run.heard.of(Started)) == 2, "the starts")
    await run.executor.let_go()
    assert [pod["status"]["phase"] for pod in run.fake.pods()] == ["Running", "Running"]
    assert len(list(run.fake.state.all("jobs"))) == 1
    assert not [ref for ref in refs if run.heard.of(Ended, ref)]


# Nodes that are gone


def node_answers(run: Run, status: str) -> None:
    """Let node1 answer the cluster, or not."""
    ready = {"type": "Ready", "status": status}
    node = {"kind": "Node", "metadata": {"name": "node1"}, "status": {"conditions": [ready]}}
    known = [each for each in run.fake.state.all("nodes") if each["metadata"]["name"] == "node1"]
    if known:
        known[0]["status"] = node["status"]
        run.fake.state.update("nodes", known[0])
    else:
        run.fake.state.add("nodes", "", node)


def beat(run: Run, pod: PlayedPod) -> None:
    said = json.dumps({"at": run.player.now(), "peak": 61_000_000}).encode()
    run.store.put(layout.heart(FLOW, RUN, *pod.ref), said)


@pytest.mark.budget(6)
async def test_a_node_that_is_gone_is_noticed_in_a_minute(run: Run) -> None:
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
async def test_a_pod_that_still_beats_is_not_given_up(run: Run) -> None:
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


class TestStopped:
    """Whatever Metaflow's setting says of the Jobs of a run that is stopped."""

    @pytest.fixture(params=["stop", "delete"])
    def settings(
        self, settings: dict[str, KubernetesSettings], request: pytest.FixtureRequest
    ) -> dict[str, KubernetesSettings]:
        return {
            step: dataclasses.replace(own, job_terminate_mode=request.param) for step, own in settings.items()
        }

    async def test_no_job_of_it_stays(self, run: Run) -> None:
        (ref,) = await run.start("waits")
        await run.pod_of(ref)
        await run.executor.cancel((ref,), STOPPED)
        assert (await run.end(ref)).failure == STOPPED
        await run.until(lambda: run.jobs() == [])


async def test_an_attempt_whose_pod_has_not_begun_is_given_up_when_it_is_cancelled(run: Run) -> None:
    run.player.held = True
    (ref,) = await run.start("waits")
    await run.until(lambda: run.player.pods)
    await run.executor.cancel((ref,), STOPPED)
    assert (await run.end(ref)).failure == STOPPED


async def test_how_much_a_container_held_that_was_killed_is_told(run: Run) -> None:
    (ref,) = await run.start("waits")
    pod = await run.pod_of(ref)
    beat(run, pod)
    run.fake.pod_failed(pod.name, 137, "OOMKilled")
    failure = (await run.end(ref)).failure
    assert failure is not None
    assert "It had held up to 61 MB" in failure.message
