"""An inbox: orders and farewells under numbers that are only ever created."""

import pytest

from headway.store import layout
from headway.store.batch import Batch, Catch, Code, Gang, TaskSpec
from headway.store.inbox import Inbox, encode_order
from headway.store.records import AttemptRef, FrameTuple
from headway.testing.memory_store import MemoryStore

FOLDER = layout.inbox("Flow", "1", "worker")
FRAMES: tuple[FrameTuple, ...] = (("start", "1", 0, 500, "items"),)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def batch(*tasks: str) -> Batch:
    code = Code("path", "flow.py", ("__main__", "Flow"))
    return Batch("Flow", "1", "step", "step-1", code, tuple(TaskSpec(task, 0) for task in tasks))


def order(*tasks: str) -> bytes:
    return encode_order([batch(*tasks)])


def test_orders_are_read_in_the_order_in_which_they_were_written(store: MemoryStore) -> None:
    writer, reader = Inbox(store, FOLDER), Inbox(store, FOLDER)
    assert reader.look() is None
    assert writer.write(order("1", "2"))
    assert writer.write(order("3"))
    letters = [reader.look(), reader.look()]
    assert [letter.order for letter in letters if letter] == [(batch("1", "2"),), (batch("3"),)]
    assert reader.look() is None


def test_a_farewell_that_comes_first_refuses_the_order(store: MemoryStore) -> None:
    launcher, pod = Inbox(store, FOLDER), Inbox(store, FOLDER)
    assert pod.leave()
    assert not launcher.write(order("1"))


def test_an_order_that_comes_first_refuses_the_farewell_and_is_read(store: MemoryStore) -> None:
    launcher, pod = Inbox(store, FOLDER), Inbox(store, FOLDER)
    assert launcher.write(order("1"))
    assert not pod.leave()
    letter = pod.look()
    assert letter is not None
    assert letter.order == (batch("1"),)


def test_a_write_whose_reply_was_lost_finds_itself_in_place(store: MemoryStore) -> None:
    writer = Inbox(store, FOLDER)
    store.put(f"{FOLDER}{0:08d}.json", order("1"))
    assert writer.write(order("1"))
    assert writer.number == 1


def test_both_sides_may_say_farewell(store: MemoryStore) -> None:
    launcher, pod = Inbox(store, FOLDER), Inbox(store, FOLDER)
    assert launcher.leave()
    assert pod.leave()


def test_an_order_of_several_batches_says_what_they_share_once(store: MemoryStore) -> None:
    common = batch()._replace(env={"LONG": "x" * 1000}, catch=Catch(("join",), "failure"), frames=FRAMES)
    several = [
        common._replace(name=f"b-{task}", tasks=(TaskSpec(task, 0, 1),), inputs=(AttemptRef("a", task, 0),))
        for task in ("5", "6", "7")
    ]
    several[1] = several[1]._replace(catch=None, gang=Gang(4444))
    assert Inbox(store, FOLDER).write(encode_order(several))
    letter = Inbox(store, FOLDER).look()
    assert letter is not None
    assert letter.order == tuple(several)
    assert len(encode_order(several)) < len(several[0].encode()) + 400
