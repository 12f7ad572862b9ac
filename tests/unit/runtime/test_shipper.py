"""Lines on their way to the launcher: in order, none lost, and never in the step's way."""

import threading
from collections.abc import Callable

from runtime_cases import FLOW, RUN, make_batch

from headway.errors import StoreUnavailableError
from headway.runtime.logbook import StampedLine
from headway.runtime.shipper import LogShipper
from headway.store import layout
from headway.store.logs import END, LOG, RUNTIME, decode_chunk, parse_feed_key, parse_lines
from headway.store.records import AttemptRef
from headway.testing.memory_store import MemoryStore

NOW = 1_800_000_000.0


class GatedStore(MemoryStore):
    """A store whose puts wait until they are let through, and tell that they came."""

    def __init__(self) -> None:
        super().__init__()
        self.came = threading.Semaphore(0)
        self.gate = threading.Semaphore(0)

    def put(self, key: str, data: object) -> None:
        self.came.release()
        assert self.gate.acquire(timeout=20)
        super().put(key, data)  # type: ignore[arg-type]

    def until(self, semaphore: threading.Semaphore) -> None:
        assert semaphore.acquire(timeout=20), "nothing was put"


def line(text: str, stream: str = "stdout", source: str = "task") -> StampedLine:
    return StampedLine(stream, NOW, text.encode(), source)


def make_shipper(store: MemoryStore) -> LogShipper:
    batch = make_batch()
    return LogShipper(store, batch, batch.tasks[0])


def feed(store: MemoryStore) -> list[tuple[str, list[str]]]:
    """What stands in the feed, in its order: the kind, and the lines of all streams."""
    found = []
    for info in store.list(layout.feed(FLOW, RUN)):
        parsed = parse_feed_key(info.key)
        assert parsed is not None
        assert parsed.ref == AttemptRef("start", "1", 0)
        chunk = decode_chunk(MemoryStore.get(store, info.key))
        found.append(
            (parsed.seq, parsed.kind, [each.text for data in chunk.values() for each in parse_lines(data)])
        )
    return [(kind, texts) for _, kind, texts in sorted(found)]


def test_what_was_not_shipped_yet_goes_with_the_end() -> None:
    store = GatedStore()
    shipper = make_shipper(store)
    shipper.add([line("one")])
    store.until(store.came)
    shipper.add([line("two"), line("three", "stderr")])
    store.gate.release(2)
    shipper.close()
    shipper.end()
    assert feed(store) == [(LOG, ["one"]), (END, ["two", "three"])]


def test_the_end_is_told_without_a_line() -> None:
    store = MemoryStore()
    shipper = make_shipper(store)
    shipper.close()
    shipper.end()
    assert feed(store) == [(END, [])]


def test_no_lines_start_nothing() -> None:
    before = threading.active_count()
    shipper = make_shipper(MemoryStore())
    shipper.add([])
    assert threading.active_count() == before
    shipper.close()


def test_a_datastore_that_hangs_does_not_hold_up_the_step() -> None:
    store = GatedStore()
    shipper = make_shipper(store)
    shipper.add([line("first")])
    store.until(store.came)
    for number in range(10_000):
        shipper.add([line(str(number))])
    store.gate.release(2)
    shipper.close()
    shipper.end()
    assert [text for _, texts in feed(store) for text in texts] == ["first", *map(str, range(10_000))]


def test_what_could_not_be_written_goes_first_the_next_time() -> None:
    store = GatedStore()
    shipper = make_shipper(store)
    store.fail_next(StoreUnavailableError("no answer"), "put")
    shipper.add([line("one")])
    store.until(store.came)
    shipper.add([line("two")])
    store.gate.release(2)
    shipper.close()
    shipper.end()
    assert feed(store) == [(END, ["one", "two"])]


def test_an_end_that_cannot_be_written_is_of_no_account() -> None:
    store = MemoryStore()
    store.fail_next(StoreUnavailableError("no answer"))
    shipper = make_shipper(store)
    shipper.close()
    shipper.end()
    assert feed(store) == []


def test_lines_keep_their_stream_their_time_and_who_wrote_them() -> None:
    store = MemoryStore()
    shipper = make_shipper(store)
    shipper.add([line("mine"), line("cut here", "stderr", RUNTIME)])
    shipper.close()
    shipper.end()
    first, *_ = (store.get(info.key) for info in store.list(layout.feed(FLOW, RUN)))
    chunk = decode_chunk(first)
    assert [(each.ms, each.source) for each in parse_lines(chunk["stdout"])] == [(int(NOW * 1000), "task")]
    assert [(each.ms, each.source) for each in parse_lines(chunk["stderr"])] == [(int(NOW * 1000), RUNTIME)]


def test_threads_that_hand_over_at_once_lose_nothing() -> None:
    store = MemoryStore()
    shipper = make_shipper(store)
    barrier = threading.Barrier(4)

    def work(name: str) -> Callable[[], None]:
        def hand() -> None:
            barrier.wait()
            for number in range(200):
                shipper.add([line(f"{name}{number}", name)])

        return hand

    threads = [threading.Thread(target=work(name)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shipper.close()
    shipper.end()
    shipped = [text for _, texts in feed(store) for text in texts]
    assert sorted(shipped) == sorted(f"{name}{number}" for name in "abcd" for number in range(200))
    for name in "abcd":
        own = [text for text in shipped if text.startswith(name)]
        assert own == [f"{name}{number}" for number in range(200)]


def test_a_burst_of_lines_costs_as_much_as_it_is_long() -> None:
    """Joined one by one, these would be copied for half a minute, and the step held up for as long."""
    store = MemoryStore()
    shipper = make_shipper(store)
    shipper._waiting = [line("x" * 60)] * 60_000
    shipper.end()
    ((kind, texts),) = feed(store)
    assert (kind, len(texts)) == (END, 60_000)
