"""A pool of warm pods: which batches it takes, how many pods they are worth, and what each pod is given."""

from collections.abc import Iterable

import pytest

from headway.config.kubernetes import KubernetesSettings
from headway.config.resolve import Layer, resolve_kubernetes
from headway.executors.kubernetes.packing import Terms
from headway.executors.kubernetes.warm import Packed, Pool, Worker, order_of
from headway.executors.kubernetes.warm_settings import is_warm, terms_of
from headway.store.batch import Batch, Code, Gang, TaskSpec
from headway.store.inbox import decode_order
from headway.store.records import AttemptRef, FrameTuple

CODE = Code("path", "flow.py", ("__main__", "Flow"), bundle="0" * 64)
FOREACH: FrameTuple = ("start", "1", 0, 500, "items")
BRANCH: FrameTuple = ("a", "7", 0, 2, None)
OF_ONE: FrameTuple = ("start", "1", 0, 1, "items")


def settings(**said: object) -> KubernetesSettings:
    return resolve_kubernetes("a", overrides=Layer({"image": "python:3.11", **said}, "a test")).settings


def batch(step: str, tasks: Iterable[int], *frames: FrameTuple) -> Batch:
    specs = tuple(TaskSpec(f"{step}{number}", 0, number) for number in tasks)
    inputs = (AttemptRef("before", specs[0].task, 0),)
    return Batch("Flow", "1", step, f"{step}-{specs[0].task}", CODE, specs, frames or (FOREACH,), inputs)


def pool(**said: object) -> Pool:
    return Pool.of(settings(**said), batch("a", [0]))


def put(pool: Pool, batch: Batch, **said: object) -> None:
    """What the executor does with a batch."""
    pool.expect(batch, settings(**said))
    for index, task in enumerate(batch.tasks):
        pool.queue.add(Packed(AttemptRef(batch.step, task.task, task.attempt), index, batch=batch))


def one_by_one(pool: Pool, step: str, tasks: Iterable[int], **said: object) -> None:
    """A step whose tasks come as each one before them ends."""
    for number in tasks:
        put(pool, batch(step, [number]), **said)


def grow(pool: Pool, room: int = 180) -> list[list[Packed]]:
    """Make the pods that are missing."""
    chunks = pool.new_chunks(room)
    for chunk in chunks:
        worker = Worker(AttemptRef("_pod", str(len(pool.workers)), 0), 0, pool=pool)
        for packed in chunk:
            worker.take(packed)
        pool.workers.append(worker)
    return chunks


@pytest.mark.parametrize(
    ("said", "made", "warm"),
    [
        ({"pods": 20}, batch("a", range(500)), True),
        ({"pods": 20}, batch("b", [3]), True),
        ({"pack": 20}, batch("b", [3]), True),
        ({"pods": 20}, batch("b", [0], FOREACH, BRANCH), True),
        ({"pods": 20}, batch("b", [0], FOREACH, OF_ONE), True),
        ({"pods": 20}, batch("b", [0], OF_ONE), False),
        ({"pods": 20}, batch("b", [0], BRANCH), False),
        ({"pods": 20}, batch("a", range(2))._replace(gang=Gang(4444)), False),
        ({}, batch("a", range(500)), False),
        ({"reuse": True}, batch("b", [0], BRANCH), True),
    ],
)
def test_the_tasks_of_a_foreach_are_packed_however_they_come(
    said: dict[str, object], made: Batch, warm: bool
) -> None:
    assert is_warm(settings(**said), made) is warm


def test_what_is_said_of_few_pods_is_said_of_the_innermost_foreach() -> None:
    inner: FrameTuple = ("a", "7", 0, 30, "parts")
    said = settings(pack=5, pods=20)
    assert terms_of(said, batch("b", [0], FOREACH, BRANCH)) == Terms(5, 20, "start")
    assert terms_of(said, batch("b", range(30), FOREACH, inner)) == Terms(5, 20, "a")
    assert terms_of(said, batch("b", [0], BRANCH)) == Terms()


@pytest.mark.parametrize("reuse", [True, False])
def test_a_body_of_two_steps_has_as_few_pods_as_one_of_one(reuse: bool) -> None:
    said = {"reuse": reuse, "pods": 20}
    found = pool(**said)
    put(found, batch("a", range(500)), **said)
    assert len(grow(found)) == 20
    one_by_one(found, "b", range(500), **said)
    assert found.wanted() == 20
    assert grow(found) == []


def test_what_comes_one_by_one_has_a_pod_each_up_to_the_limit() -> None:
    found = pool(pods=20)
    for number in range(39):
        one_by_one(found, "b", [number], pods=20)
        assert not any(map(found.wants_more, found.workers)), "none waits behind another that may take long"
        grow(found)
    assert len(found.workers) == 20
    assert {len(worker.hand) for worker in found.workers} == {1}
    assert found.queue.waiting("b") == 19


def test_an_order_holds_tasks_of_several_batches_each_as_its_own_batch_says() -> None:
    found = pool(pods=2)
    one_by_one(found, "b", range(24), pods=2)
    first, second = found.new_chunks(10)
    assert [len(first), len(second)] == [6, 5]
    batches = decode_order(order_of(first))
    assert [each.inputs for each in batches] == [
        (AttemptRef("before", f"b{number}", 0),) for number in range(6)
    ]
    assert [each.name for each in batches] == [f"b-b{number}" for number in range(6)]
    assert [each.tasks for each in batches] == [(TaskSpec(f"b{number}", 0, number),) for number in range(6)]


def test_tasks_of_one_batch_are_one_batch_of_the_order() -> None:
    found = pool(pods=1)
    put(found, batch("a", range(4)), pods=1)
    one_by_one(found, "a", [9], pods=1)
    taken = found.queue.take("a", 5)
    assert [[task.task for task in each.tasks] for each in decode_order(order_of(taken))] == [
        ["a0", "a1", "a2", "a3"],
        ["a9"],
    ]


def test_a_pod_is_given_tasks_of_one_step() -> None:
    found = pool(reuse=True, pack=10)
    put(found, batch("a", range(3)), pack=10)
    put(found, batch("b", range(3)), pack=10)
    put(found, batch("a", range(3, 10)), pack=10)
    assert {packed.ref.step for packed in found.next_chunk(1)} == {"a"}
    assert {packed.ref.step for chunk in grow(found) for packed in chunk} == {"a"}


def test_pods_of_other_steps_are_no_more_pods_for_one_with_a_limit() -> None:
    found = pool(reuse=True)
    put(found, batch("wide", range(100)), reuse=True)
    grow(found)
    assert len(found.workers) == 100
    for worker in found.workers:
        for packed in list(worker.hand.values()):
            found.ended(packed, 0.02)
    put(found, batch("few", range(100)), reuse=True, pods=5)
    chunks = []
    for worker in found.workers:
        chunk = found.next_chunk(100, worker)
        for packed in chunk:
            worker.take(packed)
        chunks.append(chunk)
    assert sum(bool(chunk) for chunk in chunks) == 5
    assert found.next_chunk(100, found.workers[0]), "one of the five may have more"
    assert not found.next_chunk(100)


def test_a_pod_has_a_place_among_the_few_until_its_last_task_of_the_step_has_ended() -> None:
    found = pool(reuse=True, pods=1)
    put(found, batch("few", range(3)), pods=1)
    put(found, batch("wide", range(3)))
    ((first,),) = [grow(found, 1)[0][:1]]
    worker, other = found.workers[0], Worker(AttemptRef("_pod", "other", 0), 1, pool=found)
    found.workers.append(other)
    assert {packed.ref.step for packed in found.next_chunk(2, other)} == {"wide"}
    for packed in list(worker.hand.values()):
        found.ended(packed, 0.02)
    assert not worker.steps
    assert first.ref not in worker.hand
    assert {packed.ref.step for packed in found.next_chunk(2, other)} == {"few"}
