"""How every way in which an attempt can fail is told: the class, the message, the hint, the step's own frames."""

import bdb
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from runtime_cases import failure_of, loaded, make_batch, run_body

from headway.errors import StoreConfigurationError, StoreUnavailableError
from headway.flow.arguments import decode_arguments
from headway.flow.graph import FOREACH, LINEAR
from headway.flow.user_decorators import made, user_step_decorator
from headway.flow.wrapping import call_wrapped
from headway.runtime import attempt, commit
from headway.runtime.attempt import failed_report
from headway.store.batch import Gang
from headway.store.records import CONFIGURATION, INFRASTRUCTURE, RESOURCES, USER
from headway.testing.memory_store import MemoryStore

OURS = str(Path(attempt.__file__).parent)


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
        (OddError(), "test_attempt_failures.OddError"),
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


def test_breakpoint_without_a_terminal_says_what_can_debug_a_step(store: MemoryStore) -> None:
    def start(self: Any) -> None:
        raise bdb.BdbQuit

    failure = failure_of(store, start)
    assert (failure.kind, failure.message) == (USER, "bdb.BdbQuit")
    assert failure.hint.startswith("breakpoint() asks a terminal, and a step has none.")


def test_frames_of_ours_between_a_decorator_and_its_step_are_left_out(store: MemoryStore) -> None:
    class Flow:
        def work(self) -> None:
            try:
                int("x")
            except ValueError as error:
                raise LookupError("boom") from error

    @user_step_decorator
    def timed(step_name: str, flow: Any, inputs: Any) -> Any:
        yield

    def start(self: Any) -> None:
        call_wrapped(Flow(), "work", None, [made(timed, (), {})], {})

    told = failure_of(store, start).traceback
    frames = [line.strip() for line in told.splitlines() if line.startswith("  File ")]
    assert [frame.rpartition(" in ")[2] for frame in frames] == ["work", "start", "timed", "work"]
    assert all(f'File "{__file__}"' in frame for frame in frames)


def test_frames_of_ours_that_a_person_called_stay(store: MemoryStore) -> None:
    def start(self: Any) -> None:
        decode_arguments("no such text")

    assert "in decode_arguments\n" in failure_of(store, start).traceback


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


def test_a_rank_of_a_gang_may_return_when_its_part_is_done(store: MemoryStore) -> None:
    def body(self: Any) -> None:
        self.x = 1

    gang = Gang(0, address="127.0.0.1")
    report = run_body(store, body, targets=("join",), leads=LINEAR, gang=gang, tasks=2)
    assert report.failure is None
    assert report.transition is not None
    assert report.transition.targets == ("join",)
    failure = failure_of(store, body, targets=("join",), leads=FOREACH, gang=gang, tasks=2)
    assert "leads to join" in failure.message, "which way to go on is still the step's to say"


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
