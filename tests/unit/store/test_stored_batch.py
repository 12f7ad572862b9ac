"""A batch in the datastore: one object for a few tasks, parts for many, and never half of it."""

from collections.abc import Sequence
from threading import Lock

import pytest

from headway.errors import StoreUnavailableError
from headway.store import layout
from headway.store.base import Buffer
from headway.store.batch import Batch, Code, Gang, TaskSpec
from headway.store.stored_batch import address_of, read_batch, store_batch
from headway.testing.memory_store import MemoryStore

PART = layout.BATCH_PART
WHOLE = layout.batch("Flow", "1", "step-1")


class Dying(MemoryStore):
    """A datastore that is gone after so many writes."""

    def __init__(self, left: int) -> None:
        super().__init__()
        self.left = left
        self._counting = Lock()

    def put(self, key: str, data: Buffer | Sequence[Buffer]) -> None:
        with self._counting:
            if not self.left:
                raise StoreUnavailableError("no answer")
            self.left -= 1
        super().put(key, data)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def batch(tasks: int) -> Batch:
    code = Code("path", "flow.py", ("__main__", "Flow"))
    specs = tuple(TaskSpec(str(2 + index), 0, index) for index in range(tasks))
    return Batch("Flow", "1", "step", "step-1", code, specs, (("start", "1", 0, tasks, "items"),))


def read(store: MemoryStore) -> Batch | None:
    return read_batch(store, "Flow", "1", "step-1")


def told(store: MemoryStore, of: Batch, index: int) -> tuple[Batch, TaskSpec]:
    """What the pod of this index reads, and what it is to do."""
    key, place = layout.task_place(address_of(of), index)
    part = Batch.decode(store.get(key))
    return part, part.tasks[place]


@pytest.mark.parametrize("tasks", [1, PART])
def test_few_tasks_are_one_object_written_and_read_by_one_request(store: MemoryStore, tasks: int) -> None:
    few = batch(tasks)
    store_batch(store, few)
    assert store.calls == [("put", WHOLE)]
    assert read(store) == few
    assert store.calls[1:] == [("get", WHOLE)]
    assert told(store, few, tasks - 1) == (few, few.tasks[-1])


@pytest.mark.parametrize("tasks", [PART + 1, 3 * PART, 40 * PART - 7])
def test_of_many_tasks_each_pod_reads_no_more_than_a_part(store: MemoryStore, tasks: int) -> None:
    many = batch(tasks)
    store_batch(store, many)
    for index in (0, PART - 1, PART, tasks // 2, tasks - 1):
        part, task = told(store, many, index)
        assert task == many.tasks[index]
        assert len(part.tasks) <= PART
        assert part._replace(tasks=()) == many._replace(tasks=()), "all else is there for each"
        assert part.frames_of(task) == many.frames_of(task)
    assert read(store) == many


def test_the_ranks_of_a_gang_are_told_of_each_other(store: MemoryStore) -> None:
    gang = batch(PART + 1)._replace(gang=Gang(3000))
    store_batch(store, gang)
    assert told(store, gang, PART)[0] == gang


def test_a_wide_batch_that_an_older_version_stored_is_read(store: MemoryStore) -> None:
    many = batch(3 * PART)
    store.put(WHOLE, many.encode())
    assert read(store) == many
    assert layout.task_place(WHOLE, 2 * PART) == (WHOLE, 2 * PART), "its pods were told of one object"


@pytest.mark.parametrize("written", range(20))
def test_what_is_there_by_half_was_not_stored(written: int) -> None:
    """A launcher that died meanwhile has made no Job of it, and the next one must miss none of its tasks."""
    many, store = batch(20 * PART), Dying(written)
    with pytest.raises(StoreUnavailableError):
        store_batch(store, many)
    assert len(list(store.list("v1/"))) == written
    assert read(store) is None
    store.left = 20
    store_batch(store, many)
    assert read(store) == many


def test_a_part_that_is_missing_is_not_passed_over(store: MemoryStore) -> None:
    store_batch(store, batch(4 * PART))
    store.delete([layout.batch_part(address_of(batch(4 * PART)), 2)])
    assert read(store) is None
