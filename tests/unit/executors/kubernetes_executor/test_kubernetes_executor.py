"""The Kubernetes executor over the fake API server: the suite, and what it does for a run that goes well."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from executor_run import Run
from pod_player import PlayedPod, PodPlayer

from headway.errors import StoreUnavailableError
from headway.executors.base import Ended, Started, StopAsked
from headway.executors.kubernetes.labels import STOPPED_BY
from headway.runtime.channel import Report
from headway.store import layout
from headway.store.logs import END
from headway.store.records import (
    FAILED,
    SUCCEEDED,
    USER,
    Failure,
    Transition,
)
from headway.testing.executor_suite import (
    FLOW,
    LIMIT,
    RUN,
    STOPPED,
    ExecutorSuite,
)
from headway.testing.fake_kubernetes import FakeKubernetes


class TestKubernetesExecutor(ExecutorSuite):
    """The suite; pods of the fake cluster are gone the moment they are deleted."""

    heeds_grace = False

    @pytest.fixture
    def left_behind(self, fake: FakeKubernetes, player: PodPlayer) -> Callable[[], list[str]]:
        def names() -> list[str]:
            active = [pod["metadata"]["name"] for pod in fake.pods() if pod["status"]["phase"] == "Running"]
            return active + [job["metadata"]["name"] for job in fake.state.all("jobs")]

        return names


async def test_a_batch_is_one_job_that_is_widened_as_room_comes(run: Run[PodPlayer]) -> None:
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


async def test_the_start_is_told_with_the_pod(run: Run[PodPlayer]) -> None:
    (ref,) = await run.start("waits")
    pod = await run.pod_of(ref)
    (event,) = run.heard.of(Started)
    assert event.where == f"pod {pod.name}"
    assert event.facts["kubernetes-pod-name"] == pod.name
    assert event.facts["kubernetes-node-name"] == "node1"
    assert event.facts["kubernetes-pod-namespace"] == "default"


async def test_hurry_reaches_pods_that_the_watch_has_not_told_of(run: Run[PodPlayer]) -> None:
    (ref,) = await run.start("waits")
    pod = await run.pod_of(ref)
    found = run.executor._jobs.find(ref)
    assert found is not None
    found[0].live_pods.clear()
    await run.executor.cancel((ref,), Failure(USER, "Cancelled", "Stopped."), now=True)
    await run.until(lambda: pod.name in [str(call.name) for call in run.fake.seen("delete", "pods")])


async def test_lines_are_seen_while_the_pod_runs_and_none_twice(run: Run[PodPlayer]) -> None:
    (ref,) = await run.start("waits")
    pod = await run.pod_of(ref)
    for number in range(5):
        pod.print(f"line {number}\n")
        await run.until(lambda number=number: f"line {number}" in run.heard.lines(ref, "stdout"), 2.0)
    pod.print("last\n")
    pod.succeed("next")
    await run.end(ref)
    assert run.heard.lines(ref, "stdout") == [*(f"line {number}" for number in range(5)), "last"]


async def test_lines_that_come_while_the_end_is_settled_are_not_shown_twice(run: Run[PodPlayer]) -> None:
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


async def test_a_log_that_was_never_heard_comes_with_the_end(run: Run[PodPlayer]) -> None:
    (ref,) = await run.start("waits")
    pod = await run.pod_of(ref)
    pod.book.feed("stdout", b"one\ntwo\n")
    pod.succeed("next")
    await run.end(ref)
    assert run.heard.lines(ref, "stdout") == ["one", "two"]


async def test_a_line_in_pieces_is_one_line_of_the_log(run: Run[PodPlayer]) -> None:
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


async def test_a_note_that_is_lost_costs_nothing_but_time(run: Run[PodPlayer]) -> None:
    (ref,) = await run.start("waits")
    pod = await run.pod_of(ref)
    pod.commit(Report(transition=Transition(("next",))))
    run.fake.pod_succeeded(pod.name)
    assert (await run.end(ref)).outcome == SUCCEEDED


async def test_a_note_is_enough_before_the_watch_tells(run: Run[PodPlayer]) -> None:
    (ref,) = await run.start("waits")
    pod = await run.pod_of(ref)
    pod.commit(Report(transition=Transition(("next",))))
    pod.report(END, [])
    assert (await run.end(ref)).outcome == SUCCEEDED
    run.fake.pod_succeeded(pod.name)
    await asyncio.sleep(3)
    assert len(run.heard.of(Ended, ref)) == 1


@pytest.mark.budget(6)
async def test_a_sidecar_that_never_ends_is_sent_away(run: Run[PodPlayer]) -> None:
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


def containers(run: Run[PodPlayer], pod: PlayedPod, own: int | None, beside: int | None, phase: str) -> None:
    """What the kubelet says of the step's container and of one beside it: their exit codes, None while they run."""
    state = next(each for each in run.fake.pods() if each["metadata"]["name"] == pod.name)

    def said(code: int | None) -> dict[str, Any]:
        return {"running": {}} if code is None else {"terminated": {"exitCode": code, "reason": "Completed"}}

    step = state["status"]["containerStatuses"][0]
    proxy = {"name": "proxy", "ready": True, "state": said(beside)}
    state["status"]["containerStatuses"] = [{**step, "state": said(own)}, proxy]
    state["status"]["phase"] = phase
    run.fake.state.update("pods", state)


@pytest.mark.budget(6)
@pytest.mark.parametrize("second", [SUCCEEDED, FAILED])
async def test_no_job_of_tasks_that_succeeded_says_failed_for_a_sidecar(
    run: Run[PodPlayer], second: str
) -> None:
    refs = await run.start("waits", 2)
    pods = [await run.pod_of(ref) for ref in refs]
    for pod in pods:
        containers(run, pod, None, None, "Running")
    pods[0].commit(Report(transition=Transition(("next",))))
    containers(run, pods[0], 0, None, "Running")
    await run.end(refs[0])
    # Its sidecar never ends, and the other task still needs the Job.
    await run.until(lambda: run.fake.pod_names() == [pods[1].name])
    if second == SUCCEEDED:
        pods[1].commit(Report(transition=Transition(("next",))))
    else:
        pods[1].commit(failure=Failure(USER, "Exception", "ValueError: no good"))
    # This one's has ended by itself.
    containers(run, pods[1], 0, 0, "Succeeded")
    assert (await run.end(refs[1])).outcome == second
    if second == SUCCEEDED:
        await run.until(lambda: run.jobs() == [])
    else:
        await asyncio.sleep(3)
        assert len(run.jobs()) == 1, "it tells the truth"


@pytest.mark.budget(6)
@pytest.mark.parametrize(("own", "beside", "stays"), [(0, 143, False), (0, 0, True), (1, 143, True)])
async def test_a_sidecar_that_ends_badly_fails_no_job_of_a_task_that_succeeded(
    run: Run[PodPlayer], own: int, beside: int, stays: bool
) -> None:
    (ref,) = await run.start("waits")
    pod = await run.pod_of(ref)
    containers(run, pod, None, None, "Running")
    pod.commit(
        None if own else Report(transition=Transition(("next",))), Failure(USER, "Exit", "") if own else None
    )
    containers(run, pod, own, beside, "Failed" if own or beside else "Succeeded")
    assert (await run.end(ref)).outcome == (FAILED if own else SUCCEEDED)
    await asyncio.sleep(3)
    assert len(run.jobs()) == stays


async def test_what_is_done_is_forgotten(run: Run[PodPlayer]) -> None:
    for _ in range(3):
        (ref,) = await run.start("succeeds")
        await run.end(ref)
    await run.until(lambda: not list(run.executor._jobs))


@pytest.mark.parametrize("deleted", [False, True])
async def test_a_mark_on_a_job_asks_the_launcher_to_stop(run: Run[PodPlayer], deleted: bool) -> None:
    """Left by who knows the cluster and not the run's datastore."""
    refs = await run.start("waits", 2)
    await run.pod_of(refs[0])
    job = run.jobs()[0]
    job["metadata"]["annotations"][STOPPED_BY] = "ann"
    for _ in range(2):
        run.fake.state.update("jobs", job)
    if deleted:
        run.fake.state.remove("jobs", "default", job["metadata"]["name"])
    await run.until(lambda: run.heard.of(StopAsked))
    assert run.heard.of(StopAsked) == [StopAsked("ann")]


async def test_what_nobody_knows_of_is_swept(run: Run[PodPlayer]) -> None:
    (ref,) = await run.start("waits")
    await run.pod_of(ref)
    job = run.jobs()[0]
    stray = {**job, "metadata": {**job["metadata"], "name": "stray"}, "status": {}}
    run.fake.state.add("jobs", "default", stray)
    await run.executor.cancel((ref,), STOPPED)
    await run.end(ref)
    await run.executor.close()
    assert run.jobs() == []


async def test_a_run_that_succeeded_leaves_its_ended_pods_and_no_feed(run: Run[PodPlayer]) -> None:
    (ref,) = await run.start("prints")
    await run.end(ref)
    await run.executor.close()
    assert [pod["status"]["phase"] for pod in run.fake.pods()] == ["Succeeded"]
    assert list(run.store.list(layout.feed(FLOW, RUN))) == []


async def test_a_run_that_is_let_go_of_keeps_its_jobs_and_pods(run: Run[PodPlayer]) -> None:
    refs = await run.start("waits", tasks=2)
    await run.heard.until(lambda: len(run.heard.of(Started)) == 2, "the starts")
    await run.executor.let_go()
    assert [pod["status"]["phase"] for pod in run.fake.pods()] == ["Running", "Running"]
    assert len(list(run.fake.state.all("jobs"))) == 1
    assert not [ref for ref in refs if run.heard.of(Ended, ref)]
