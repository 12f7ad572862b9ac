"""Artifacts in a store."""

import threading
from pathlib import Path

import pytest

from headway.errors import StoreError, StoreUnavailableError
from headway.store import layout
from headway.store.artifacts import INCLUDED, ArtifactStore
from headway.store.folder import FolderStore
from headway.store.records import SUCCEEDED, AttemptRef, Record
from headway.store.unpicklable import UnpicklableArtifactError
from headway.testing.memory_store import MemoryStore

LARGE = b"0123456789abcdef" * (4 << 16)  # 4 MiB


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def artifacts(store: MemoryStore) -> ArtifactStore:
    return ArtifactStore(store, "Flow")


def methods(store: MemoryStore) -> list[str]:
    return [method for method, _ in store.calls]


def test_a_value_is_stored_by_its_content(store: MemoryStore, artifacts: ArtifactStore) -> None:
    ref = artifacts.save("x", {"a": 1})
    assert [info.key for info in store.list("")] == [layout.blob("Flow", ref.sha256)]
    assert ref.size == store.size(layout.blob("Flow", ref.sha256))
    assert ref.type == "dict"
    assert artifacts.load("x", ref) == {"a": 1}


def test_a_small_value_takes_one_request_each_way(store: MemoryStore, artifacts: ArtifactStore) -> None:
    ref = artifacts.save("x", 1)
    artifacts.load("x", ref)
    assert methods(store) == ["put", "get_range"]


def test_a_large_value_that_is_there_is_not_stored_again(
    store: MemoryStore, artifacts: ArtifactStore
) -> None:
    first = artifacts.save("x", LARGE)
    assert first.size < len(LARGE) / 5, "compressed"
    second = artifacts.save("y", LARGE)
    assert second == first
    assert methods(store) == ["size", "put", "size"]


def test_what_a_power_cut_left_empty_is_stored_again(store: MemoryStore, artifacts: ArtifactStore) -> None:
    ref = artifacts.save("x", LARGE)
    store.put(layout.blob("Flow", ref.sha256), b"")
    assert artifacts.save("x", LARGE) == ref
    assert artifacts.load("x", ref) == LARGE


def test_several_values(store: MemoryStore, artifacts: ArtifactStore) -> None:
    values = {f"a{number}": [number] * number for number in range(20)} | {"large": LARGE}
    refs = artifacts.save_many(values)
    assert list(refs) == list(values)
    assert artifacts.load_many(refs) == values


def test_small_values_stand_in_their_references(store: MemoryStore, artifacts: ArtifactStore) -> None:
    values = {"number": 7, "text": "ä" * 100, "none": None, "items": [{"a": 1}], "large": b"." * 600}
    refs = artifacts.save_many(values)
    assert [name for name, ref in refs.items() if not ref.pickled] == ["large"]
    assert store.calls == [("put", layout.blob("Flow", refs["large"].sha256))]
    assert (
        Record.decode(Record(AttemptRef("a", "1", 0), SUCCEEDED, artifacts=refs).encode()).artifacts == refs
    )
    store.calls.clear()
    assert artifacts.load_many(refs) == values
    assert len(store.calls) == 1
    assert {name: artifacts.load(name, ref) for name, ref in refs.items()} == values
    assert refs["number"]._replace(pickled="", size=0) == artifacts.save("x", 7)._replace(size=0)


def test_a_record_takes_so_many_small_values_and_no_more(artifacts: ArtifactStore) -> None:
    first = artifacts.save_many({f"a{number}": f"{number:0400}" for number in range(30)})
    within = sum(len(ref.pickled) for ref in first.values())
    assert 6000 < within < 9000
    more = artifacts.save_many({f"b{number}": f"{number:0400}" for number in range(30)}, first.values())
    assert within + sum(len(ref.pickled) for ref in more.values()) < 9000
    assert artifacts.load_many({**first, **more})["b29"] == f"{29:0400}"


@pytest.mark.parametrize("pickled", ["####", "gASVBQ==", "no base64"])
def test_a_damaged_value_within_its_record_is_told(artifacts: ArtifactStore, pickled: str) -> None:
    ref = artifacts.save_many({"x": 1})["x"]._replace(pickled=pickled)
    with pytest.raises(StoreError, match="artifact x is damaged"):
        artifacts.load("x", ref)


def test_no_value_at_all(artifacts: ArtifactStore) -> None:
    assert artifacts.save_many({}) == {}
    assert artifacts.load_many({}) == {}


def test_one_small_value_starts_no_thread(artifacts: ArtifactStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise AssertionError("a thread was started")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    refs = artifacts.save_many({"x": [1, 2]})
    assert artifacts.load_many(refs) == {"x": [1, 2]}


def test_nothing_is_stored_if_one_value_cannot_be_pickled(
    store: MemoryStore, artifacts: ArtifactStore
) -> None:
    with pytest.raises(UnpicklableArtifactError, match=r"self\.bad"):
        artifacts.save_many({"good": 1, "bad": threading.Lock()})
    assert store.calls == []


def test_a_store_that_fails_is_told(store: MemoryStore, artifacts: ArtifactStore) -> None:
    store.fail_next(StoreUnavailableError("down"), "put")
    with pytest.raises(StoreUnavailableError):
        artifacts.save_many({f"a{number}": b"." * (1000 + number) for number in range(10)})


def test_a_value_that_is_gone_is_told(store: MemoryStore, artifacts: ArtifactStore) -> None:
    ref = artifacts.save("x", 1)
    store.delete([layout.blob("Flow", ref.sha256)])
    with pytest.raises(StoreError, match="artifact x is no longer in memory://test"):
        artifacts.load("x", ref)


def test_a_value_that_is_cut_off_is_told(store: MemoryStore, artifacts: ArtifactStore) -> None:
    ref = artifacts.save("x", [bytearray(LARGE), list(range(1000))])
    key = layout.blob("Flow", ref.sha256)
    store.put(key, store.get(key)[:-100])
    with pytest.raises(StoreError, match="cut off"):
        artifacts.load("x", ref)


def test_another_value_in_its_place_is_told(store: MemoryStore, artifacts: ArtifactStore) -> None:
    one, two = artifacts.save("x", 1), artifacts.save("x", 2)
    store.put(layout.blob("Flow", one.sha256), store.get(layout.blob("Flow", two.sha256)))
    with pytest.raises(StoreError, match="artifact x is damaged"):
        artifacts.load("x", one)


def test_a_large_value_is_read_in_pieces_side_by_side(tmp_path: Path) -> None:
    artifacts = ArtifactStore(FolderStore(str(tmp_path)), "Flow")
    value = bytes(range(256)) * (80 << 10)  # 20 MiB, stored as it is only if it does not shrink
    ref = artifacts.save("x", value)
    assert artifacts.load("x", ref) == value


def test_an_included_file_is_a_small_artifact_that_loads_as_its_content(
    store: MemoryStore, artifacts: ArtifactStore
) -> None:
    data = "grün\r\nrot\n".encode()
    as_text = artifacts.save_file("x", data, "colours.txt", "utf-8")
    as_bytes = artifacts.save_file("y", data, "colours.txt", None)
    assert as_text.type == as_bytes.type == INCLUDED
    assert as_text.size == len(data)
    assert artifacts.load("x", as_text) == "grün\nrot\n"
    assert artifacts.load_many({"y": as_bytes}) == {"y": data}
    assert len(list(store.list(""))) == 3, "the content once, and two descriptors"
    latin = artifacts.save_file("z", "ü".encode("latin-1"), "u.txt", "latin-1")
    assert artifacts.load("z", latin) == "ü"
