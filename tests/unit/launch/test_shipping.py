"""Shipping: once per content, with a word about what goes, and not without consent where it is large."""

from pathlib import Path

import pytest

from headway.config.sources import Configuration
from headway.errors import SettingsError, UsageError
from headway.launch.bundle.collect import DEFAULT_SUFFIXES
from headway.launch.bundle.plan import DEFAULT_MAX_SIZE
from headway.launch.origin import Origin
from headway.launch.shipping import BundleLimits, bundle_limits, plan_bundle, ship
from headway.store import layout
from headway.store.batch import Code
from headway.testing.memory_store import MemoryStore


class Notes:
    """Who hears what ships, and answers as told."""

    def __init__(self, agrees: bool = False) -> None:
        self.notes: list[str] = []
        self.asked: list[str] = []
        self._agrees = agrees

    def note(self, message: str) -> None:
        self.notes.append(message)

    def agree(self, question: str) -> bool:
        self.asked.append(question)
        return self._agrees


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    folder = tmp_path / "flows"
    folder.mkdir()
    (folder / "flow.py").write_text("x = 1\n")
    (folder / "helper.py").write_text("y = 2\n")
    return Origin(Code("path", "flow.py", ("__main__", "Sample"), root=str(folder)))


def test_the_code_in_a_pod_is_named_by_its_bundle(origin: Origin) -> None:
    store, notes = MemoryStore(), Notes()
    code = ship(store, "Sample", origin, BundleLimits(), notes)
    assert (code.kind, code.main, code.cls, code.root) == ("path", "flow.py", ("__main__", "Sample"), "")
    assert store.size(layout.code("Sample", code.bundle))
    assert notes.notes[-1].startswith("Code: ")
    assert notes.asked == []


def test_the_same_content_is_not_sent_again(origin: Origin) -> None:
    store = MemoryStore()
    first = ship(store, "Sample", origin, BundleLimits(), Notes())
    store.calls.clear()
    assert ship(store, "Sample", origin, BundleLimits(), Notes()) == first
    assert [method for method, _ in store.calls] == ["size"]
    Path(origin.code.root, "helper.py").write_text("y = 3\n")
    assert ship(store, "Sample", origin, BundleLimits(), Notes()).bundle != first.bundle


def test_text_from_the_command_line_ships_as_a_file(origin: Origin) -> None:
    code = Code("source", "flow_from_command_line.py", ("__main__", "Sample"), root=origin.code.root)
    plan = plan_bundle(Origin(code, "print('text')"), BundleLimits())
    assert "flow_from_command_line.py" in {file.path for file in plan.files}


@pytest.mark.parametrize("agrees", [True, False])
def test_what_is_large_ships_only_with_consent(origin: Origin, agrees: bool) -> None:
    store, notes = MemoryStore(), Notes(agrees)
    Path(origin.code.root, "big.py").write_text("#" * 5000)
    limits = BundleLimits(max_size=1000, source="--package-max-size")
    if agrees:
        ship(store, "Sample", origin, limits, notes)
    else:
        with pytest.raises(UsageError, match="--package-max-size"):
            ship(store, "Sample", origin, limits, notes)
    assert len(notes.asked) == 1
    assert bool([method for method, _ in store.calls if method == "put"]) is agrees


def test_limits_of_their_own() -> None:
    assert bundle_limits(Configuration.load({}, Path("/nowhere")), None, None) == BundleLimits(
        DEFAULT_SUFFIXES, DEFAULT_MAX_SIZE, "default"
    )


def test_the_command_line_goes_before_the_configuration() -> None:
    environ = {"HEADWAY_PACKAGE_MAX_SIZE": "5 MB", "METAFLOW_DEFAULT_PACKAGE_SUFFIXES": ".csv"}
    configuration = Configuration.load(environ, Path("/nowhere"))
    configured = bundle_limits(configuration, None, None)
    assert (configured.max_size, configured.source) == (5_000_000, "HEADWAY_PACKAGE_MAX_SIZE")
    assert ".csv" in configured.suffixes
    ours = Configuration.load({**environ, "HEADWAY_PACKAGE_SUFFIXES": ".json"}, Path("/nowhere"))
    assert ".json" in bundle_limits(ours, None, None).suffixes
    typed = bundle_limits(configuration, ".txt", "1 MB")
    assert (typed.max_size, typed.source) == (1_000_000, "--package-max-size")
    assert ".csv" not in typed.suffixes


def test_a_size_that_is_none_is_refused() -> None:
    with pytest.raises(SettingsError, match="--package-max-size"):
        bundle_limits(Configuration.load({}, Path("/nowhere")), None, "a lot")
