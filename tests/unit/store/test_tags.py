"""A run's tags: what may be one, and that no writer loses another's."""

from collections.abc import Callable

import pytest

from headway.errors import KeyExistsError, StoreUnavailableError, TaggingError
from headway.store import layout
from headway.store.tags import MAX_LENGTH, MAX_TAGS, Tags, change_tags, check_tags, read_tags
from headway.testing.memory_store import MemoryStore

KEY = layout.tags("F", "1")


def change(store: MemoryStore, how: Callable[[Tags], Tags]) -> Tags:
    return change_tags(store, "F", "1", ("first",), how)


def test_until_a_change_the_tags_are_those_of_the_beginning() -> None:
    store = MemoryStore()
    assert read_tags(store, "F", "1", ("first",)) == {"first"}
    assert change(store, lambda tags: tags) == {"first"}
    assert store.size(KEY) is None, "nothing changed, so nothing is written"
    assert change(store, lambda tags: tags | {"second"}) == {"first", "second"}
    assert read_tags(store, "F", "1", ("first",)) == {"first", "second"}
    assert change(store, lambda _: frozenset()) == frozenset()
    assert read_tags(store, "F", "1", ("first",)) == frozenset(), "also the first ones can be taken away"


@pytest.mark.parametrize("others", [1, 7])
def test_whoever_was_overtaken_repeats_their_change_on_what_is_there(others: int) -> None:
    store = MemoryStore()
    left = list(range(others))

    def overtaken(tags: Tags) -> Tags:
        if left:
            number = left.pop()
            change(store, lambda now: now | {f"other {number}"})
        return tags | {"mine"}

    expected = {"first", "mine", *(f"other {number}" for number in range(others))}
    assert change(store, overtaken) == expected
    assert read_tags(store, "F", "1", ()) == expected


def test_a_change_that_never_gets_through_says_so() -> None:
    store = MemoryStore()
    change(store, lambda tags: tags | {"x"})
    for _ in range(200):
        store.fail_next(KeyExistsError("changed"), "replace")
    with pytest.raises(StoreUnavailableError, match="changed by others 200 times"):
        change(store, lambda tags: tags | {"y"})


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("", "cannot be empty"),
        ("x" * (MAX_LENGTH + 1), "has 501 characters; 500 are allowed"),
        (7, "The tag 7 is int, and tags are text"),
        (b"\xff", "is not UTF-8"),
        ("\ud800", "cannot be written as UTF-8"),
    ],
)
def test_what_cannot_be_a_tag(tag: object, words: str) -> None:
    with pytest.raises(TaggingError, match=words):
        check_tags(["fine", tag])


def test_a_tag_may_be_long_any_text_or_bytes() -> None:
    assert check_tags(["x" * MAX_LENGTH, "grün, ja", b"bytes"]) == {"x" * MAX_LENGTH, "grün, ja", "bytes"}


def test_there_may_be_fifty_and_whoever_has_more_may_have_fewer() -> None:
    many = [f"tag {number}" for number in range(MAX_TAGS + 5)]
    assert len(check_tags(many[:MAX_TAGS])) == MAX_TAGS
    with pytest.raises(TaggingError, match="can have 50 tags, and this would make 51"):
        check_tags(many[: MAX_TAGS + 1], many[:MAX_TAGS])
    assert len(check_tags(many[:-1], many)) == MAX_TAGS + 4
