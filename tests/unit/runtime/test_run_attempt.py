"""One attempt in this process: what the step finds and what it leaves."""

import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from runtime_cases import FLOW, RUN, failure_of, loaded, make_batch, run_body, store_task

from headway.client import get_namespace, stores
from headway.errors import StoreUnavailableError
from headway.flow.current import current
from headway.flow.graph import Graph, Node
from headway.flow.spec import FlowSpec
from headway.flow.step import step
from headway.runtime import commit
from headway.runtime.attempt import run_attempt
from headway.store import layout
from headway.store.records import USER, AttemptRef, Transition
from headway.store.run_records import RunRecord
from headway.testing.memory_store import MemoryStore

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


def of_this_module() -> int:
    return 1


class Owner:
    def method(self) -> int:
        return 2


def test_functions_that_cannot_be_pickled_end_with_the_step(
    store: MemoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    def start(self: Any) -> None:
        def local() -> int:
            return 3

        class Local:
            def method(self) -> int:
                return 4

        self.seen = [each() for each in (of_this_module, Owner().method, local, Local().method)]
        self.kept, self.method, self.local, self.bound = of_this_module, Owner().method, local, Local().method
        self.own = self.start
        self.names = lambda: self.names

    report = run_body(store, start)
    assert report.failure is None
    values = loaded(store, report)
    assert (values.pop("kept"), values.pop("method")()) == (of_this_module, 2)
    # What it inherits under the name stays, as with Metaflow.
    assert values == {"alpha": 0.5, "names": ["a", "b"], "seen": [1, 2, 3, 4]}
    (line,) = capsys.readouterr().err.splitlines()
    assert "self.local, self.bound, self.own, self.names." in line
    assert "top level of a module" in line


def of_this_module_too() -> int:
    return 5


def test_functions_are_no_conflict_when_merging(store: MemoryStore) -> None:
    refs = [AttemptRef("train", str(number), 0) for number in range(2)]
    same, other = {"f": of_this_module, "g": of_this_module}, {"f": of_this_module, "g": of_this_module_too}
    store_task(store, refs[0], {**same, "m": Owner().method, "score": 1})
    store_task(store, refs[1], {**other, "m": 7, "score": 1})

    def start(self: Any, inputs: Any) -> None:
        self.merge_artifacts(inputs)

    report = run_body(store, start, inputs=tuple(refs), join=True)
    assert report.failure is None
    values = loaded(store, report)
    assert {name: values[name] for name in "fm"} == {"f": of_this_module, "m": 7}
    assert "g" not in values

    def chosen(self: Any, inputs: Any) -> None:
        self.merge_artifacts(inputs, include=["g"])

    assert "different values of g" in failure_of(store, chosen, inputs=tuple(refs), join=True).message


def test_what_holds_such_a_function_still_fails(store: MemoryStore) -> None:
    def start(self: Any) -> None:
        self.many = [lambda: 1]

    failure = failure_of(store, start)
    assert "self.many (list) cannot be pickled" in failure.message


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
            looks_in=get_namespace(),
        )

    run_body(store, start, tags=("blue",), namespace="production:x")
    assert told == {
        "pathspec": f"{FLOW}/{RUN}/start/1",
        "retry_count": 0,
        "username": "ann",
        "tags": frozenset({"blue"}),
        "namespace": "user:ann",
        "looks_in": "production:x",
    }


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
