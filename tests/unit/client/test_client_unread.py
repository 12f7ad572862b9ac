"""A datastore that cannot be read takes nothing away from a list but what nobody can know."""

import re
import warnings
from collections.abc import Callable

import pytest
from recorded_runs import RecordedRun

from headway.client import Flow, Headway, Run, namespace, stores
from headway.errors import StoreConfigurationError, StoreError
from headway.launch.index import remember_run
from headway.store.folder import FolderStore
from headway.testing.memory_store import MemoryStore

#: What the client warns of, once for a store.
WORDS = r"run Digits/\d is in memory://far, which cannot be read: no credentials\. Runs there are listed by"


class Refusing(MemoryStore):
    """A datastore that refuses every read while it is shut."""

    shut = False

    def get(self, key: str) -> bytes:
        if self.shut:
            self.calls.append(("get", key))
            raise StoreConfigurationError("no credentials\nLooked at: all places", "Sign in.")
        return super().get(key)


@pytest.fixture
def far() -> Refusing:
    store = Refusing("far")
    stores.keep_store(store)
    return store


@pytest.fixture
def mixed(folder: FolderStore, far: Refusing) -> Refusing:
    """Runs 1 to 6, of which those with even numbers are elsewhere, in what is shut now."""
    for number in range(1, 7):
        store = folder if number % 2 else far
        recorded = RecordedRun(store, str(number), tags=("good",) if number < 5 else ())
        remember_run(folder.url, store.url, recorded.record)
    Run("Digits/2").add_tag("later")
    far.shut = True
    far.calls.clear()
    return far


def told(call: Callable[[], object]) -> tuple[object, list[str]]:
    """What a call gives, and what it warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = call()
    assert all(each.filename == __file__ for each in caught), "the person's line, not one of the client"
    return result, [str(each.message) for each in caught]


@pytest.mark.parametrize(
    ("within", "listed", "found"),
    [
        ("user:ann", lambda: [run.id for run in Flow("Digits").runs("good")], ["4", "3", "2", "1"]),
        ("user:ann", lambda: [run.id for run in Flow("Digits").runs("later")], []),
        (
            "user:ann",
            lambda: [set(run.user_tags) for run in Flow("Digits")],
            [set(), set(), {"good"}, {"good"}, {"good"}, {"good"}],
        ),
        ("user:ann", lambda: [len(list(run.steps("later"))) for run in Flow("Digits")], [0] * 6),
        ("user:bob", lambda: Headway().flows, []),
        ("user:bob", lambda: Flow("Digits", _namespace_check=False).is_in_namespace(), False),
        ("good", lambda: Flow("Digits", _namespace_check=False).is_in_namespace(), True),
    ],
)
def test_a_list_goes_on_and_tells_once(
    mixed: Refusing, within: str, listed: Callable[[], object], found: object
) -> None:
    namespace(within)
    result, words = told(listed)
    assert result == found
    assert len(words) == len(mixed.calls) == 1, "not asked again within one list"
    assert re.match(WORDS, words[0])


def test_what_the_system_s_tags_tell_is_not_asked_for(mixed: Refusing) -> None:
    assert told(lambda: [run.id for run in Flow("Digits")]) == (["6", "5", "4", "3", "2", "1"], [])
    assert mixed.calls == []


def test_all_flows_ask_a_datastore_once(folder: FolderStore, mixed: Refusing) -> None:
    remember_run(folder.url, mixed.url, RecordedRun(mixed, "9", flow="Other").record)
    mixed.calls.clear()
    namespace("user:bob")
    assert told(lambda: Headway().flows)[0] == []
    assert len(mixed.calls) == 1


def test_the_next_list_asks_again(mixed: Refusing) -> None:
    def later() -> list[str]:
        return [run.id for run in Flow("Digits").runs("later")]

    assert told(later)[0] == []
    mixed.shut = False
    assert told(later) == (["2"], [])


@pytest.mark.parametrize(
    "read", [lambda run: run.user_tags, lambda run: run.finished, lambda run: run.data, lambda run: list(run)]
)
def test_a_run_by_its_path_names_itself_and_its_datastore(
    mixed: Refusing, read: Callable[[Run], object]
) -> None:
    with pytest.raises(
        StoreError, match=r"^run Digits/2 is in memory://far, which cannot be read: no cred"
    ) as e:
        read(Run("Digits/2"))
    assert isinstance(e.value, StoreConfigurationError)
    assert e.value.hint == "Sign in."
