"""A pod's whole life as a process: the archive, a folder for a datastore, and what is in it afterwards."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pod_cases import HEAD, TAIL, Pod
from runtime_cases import FLOW, RUN, make_batch

from headway.runtime import usage, verdict
from headway.runtime.channel import Report
from headway.runtime.commit import commit, lost
from headway.runtime.pod import BROKEN, DONE, FAILED, REFUSED
from headway.runtime.supervisor import Ended
from headway.store import layout
from headway.store.artifacts import ArtifactStore
from headway.store.folder import FolderStore
from headway.store.logs import END, decode_chunk, parse_feed_key, parse_lines
from headway.store.records import (
    INFRASTRUCTURE,
    LOST,
    RESOURCES,
    SUCCEEDED,
    USER,
    AttemptRef,
    Failure,
    Record,
    Transition,
)
from headway.store.run_records import RunEnd
from headway.store.stored_batch import store_batch


@pytest.fixture
def a_pod(tmp_path: Path) -> Pod:
    return Pod(tmp_path)


# Ends


def test_a_success_is_committed_with_its_log_and_facts(a_pod: Pod) -> None:
    batch = a_pod.step(
        """
        print("hello", self.alpha)
        print("trouble", file=sys.stderr)
        self.made = [1, 2]
        self.next(self.start)
        """
    )
    life = a_pod.live(batch, HEADWAY_POD_NAME="sample-start-1", HEADWAY_NODE_NAME="node1")
    assert (life.code, life.words) == (DONE, {}), life.stderr
    record = life.record()
    assert (record.outcome, record.transition) == (SUCCEEDED, Transition(("start",)))
    assert record.log_lines == {"stdout": 1, "stderr": 1}
    assert record.metadata["kubernetes-pod-name"] == "sample-start-1"
    assert record.metadata["kubernetes-node-name"] == "node1"
    assert int(record.metadata["peak-memory"]) > 1_000_000
    assert float(record.metadata["cpu-seconds"]) >= 0
    assert record.started <= record.ended
    values = ArtifactStore(a_pod.store, FLOW).load_many(record.artifacts)
    assert values == {"alpha": 0.5, "made": [1, 2]}
    assert (life.stdout, life.stderr) == ("hello 0.5\n", "trouble\n")
    assert (life.log(), life.log("stderr")) == (["hello 0.5"], ["trouble"])


def test_of_a_wide_foreach_a_pod_reads_its_own_part_alone(a_pod: Pod) -> None:
    wide = a_pod.step("print('hello')", tasks=layout.BATCH_PART + 10)
    a_pod.store.delete([layout.batch(FLOW, RUN, wide.name)])
    store_batch(a_pod.store, wide)
    folder = layout.batch_parts(FLOW, RUN, wide.name)
    a_pod.store.delete([layout.batch_part(folder, 0)])
    index = layout.BATCH_PART + 3
    life = a_pod.live(wide, HEADWAY_BATCH=folder, JOB_COMPLETION_INDEX=str(index))
    assert life.code == DONE, life.stderr
    assert life.record(index).ref.task == str(1 + index)


def test_the_record_is_announced_in_the_feed(a_pod: Pod) -> None:
    life = a_pod.live(a_pod.step("print('hello')"))
    keys = [(info.key, parse_feed_key(info.key)) for info in a_pod.store.list(layout.feed(FLOW, RUN))]
    last = keys[-1][1]
    assert last is not None
    assert (last.kind, last.ref) == (END, life.ref())
    shipped = [parse_lines(data) for key, _ in keys for data in decode_chunk(a_pod.store.get(key)).values()]
    assert [line.text for lines in shipped for line in lines] == ["hello"]


def test_a_failure_is_committed_with_its_traceback(a_pod: Pod) -> None:
    life = a_pod.live(a_pod.step("raise ValueError('no good')"))
    assert (life.code, life.words) == (FAILED, {})
    failure = life.record().failure
    assert failure is not None
    assert (failure.kind, failure.message) == (USER, "ValueError: no good")
    assert failure.traceback.count("  File ") == 1
    assert "raise ValueError('no good')" in failure.traceback
    assert life.stderr == f"{failure.traceback}Task failed: ValueError: no good\n"
    assert "\n".join(life.log("stderr")) + "\n" == failure.traceback


@pytest.mark.parametrize(
    ("body", "reason", "words"),
    [
        ("sys.exit(0)", "Exit", "called sys.exit(0)"),
        ("sys.exit(2**40)", "Exit", f"called sys.exit({2**40})"),
        ("sys.exit(202)", "ExitForGood", "called sys.exit(202)"),
        ("os._exit(0)", "Exit", "ended with exit code 0 and left no result"),
        ("os.kill(os.getpid(), 9)", "Killed", "SIGKILL"),
        ("os.kill(os.getpid(), 11)", "Signal", "SIGSEGV (segmentation fault)"),
        ("os.kill(os.getpid(), 7)", "Signal", "Usually /dev/shm is full"),
        ("import no_such_package", "ModuleMissing", "no_such_package"),
    ],
)
def test_other_ways_to_end_without_a_result(a_pod: Pod, body: str, reason: str, words: str) -> None:
    life = a_pod.live(a_pod.step(body), HEADWAY_IMAGE="python:3.11")
    failure = life.record().failure
    assert (life.code, life.words) == (FAILED, {})
    assert failure is not None
    assert failure.reason == reason
    assert words in f"{failure.message} {failure.hint}"
    assert life.log("stderr")[-1].endswith(failure.message), "people find it where they find tracebacks"
    assert life.stderr.count(failure.message) <= 2, "a run tells it by itself"


def test_an_index_is_one_task_of_the_batch(a_pod: Pod) -> None:
    batch = a_pod.step("self.mine = current.task_id", tasks=3)
    life = a_pod.live(batch, JOB_COMPLETION_INDEX="2")
    values = ArtifactStore(a_pod.store, FLOW).load_many(life.record(2).artifacts)
    assert values["mine"] == "3"
    assert a_pod.store.size(layout.record(FLOW, RUN, *life.ref(0))) is None


def test_a_step_over_its_time_is_told_so(a_pod: Pod) -> None:
    life = a_pod.live(a_pod.step("time.sleep(60)", timeout=0.1))
    failure = life.record().failure
    assert failure is not None
    assert (failure.reason, failure.message) == ("Timeout", "Step start timed out after 0.1 seconds.")


def test_a_step_that_catches_its_timeout_is_killed(a_pod: Pod) -> None:
    body = """
        while True:
            try:
                time.sleep(60)
            except Exception:
                pass
    """
    failure = a_pod.live(a_pod.step(body, timeout=0.1, grace=0.3)).record().failure
    assert failure is not None
    assert failure.reason == "Timeout"
    assert "was killed: it went on for 0.3 seconds after its @timeout" in failure.message


def test_the_log_is_cut_where_the_batch_says(a_pod: Pod) -> None:
    life = a_pod.live(a_pod.step("for n in range(2000): print(n, 'x' * 500)", log_limit=100_000))
    assert life.record().outcome == SUCCEEDED
    assert a_pod.store.size(layout.log(FLOW, RUN, *life.ref(), "stdout")) < 110_000  # type: ignore[operator]
    assert life.log()[-1].startswith("[The log is cut here")


def test_the_step_finds_its_variables(a_pod: Pod) -> None:
    names = ["COLOUR", "MF_PATHSPEC", "METAFLOW_RUN_ID", "HEADWAY_ATTEMPT"]
    life = a_pod.live(a_pod.step(f"print(*[os.environ[name] for name in {names}])", env={"COLOUR": "blue"}))
    assert life.stdout == f"blue {FLOW}/{RUN}/start/1 {RUN} 0\n"


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"src/pkg/__init__.py": "", "src/pkg/flow.py": "{flow}"}, {"kind": "module", "main": "pkg.flow"}),
        ({"flow.py": "{flow}"}, {"kind": "source"}),
        ({"inner/flow.py": "{flow}", "inner/helper.py": "x = 1"}, {"kind": "path", "main": "inner/flow.py"}),
    ],
    ids=["module", "source", "folder"],
)
def test_however_the_flow_was_started(a_pod: Pod, files: Mapping[str, str], code: dict[str, Any]) -> None:
    imports = "import helper\n" if "inner/helper.py" in files else ""
    text = imports + HEAD + "        self.made = __name__\n" + TAIL
    shipped = {name: content.replace("{flow}", text) for name, content in files.items()}
    paths = ("src",) if "src/pkg/flow.py" in files else ()
    batch = a_pod.stored(make_batch(code=a_pod.ship(shipped, **code, paths=paths)))
    life = a_pod.live(batch)
    assert life.record().outcome == SUCCEEDED, life.stderr
    assert ArtifactStore(a_pod.store, FLOW).load_many(life.record().artifacts)["made"] == "__main__"


def test_a_class_that_is_not_there_is_told(a_pod: Pod) -> None:
    code = a_pod.ship({"flow.py": "x = 1\n"})
    failure = a_pod.live(a_pod.stored(make_batch(code=code))).record().failure
    assert failure is not None
    assert f"The flow class {FLOW} is not in flow.py" in failure.message
    assert "top level" in failure.hint


# Being asked to stop


def until_line(process: "subprocess.Popen[str]", text: str) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == text + "\n"


@pytest.mark.parametrize(
    ("handler", "how"),
    [
        ("", "ended at that signal"),
        ("signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))", "then exited with code 0"),
    ],
)
def test_a_pod_that_is_stopped_says_so(a_pod: Pod, handler: str, how: str) -> None:
    # A signal that comes on the very way into a sleep is handled after it.
    batch = a_pod.step(f"{handler}\nprint('ready')\nwhile True:\n    time.sleep(0.05)")
    process = a_pod.begin(batch)
    until_line(process, "ready")
    process.send_signal(signal.SIGTERM)
    life = a_pod.ended(process, batch)
    failure = life.record().failure
    assert life.code == FAILED
    assert failure is not None
    assert (failure.kind, failure.reason) == (INFRASTRUCTURE, "Terminated")
    assert failure.message == f"The pod was asked to stop (SIGTERM) while step start ran; the step {how}."


def test_a_step_that_saves_itself_in_its_grace_succeeds(a_pod: Pod) -> None:
    body = """
        told = []
        signal.signal(signal.SIGTERM, lambda *_: told.append(1))
        print("ready")
        while not told:
            time.sleep(0.01)
        self.saved = True
    """
    batch = a_pod.step(body)
    process = a_pod.begin(batch)
    until_line(process, "ready")
    process.send_signal(signal.SIGTERM)
    assert a_pod.ended(process, batch).record().outcome == SUCCEEDED


# What must not begin, and what does not count


def lease(store: FolderStore, expires: float) -> None:
    said = {"expires": expires, "released": True}
    store.put(layout.lease(FLOW, RUN), json.dumps(said).encode())


def test_an_attempt_with_a_result_is_not_run_again(a_pod: Pod) -> None:
    batch = a_pod.step("print('must not run')")
    given_up = lost(batch, batch.tasks[0], Failure(USER, "Cancelled", "Stopped."), {}, 1.0)
    commit(a_pod.store, FLOW, RUN, given_up)
    life = a_pod.live(batch)
    assert (life.code, life.stdout) == (REFUSED, "")
    assert life.stderr == "This attempt has a result already; nothing is run twice.\n"
    assert (life.words["reason"], life.words["headway"]) == ("Refused", 1)
    assert life.record() == given_up


def test_nothing_begins_after_the_end_of_the_run(a_pod: Pod) -> None:
    a_pod.store.put(layout.run_end(FLOW, RUN), RunEnd("failed", 1.0).encode())
    life = a_pod.live(a_pod.step("print('must not run')"))
    assert (life.code, life.stdout) == (REFUSED, "")
    assert "The run has ended" in life.stderr


def test_an_orphan_does_not_begin(a_pod: Pod) -> None:
    lease(a_pod.store, time.time() - 7300)
    life = a_pod.live(a_pod.step("print('must not run')"))
    assert (life.code, life.stdout) == (REFUSED, "")
    assert "No launcher has held this run for 12" in life.stderr


@pytest.mark.parametrize("ago", [-30.0, 60.0, 3500.0])
def test_a_pod_begins_within_the_time_that_orphans_are_given(a_pod: Pod, ago: float) -> None:
    lease(a_pod.store, time.time() - ago)
    assert a_pod.live(a_pod.step("pass")).code == DONE


def test_a_result_that_comes_after_the_attempt_was_given_up_does_not_count(a_pod: Pod) -> None:
    given_up = Record(
        AttemptRef("start", "1", 0), LOST, failure=Failure(INFRASTRUCTURE, "PodDeleted", "Gone.")
    )
    key = layout.record(FLOW, RUN, *given_up.ref)
    path = Path(a_pod.store.url) / key
    body = f"""
        from pathlib import Path
        path = Path({str(path)!r})
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes({given_up.encode()!r})
    """
    life = a_pod.live(a_pod.step(body))
    assert life.code == REFUSED
    assert "given this attempt up" in life.stderr
    assert life.record() == given_up


# What cannot begin


def test_without_an_environment_it_says_what_it_is(a_pod: Pod) -> None:
    done = subprocess.run([sys.executable, str(a_pod.archive)], env={}, capture_output=True, text=True)
    assert done.returncode == BROKEN
    assert done.stderr.startswith(
        "HEADWAY_DATASTORE is not set: this archive is what the pods of a run start"
    )
    assert "python flow.py run" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_batch_that_is_not_there_is_told(a_pod: Pod) -> None:
    life = a_pod.live(make_batch())
    assert life.code == BROKEN
    assert life.words["reason"] == "KeyNotFoundError"
    assert "Traceback" not in life.stderr


def test_a_damaged_bundle_is_told(a_pod: Pod) -> None:
    batch = a_pod.step("print('must not run')")
    a_pod.store.put(layout.code(FLOW, batch.code.bundle), b"something else")
    life = a_pod.live(batch)
    assert (life.code, life.words["reason"]) == (BROKEN, "StoreError")
    assert "damaged" in life.words["message"]


def test_a_work_folder_that_cannot_be_written_is_told(a_pod: Pod) -> None:
    (a_pod.folder / "file").write_text("in the way")
    life = a_pod.live(a_pod.step("pass"), HEADWAY_WORK=str(a_pod.folder / "file"))
    assert (life.code, life.words["reason"]) == (BROKEN, "PodError")
    assert "could not unpack or start its code" in life.stderr
    assert "Traceback" not in life.stderr


def test_nobody_reading_the_containers_log_costs_no_result(a_pod: Pod) -> None:
    batch = a_pod.step("print('ready')\ntime.sleep(0.05)\nprint('unheard')")
    process = a_pod.begin(batch)
    until_line(process, "ready")
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    life = a_pod.ended(process, batch)
    assert life.code == DONE, life.stderr
    assert life.log() == ["ready", "unheard"]


# What the supervisor saw, in words


def ended(**changes: Any) -> Ended:
    values = {
        "report": None, "code": None, "signal": 9, "terminated": False, "expired": "",
        "peak": 50_000_000, "cpu": 0.0, **changes,
    }  # fmt: skip
    return Ended(**values)


SAID = Failure(USER, "Exception", "MemoryError", "", "Traceback …", "MemoryError")


@pytest.mark.parametrize(
    ("what", "out_of_memory", "expected"),
    [
        (ended(report=Report()), True, None),
        (ended(report=Report(), terminated=True, expired="grace"), False, None),
        (ended(), True, (RESOURCES, "OutOfMemory")),
        (ended(report=Report(failure=SAID), code=1, signal=None), True, (RESOURCES, "OutOfMemory")),
        (ended(terminated=True), True, (RESOURCES, "OutOfMemory")),
        (ended(expired="timeout"), True, (USER, "Timeout")),
        (ended(terminated=True, expired="grace"), False, (INFRASTRUCTURE, "Terminated")),
        (ended(report=Report(failure=SAID), terminated=True), False, (INFRASTRUCTURE, "Terminated")),
        (ended(report=Report(failure=SAID)), False, (USER, "Exception")),
        (ended(), False, (RESOURCES, "Killed")),
        (ended(signal=None, code=70), False, (USER, "Exit")),
        (ended(signal=64), False, (USER, "Signal")),
    ],
)
def test_whose_budget_a_failure_spends(
    what: Ended, out_of_memory: bool, expected: tuple[str, str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWAY_MEMORY_LIMIT", "64000000")
    monkeypatch.setattr(usage, "unlimited", lambda: False)
    failure = verdict.failure_of(make_batch(), what, out_of_memory)
    assert (failure and (failure.kind, failure.reason)) == expected
    if failure is not None and failure.reason == "OutOfMemory":
        assert "limit of 64 MB" in failure.message
        assert "memory=100" in failure.hint, "half as much again, not what it held when it was stopped"
        assert "or in resources= where that says it" in failure.hint, "it wins over memory="
        assert failure.traceback == (
            what.report.failure.traceback if what.report and what.report.failure else ""
        )


def test_without_a_limit_it_is_the_node_that_ran_out_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kubernetes says the node's whole memory where a container has no limit."""
    monkeypatch.setenv("HEADWAY_MEMORY_LIMIT", "63000000000")
    monkeypatch.setenv("HEADWAY_MEMORY_REQUEST", "4096000000")
    monkeypatch.setattr(usage, "unlimited", lambda: True)
    monkeypatch.setattr(usage, "peak_memory", lambda: 18_000_000_000)
    failure = verdict.failure_of(make_batch(), ended(), True)
    assert failure is not None
    assert (failure.kind, failure.reason) == (RESOURCES, "OutOfMemory")
    assert "its node had no more" in failure.message
    assert "(it had held up to 18000 MB, and had asked for 4096 MB)" in failure.message
    assert "63000" not in failure.message + failure.hint
    assert "memory=27000" in failure.hint


def test_a_machine_that_goes_is_why_the_pod_was_told_to_end() -> None:
    failure = verdict.failure_of(make_batch(), ended(terminated=True), False, "2026-11-22T08:41:25Z")
    assert failure is not None
    assert (failure.kind, failure.reason) == (INFRASTRUCTURE, "SpotTermination")
    assert (
        "The pod's machine goes at 2026-11-22T08:41:25Z: its step was told to end (SIGTERM)"
        in failure.message
    )


def test_last_words_that_cannot_be_written_are_no_trouble(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HEADWAY_TERMINATION_LOG", str(tmp_path / "no" / "such" / "folder"))
    verdict.last_words("StoreError", "x" * 5000, "")


def test_last_words_are_short_enough_for_kubernetes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEADWAY_TERMINATION_LOG", str(tmp_path / "words"))
    verdict.last_words("StoreError", "🚀" * 5000, "🚀" * 5000)
    data = (tmp_path / "words").read_bytes()
    assert len(data) <= 4096, "what is longer is cut off, and then is no JSON any more"
    assert json.loads(data)["reason"] == "StoreError"
