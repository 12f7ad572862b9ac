"""Bad days of the API server and of the datastore, as the executor lives through them."""

import asyncio
import dataclasses

import pytest
from executor_run import Run
from pod_player import PodPlayer

from headway.errors import StoreUnavailableError
from headway.executors.base import Broken, Started
from headway.runtime.channel import Report
from headway.store.logs import END
from headway.store.records import (
    CONFIGURATION,
    INFRASTRUCTURE,
    LOST,
    SUCCEEDED,
    Transition,
)
from headway.testing.executor_suite import (
    LIMIT,
    STOPPED,
)
from headway.testing.fake_kubernetes import Fault


@pytest.mark.parametrize(
    "fault",
    [
        Fault(verb="create", resource="jobs", status=422, reason="Invalid", message="spec is wrong"),
        Fault(verb="create", resource="jobs", status=403, reason="Forbidden", message="may not"),
    ],
    ids=["invalid", "forbidden"],
)
async def test_a_job_that_is_refused_fails_its_attempts_as_configured_wrongly(
    run: Run[PodPlayer], fault: Fault
) -> None:
    run.fake.fault(fault)
    refs = await run.start("waits", 3)
    records = await run.heard.end_of(*refs)
    assert {record.outcome for record in records} == {LOST}
    assert {record.failure.kind for record in records if record.failure} == {CONFIGURATION}
    assert len(run.fake.seen("create", "jobs")) == 1


async def test_a_namespace_that_is_deleted_under_a_run_is_named(run: Run[PodPlayer]) -> None:
    words = "unable to create new content in namespace default because it is being terminated"
    run.fake.fault(Fault(verb="create", resource="jobs", status=403, reason="Forbidden", message=words))
    (ref,) = await run.start("waits")
    failure = (await run.end(ref)).failure
    assert failure is not None
    assert (failure.kind, failure.reason) == (CONFIGURATION, "Namespace")
    assert failure.message == f"The cluster refuses the Job: its namespace is being deleted: {words}"


QUOTA = Fault(
    verb="create", resource="jobs", status=403, reason="Forbidden", times=2,
    message='jobs.batch "x" is forbidden: exceeded quota: small, requested: count/jobs.batch=1',
)  # fmt: skip


async def test_a_job_for_which_there_is_no_room_waits(run: Run[PodPlayer]) -> None:
    run.fake.fault(dataclasses.replace(QUOTA))
    (ref,) = await run.start("succeeds")
    assert (await run.end(ref)).outcome == SUCCEEDED
    told = [message for reason, message in run.waits() if reason]
    assert told
    assert all("exceeded quota" in message for message in told)


@pytest.mark.budget(6)
async def test_a_job_that_waits_can_be_cancelled_at_once(run: Run[PodPlayer]) -> None:
    run.fake.fault(dataclasses.replace(QUOTA, times=10_000))
    (ref,) = await run.start("waits")
    await asyncio.sleep(40)  # by now the pauses are long
    begun = asyncio.get_running_loop().time()
    await run.executor.cancel((ref,), STOPPED)
    record = await run.end(ref)
    assert asyncio.get_running_loop().time() - begun < 3
    assert record.failure == STOPPED


async def test_a_job_that_cannot_be_widened_is_asked_again_but_not_incessantly(run: Run[PodPlayer]) -> None:
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


async def test_a_pod_that_cannot_be_deleted_does_not_end_the_run(run: Run[PodPlayer]) -> None:
    refs = await run.start("waits", 2)
    first, second = [await run.pod_of(ref) for ref in refs]
    run.fake.fault(Fault(verb="delete", resource="pods", status=403, reason="Forbidden", times=3))
    await run.executor.cancel((refs[0],), STOPPED)
    assert (await run.end(refs[0])).failure is not None
    assert first.name not in run.fake.pod_names()
    second.succeed("next")
    assert (await run.end(refs[1])).outcome == SUCCEEDED


async def test_a_job_that_cannot_be_deleted_is_tried_again(run: Run[PodPlayer]) -> None:
    (ref,) = await run.start("waits")
    await run.pod_of(ref)
    run.fake.fault(Fault(verb="delete", resource="jobs", status=403, reason="Forbidden", times=3))
    await run.executor.cancel((ref,), STOPPED)
    assert (await run.end(ref)).failure == STOPPED
    assert run.jobs() == []
    assert any("cannot be deleted" in message for _, message in run.waits())


@pytest.mark.budget(6)
async def test_a_cluster_that_is_gone_does_not_keep_anybody_waiting_for_ever(run: Run[PodPlayer]) -> None:
    (ref,) = await run.start("waits")
    await run.pod_of(ref)
    run.fake.fault(Fault("reset", times=100_000))
    begun = asyncio.get_running_loop().time()
    await run.executor.close(now=True)
    assert asyncio.get_running_loop().time() - begun < 120


async def test_a_batch_that_cannot_be_stored_is_stored_later(run: Run[PodPlayer]) -> None:
    for _ in range(3):
        run.store.fail_next(StoreUnavailableError("no answer"), "put")
    (ref,) = await run.start("succeeds")
    assert (await run.end(ref)).outcome == SUCCEEDED
    assert ("Datastore", "no answer") in run.waits()


async def test_a_batch_that_cannot_be_stored_can_be_cancelled(run: Run[PodPlayer]) -> None:
    for _ in range(1000):
        run.store.fail_next(StoreUnavailableError("no answer"), "put")
    (ref,) = await run.start("waits")
    await asyncio.sleep(20)
    await run.executor.cancel((ref,), STOPPED)
    assert (await run.end(ref)).failure == STOPPED
    assert run.jobs() == []


async def test_an_end_is_settled_once_the_datastore_answers(run: Run[PodPlayer]) -> None:
    (ref,) = await run.start("waits")
    pod = await run.pod_of(ref)
    pod.commit(Report(transition=Transition(("next",))))
    for _ in range(4):
        run.store.fail_next(StoreUnavailableError("no answer"), "get")
    run.fake.pod_succeeded(pod.name)
    assert (await run.end(ref)).outcome == SUCCEEDED
    assert ("Datastore", "no answer") in run.waits()


async def test_a_record_that_is_told_of_and_is_not_there_is_told(run: Run[PodPlayer]) -> None:
    (ref,) = await run.start("waits")
    pod = await run.pod_of(ref)
    pod.report(END, [])
    failure = (await run.end(ref)).failure
    assert failure is not None
    assert (failure.kind, failure.reason) == (INFRASTRUCTURE, "RecordMissing")
    assert "a record that is not in the datastore" in failure.message


async def test_an_error_of_ours_does_not_go_unheard(run: Run[PodPlayer]) -> None:
    run.store.fail_next(ZeroDivisionError("a defect"), "put")
    await run.start("waits")
    await run.until(lambda: run.heard.of(Broken))
    (broken,) = run.heard.of(Broken)
    assert isinstance(broken.error, ZeroDivisionError)
    run.heard.events.remove(broken)
