"""The faults that tests inject."""

import pytest

from headway.errors import StoreUnavailableError
from headway.testing.memory_store import MemoryStore

DOWN = StoreUnavailableError("down")


def test_the_next_call_fails_once() -> None:
    store = MemoryStore()
    store.fail_next(DOWN)
    with pytest.raises(StoreUnavailableError):
        store.put("a", b"x")
    assert store.size("a") is None
    store.put("a", b"x")


def test_only_the_named_method_fails() -> None:
    store = MemoryStore()
    store.fail_next(DOWN, "get")
    store.put("a", b"x")
    with pytest.raises(StoreUnavailableError):
        store.get("a")
    assert store.get("a") == b"x"


@pytest.mark.parametrize("method", ["put", "put_if_absent", "replace", "delete"])
def test_a_lost_answer_comes_after_the_effect(method: str) -> None:
    store = MemoryStore()
    calls = {
        "put": lambda: store.put("a", b"new"),
        "put_if_absent": lambda: store.put_if_absent("a", b"new"),
        "replace": lambda: store.replace("a", b"new", tag),
        "delete": lambda: store.delete(["a"]),
    }
    if method in ("replace", "delete"):
        store.put("a", b"old")
        tag = store.get_tagged("a")[1]
    store.fail_next(DOWN, method, after_effect=True)
    with pytest.raises(StoreUnavailableError):
        calls[method]()
    assert [info.key for info in store.list("")] == ([] if method == "delete" else ["a"])
    if method != "delete":
        assert store.get("a") == b"new"


def test_calls_are_noted() -> None:
    store = MemoryStore()
    store.put("a", b"x")
    list(store.list("p"))
    assert store.calls == [("put", "a"), ("list", "p")]
