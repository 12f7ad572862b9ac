"""A second launcher goes on with the Jobs and pods of one that died: nothing is made twice, nothing is missed."""

from collections.abc import AsyncIterator, Callable

import pytest
from pod_player import PodPlayer

from headway.config.fields import replace
from headway.config.kubernetes import KubernetesSettings
from headway.executors.base import Adoption, Broken, Ended, Output, Started
from headway.executors.kubernetes.adopt import indexes
from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.cluster import Prepared
from headway.executors.kubernetes.executor import KubernetesExecutor
from headway.runtime.commit import commit
from headway.store import layout
from headway.store.batch import Batch, Code
from headway.store.records import INFRASTRUCTURE, LOST, SUCCEEDED, AttemptRef, Record
from headway.testing.executor_suite import FLOW, LIMIT, RUN, ExecutorSuite, Heard, refs_of
from headway.testing.fake_kubernetes import FakeKubernetes
from headway.testing.memory_store import MemoryStore


class Second:
    """The launcher's executor that comes after one that died."""

    def __init__(self, executor: KubernetesExecutor) -> None:
        self.executor = executor
        self.heard = Heard(patience=120)

    async def adopt(self, batch: Batch, *refs: AttemptRef, recorded: tuple[AttemptRef, ...] = ()) -> None:
        await self.executor.open(self.heard)
        chosen = frozenset(refs or refs_of(batch))
        await self.executor.adopt([Adoption(batch, chosen, frozenset(recorded))])


@pytest.fixture
def code() -> Code:
    return Code("path", "suite_flow.py", ("__main__", FLOW))


@pytest.fixture
async def second(
    client: KubernetesClient,
    store: MemoryStore,
    player: PodPlayer,
    settings: dict[str, KubernetesSettings],
    clock: Callable[[], float],
) -> AsyncIterator[Second]:
    cluster = Prepared(client, "headway-runtime-test")
    made = Second(KubernetesExecutor(cluster, store, FLOW, RUN, settings, {}, LIMIT, clock=clock))
    yield made
    await made.executor.close(now=True)
    assert not made.heard.of(Broken), made.heard.events


async def first_launcher(executor: KubernetesExecutor, batch: Batch, running: int) -> None:
    """One that starts a batch and dies once so many of its pods run."""
    heard = Heard(patience=120)
    await executor.open(heard)
    await executor.start(batch)
    await heard.until(lambda: len(heard.of(Started)) == running, "the starts")
    await executor.let_go()


async def test_pods_that_run_go_on_and_their_lines_are_heard_from_the_first(
    executor: KubernetesExecutor, second: Second, fake: FakeKubernetes, player: PodPlayer, code: Code
) -> None:
    batch = ExecutorSuite().batch(code, "waits", tasks=2)
    refs = refs_of(batch)
    await first_launcher(executor, batch, 2)
    player.by_ref(refs[0]).print("said while nobody listened")
    await second.adopt(batch)
    await second.heard.until(lambda: len(second.heard.of(Started)) == 2, "the starts")
    for ref in refs:
        player.by_ref(ref).succeed("next")
    records = await second.heard.end_of(*refs)
    assert [record.outcome for record in records] == [SUCCEEDED, SUCCEEDED]
    assert second.heard.lines(refs[0], "stdout") == ["said while nobody listened"]
    assert len(fake.seen("create", "jobs")) == 1


async def test_a_job_is_gone_on_with_whatever_it_would_be_called_now(
    executor: KubernetesExecutor,
    second: Second,
    settings: dict[str, KubernetesSettings],
    client: KubernetesClient,
    store: MemoryStore,
    clock: Callable[[], float],
    fake: FakeKubernetes,
    player: PodPlayer,
    code: Code,
) -> None:
    batch = ExecutorSuite().batch(code, "waits")
    (ref,) = refs_of(batch)
    await first_launcher(executor, batch, 1)
    renamed = {step: replace(each, job_name_prefix="t") for step, each in settings.items()}
    cluster = Prepared(client, "headway-runtime-test")
    second.executor = KubernetesExecutor(cluster, store, FLOW, RUN, renamed, {}, LIMIT, clock=clock)
    await second.adopt(batch)
    await second.heard.until(lambda: second.heard.of(Started), "the start")
    player.by_ref(ref).succeed("next")
    (record,) = await second.heard.end_of(ref)
    assert record.outcome == SUCCEEDED
    assert len(fake.seen("create", "jobs")) == 1


async def test_what_ended_while_nobody_looked_is_told_with_its_lines(
    executor: KubernetesExecutor, second: Second, player: PodPlayer, code: Code
) -> None:
    batch = ExecutorSuite().batch(code, "waits", tasks=2)
    refs = refs_of(batch)
    await first_launcher(executor, batch, 2)
    player.by_ref(refs[0]).print("the last words")
    player.by_ref(refs[0]).succeed("next")
    await second.adopt(batch, recorded=refs[:1])
    (record,) = await second.heard.end_of(refs[0])
    assert record.outcome == SUCCEEDED
    assert second.heard.lines(refs[0], "stdout") == ["the last words"]
    assert not second.heard.of(Ended, refs[1])
    assert second.heard.of(Output)


async def test_the_rest_of_a_batch_is_started_as_room_comes(
    executor: KubernetesExecutor, second: Second, fake: FakeKubernetes, player: PodPlayer, code: Code
) -> None:
    batch = ExecutorSuite().batch(code, "waits", tasks=LIMIT + 2)
    refs = refs_of(batch)
    await first_launcher(executor, batch, LIMIT)
    await second.adopt(batch)
    for number, ref in enumerate(refs):
        await second.heard.until(lambda ref=ref: second.heard.of(Started, ref), f"the start of {ref}")  # type: ignore[misc]
        player.by_ref(ref).succeed("next")
        await second.heard.end_of(*refs[: number + 1])
    assert len(fake.seen("create", "jobs")) == 1


async def test_a_batch_without_a_job_gets_one(
    second: Second, fake: FakeKubernetes, player: PodPlayer, code: Code
) -> None:
    batch = ExecutorSuite().batch(code, "waits")
    await second.adopt(batch)
    (ref,) = refs_of(batch)
    await second.heard.until(lambda: second.heard.of(Started, ref), "the start")
    player.by_ref(ref).succeed("next")
    await second.heard.end_of(ref)
    assert len(fake.seen("create", "jobs")) == 1


async def test_what_the_pods_were_told_counts_not_what_would_be_said_now(
    executor: KubernetesExecutor, second: Second, player: PodPlayer, code: Code
) -> None:
    batch = ExecutorSuite().batch(code, "waits", tasks=2)
    refs = refs_of(batch)
    await first_launcher(executor, batch, 2)
    # Only one of them is asked about, under the index that it has in the Job.
    await second.adopt(batch._replace(tasks=batch.tasks[1:]), refs[1])
    player.by_ref(refs[1]).succeed("next")
    (record,) = await second.heard.end_of(refs[1])
    assert (record.ref, record.outcome) == (refs[1], SUCCEEDED)


async def test_a_batch_that_is_stored_in_parts_is_gone_on_with_whole(
    executor: KubernetesExecutor, second: Second, store: MemoryStore, player: PodPlayer, code: Code
) -> None:
    batch = ExecutorSuite().batch(code, "waits", tasks=layout.BATCH_PART + 1)
    near, far = refs_of(batch)[1], refs_of(batch)[-1]
    await first_launcher(executor, batch, LIMIT)
    commit(store, FLOW, RUN, Record(far, SUCCEEDED))
    # As above; and one of them is in another part than what runs.
    await second.adopt(batch._replace(tasks=batch.tasks[1:]), near, far, recorded=(far,))
    player.by_ref(near).succeed("next")
    records = await second.heard.end_of(near, far)
    assert [record.outcome for record in records] == [SUCCEEDED, SUCCEEDED]


async def test_an_attempt_whose_pod_is_gone_without_a_result_is_lost(
    executor: KubernetesExecutor, second: Second, fake: FakeKubernetes, player: PodPlayer, code: Code
) -> None:
    batch = ExecutorSuite().batch(code, "waits", tasks=2)
    refs = refs_of(batch)
    await first_launcher(executor, batch, 2)
    fake.pod_deleted(player.by_ref(refs[0]).name)
    await second.adopt(batch)
    (record,) = await second.heard.end_of(refs[0])
    assert record.outcome == LOST
    assert record.failure is not None
    assert (record.failure.kind, record.failure.reason) == (INFRASTRUCTURE, "PodGone")
    assert not second.heard.of(Ended, refs[1])


def test_indexes_as_jobs_tell_them() -> None:
    assert list(indexes("")) == []
    assert list(indexes("1,3-5,7")) == [1, 3, 4, 5, 7]
