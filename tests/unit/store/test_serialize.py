"""Values to blobs and back."""

import array
import gc
import hashlib
import json
import pickle
import sys
import threading
import types
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.errors import StoreError
from headway.store import arrays, pages
from headway.store.blob_format import BLOCK_SIZE
from headway.store.contents import FIRST_READ
from headway.store.digest import content_address
from headway.store.serialize import Blob, dump, load, type_name
from headway.store.unpicklable import ArtifactLoadError, UnpicklableArtifactError


class Memory:
    """A stored blob."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.reads: list[tuple[int, int]] = []
        self.filled: list[tuple[int, int]] = []

    def __call__(self, start: int, end: int) -> bytes:
        self.reads.append((start, end))
        return self.data[start:end]

    def fill(self, start: int, into: memoryview) -> int:
        """The same into a view."""
        data = self.data[start : start + len(into)]
        into[: len(data)] = data
        self.filled.append((start, len(into)))
        return len(data)


class Matrix:
    """A value with a large buffer of its own, as arrays have."""

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self.data = memoryview(data)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return Matrix, (pickle.PickleBuffer(self.data),)


def stored(blob: Blob) -> bytes:
    return b"".join(bytes(part) for part in blob.encode())


def header(data: bytes) -> dict[str, Any]:
    size = int.from_bytes(data[4:8], "little")
    found: dict[str, Any] = json.loads(data[8 : 8 + size])
    return found


def noise(size: int) -> bytes:
    blocks = (hashlib.sha256(number.to_bytes(8, "little")).digest() for number in range(size // 32))
    return b"".join(blocks)


NOISE = noise(1 << 20)
TEXT = b"the same words again and again, " * (1 << 15)

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
)


@given(values)
@settings(max_examples=50, deadline=None)
def test_values_come_back(value: object) -> None:
    blob = dump(value)
    assert load(Memory(stored(blob)), sha256=blob.sha256) == value


@given(st.lists(st.integers(0, 3 << 16), max_size=5), st.booleans())
@settings(max_examples=20, deadline=None)
def test_buffers_of_any_size_come_back(sizes: list[int], compressible: bool) -> None:
    source = TEXT if compressible else NOISE
    value = [Matrix(source[:size]) for size in sizes]
    blob = dump(value)
    back = load(Memory(stored(blob)), sha256=blob.sha256)
    assert [bytes(matrix.data) for matrix in back] == [source[:size] for size in sizes]


def test_large_buffers_are_not_copied() -> None:
    data = bytearray(NOISE)
    blob = dump({"a": Matrix(data), "b": 1})
    assert len(blob.frames) == 2
    parts = blob.encode()
    data[0] ^= 255  # a view sees the change, a copy does not
    assert bytes(blob.frames[1]) == bytes(data)
    assert bytes(parts[-1]) == bytes(data)


def test_small_buffers_stay_in_the_pickle() -> None:
    assert len(dump([Matrix(NOISE[:1000])] * 100).frames) == 1


def test_buffers_come_back_writable_unless_they_were_not() -> None:
    for size in (100, 1 << 20):
        back = load(Memory(stored(dump([Matrix(bytearray(NOISE[:size])), Matrix(NOISE[:size])]))))
        assert not back[0].data.readonly
        assert back[1].data.readonly
        back[0].data[0] = 1


def test_arrays_of_pythons_own_are_neither_copied_into_the_pickle_nor_out_of_it() -> None:
    large = array.array("d", range(100_000))
    value = {"a": large, "b": [large, array.array("H", range(40_000)), array.array("b", b"small")]}
    blob = dump(value)
    assert [len(frame) for frame in blob.frames[1:]] == [800_000, 80_000]
    large[0] = 7.5  # a view sees the change, a copy does not
    assert bytes(blob.frames[1]) == large.tobytes()
    blob = dump(value)
    memory = Memory(stored(blob))
    for fill in (None, memory.fill):
        back = load(memory, sha256=blob.sha256, fill=fill)
        assert back == value
        assert back["a"] is back["b"][0]
        back["a"].append(1.0)  # nothing else holds its memory


class OfAnotherMachine:
    """Pickles as an array of ints does where their bytes stand the other way round."""

    form = 9 if sys.byteorder == "little" else 8

    def __reduce_ex__(self, protocol: Any) -> Any:
        turned = array.array("i", range(50_000))
        turned.byteswap()
        return arrays.restore, ("i", self.form, pickle.PickleBuffer(turned))


def test_arrays_of_another_machine_come_back_with_the_same_numbers() -> None:
    blob = dump(OfAnotherMachine())._replace(arrays={1: ("i", OfAnotherMachine.form)})
    assert header(stored(blob))["arrays"] == {"1": ["i", OfAnotherMachine.form]}
    assert load(Memory(stored(blob)), sha256=blob.sha256) == array.array("i", range(50_000))
    assert type(arrays.room(7, ("i", 8))) is bytearray, "no whole number of numbers"


@pytest.mark.parametrize("code", "bBhHiIlLqQfd")
def test_arrays_of_every_kind_of_number(code: str) -> None:
    value = array.array(code, [number % 100 for number in range(70_000)])
    back = load(Memory(stored(dump(value))))
    assert (back, back.typecode) == (value, code)


def test_arrays_that_are_something_else_too_are_left_to_pickle() -> None:
    text = array.array("u", "words " * 20_000)
    back = load(Memory(stored(dump([text, Marked("d", range(20_000))]))))
    assert back[0] == text
    assert (type(back[1]), back[1].tolist()) == (Marked, list(range(20_000)))


class Marked(array.array):  # type: ignore[type-arg]
    """An array of a class of its own."""


def test_equal_values_have_equal_addresses() -> None:
    assert dump({"a": [1, 2]}).sha256 == dump({"a": [1, 2]}).sha256
    assert dump({"a": [1, 2]}).sha256 != dump({"a": [1, 3]}).sha256


def test_the_address_does_not_depend_on_compression() -> None:
    blob = dump(Matrix(TEXT))
    sizes = [len(frame) for frame in blob.frames]
    digests = [[hashlib.sha256(frame).digest()] for frame in blob.frames]
    assert blob.sha256 == content_address(sizes, digests, BLOCK_SIZE) == header(stored(blob))["sha256"]


def test_bytes_do_not_wander_between_frames_unseen() -> None:
    one, two = (
        dump([Matrix(NOISE[:100_000]), Matrix(NOISE[100_000:300_000])]),
        dump([Matrix(NOISE[:200_000]), Matrix(NOISE[200_000:300_000])]),
    )
    assert one.sha256 != two.sha256


def blocks(data: bytes) -> list[list[tuple[str, int]]]:
    """Codec and stored size of the blocks of each frame."""
    return [[(codec, size) for codec, size in listed] for _, listed in header(data)["frames"]]


def test_only_what_shrinks_is_compressed() -> None:
    _, noisy, text = blocks(stored(dump([Matrix(NOISE), Matrix(TEXT)])))
    assert noisy == [("raw", len(NOISE))]
    assert text[0][0] == "zlib"
    assert text[0][1] < len(TEXT) / 20


def test_each_block_of_a_large_frame_is_judged_apart() -> None:
    value = Matrix(NOISE * 8 + TEXT * 8 + NOISE)
    data = stored(dump(value))
    (_, large) = blocks(data)
    assert [codec for codec, _ in large] == ["raw", "zlib", "raw"]
    assert bytes(load(Memory(data)).data) == bytes(value.data)


def test_what_shrinks_only_where_the_sample_is_taken_stays_as_it_is() -> None:
    sample = 16 << 10
    data = stored(dump(Matrix(bytes(sample) + NOISE + bytes(sample))))
    assert blocks(data)[1][0][0] == "raw"


def test_small_frames_are_not_compressed() -> None:
    assert blocks(stored(dump("a" * 1000)))[0][0][0] == "raw"
    assert blocks(stored(dump("a" * 100_000)))[0][0][0] == "zlib"


def test_many_arrays_are_read_with_few_requests() -> None:
    value = [Matrix(NOISE[number : number + (70 << 10)]) for number in range(300)]
    memory = Memory(stored(dump(value)))
    assert len(load(memory)) == 300
    assert len(memory.reads) < 6


def test_a_small_blob_is_read_at_once() -> None:
    memory = Memory(stored(dump(list(range(1000)))))
    load(memory)
    assert memory.reads == [(0, FIRST_READ)]


def test_a_large_blob_is_not_read_twice() -> None:
    data = stored(dump([Matrix(NOISE), Matrix(NOISE), Matrix(NOISE)]))
    memory = Memory(data)
    load(memory)
    spans = sorted(memory.reads)
    assert spans[0] == (0, FIRST_READ)
    assert sum(min(end, len(data)) - start for start, end in spans) == len(data)


def test_a_header_longer_than_the_first_read() -> None:
    value = [Matrix(NOISE[: 64 << 10]) for _ in range(20)]
    blob = dump(value)
    assert len(blob.frames) == 21
    blob = Blob(blob.sha256, "x" * FIRST_READ, blob.frames)
    assert len(load(Memory(stored(blob)))) == 20


@pytest.mark.parametrize("where", ["pickle", "buffer", "compressed"])
def test_damage_is_found(where: str) -> None:
    data = bytearray(stored(dump([Matrix(NOISE), Matrix(TEXT)])))
    sizes = [sum(size for _, size in listed) for listed in blocks(bytes(data))]
    start = len(data) - sum(sizes)
    offsets = {"pickle": 1, "buffer": sizes[0] + 5, "compressed": sizes[0] + sizes[1] + 100}
    position = start + offsets[where]
    data[position : position + 16] = bytes(value ^ 255 for value in data[position : position + 16])
    with pytest.raises(StoreError, match="artifact model is damaged"):
        load(Memory(bytes(data)), "model")


def large_blob() -> bytes:
    """Made apart: views of a value must not stand in the frame of an error, Python 3.11 would crash collecting them."""
    return stored(dump(Matrix(NOISE * 20)))


def test_what_is_stored_as_it_is_goes_straight_to_where_it_belongs() -> None:
    """What the first read did not have: no byte is read twice, none is copied after it came."""
    memory = Memory(large_blob())
    assert load(memory, "model", fill=memory.fill).data == NOISE * 20
    assert memory.reads == [(0, FIRST_READ)]
    assert sum(size for _, size in memory.filled) == len(memory.data) - FIRST_READ
    assert len(memory.filled) == 3
    cut = Memory(memory.data[:-1])
    with pytest.raises(StoreError, match="cut off"):
        load(cut, "model", fill=cut.fill)
    damaged = Memory(memory.data[:-1] + bytes([memory.data[-1] ^ 1]))
    with pytest.raises(StoreError, match="does not match its sha256"):
        load(damaged, "model", fill=damaged.fill)


def test_a_very_large_buffer_comes_in_few_requests_for_all_threads() -> None:
    """Ranges of several blocks, none beyond 32 MiB, and enough of them that no thread is without one."""
    data = stored(dump(Matrix(NOISE * 140)))
    memory = Memory(data)
    assert load(memory, fill=memory.fill).data == NOISE * 140
    assert 8 <= len(memory.filled) <= 12
    assert max(size for _, size in memory.filled) <= 32 << 20


def test_a_header_that_contradicts_itself_is_told() -> None:
    """A block as it is that has more bytes than it says that it holds."""
    data = large_blob()
    memory = Memory(data.replace(b'["raw", 8388608]', b'["raw", 8388609]', 1))
    with pytest.raises(StoreError, match="artifact x is damaged"):
        load(memory, "x", fill=memory.fill)


def test_blobs_of_the_first_versions_are_read() -> None:
    """Their address is the sha256 of all frames in a row, each after its length."""
    blob = dump([Matrix(NOISE * 9), Matrix(TEXT)])
    digest = hashlib.sha256()
    for frame in blob.frames:
        digest.update(len(frame).to_bytes(8, "little") + bytes(frame))
    old = stored(blob._replace(sha256=digest.hexdigest()))
    head = int.from_bytes(old[4:8], "little")
    text = old[8 : 8 + head].replace(b'"hash": "tree", ', b"")
    old = old[:4] + len(text).to_bytes(4, "little") + text + old[8 + head :]
    back = load(Memory(old), sha256=digest.hexdigest())
    assert [bytes(each.data) for each in back] == [NOISE * 9, TEXT]
    with pytest.raises(StoreError, match="does not match"):
        load(Memory(old.replace(NOISE[:100], NOISE[100:200], 1)), sha256=digest.hexdigest())


def test_memory_that_the_system_does_not_give_in_pages_comes_from_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    large = pages.large_room(5 << 20)
    assert (len(large), bytes(large[:3]), large.readonly) == (5 << 20, b"\0\0\0", False)
    monkeypatch.setattr(pages.mmap, "mmap", refuse)
    assert type(pages.large_room(5 << 20)) is bytearray


@pytest.mark.parametrize(
    "data", [b"", b"HWB1", b"HWB1\xff\xff\0\0{", b"HWB1\x02\0\0\0{}", b"<html>not it</html>"]
)
def test_what_is_no_blob_is_told(data: bytes) -> None:
    with pytest.raises(StoreError, match="artifact x is damaged"):
        load(Memory(data), "x")


def test_another_blob_than_expected_is_told() -> None:
    with pytest.raises(StoreError, match="does not match its sha256"):
        load(Memory(stored(dump(1))), "x", sha256=dump(2).sha256)


def test_a_codec_of_a_later_version_is_told() -> None:
    data = stored(dump("a" * 100_000)).replace(b'"zlib"', b'"zstd"')
    with pytest.raises(StoreError, match="'zstd'"):
        load(Memory(data), "x")


def test_garbage_collection_is_as_before() -> None:
    assert gc.isenabled()
    load(Memory(stored(dump([1]))))
    with pytest.raises(UnpicklableArtifactError):
        dump(threading.Lock())
    assert gc.isenabled()
    gc.disable()
    try:
        load(Memory(stored(dump([1]))))
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_type_names() -> None:
    assert [type_name(value) for value in (1, None, [], Matrix(b""))] == [
        "int",
        "NoneType",
        "list",
        f"{__name__}.Matrix",
    ]


class Holder:
    def __init__(self, **fields: object) -> None:
        self.__dict__.update(fields)


class Stateful(Holder):
    def __getstate__(self) -> dict[str, object]:
        return {"inner": self.__dict__["inner"]}


class Refuses:
    def __reduce__(self) -> str:
        raise RuntimeError("not\nme")


LOCK = threading.Lock()


@pytest.mark.parametrize(
    ("value", "path", "kind"),
    [
        (LOCK, None, "_thread.lock"),
        ([1, {"a": (LOCK,)}], "self.model[1]['a'][0]", "_thread.lock"),
        (Holder(inner=Holder(fn=lambda: 1)), "self.model.inner.fn", "function"),
        ({"gen": (i for i in range(3))}, "self.model['gen']", "generator"),
        (Stateful(inner=[LOCK]), None, "Stateful"),
        ({Refuses()}, "self.model item", "Refuses"),
    ],
)
def test_the_culprit_is_named(value: object, path: str | None, kind: str) -> None:
    with pytest.raises(UnpicklableArtifactError) as caught:
        dump(value, "model")
    text = str(caught.value)
    assert "self.model" in text
    assert kind in text
    if path:
        assert f"The cause is {path}" in text
    assert caught.value.hint


def test_the_reason_of_a_class_that_refuses_is_one_line() -> None:
    with pytest.raises(UnpicklableArtifactError, match="RuntimeError: not me"):
        dump(Refuses(), "x")


def test_a_value_that_holds_itself_is_searched_once() -> None:
    loop: list[object] = [LOCK]
    loop.insert(0, loop)
    with pytest.raises(UnpicklableArtifactError, match=r"self.x\[1\]"):
        dump(loop, "x")


def test_nesting_too_deep_for_pickle() -> None:
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(UnpicklableArtifactError, match="RecursionError") as caught:
        dump(value, "x")
    assert "nested too deeply" in str(caught.value)
    while value:  # taken apart here: Python's own way would be as deep
        value = value.pop()  # type: ignore[assignment]


@pytest.fixture
def module() -> types.ModuleType:
    module = types.ModuleType("pod_only")
    exec(
        "class Model:\n    pass\nclass Picky:\n    def __setstate__(self, s): raise KeyError('x')",
        module.__dict__,
    )
    sys.modules["pod_only"] = module
    return module


def test_a_missing_module_is_named(module: types.ModuleType) -> None:
    data = stored(dump(module.Model()))
    del sys.modules["pod_only"]
    with pytest.raises(ArtifactLoadError, match=r"self\.model .* needs the module 'pod_only'") as caught:
        load(Memory(data), "model")
    assert caught.value.module == "pod_only"
    assert "Install pod_only" in str(caught.value)


def test_a_missing_class_is_named(module: types.ModuleType) -> None:
    data = stored(dump(module.Model()))
    del module.Model
    with pytest.raises(ArtifactLoadError, match=r"self\.model cannot be loaded.*Model"):
        load(Memory(data), "model")
    del sys.modules["pod_only"]


def test_a_class_that_fails_is_told(module: types.ModuleType) -> None:
    value = module.Picky()
    value.a = 1
    data = stored(dump(value))
    with pytest.raises(ArtifactLoadError, match="KeyError"):
        load(Memory(data), "model")
    del sys.modules["pod_only"]
