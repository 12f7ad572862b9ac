"""What every object store has to do: a suite to subclass, with a fixture that gives the store."""

import os
from collections.abc import Callable
from functools import partial
from threading import Barrier, Thread
from typing import Any

import pytest

from headway.errors import KeyExistsError, KeyNotFoundError
from headway.store.base import ObjectStore
from headway.store.conditions import verify_conditions

#: Large enough to be written and read in several parts by every store that does so.
LARGE = 20 << 20

#: How often each race is run.
ROUNDS = 3

ODD_KEYS = (
    "plain",
    "with space",
    "with+plus",
    "with%percent",
    "with%20escape",
    "with=equals&and",
    "ünïcode/文字",
    "quote'and\"<tag>",
    "tilde~minus-under_score.dot",
    "#hash?question",
    "deep/er/and/deeper",
)


class ObjectStoreSuite:
    """The conformance suite of :class:`~headway.store.base.ObjectStore`.

    Subclass it (the name beginning with ``Test``) and define a fixture ``store`` that gives an empty
    store; what the fixture's store holds at the end may be thrown away.

    Attributes:
        byte_order_of_folders: False for servers that walk folders: there "a/b" stands before "a-b", and
            what is after "a" is not what is in the folder "a". Within one folder there is no difference.
    """

    byte_order_of_folders = True

    def test_get_gives_what_put_wrote(self, store: ObjectStore) -> None:
        store.put("a/b", b"content")
        assert store.get("a/b") == b"content"
        assert store.size("a/b") == 7

    def test_put_overwrites(self, store: ObjectStore) -> None:
        store.put("a", b"first, and longer")
        store.put("a", b"second")
        assert store.get("a") == b"second"
        assert store.size("a") == 6

    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
    def test_every_kind_of_buffer_can_be_put(
        self, store: ObjectStore, kind: Callable[[bytes], bytes | bytearray | memoryview]
    ) -> None:
        store.put("put", kind(b"content"))
        store.put_if_absent("absent", kind(b"content"))
        store.replace("put", kind(b"replaced"), store.get_tagged("put")[1])
        assert store.get("put") == b"replaced"
        assert store.get("absent") == b"content"

    def test_several_buffers_are_written_one_after_the_other(self, store: ObjectStore) -> None:
        store.put("a", [b"one ", bytearray(b"two "), b"", memoryview(b"three")])
        assert store.get("a") == b"one two three"

    def test_buffers_of_wide_items_are_written_as_bytes(self, store: ObjectStore) -> None:
        wide: Any = memoryview(b"12345678").cast("d")  # Any: the type of buffers speaks of bytes only
        store.put("one", wide)
        store.put("several", [wide, wide])
        store.put_if_absent("absent", wide)
        assert store.get("one") == store.get("absent") == b"12345678"
        assert store.get("several") == b"1234567812345678"

    def test_no_buffer_is_an_empty_object(self, store: ObjectStore) -> None:
        store.put("none", [])
        assert store.get("none") == b""

    def test_an_empty_object_is_an_object(self, store: ObjectStore) -> None:
        store.put("empty", b"")
        assert store.get("empty") == b""
        assert store.size("empty") == 0
        assert store.get_range("empty", 0, 10) == b""
        assert store.get_tagged("empty")[0] == b""
        assert [tuple(info) for info in store.list("")] == [("empty", 0)]
        with pytest.raises(KeyExistsError):
            store.put_if_absent("empty", b"x")

    def test_a_range_is_cut_at_the_end_of_the_object(self, store: ObjectStore) -> None:
        store.put("a", b"0123456789")
        assert store.get_range("a", 0, 4) == b"0123"
        assert store.get_range("a", 4, 10) == b"456789"
        assert store.get_range("a", 8, 100) == b"89"
        assert store.get_range("a", 10, 20) == b""
        assert store.get_range("a", 100, 200) == b""
        assert store.get_range("a", 3, 3) == b""

    def test_a_range_is_read_to_where_it_belongs(self, store: ObjectStore) -> None:
        store.put("a", b"0123456789")
        for start, length, found in (
            (0, 10, b"0123456789"),
            (4, 3, b"456"),
            (8, 5, b"89"),
            (10, 5, b""),
            (99, 1, b""),
            (3, 0, b""),
        ):
            content = bytearray(b"." * 12)
            assert store.read_into("a", start, memoryview(content)[1 : 1 + length]) == len(found)
            assert bytes(content) == b"." + found + b"." * (11 - len(found))

    def test_what_is_missing_is_said(self, store: ObjectStore) -> None:
        store.put("there/too", b"x")
        for key in ("missing", "there", "there/too/not", "there/to"):
            with pytest.raises(KeyNotFoundError, match=key):
                store.get(key)
            with pytest.raises(KeyNotFoundError):
                store.get_range(key, 0, 1)
            with pytest.raises(KeyNotFoundError):
                store.get_range(key, 1, 1)
            with pytest.raises(KeyNotFoundError):
                store.read_into(key, 0, memoryview(bytearray(4)))
            with pytest.raises(KeyNotFoundError):
                store.get_tagged(key)
            assert store.size(key) is None

    def test_put_if_absent_keeps_what_is_there(self, store: ObjectStore) -> None:
        store.put_if_absent("a", b"first")
        with pytest.raises(KeyExistsError):
            store.put_if_absent("a", b"second")
        assert store.get("a") == b"first"

    def test_put_if_absent_refuses_the_same_content_too(self, store: ObjectStore) -> None:
        store.put_if_absent("a", b"same")
        with pytest.raises(KeyExistsError):
            store.put_if_absent("a", b"same")

    def test_put_if_absent_succeeds_again_after_a_delete(self, store: ObjectStore) -> None:
        store.put_if_absent("a/b", b"first")
        store.delete(["a/b"])
        store.put_if_absent("a/b", b"second")
        assert store.get("a/b") == b"second"

    def test_of_racing_writers_exactly_one_succeeds(self, store: ObjectStore) -> None:
        for key in (f"race/{number}" for number in range(ROUNDS)):
            won = race(8, partial(_claim, store, key))
            assert len(won) == 1
            assert store.get(key) == b"writer %d" % won[0]

    def test_replace_takes_the_tag_of_the_current_version(self, store: ObjectStore) -> None:
        store.put("a", b"one")
        data, tag = store.get_tagged("a")
        assert data == b"one"
        second = store.replace("a", b"two", tag)
        assert store.get_tagged("a") == (b"two", second)
        with pytest.raises(KeyExistsError):
            store.replace("a", b"three", tag)
        assert store.get("a") == b"two"
        store.replace("a", b"three", second)
        assert store.get("a") == b"three"

    def test_replace_of_what_is_missing_is_refused(self, store: ObjectStore) -> None:
        store.put("a", b"one")
        tag = store.get_tagged("a")[1]
        store.delete(["a"])
        with pytest.raises(KeyExistsError):
            store.replace("a", b"two", tag)
        with pytest.raises(KeyExistsError):
            store.replace("never", b"two", tag)
        assert store.size("a") is None

    def test_of_racing_replaces_exactly_one_succeeds(self, store: ObjectStore) -> None:
        store.put("a", b"start")
        for _ in range(ROUNDS):
            tag = store.get_tagged("a")[1]
            before = store.get("a")
            won = race(8, partial(_append, store, "a", before, tag))
            assert len(won) == 1
            assert store.get("a") == before + b"%d" % won[0]

    def test_listing_is_in_byte_order(self, store: ObjectStore) -> None:
        names = ["a", "a b", "a!", "a+", "a-b", "a.txt", "a0", "aA", "a_b", "ab", "a~", "B", "é", "ﬀ", "😀"]
        for name in names:
            store.put(f"f/{name}", b"x")
        listed = [info.key for info in store.list("f/")]
        assert listed == sorted((f"f/{name}" for name in names), key=str.encode)

    def test_folders_sort_as_their_keys_do(self, store: ObjectStore) -> None:
        plain = ["1/x", "10/x", "2/x", "a/1", "a/2/x", "ab/1", "b"]
        for key in plain:
            store.put(key, b"x")
        assert [info.key for info in store.list("")] == sorted(plain)
        if self.byte_order_of_folders:
            odd = ["a-b", "a.txt", "a b", "a+/x"]
            for key in odd:
                store.put(key, b"x")
            assert [info.key for info in store.list("")] == sorted(plain + odd)

    def test_a_prefix_may_end_anywhere(self, store: ObjectStore) -> None:
        for key in ("run/1/a", "run/1/b/c", "run/10/a", "run/2/a", "runs/1", "other"):
            store.put(key, b"x")

        def keys(prefix: str) -> list[str]:
            return [info.key for info in store.list(prefix)]

        assert keys("run/1") == ["run/1/a", "run/1/b/c", "run/10/a"]
        assert keys("run/1/") == ["run/1/a", "run/1/b/c"]
        assert keys("run") == ["run/1/a", "run/1/b/c", "run/10/a", "run/2/a", "runs/1"]
        assert keys("run/1/a") == ["run/1/a"]
        assert keys("o") == ["other"]
        assert keys("nothing") == keys("run/1/a/") == keys("x/y/z") == []
        assert len(keys("")) == 6

    def test_after_leaves_out_what_was_seen(self, store: ObjectStore) -> None:
        for key in ("f/1", "f/2", "f/3/a", "f/3/b", "f/4", "g/1"):
            store.put(key, b"x")

        def keys(prefix: str, after: str) -> list[str]:
            return [info.key for info in store.list(prefix, after)]

        assert keys("f/", "f/2") == ["f/3/a", "f/3/b", "f/4"]
        assert keys("f/", "f/1x") == ["f/2", "f/3/a", "f/3/b", "f/4"]
        assert keys("f/", "f/3/a") == ["f/3/b", "f/4"]
        if self.byte_order_of_folders:
            assert keys("f/", "f/3") == ["f/3/a", "f/3/b", "f/4"]
        assert keys("f/", "f/4") == []
        assert keys("f/", "a") == ["f/1", "f/2", "f/3/a", "f/3/b", "f/4"]
        assert keys("f/3", "f/2") == ["f/3/a", "f/3/b"]
        assert keys("f/", "g") == []
        assert keys("", "f/4") == ["g/1"]

    def test_sizes_are_listed(self, store: ObjectStore) -> None:
        store.put("a", b"12")
        store.put("b/c", b"123")
        assert [tuple(info) for info in store.list("")] == [("a", 2), ("b/c", 3)]

    def test_an_empty_store_lists_nothing(self, store: ObjectStore) -> None:
        assert list(store.list("")) == []
        assert list(store.list("a/b", "a/b/c")) == []

    def test_delete_is_idempotent(self, store: ObjectStore) -> None:
        for key in ("a/1", "a/2", "b"):
            store.put(key, b"x")
        store.delete(["a/1", "missing", "b", "a"])
        assert [info.key for info in store.list("")] == ["a/2"]
        store.delete(["a/1"])
        store.delete(["a/1", "b"])
        store.delete([])
        assert store.get("a/2") == b"x"

    def test_delete_takes_any_iterable(self, store: ObjectStore) -> None:
        for number in range(5):
            store.put(f"a/{number}", b"x")
        store.delete(info.key for info in list(store.list("a/")))
        assert list(store.list("")) == []

    @pytest.mark.parametrize("key", ODD_KEYS)
    def test_odd_keys(self, store: ObjectStore, key: str) -> None:
        store.put(key, b"odd")
        assert store.get(key) == b"odd"
        assert store.size(key) == 3
        assert [info.key for info in store.list("")] == [key]
        assert [info.key for info in store.list(key[:4])] == [key]
        assert store.get_range(key, 1, 2) == b"d"
        with pytest.raises(KeyExistsError):
            store.put_if_absent(key, b"x")
        store.replace(key, b"new", store.get_tagged(key)[1])
        assert store.get(key) == b"new"
        store.put("other", b"x")
        store.delete([key, "missing"])
        assert [info.key for info in store.list("")] == ["other"]

    @pytest.mark.parametrize(
        "key", ["", "/a", "a/", "a//b", "../a", "a/../b", "a/./b", ".", "a\nb", "a\x00b"]
    )
    def test_impossible_keys_are_refused(self, store: ObjectStore, key: str) -> None:
        with pytest.raises(ValueError, match="cannot be the key"):
            store.put(key, b"x")
        with pytest.raises(ValueError, match="cannot be the key"):
            store.get(key)
        with pytest.raises(ValueError, match="cannot be the key"):
            store.delete([key])

    @pytest.mark.parametrize("prefix", ["/", "../", "a/../b", "a//b"])
    def test_impossible_prefixes_are_refused(self, store: ObjectStore, prefix: str) -> None:
        with pytest.raises(ValueError, match="no key can start with"):
            store.list(prefix)

    def test_large_objects(self, store: ObjectStore) -> None:
        block = os.urandom(1 << 20)
        content = b"".join(bytes([number]) + block for number in range(LARGE >> 20))
        half = len(content) // 2
        store.put("large", [memoryview(content)[:half], content[half:]])
        assert store.size("large") == len(content)
        assert store.get("large") == content
        assert store.get_range("large", half - 5, half + 5) == content[half - 5 : half + 5]
        data, tag = store.get_tagged("large")
        assert data == content
        store.replace("large", b"small", tag)
        assert store.get("large") == b"small"

    def test_conditions_are_honoured(self, store: ObjectStore) -> None:
        verify_conditions(store)
        verify_conditions(store)

    def test_several_threads_share_a_store(self, store: ObjectStore) -> None:
        def work(number: int) -> None:
            for turn in range(5):
                key = f"t/{number}/{turn}"
                store.put(key, b"%d %d" % (number, turn))
                assert store.get(key) == b"%d %d" % (number, turn)
                store.delete([key])

        assert len(race(8, work)) == 8
        assert list(store.list("t/")) == []


def _claim(store: ObjectStore, key: str, number: int) -> None:
    store.put_if_absent(key, b"writer %d" % number)


def _append(store: ObjectStore, key: str, before: bytes, tag: str, number: int) -> None:
    store.replace(key, before + b"%d" % number, tag)


def race(threads: int, call: Callable[[int], object]) -> list[int]:
    """Make a call from several threads at the same moment.

    Args:
        threads: How many.
        call: Given the thread's number; KeyExistsError means that it lost.

    Returns:
        The numbers of the threads that did not lose.

    Raises:
        AssertionError: A call failed otherwise.
    """
    barrier = Barrier(threads)
    won: list[int] = []
    failures: list[Exception] = []

    def run(number: int) -> None:
        barrier.wait()
        try:
            call(number)
            won.append(number)
        except KeyExistsError:
            pass
        except Exception as error:
            failures.append(error)

    workers = [Thread(target=run, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not failures, failures
    return won
