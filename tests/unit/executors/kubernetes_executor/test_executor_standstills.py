"""Pods that stand still, are refused or cannot be placed, over the fake API server."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from executor_run import Run
from pod_player import PodPlayer

from headway.config.fields import replace
from headway.executors.base import Ended, Started
from headway.executors.kubernetes.suspension import QUEUE_LABEL
from headway.store.records import (
    CONFIGURATION,
    INFRASTRUCTURE,
    LOST,
    SUCCEEDED,
)
from headway.testing.executor_suite import LIMIT
from headway.testing.fake_kubernetes import FakeKubernetes


@pytest.mark.budget(6)
async def test_a_pod_that_stands_still_is_told_once_and_fails_when_it_is_hopeless(
    run: Run[PodPlayer],
) -> None:
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
async def test_what_fail_on_container_waiting_reasons_names_is_not_waited_for(run: Run[PodPlayer]) -> None:
    """``fail_on_container_waiting_reasons`` names this one for all steps here."""
    run.player.held = True
    (ref,) = await run.start("waits")
    await run.until(lambda: run.player.pods)
    begun = asyncio.get_running_loop().time()
    run.fake.pod_waiting(run.player.pods[0].name, "SignatureValidationFailed", "not signed")
    record = await run.end(ref)
    assert record.failure is not None
    assert (record.outcome, record.failure.kind) == (LOST, CONFIGURATION)
    assert asyncio.get_running_loop().time() - begun < 5


@pytest.mark.budget(6)
async def test_waiting_for_a_node_takes_nothing_from_the_patience_with_an_image(run: Run[PodPlayer]) -> None:
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


@pytest.mark.budget(6)
async def test_pods_that_are_refused_are_told_and_fail_when_it_goes_on(run: Run[PodPlayer]) -> None:
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
async def test_pods_that_are_refused_for_want_of_quota_wait(run: Run[PodPlayer]) -> None:
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
async def test_pods_that_are_refused_by_somebodys_trouble_wait(run: Run[PodPlayer]) -> None:
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
async def test_a_volume_that_cannot_be_mounted_is_told_by_events(run: Run[PodPlayer]) -> None:
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
async def test_what_no_node_could_ever_take_fails_in_the_end_unless_an_autoscaler_helps(
    run: Run[PodPlayer],
) -> None:
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
    assert "n: has no cpu, the pod asks for 1" in record.failure.message
    assert not run.heard.of(Ended, hopeful.ref)
    assert {"ScaleUp", "NeverSchedulable"} <= {reason for reason, _ in run.waits()}


@pytest.mark.budget(6)
async def test_an_autoscaler_that_acts_late_or_is_out_of_stock_is_waited_for(run: Run[PodPlayer]) -> None:
    run.player.held = True
    refs = await run.start("waits", 2)
    await run.until(lambda: len(run.player.pods) == 2)
    run.fake.state.add(
        "nodes", None, {"kind": "Node", "metadata": {"name": "n"}, "status": {"allocatable": {"cpu": "0"}}}
    )
    for pod in run.player.pods:
        run.fake.pod_unschedulable(pod.name)
    late, out = (run.player.by_ref(ref).name for ref in refs)
    words = "pod didn't trigger scale-up: 1 node(s) had untolerated taint {a: b}, 1 in backoff after failed scale-up"
    run.fake.event("pods", out, "NotTriggerScaleUp", words)
    await asyncio.sleep(25)
    assert "NeverSchedulable" in [reason for reason, _ in run.waits()], (
        "nobody has said yet that a node will come"
    )
    run.fake.event("pods", late, "TriggeredScaleUp", "pool 1->2", type_="Normal")
    await asyncio.sleep(100)
    assert run.waits()[-1][0] == "ScaleUp"
    run.fake.event("pods", late, "FailedScaleUp", "GCE out of resources")
    await asyncio.sleep(100)
    assert not run.heard.of(Ended), "both may get a node"
    said = [(reason, message) for reason, message in run.waits() if reason == "OutOfStock"]
    assert len(said) == 2
    assert (
        f"(n: has no cpu, the pod asks for 1); the cluster's autoscaler has no node to give for now ({words})"
        in said[0][1]
    )
    assert "Waiting goes on until it has one" in said[0][1]


@pytest.mark.budget(6)
async def test_what_admission_gave_a_pod_counts_and_not_what_was_sent(run: Run[PodPlayer]) -> None:
    """The cluster lets the pod tolerate the only node's taint, so it waits for room, however long that takes."""
    run.player.held = True
    (ref,) = await run.start("waits")
    await run.until(lambda: run.player.pods)
    run.fake.state.add(
        "nodes",
        None,
        {
            "metadata": {"name": "n"},
            "spec": {"taints": [{"key": "team", "value": "a", "effect": "NoSchedule"}]},
            "status": {"allocatable": {"cpu": "4", "memory": "16Gi", "ephemeral-storage": "100Gi"}},
        },
    )
    pod = run.fake.pods()[0]
    pod["spec"]["tolerations"] = [{"key": "team", "operator": "Exists"}]
    run.fake.state.update("pods", pod)
    run.fake.pod_unschedulable(run.player.pods[0].name)
    await asyncio.sleep(300)
    assert not run.heard.of(Ended, ref)
    assert [reason for reason, _ in run.waits() if reason] == ["Unschedulable"]


async def test_a_namespace_that_wants_more_security_gets_it(run: Run[PodPlayer]) -> None:
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
    (words,) = [words for reason, words in run.waits() if reason == "Restricted"]
    assert "as user 1000 (restricted_uid=0: as the image's own)" in words
    await run.until(lambda: name not in [job["metadata"]["name"] for job in run.jobs()])


async def test_a_namespace_that_wants_more_security_and_shows_nothing_is_tried(
    run: Run[PodPlayer],
) -> None:
    """Neither its labels nor events may be read; a cluster that makes no pods but restricted ones."""
    run.fake.deny("list", "events")
    run.player.held = True
    with without_pods(run.fake):
        (ref,) = await run.start("succeeds")
        await run.until(lambda: len(run.fake.seen("create", "jobs")) == 2)
        (reason, words) = next(each for each in run.waits() if each[0])
        assert reason == "Restricted"
        assert "no pod was made for it in 15 seconds" in words
        assert "you may not list the events of namespace default" in words
    run.player.held = False
    first, successor = (each.body for each in run.fake.seen("create", "jobs"))
    assert successor["spec"]["template"]["spec"]["securityContext"]["runAsNonRoot"] is True
    poke(run.fake, successor["metadata"]["name"])
    assert (await run.end(ref)).outcome == SUCCEEDED
    await run.until(lambda: first["metadata"]["name"] not in [job["metadata"]["name"] for job in run.jobs()])
    (again,) = await run.start("prints")
    assert (await run.end(again)).outcome == SUCCEEDED
    third = run.fake.seen("create", "jobs")[2].body
    assert third["spec"]["template"]["spec"]["securityContext"]["runAsNonRoot"] is True, "it is known by now"


@pytest.mark.budget(6)
async def test_what_is_tried_in_vain_is_taken_back_and_the_wait_is_told(run: Run[PodPlayer]) -> None:
    run.fake.deny("list", "events")
    run.player.held = True
    with without_pods(run.fake):
        (ref,) = await run.start("succeeds")
        await run.until(lambda: len(run.fake.seen("create", "jobs")) == 3, 60)
        await run.until(lambda: run.waits()[-1][0] == "NoPod", 60)
        assert len(run.fake.seen("create", "jobs")) == 3, "once is enough"
    words = run.waits()[-1][1]
    last = run.fake.seen("create", "jobs")[2].body
    name = last["metadata"]["name"]
    assert f"no pod was made for its Job {name} in 15 seconds" in words
    assert "events, which you may not list in namespace default" in words
    assert f"kubectl --namespace default describe job {name}" in words
    assert "runAsNonRoot" not in last["spec"]["template"]["spec"].get("securityContext", {})
    assert not run.heard.of(Ended, ref)
    run.player.held = False
    poke(run.fake, name)
    assert (await run.end(ref)).outcome == SUCCEEDED


async def test_where_pods_are_made_nothing_is_tried(run: Run[PodPlayer]) -> None:
    run.fake.deny("list", "events")
    (first,) = await run.start("succeeds")
    assert (await run.end(first)).outcome == SUCCEEDED
    run.player.held = True
    with without_pods(run.fake):
        (ref,) = await run.start("prints")
        await run.until(lambda: run.waits()[-1][0] == "NoPod")
        assert len(run.fake.seen("create", "jobs")) == 2
    run.player.held = False
    poke(run.fake, run.fake.seen("create", "jobs")[1].body["metadata"]["name"])
    assert (await run.end(ref)).outcome == SUCCEEDED


def profile(job: Any) -> tuple[Any, Any]:
    """Whether the Job's pods may not be root, and the uid that they name."""
    context = job["spec"]["template"]["spec"].get("securityContext", {})
    return context.get("runAsNonRoot"), context.get("runAsUser")


@pytest.mark.budget(6)
async def test_where_the_platform_chooses_uids_pods_name_none(run: Run[PodPlayer]) -> None:
    run.player.held = True
    run.executor._assignments.restrict(("default",))
    with without_pods(run.fake):
        (ref,) = await run.start("succeeds")
        await run.until(run.jobs)
        words = (
            'Error creating: pods "x" is forbidden: unable to validate against any security context constraint: '
            "[provider restricted-v2: .spec.securityContext.fsGroup: Invalid value: []int64{1000}: 1000 is not an "
            "allowed group, provider restricted-v2: .containers[0].runAsUser: Invalid value: 1000: must be in the "
            "ranges: [1000680000, 1000689999]]"
        )
        run.fake.event("jobs", run.jobs()[0]["metadata"]["name"], "FailedCreate", words)
        await run.until(lambda: len(run.fake.seen("create", "jobs")) == 2)
    run.player.held = False
    first, successor = (request.body for request in run.fake.seen("create", "jobs"))
    assert (profile(first), profile(successor)) == ((True, 1000), (True, None))
    poke(run.fake, successor["metadata"]["name"])
    assert (await run.end(ref)).outcome == SUCCEEDED
    (ref,) = await run.start("succeeds")
    assert (await run.end(ref)).outcome == SUCCEEDED
    assert profile(run.fake.seen("create", "jobs")[-1].body) == (True, None)


def suspend(run: Run[PodPlayer], held: bool) -> None:
    """What a queue does to the run's only Job."""
    (job,) = run.jobs()
    job["spec"]["suspend"] = held
    run.fake.state.update("jobs", job)


@pytest.mark.budget(6)
async def test_a_job_that_is_suspended_before_its_pod_ran_keeps_its_attempt(run: Run[PodPlayer]) -> None:
    run.player.held = True
    (ref,) = await run.start("waits")
    await run.until(lambda: run.player.pods)
    suspend(run, held=True)
    await asyncio.sleep(20)
    assert not run.fake.pods()
    assert not run.heard.of(Ended)
    suspend(run, held=False)
    await run.until(lambda: len(run.player.pods) == 2)
    run.player.play(run.player.pods[1])
    run.player.pods[1].succeed("next")
    assert (await run.end(ref)).outcome == SUCCEEDED
    assert len(run.fake.seen("create", "jobs")) == 1


@pytest.mark.budget(6)
async def test_a_job_that_is_suspended_while_it_runs_ends_its_attempt_and_goes(run: Run[PodPlayer]) -> None:
    (ref,) = await run.start("waits")
    await run.pod_of(ref)
    suspend(run, held=True)
    failure = (await run.end(ref)).failure
    assert failure is not None
    assert (failure.kind, failure.reason) == (INFRASTRUCTURE, "JobSuspended")
    assert "its queue gave its place to others" in failure.message
    await run.until(lambda: not run.jobs())


@pytest.mark.budget(6)
@pytest.mark.parametrize("queue", ["", "team-a"])
async def test_a_job_that_a_queue_admitted_is_not_widened(run: Run[PodPlayer], queue: str) -> None:
    """Its queue counted its pods: that they become more would be a reason to send it away."""
    settings = run.executor._assignments._settings
    settings["waits"] = replace(settings["waits"], labels={QUEUE_LABEL: queue} if queue else {})
    (first,) = await run.start("waits")
    await run.pod_of(first)
    several = await run.start("waits", LIMIT)
    await run.until(lambda: len(run.player.pods) == 2)
    run.player.by_ref(first).succeed("next")
    await run.end(first)
    await asyncio.sleep(5)
    assert len(run.fake.seen("patch", "jobs")) == (0 if queue else 1)
    for _ in several:
        next(
            pod for pod in run.player.pods if pod.ref in several and not run.heard.of(Ended, pod.ref)
        ).succeed("next")
        await asyncio.sleep(5)
    for ref in several:
        assert (await run.end(ref)).outcome == SUCCEEDED


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


@pytest.mark.budget(6)
async def test_an_init_container_that_takes_its_time_is_named_while_it_runs(run: Run[PodPlayer]) -> None:
    run.player.held = True
    (ref,) = await run.start("waits")
    await run.until(lambda: run.player.pods)
    name = run.player.pods[0].name
    run.fake.pod_waiting(name, "PodInitializing")
    run.fake.event("pods", name, "Pulling", 'Pulling image "tools:7"', type_="Normal")
    await run.until(lambda: run.waits()[-1] == ("Pulling", "its node is still pulling the image tools:7"))
    run.fake.event("pods", name, "Started", "Container started", type_="Normal")
    pod = run.fake.pods()[0]
    incomplete = "containers with incomplete status: [prepare]"
    pod["status"]["conditions"].append({"type": "Initialized", "status": "False", "message": incomplete})
    pod["status"]["initContainerStatuses"] = [{"name": "prepare", "state": {"running": {}}}]
    run.fake.state.update("pods", pod)
    words = "its init container prepare runs, and the step begins once that is done. See what it does: kubectl logs"
    await run.until(lambda: run.waits()[-1] == ("Initializing", f"{words} {name} -c prepare."), 40.0)
    await asyncio.sleep(100)
    assert not run.heard.of(Ended, ref), "it is waited for"
    pod = run.fake.pods()[0]
    pod["status"]["conditions"].pop()
    pod["status"]["initContainerStatuses"] = [{"name": "prepare", "state": {"terminated": {"exitCode": 0}}}]
    run.fake.state.update("pods", pod)
    await run.until(lambda: run.waits()[-1] == ("", ""), 5.0)
    run.player.play(run.player.pods[0])
    run.player.pods[0].succeed("next")
    assert (await run.end(ref)).outcome == SUCCEEDED
