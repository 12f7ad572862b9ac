"""``@catch`` within an attempt: what is kept of a step that failed for good, and what is not caught."""

import pickle
import sys
import time
from typing import Any

import pytest
from runtime_cases import FLOW, RUN, loaded, make_batch, store_task

from headway.errors import StoreUnavailableError, TaskFailedError
from headway.flow.current import current
from headway.flow.spec import FlowSpec
from headway.flow.step import step
from headway.runtime.attempt import run_attempt
from headway.runtime.channel import Report
from headway.runtime.commit import commit
from headway.runtime.state import PARAMETERS
from headway.store.batch import Batch, Catch, Gang, TaskSpec
from headway.store.records import (
    FAILED,
    INFRASTRUCTURE,
    RESOURCES,
    USER,
    AttemptRef,
    Failure,
    Record,
    Transition,
)
from headway.testing.memory_store import MemoryStore

CATCH = Catch(("end",), "failed")
LAST = (TaskSpec("1", 1, 0, last=True),)


@pytest.fixture
def store() -> Any:
    store = MemoryStore()
    store_task(store, PARAMETERS, {"alpha": 0.5})
    yield store
    current._end()


def breaking(self: Any) -> None:
    self.kept = 1
    raise ValueError("no good")


def run(store: MemoryStore, body: Any, catch: Catch = CATCH, **changes: Any) -> Report:
    class Sample(FlowSpec):
        start = step(body)

    batch = make_batch(catch=catch)._replace(**{"tasks": LAST, **changes})
    return run_attempt(Sample, batch, batch.tasks[0], store)


def test_an_exception_becomes_an_artifact_and_what_was_set_before_stays(store: MemoryStore) -> None:
    report = run(store, breaking)
    assert report.failure is None
    assert report.caught
    assert Report.decode(report.encode()) == report
    assert report.transition == Transition(("end",))
    values = loaded(store, report)
    error = values.pop("failed")
    assert values == {"alpha": 0.5, "kept": 1}
    assert isinstance(error, TaskFailedError)
    assert (error.type, error.exception, error.reason) == ("builtins.ValueError", "no good", "Exception")
    assert error.stacktrace.endswith("ValueError: no good\n")
    assert __file__ in error.stacktrace
    assert pickle.loads(pickle.dumps(error)).exception == "no good"


def test_the_end_of_a_flow_leads_nowhere(store: MemoryStore) -> None:
    assert run(store, breaking, Catch((), "failed")).transition is None


def test_without_a_name_nothing_is_stored(store: MemoryStore) -> None:
    assert set(run(store, breaking, Catch(("end",))).artifacts) == {"alpha", "kept"}


def test_the_name_is_there_where_all_is_well(store: MemoryStore) -> None:
    def start(self: Any) -> None:
        self.next(self.start)

    for tasks in (LAST, (TaskSpec("1", 0),)):
        report = run(store, start, tasks=tasks)
        assert loaded(store, report)["failed"] is None
        assert not report.caught


def test_an_attempt_that_is_followed_by_another_is_not_caught(store: MemoryStore) -> None:
    report = run(store, breaking, tasks=(TaskSpec("1", 0),))
    assert report.failure is not None
    assert report.failure.message == "ValueError: no good"


@pytest.mark.parametrize("error", [StoreUnavailableError("slow"), SystemExit(3), KeyboardInterrupt()])
def test_what_is_not_the_codes_own_failure_is_left_to_the_launcher(
    store: MemoryStore, error: BaseException
) -> None:
    def start(self: Any) -> None:
        raise error

    assert run(store, start).failure is not None


def test_memory_that_ran_out_in_python_is_caught(store: MemoryStore) -> None:
    def start(self: Any) -> None:
        raise MemoryError("much")

    error: Any = loaded(store, run(store, start))["failed"]
    assert (error.kind, error.exception) == (RESOURCES, "much")


def test_a_step_that_takes_too_long_is_caught(store: MemoryStore) -> None:
    def start(self: Any) -> None:
        time.sleep(60)

    error: Any = loaded(store, run(store, start, timeout=0.01))["failed"]
    assert error.reason == "Timeout"
    assert error.exception == "Step start timed out after 0.01 seconds."


@pytest.mark.parametrize("printed", [True, False])
def test_the_traceback_is_printed_if_wanted(
    store: MemoryStore, printed: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    run(store, breaking, Catch(("end",), None, printed))
    written = capsys.readouterr().err
    assert ("@catch of step start goes on after:\nTraceback" in written) == printed
    assert written.count("no good") == (2 if printed else 0)


def fallback(store: MemoryStore) -> Any:
    def start(self: Any) -> None:
        sys.exit("a fallback runs nothing of the step")

    report = run(store, start, fallback=True)
    assert report.failure is None
    assert report.transition == Transition(("end",))
    return loaded(store, report)["failed"]


def test_a_fallback_says_how_the_last_attempt_ended(store: MemoryStore) -> None:
    failure = Failure(RESOURCES, "OutOfMemory", "Step start ran out of memory.", "Ask for more.")
    commit(store, FLOW, RUN, Record(AttemptRef("start", "1", 0), FAILED, failure=failure))
    error = fallback(store)
    assert error.type == "headway.errors.FailureHandledByCatchError"
    assert error.exception == "Step start failed for good after 1 attempt: Step start ran out of memory."
    assert (error.hint, error.reason, error.kind) == ("Ask for more.", "OutOfMemory", RESOURCES)


def test_a_fallback_without_a_record_before_it_still_goes_on(store: MemoryStore) -> None:
    assert fallback(store).exception == "Step start failed for good after 1 attempt."


def test_a_batch_keeps_what_it_says_of_catch() -> None:
    batch = make_batch(tasks=2, catch=Catch(("a", "b"), "failed", False), fallback=True)
    assert Batch.decode(batch.encode()) == batch
    assert Batch.decode(make_batch().encode()).catch is None


def test_every_rank_of_a_gang_gets_what_the_first_of_them_raised(store: MemoryStore) -> None:
    boom = Failure(USER, "Exception", "ValueError: boom", "", "Traceback\n", "ValueError")
    ranks = (
        TaskSpec("1", 1, 0, last=True),
        TaskSpec("1_node_1", 1, 0, last=True),
        TaskSpec("1_node_2", 1, 0),
    )
    failures = {
        "1": Failure(USER, "Cancelled", "Stopped: 1_node_2 of the same gang failed"),
        "1_node_1": Failure(INFRASTRUCTURE, "Lost", "It lost its peer."),
        "1_node_2": boom,
    }
    for ended, (name, failure) in zip((1.0, 3.0, 2.0), failures.items(), strict=True):
        commit(store, FLOW, RUN, Record(AttemptRef("start", name, 0), FAILED, failure=failure, ended=ended))
    for rank in ranks[:2]:
        batch = make_batch(catch=CATCH, fallback=True, gang=Gang(0, address="127.0.0.1"))._replace(
            tasks=ranks
        )

        class Sample(FlowSpec):
            start = step(breaking)

        error: Any = loaded(store, run_attempt(Sample, batch, rank, store))["failed"]
        current._end()
        assert (error.type, error.exception, error.reason) == ("builtins.ValueError", "boom", "Exception")
        assert error.stacktrace == "Traceback\n"
