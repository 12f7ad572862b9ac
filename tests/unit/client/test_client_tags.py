"""Tags through the client: given, taken away and replaced, by several people at once."""

import pickle

import pytest
from recorded_runs import RecordedRun, digits

from headway.client import Flow, Run, namespace
from headway.errors import TaggingError
from headway.store.folder import FolderStore
from headway.testing.memory_store import MemoryStore


def test_tags_are_given_taken_away_and_replaced(folder: FolderStore) -> None:
    digits(folder, tags=("first",))
    run = Run("Digits/1")
    run.add_tag("good")
    run.add_tags(["good", "checked", "user:ann"])
    assert run.user_tags == {"first", "good", "checked"}, "a system tag is there already"
    assert run.tags == run.user_tags | run.system_tags
    run.remove_tag("first")
    run.remove_tags(["never", "checked"])
    run.replace_tag("good", "better")
    assert run.user_tags == {"better"}
    run.add_tag(["one", "two"])
    run.replace_tag(["one", "two"], ["three", "four"])
    assert run.user_tags == {"better", "three", "four"}
    run.remove_tag(["three", "four"])
    assert run.user_tags == {"better"}, "several at once"
    run.replace_tags(["better"], ["best", "better"])
    assert run.user_tags == {"best", "better"}, "first taken away, then given"
    assert Run("Digits/1")["train"].task is not None
    assert Run("Digits/1")["train"]["3"].user_tags == {"best", "better"}, "everything in a run has its tags"
    assert pickle.loads(pickle.dumps(run)).user_tags == run.user_tags


def test_two_that_hold_the_same_run_lose_nothing_of_each_other(folder: FolderStore) -> None:
    digits(folder)
    one, other = Run("Digits/1"), Run("Digits/1")
    assert one.user_tags == other.user_tags == set()
    one.add_tag("one")
    other.add_tag("other")
    one.remove_tag("nothing")
    assert one.user_tags == other.user_tags == {"one", "other"}


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda run: run.remove_tag("user:ann"), "user:ann: system tags say how Digits/1 was started"),
        (lambda run: run.add_tags([]), "No tag was named"),
        (lambda run: run.add_tag(3), "3"),
        (lambda run: run.add_tag(""), "cannot be empty"),
        (lambda run: run.add_tag("x" * 501), "500 are allowed"),
        (lambda run: run.add_tags(map(str, range(51))), "can have 50 tags"),
    ],
)
def test_what_is_refused_changes_nothing(folder: FolderStore, call: object, words: str) -> None:
    digits(folder, tags=("first",))
    with pytest.raises(TaggingError, match=words):
        call(Run("Digits/1"))  # type: ignore[operator]
    assert Run("Digits/1").user_tags == {"first"}


def test_runs_are_found_by_the_tags_they_have_now(folder: FolderStore) -> None:
    for number in range(1, 4):
        RecordedRun(folder, str(number), tags=("first",))
    Run("Digits/2").add_tag("good")
    Run("Digits/3").remove_tag("first")
    assert [run.id for run in Flow("Digits").runs("good")] == ["2"]
    assert [run.id for run in Flow("Digits").runs("first")] == ["2", "1"]
    assert [run.id for run in Flow("Digits").runs("first", "good")] == ["2"]
    namespace("good")
    assert [run.id for run in Flow("Digits")] == ["2"]


def test_the_tags_of_runs_elsewhere_are_where_their_data_is(folder: FolderStore, far: MemoryStore) -> None:
    recorded = RecordedRun(far, "7", tags=("first",))
    pointer = recorded.record._replace(root=far.url)
    folder.put("v1/Digits/runs/7.json", pointer.encode())
    folder.put("v1/flows/Digits", b"")
    Run("Digits/7").add_tag("good")
    assert far.size("v1/Digits/run/7/tags.json") is not None
    assert [run.id for run in Flow("Digits").runs("good")] == ["7"]
