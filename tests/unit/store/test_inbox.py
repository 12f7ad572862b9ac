"""An inbox: orders and farewells under numbers that are only ever created."""

import pytest

from headway.store import layout
from headway.store.batch import Batch, Code, TaskSpec
from headway.store.inbox import FAREWELL, Inbox, orders
from headway.testing.memory_store import MemoryStore

FOLDER = layout.inbox("Flow", "1", "worker")


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def batch(*tasks: str) -> Batch:
    code = Code("path", "flow.py", ("__main__", "Flow"))
    return Batch("Flow", "1", "step", "step-1", code, tuple(TaskSpec(task, 0) for task in tasks))


def test_orders_are_read_in_the_order_in_which_they_were_written(store: MemoryStore) -> None:
    writer, reader = Inbox(store, FOLDER), Inbox(store, FOLDER)
    assert reader.look() is None
    assert writer.write(batch("1", "2").encode())
    assert writer.write(batch("3").encode())
    letters = [reader.look(), reader.look()]
    assert [letter.order for letter in letters if letter] == [batch("1", "2"), batch("3")]
    assert reader.look() is None


def test_a_farewell_that_comes_first_refuses_the_order(store: MemoryStore) -> None:
    launcher, pod = Inbox(store, FOLDER), Inbox(store, FOLDER)
    assert pod.leave()
    assert not launcher.write(batch("1").encode())


def test_an_order_that_comes_first_refuses_the_farewell_and_is_read(store: MemoryStore) -> None:
    launcher, pod = Inbox(store, FOLDER), Inbox(store, FOLDER)
    assert launcher.write(batch("1").encode())
    assert not pod.leave()
    letter = pod.look()
    assert letter is not None
    assert letter.order == batch("1")


def test_a_write_whose_reply_was_lost_finds_itself_in_place(store: MemoryStore) -> None:
    writer = Inbox(store, FOLDER)
    store.put(f"{FOLDER}{0:08d}.json", batch("1").encode())
    assert writer.write(batch("1").encode())
    assert writer.number == 1


def test_both_sides_may_say_farewell(store: MemoryStore) -> None:
    launcher, pod = Inbox(store, FOLDER), Inbox(store, FOLDER)
    assert launcher.leave()
    assert pod.leave()


def test_all_orders_of_a_worker(store: MemoryStore) -> None:
    writer = Inbox(store, FOLDER)
    writer.write(batch("1").encode())
    writer.write(batch("2").encode())
    writer.write(FAREWELL)
    assert list(orders(store, FOLDER)) == [batch("1"), batch("2")]
