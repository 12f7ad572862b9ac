"""What a failed attempt had set is kept as far as it goes, and never at the expense of its failure."""

import array
import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from runtime_cases import RUN, loaded, make_batch, run_body, store_task

from headway.errors import StoreUnavailableError
from headway.flow.spec import FlowSpec
from headway.flow.step import step
from headway.runtime import salvage, usage
from headway.runtime.attempt import run_attempt
from headway.runtime.channel import BEGUN, OVER, Report, decode_parts
from headway.runtime.salvage import with_what_was_set
from headway.runtime.state import PARAMETERS
from headway.store.artifacts import ArtifactStore
from headway.store.batch import Catch, Spun, TaskSpec
from headway.store.folder import FolderStore
from headway.store.records import INFRASTRUCTURE, NOT_KEPT, USER, Failure
from headway.testing.memory_store import MemoryStore

BASE = {"alpha": 0.5}


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    store_task(store, PARAMETERS, BASE)
    return store


class Broken(Exception):
    """What the steps here fail of."""


class Unwilling:
    """A value whose own class does not let it be pickled."""

    def __reduce__(self) -> Any:
        raise SystemError("not this one")


class Endless:
    """A value that takes longer to pickle than anybody waits: the time is up while it is."""

    def __reduce__(self) -> Any:
        signal.raise_signal(signal.SIGALRM)
        raise AssertionError("nobody waits any more")


def not_kept(report: Report) -> dict[str, str]:
    told: dict[str, str] = json.loads(report.facts.get(NOT_KEPT, "{}"))
    return told


def test_what_was_set_and_inherited_is_there_after_a_failure(store: MemoryStore) -> None:
    def start(self: Any) -> None:
        self.x = [1, self.alpha]
        raise Broken("no")

    before = time.time()
    report = run_body(store, start)
    assert report.failure is not None
    assert report.failure.message.endswith("Broken: no")
    assert before <= report.failed <= time.time()
    assert loaded(store, report) == {**BASE, "x": [1, 0.5]}
    assert report.transition is None
    assert report.facts == {}


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), MemoryError("much")])
def test_whatever_ends_the_step(store: MemoryStore, error: BaseException) -> None:
    def start(self: Any) -> None:
        self.x = 1
        raise error

    report = run_body(store, start)
    assert report.failure is not None
    assert report.exited == (3 if isinstance(error, SystemExit) else None)
    assert loaded(store, report) == {**BASE, "x": 1}


def test_a_step_that_ran_out_of_time(store: MemoryStore) -> None:
    def start(self: Any) -> None:
        self.x = 1
        time.sleep(60)

    report = run_body(store, start, timeout=0.01)
    assert report.failure is not None
    assert report.failure.reason == "Timeout"
    assert loaded(store, report)["x"] == 1


def test_a_step_that_went_nowhere(store: MemoryStore) -> None:
    def start(self: Any) -> None:
        self.x = 1

    report = run_body(store, start, targets=("end",))
    assert report.failure is not None
    assert loaded(store, report)["x"] == 1


def test_what_cannot_be_pickled_is_left_out_and_told(
    store: MemoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    def start(self: Any) -> None:
        self.lock = threading.Lock()
        self.mine = Unwilling()
        self.x = 1
        raise Broken("no")

    report = run_body(store, start)
    assert report.failure is not None
    assert report.failure.message.endswith("Broken: no")
    assert loaded(store, report) == {**BASE, "x": 1}
    told = not_kept(report)
    assert set(told) == {"lock", "mine"}
    assert (
        told["mine"] == "a value of type test_salvage.Unwilling cannot be pickled (SystemError: not this one)"
    )
    written = capsys.readouterr().err
    assert written.index("Broken: no") < written.index(
        "self.lock is not kept of this attempt: a value of type"
    )


def test_the_failure_is_told_before_anything_is_stored(store: MemoryStore) -> None:
    told: list[bytes] = []

    class Watcher:
        """Looks, as it is pickled, at what has been told by then."""

        def __reduce__(self) -> Any:
            report = decode_parts(list(told))
            assert report is not None
            assert report.failure is not None
            assert report.failure.message.endswith("Broken: no")
            return str, (f"{report.artifacts}",)

    class Sample(FlowSpec):
        @step
        def start(self) -> None:
            self.x = Watcher()
            raise Broken("no")

    batch = make_batch()
    report = run_attempt(Sample, batch, batch.tasks[0], store, told.append)
    assert told[:2] == [BEGUN, OVER]
    assert loaded(store, report)["x"] == "{}"
    # A process that died by now would have reported all of it.
    last = decode_parts(told)
    assert last == report


def kept_of(store: MemoryStore, values: dict[str, object], seconds: float = 60.0, **failure: str) -> Report:
    """The report of a step that set these values and failed."""

    class Sample(FlowSpec):
        @step
        def start(self) -> None:
            raise NotImplementedError

    from headway.runtime.attempt import _bound

    batch = make_batch()
    flow = _bound(Sample, batch, batch.tasks[0], store)
    vars(flow).update(values)
    why = Failure(failure.get("kind", USER), "Exception", "no")
    return with_what_was_set(flow, batch, store, Report(failure=why), lambda report: None, seconds)


def test_it_takes_no_longer_than_it_may(store: MemoryStore) -> None:
    handler, timer = signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)
    report = kept_of(store, {"x": 1, "slow": Endless(), "y": 2}, seconds=50)
    assert set(report.artifacts) == set(BASE)
    assert set(not_kept(report)) == {"x", "slow", "y"}
    assert not_kept(report)["slow"] == "50 seconds were not enough to store it"
    assert signal.getsignal(signal.SIGALRM) is handler
    assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= timer[0]


def test_what_was_stored_in_time_is_kept(store: MemoryStore) -> None:
    class Large:
        """Larger than what is stored first, and endless."""

        def __reduce__(self) -> Any:
            return _endless, (bytes(salvage._SMALL), Endless())

    report = kept_of(store, {"large": Large(), "x": 1})
    assert loaded(store, report) == {**BASE, "x": 1}
    assert set(not_kept(report)) == {"large"}


def _endless(*_: object) -> None:
    """Never called."""


def test_what_is_large_comes_after_what_is_small(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(salvage, "_SMALL", 1000)
    monkeypatch.setattr(salvage, "_TOGETHER", 1500)
    values = {"large": b"l" * 5000, "a": b"a" * 900, "b": b"b" * 900, "c": b"c" * 900, "d": 1}
    sizes: list[set[str]] = []
    save = ArtifactStore.save_blobs

    def watched(self: ArtifactStore, blobs: Any, beside: Any) -> Any:
        sizes.append(set(blobs))
        return save(self, blobs, beside)

    monkeypatch.setattr(ArtifactStore, "save_blobs", watched)
    report = kept_of(store, values)
    assert loaded(store, report) == {**BASE, **values}
    assert sizes == [{"a", "b"}, {"c", "d"}, {"large"}]


@pytest.mark.parametrize(
    ("free", "expected"), [(None, salvage.LARGEST), (4000, 1000), (8 << 30, salvage.LARGEST)]
)
def test_in_a_container_no_more_is_held_than_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch, free: int | None, expected: int
) -> None:
    monkeypatch.setattr(usage, "free_memory", lambda: free)
    assert salvage._largest() == expected


def test_a_container_without_room_keeps_nothing_and_its_failure(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage, "free_memory", lambda: 4000)
    report = kept_of(store, {"x": "x" * 2000, "y": 1})
    assert loaded(store, report) == {**BASE, "y": 1}
    assert not_kept(report) == {"x": "it is larger than 0.001 MB, a quarter of what the container has left"}


def test_what_is_too_large_is_told(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(salvage, "_SMALL", 1 << 10)
    monkeypatch.setattr(salvage, "LARGEST", 2_000_000)
    numbers = array.array("d", bytes(4 << 20))
    report = kept_of(store, {"text": "x" * (3 << 20), "numbers": numbers, "fits": b"x" * (1 << 20)})
    assert set(loaded(store, report)) == {*BASE, "fits"}
    assert not_kept(report) == dict.fromkeys(["text", "numbers"], "it is larger than 2 MB")


def test_a_datastore_that_does_not_answer_is_not_waited_for(store: MemoryStore) -> None:
    store.fail_next(StoreUnavailableError("it does not answer"), "put")
    report = kept_of(store, {"x": "x" * 1000, "lock": threading.Lock()})
    assert report.failure is not None
    assert set(report.artifacts) == set(BASE)
    assert not_kept(report)["x"] == "it does not answer"
    assert "cannot be pickled" in not_kept(report)["lock"]


def test_nothing_is_stored_where_it_was_the_datastore_that_failed(store: MemoryStore) -> None:
    report = kept_of(store, {"x": 1}, kind=INFRASTRUCTURE)
    assert (report.artifacts, report.facts) == ({}, {})


@pytest.mark.parametrize("persist", [False, True])
def test_a_task_that_is_done_again_alone_stores_something_if_told(tmp_path: Path, persist: bool) -> None:
    origin, mine = FolderStore(str(tmp_path / "origin")), FolderStore(str(tmp_path / "mine"))
    store_task(origin, PARAMETERS, BASE)

    def start(self: Any) -> None:
        self.x = "x" * 1000
        raise Broken("no")

    report = run_body(mine, start, spun=Spun(origin.url, RUN, "1", persist=persist))
    assert report.failure is not None
    assert set(report.artifacts) == ({*BASE, "x"} if persist else set())
    assert bool(list(mine.list(""))) == persist


def test_what_is_caught_goes_on_without_what_cannot_be_pickled(
    store: MemoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    def start(self: Any) -> None:
        self.lock = threading.Lock()
        self.x = 1
        raise Broken("no")

    class Sample(FlowSpec):
        pass

    Sample.start = step(start)  # type: ignore[attr-defined]
    batch = make_batch(catch=Catch(("end",), "failed"))
    report = run_attempt(Sample, batch, TaskSpec("1", 0, last=True), store)
    assert report.caught
    values = loaded(store, report)
    assert getattr(values.pop("failed"), "exception", None) == "no"
    assert values == {**BASE, "x": 1}
    assert "self.lock is not kept of this attempt" in capsys.readouterr().err


def test_an_attempt_before_the_last_is_not_caught_and_keeps_what_it_set(store: MemoryStore) -> None:
    def start(self: Any) -> None:
        self.x = os.sep
        raise Broken("no")

    report = run_body(store, start, catch=Catch(("end",), "failed"))
    assert report.failure is not None
    assert loaded(store, report) == {**BASE, "x": os.sep}
