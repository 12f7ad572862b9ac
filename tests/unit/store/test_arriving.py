"""A large pickle is read while its later blocks still come."""

import functools
import hashlib
import json
import pickle
import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.errors import StoreError
from headway.store.arriving import Arriving, use_arriving
from headway.store.blob_format import BLOCK_SIZE
from headway.store.serialize import Blob, dump, load
from headway.store.unpicklable import ArtifactLoadError

#: Three blocks and a bit, of which each packs well.
COUNT = 4 * BLOCK_SIZE // 1000
#: Where no thread would come, tests wait no longer.
PATIENCE = 20.0

made = threading.Event()


class First:
    """Notes that it has been unpickled."""

    def __setstate__(self, state: object) -> None:
        made.set()


class Failing:
    """Cannot be unpickled."""

    def __init__(self) -> None:
        self.some = 1

    def __setstate__(self, state: object) -> None:
        raise ValueError("not today")


class Buffered:
    """Has a large buffer beside the pickle."""

    def __init__(self, data: Any) -> None:
        self.data = memoryview(data)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return Buffered, (pickle.PickleBuffer(self.data),)


@functools.cache
def rows() -> list[bytes]:
    """What packs well, but not into what is read at first."""
    return [hashlib.sha512(b"%d" % number).digest() * 2 + b"%0744d" % number for number in range(COUNT)]


def stored(blob: Blob) -> bytes:
    return b"".join(bytes(part) for part in blob.encode())


def header_of(data: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(data[8 : 8 + int.from_bytes(data[4:8], "little")])
    return found


def body_of(data: bytes) -> bytes:
    return data[8 + int.from_bytes(data[4:8], "little") :]


def with_header(data: bytes, header: dict[str, Any]) -> bytes:
    text = json.dumps(header).encode()
    return data[:4] + len(text).to_bytes(4, "little") + text + body_of(data)


def reader(data: bytes) -> Any:
    return lambda start, end: data[start:end]


def test_the_value_is_made_while_blocks_come() -> None:
    """The last bytes are not given before the first object has been made."""
    marked = First()
    marked.__dict__["some"] = 1
    blob = dump([marked, rows()])
    data = stored(blob)
    waited: list[bool] = []

    def read(start: int, end: int) -> bytes:
        if end >= len(data) > start > 0:
            waited.append(made.wait(PATIENCE))
        return data[start:end]

    made.clear()
    back = load(read, sha256=blob.sha256)
    assert waited == [True]
    assert back[1] == rows()


def test_large_buffers_beside_a_large_pickle_come_whole() -> None:
    buffer = bytes(range(256)) * 100_000
    blob = dump([Buffered(buffer), rows(), Buffered(buffer[::-1])])
    back = load(reader(stored(blob)), sha256=blob.sha256)
    assert back[0].data == buffer
    assert back[1] == rows()
    assert back[2].data == buffer[::-1]


def test_one_very_long_value_comes_whole() -> None:
    """Pickle reads it in one piece, over many blocks."""
    text = b"".join(rows())
    for value in (text, bytearray(text), text.decode("latin-1")):
        blob = dump([value, 1])
        assert load(reader(stored(blob)), sha256=blob.sha256) == [value, 1]


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_damage_in_any_block_is_told_as_such(number: int) -> None:
    data = bytearray(stored(dump(rows())))
    header = header_of(bytes(data))
    sizes = [size for _, size in header["frames"][0][1]]
    assert len(sizes) == len(header["digests"][0]) > number
    at = len(data) - sum(sizes) + sum(sizes[:number]) + sizes[number] // 2
    data[at] ^= 1
    with pytest.raises(StoreError, match="artifact x is damaged"):
        load(reader(bytes(data)), "x")


def test_a_block_of_other_content_is_told() -> None:
    """Whole in itself, so that only its digest tells."""
    one, other = stored(dump(rows())), stored(dump([*rows()[:-1], bytes(1000)]))
    header = header_of(one)
    header["frames"] = header_of(other)["frames"]
    head = with_header(one[: len(one) - len(body_of(one))], header)
    with pytest.raises(StoreError, match="does not match its sha256"):
        load(reader(head + body_of(other)), "x")


def test_digests_that_are_not_the_addresss_are_told() -> None:
    blob = dump(rows())
    data = stored(blob)
    header = header_of(data)
    header["digests"][0][1] = "00" * 32
    with pytest.raises(StoreError, match="does not match its sha256"):
        load(reader(with_header(data, header)), "x", sha256=blob.sha256)
    header["digests"][0].pop()
    with pytest.raises(StoreError, match="its header cannot be read"):
        load(reader(with_header(data, header)), "x")
    header["digests"][0].append("no digest")
    with pytest.raises(StoreError, match="its header cannot be read"):
        load(reader(with_header(data, header)), "x")


def test_large_pickles_without_digests_are_read() -> None:
    """As they were stored before."""
    blob = dump(rows())
    data = stored(blob)
    header = header_of(data)
    del header["digests"]
    old = with_header(data, header)
    assert load(reader(old), sha256=blob.sha256) == rows()
    with pytest.raises(StoreError, match="does not match its sha256"):
        load(reader(old), "x", sha256=dump(1).sha256)


def test_small_pickles_have_no_digests() -> None:
    assert "digests" not in header_of(stored(dump([Buffered(bytes(2 * BLOCK_SIZE)), b"small"])))


def test_what_the_store_says_comes_before_what_came_of_it() -> None:
    data = stored(dump(rows()))

    def read(start: int, end: int) -> bytes:
        if start and end >= len(data):
            raise StoreError("the store is away", "Wait.")
        return data[start:end]

    with pytest.raises(StoreError, match="the store is away"):
        load(read, "x")


def test_a_class_that_fails_ends_the_reading() -> None:
    """It is told of itself, and no thread is left."""
    before = threading.active_count()
    data = stored(dump([Failing(), rows()]))
    with pytest.raises(ArtifactLoadError, match="not today"):
        load(reader(data), "x")
    assert threading.active_count() == before


def test_where_there_are_no_more_threads_blocks_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    data = stored(dump(rows()))
    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert load(reader(data)) == rows()


def test_an_interrupt_is_not_held_up() -> None:
    """What still comes is not waited for."""
    arriving, late, came = Arriving(2, 8), threading.Event(), threading.Event()

    def bring() -> None:
        late.wait(PATIENCE)
        came.set()

    def use(pickled: Arriving, _: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        use_arriving(arriving, [bring], [], use)
    assert not came.is_set()
    late.set()
    assert came.wait(PATIENCE)


@given(st.data(), st.binary(max_size=200), st.integers(1, 20))
@settings(max_examples=60, deadline=None)
def test_it_reads_like_a_file(data: st.DataObject, content: bytes, size: int) -> None:
    blocks = [content[start : start + size] for start in range(0, len(content), size)]
    arriving = Arriving(len(blocks), size)
    order = data.draw(st.permutations(range(len(blocks))))
    calls = [lambda number=number: arriving.came(number, blocks[number]) for number in order]
    pieces = data.draw(st.lists(st.integers(0, 50), max_size=8))

    def use(file: Arriving, _: object) -> bytes:
        read = b""
        for number, wanted in enumerate(pieces):
            if number % 2:
                room = bytearray(wanted)
                read += bytes(room[: file.readinto(room)])
            else:
                read += file.read(wanted)
            assert len(read) == min(len(content), sum(pieces[: number + 1]))
        line = file.readline()
        assert b"\n" not in line[:-1]
        return read + line + file.read(1000)

    assert use_arriving(arriving, calls, [], use) == content
