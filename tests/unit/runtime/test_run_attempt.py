"""One attempt in this process: what the step finds, what it leaves, and how every way to fail is told."""

import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from runtime_cases import FLOW, RUN, loaded, make_batch, run_body, store_task

from headway.client import stores
from headway.errors import StoreConfigurationError, StoreUnavailableError
from headway.flow.current import current
from headway.flow.graph import Graph, Node
from headway.flow.spec import FlowSpec
from headway.flow.step import step
from headway.runtime import attempt, commit
from headway.runtime.attempt import failed_report, run_attempt
from headway.runtime.state import PARAMETERS
from headway.store import layout
from headway.store.records import (
    CONFIGURATION,
    INFRASTRUCTURE,
    RESOURCES,
    USER,
    AttemptRef,
    Failure,
    Transition,
)
from headway.store.run_records import RunRecord
from headway.testing.memory_store import MemoryStore

OURS = str(Path(attempt.__file__).parent)


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    store_task(store, PARAMETERS, {"alpha": 0.5, "names": ["a", "b"]})
    return store


@pytest.fixture(autouse=True)
def _no_running_step() -> Iterator[None]:
    yield
    current._end()


def failure_of(store: MemoryStore, body: Any, **changes: Any) -> Failure:
    failure = run_body(store, body, **changes).failure
    assert failure is not None
    return failure


# What a step finds and leaves


def test_what_is_set_is_stored_and_what_is_left_alone_is_inherited(store: MemoryStore) -> None:
    def start(self: Any) -> None:
        self.model = {"weights": [1, 2, 3]}
        self.next(self.start)

    report = run_body(store, start)
    assert report.failure is None
    assert loaded(store, report) == {"alpha": 0.5, "names": ["a", "b"], "model": {"weights": [1, 2, 3]}}
    assert report.transition == Transition(("start",))


def test_nothing_is_loaded_that_is_not_touched(store: MemoryStore) -> None:
    store.calls.clear()
    report = run_body(store, lambda self: None)
    assert set(report.artifacts) == {"alpha", "names"}
    assert not [key for _, key in store.calls if "/data/" in key]


def test_a_step_whose_work_is_done_waits_for_a_datastore_that_is_away(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(commit, "PAUSE", 0)

    def start(self: Any) -> None:
        # What it inherits is first asked for when it is over.
        store.fail_next(StoreUnavailableError("no answer."), "get")
        self.next(self.start)

    report = run_body(store, start)
    assert report.failure is None
    assert set(report.artifacts) == {"alpha", "names"}
    assert "What the step made is kept until the datastore answers again." in capsys.readouterr().err


def test_what_was_changed_in_place_is_stored_again(store: MemoryStore) -> None:
    report = run_body(store, lambda self: self.names.append("c"))
    assert loaded(store, report)["names"] == ["a", "b", "c"]


def test_a_foreach_says_how_many_follow(store: MemoryStore) -> None:
    def start(self: Any) -> None:
        self.items = "abc"
        self.next(self.start, foreach="items")

    assert run_body(store, start).transition == Transition(("start",), "items", 3)


def test_a_task_of_a_foreach_knows_its_item(store: MemoryStore) -> None:
    split = AttemptRef("split", "1", 0)
    store_task(store, split, {"items": ["x", "y", "z"]})

    def start(self: Any) -> None:
        self.mine = (self.index, self.input, self.foreach_stack())

    class Sample(FlowSpec):
        pass

    Sample.start = step(start)  # type: ignore[attr-defined]
    batch = make_batch(tasks=3, inputs=(split,), frames=(("split", "1", 0, 3, "items"),))
    reports = [run_attempt(Sample, batch, task, store) for task in batch.tasks]
    assert [loaded(store, report)["mine"] for report in reports] == [
        (0, "x", [(0, 3, "x")]),
        (1, "y", [(1, 3, "y")]),
        (2, "z", [(2, 3, "z")]),
    ]


def test_a_join_reads_its_inputs_in_split_order_and_the_parameters(store: MemoryStore) -> None:
    refs = [AttemptRef("train", str(number), 0) for number in range(6)]
    for number, ref in enumerate(refs):
        frames = (("split", "1", number, 6, "items"),)
        store_task(store, ref, {"score": number * 10, "alpha": 0.5, "items": range(6)}, frames)

    def start(self: Any, inputs: Any) -> None:
        self.scores = [each.score for each in inputs]
        self.indices = [each.index for each in inputs]
        self.rate = self.alpha
        self.merge_artifacts(inputs, exclude=["score"])

    report = run_body(store, start, inputs=tuple(refs), join=True)
    assert report.failure is None
    values = loaded(store, report)
    assert values["scores"] == [0, 10, 20, 30, 40, 50]
    assert values["indices"] == [0, 1, 2, 3, 4, 5]
    assert values["rate"] == 0.5


def test_a_join_that_reads_one_thing_fetches_one_thing(store: MemoryStore) -> None:
    refs = [AttemptRef("train", str(number), 0) for number in range(3)]
    for number, ref in enumerate(refs):
        store_task(store, ref, {"score": number, "weights": "x" * number})
    store.calls.clear()
    run_body(store, lambda self, inputs: inputs[1].score, inputs=tuple(refs), join=True)
    assert len([key for method, key in store.calls if method == "get_range" and "/data/" in key]) <= 2


def test_current_tells_of_the_task(store: MemoryStore) -> None:
    told: dict[str, Any] = {}

    def start(self: Any) -> None:
        told.update(
            pathspec=current.pathspec,
            retry_count=current.retry_count,
            username=current.username,
            tags=current.tags,
            namespace=current.namespace,
        )

    run_body(store, start, tags=("blue",), namespace="user:ann")
    assert told == {
        "pathspec": f"{FLOW}/{RUN}/start/1",
        "retry_count": 0,
        "username": "ann",
        "tags": frozenset({"blue"}),
        "namespace": "user:ann",
    }


# How it fails


def test_an_exception_is_the_users_with_their_frames_alone(
    store: MemoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    def start(self: Any) -> None:
        {}["missing"]

    failure = failure_of(store, start)
    assert (failure.kind, failure.reason, failure.type) == (USER, "Exception", "KeyError")
    assert failure.message == "KeyError: 'missing'"
    assert failure.traceback.startswith("Traceback (most recent call last):\n")
    assert OURS not in failure.traceback
    assert failure.traceback.count("  File ") == 1
    assert '{}["missing"]' in failure.traceback
    assert capsys.readouterr().err == failure.traceback


def test_the_cause_of_an_exception_is_told(store: MemoryStore) -> None:
    def start(self: Any) -> None:
        try:
            int("x")
        except ValueError as error:
            raise RuntimeError("wrapped") from error

    failure = failure_of(store, start)
    assert "invalid literal" in failure.traceback
    assert "direct cause" in failure.traceback


class OddError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even this works")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("first line\nsecond line"), "ValueError: first line"),
        (ValueError(), "ValueError"),
        (OddError(), "test_run_attempt.OddError"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (AssertionError("\n\n  deep  \n"), "AssertionError: deep"),
    ],
)
def test_the_message_is_one_line(store: MemoryStore, error: BaseException, message: str) -> None:
    def start(self: Any) -> None:
        raise error

    assert failure_of(store, start).message == message


def test_a_message_without_end_is_cut(store: MemoryStore) -> None:
    def start(self: Any) -> None:
        raise ValueError("y" * 1_000_000)

    failure = failure_of(store, start)
    assert failure.message == f"ValueError: {'y' * 2000}…"
    assert "y" * 1_000_000 in failure.traceback


@pytest.mark.parametrize("name", ["stdout", "stderr"])
@pytest.mark.parametrize("left", ["closed", "none"])
def test_a_step_without_its_streams_fails_of_what_it_failed_of(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, left: str
) -> None:
    stream = (tmp_path / "stream").open("w")
    stream.close()
    monkeypatch.setattr(sys, name, stream if left == "closed" else None)

    def start(self: Any) -> None:
        raise ValueError(3)

    def leave(self: Any) -> None:
        sys.exit("enough")

    assert failure_of(store, start).message == "ValueError: 3"
    assert failure_of(store, leave).reason == "Exit"


def test_running_out_of_memory_in_python_is_a_matter_of_resources(store: MemoryStore) -> None:
    class ArrayMemoryError(MemoryError):
        """As numpy has one."""

    def start(self: Any) -> None:
        raise MemoryError

    def load(self: Any) -> None:
        raise ArrayMemoryError("Unable to allocate 186. GiB for an array")

    for body, words in ((start, "MemoryError"), (load, "Unable to allocate 186. GiB for an array")):
        failure = failure_of(store, body)
        assert (failure.kind, failure.reason) == (RESOURCES, "OutOfMemory"), (
            "so that on_oom raises its memory"
        )
        assert failure.message.endswith(words)
        assert failure.traceback
        assert "on_oom=2" in failure.hint


@pytest.mark.parametrize(
    ("argument", "code", "printed"),
    [(0, 0, ""), (None, 0, ""), (7, 7, ""), ("no data", 1, "no data\n"), (2.5, 1, "2.5\n"), (True, 1, "")],
)
def test_sys_exit_before_the_end_is_a_failure_with_its_code(
    store: MemoryStore, capsys: pytest.CaptureFixture[str], argument: Any, code: int, printed: str
) -> None:
    def start(self: Any) -> None:
        sys.exit(argument)

    report = run_body(store, start)
    assert report.failure is not None
    assert (report.failure.kind, report.failure.reason) == (USER, "Exit")
    assert f"sys.exit({code})" in report.failure.message
    assert report.exited == code
    assert type(report.exited) is int
    assert capsys.readouterr().err == printed


def test_a_missing_module_is_named_with_what_to_do(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(self: Any) -> None:
        import no_such_package.part  # noqa: F401

    monkeypatch.setenv("HEADWAY_IMAGE", "python:3.11")
    failure = failure_of(store, start)
    assert failure.reason == "ModuleMissing"
    assert "The image python:3.11 does not have no_such_package." in failure.hint
    monkeypatch.delenv("HEADWAY_IMAGE")
    assert "no_such_package is not installed" in failure_of(store, start).hint


def test_an_artifact_that_cannot_be_pickled_is_named_and_told_once(
    store: MemoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    def start(self: Any) -> None:
        self.fine = 1
        self.lock = threading.Lock()

    report = run_body(store, start)
    assert loaded(store, report) == {"alpha": 0.5, "names": ["a", "b"], "fine": 1}
    failure = report.failure
    assert failure is not None
    assert failure.kind == USER
    assert "self.lock" in failure.message
    assert failure.hint
    assert failure.traceback == f"{failure.message}\n{failure.hint}\n", "no line of the step is to blame"
    assert capsys.readouterr().err == "", "it is told once, as the failure's message"


def test_a_wrong_transition_is_told_with_its_place(store: MemoryStore) -> None:
    def start(self: Any) -> None:
        self.next(self.start, foreach="nothing_here")

    failure = failure_of(store, start)
    assert failure.kind == USER
    assert "nothing_here" in failure.message
    assert failure.traceback.count("  File ") == 1


def test_what_a_step_made_waits_for_a_datastore_that_is_away(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit, "PAUSE", 0)
    ran: list[int] = []

    def start(self: Any) -> None:
        ran.append(1)
        self.model = 7
        for _ in range(2):
            store.fail_next(StoreUnavailableError("no answer"), "put")
        self.next(self.start)

    report = run_body(store, start)
    assert loaded(store, report)["model"] == 7
    assert ran == [1]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (StoreUnavailableError("no answer"), INFRASTRUCTURE),
        (StoreConfigurationError("wrong key"), CONFIGURATION),
    ],
)
def test_a_datastore_in_trouble_does_not_spend_the_users_retries(
    store: MemoryStore, error: Exception, kind: str
) -> None:
    def start(self: Any) -> None:
        assert self.alpha

    store.fail_next(error, "get_range")
    failure = failure_of(store, start)
    assert failure.kind == kind
    assert "wanted from _parameters/0" in failure.message
    assert OURS not in failure.traceback
    assert failure.traceback.count("  File ") == 1


def test_code_that_does_not_compile_shows_its_own_line_alone(
    store: MemoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        compile("def broken(:\n", "flow.py", "exec")
    except SyntaxError as error:
        report = failed_report(make_batch(), error)
    assert report.failure is not None
    assert 'File "flow.py", line 1' in report.failure.traceback
    assert __file__ in report.failure.traceback  # not ours: this test stands for the person's code


def test_an_import_that_exits_has_failed(capsys: pytest.CaptureFixture[str]) -> None:
    report = failed_report(make_batch(), SystemExit("not today"))
    assert (report.exited, capsys.readouterr().err) == (1, "not today\n")
    assert report.failure is not None


# Time


def test_a_step_over_its_time_is_stopped_where_it_stands(
    store: MemoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    def start(self: Any) -> None:
        threading.Event().wait(60)

    # The alarm is the test rules' too; what is set here is set back by them.
    before = signal.getsignal(signal.SIGALRM)
    try:
        failure = failure_of(store, start, timeout=0.05)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert (failure.kind, failure.reason) == (USER, "Timeout")
    assert failure.message == "Step start timed out after 0.05 seconds."
    assert "threading.Event().wait(60)" in failure.traceback
    log = capsys.readouterr().err
    assert "threading.Event().wait(60)" in log
    assert "timed out" not in log, "it is told once, as the failure's message"


def test_a_step_within_its_time_leaves_no_alarm(store: MemoryStore) -> None:
    before = signal.getsignal(signal.SIGALRM)
    try:
        assert run_body(store, lambda self: None, timeout=60.0).failure is None
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
        assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGALRM, before)


def test_current_gives_the_clients_objects_of_the_task_and_its_run(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = Graph(FLOW, [Node("start", "end")], "start", "start")
    record = RunRecord(FLOW, RUN, "ann", 1.0, graph=graph.to_json())
    store.put(layout.run_record(FLOW, RUN), record.encode())
    monkeypatch.setenv("HEADWAY_PATHSPEC", f"{FLOW}/{RUN}/start/1")
    monkeypatch.setattr(stores, "_opened", {})

    def body(self: Any) -> None:
        current.run.add_tag("from-a-step")
        self.told = (
            current.run.pathspec,
            current.task.pathspec,
            current.task.finished,
            sorted(current.run.user_tags),
            current.graph["start_step"],
            current.graph_info["steps"]["start"]["type"],
            current.parameter_names,
            current.tempdir,
        )

    report = run_body(store, body)
    assert report.failure is None, report.failure
    assert loaded(store, report)["told"] == (
        f"{FLOW}/{RUN}", f"{FLOW}/{RUN}/start/1", False, ["from-a-step"], "start", "end", [], ".",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "/of-a-file"),
        ({"HEADWAY_TMPFS": "/in-memory"}, "/in-memory"),
        ({"HEADWAY_TMPFS": "/in-memory", "METAFLOW_TEMPDIR": "/theirs"}, "/theirs"),
        ({"HEADWAY_TMPFS": "/in-memory", "METAFLOW_TEMPDIR": "/theirs", "HEADWAY_TEMPDIR": "/ours"}, "/ours"),
    ],
)
def test_temporary_files_go_where_that_is_configured(
    store: MemoryStore,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    variables: dict[str, str],
    expected: str,
) -> None:
    for name in ("HEADWAY_TEMPDIR", "METAFLOW_TEMPDIR", "HEADWAY_TMPFS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HEADWAY_HOME": str(tmp_path), **variables}.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "config.json").write_text('{"METAFLOW_TEMPDIR": "/of-a-file"}')

    def body(self: Any) -> None:
        self.told = (current.tempdir, current.get("tempdir"))

    assert loaded(store, run_body(store, body))["told"] == (expected, expected)


def test_a_step_that_does_not_say_what_follows_has_failed(store: MemoryStore) -> None:
    def body(self: Any) -> None:
        self.x = 1

    report = run_body(store, body, targets=("middle",))
    assert report.failure is not None
    assert report.failure.kind == USER
    assert report.failure.message == "Step 'start' ended without saying which step comes next."
    assert "self.next" in report.failure.hint
    assert "Traceback" not in report.failure.traceback


def test_a_step_that_leads_elsewhere_has_failed(store: MemoryStore) -> None:
    def body(self: Any) -> None:
        self.next(self.start)

    report = run_body(store, body, targets=("middle", "end"))
    assert report.failure is not None
    assert report.failure.message == "Step 'start' leads to start, where the flow's graph has middle, end."
