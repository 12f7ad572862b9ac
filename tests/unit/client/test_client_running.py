"""The client over runs that still go on: what is not there yet, and what changes under it."""

from datetime import datetime

import pytest
from recorded_runs import BEGUN, BOOM, RecordedRun, digits

from headway.client import Flow, NotFoundError, Run, Step, Task
from headway.store import layout
from headway.store.batch import Batch, Code, TaskSpec
from headway.store.folder import FolderStore
from headway.store.logs import encode_line
from headway.store.stored_batch import store_batch


def test_a_run_is_asked_again_until_it_has_ended(folder: FolderStore) -> None:
    recorded = RecordedRun(folder)
    run = Run("Digits/1")
    assert (run.finished, run.successful, run.finished_at) == (False, False, None)
    assert (run.data, run.end_task, list(run)) == (None, None, [])
    end = recorded.attempt("end", "1", values={"x": 1})
    assert not run.finished
    assert "end" in run
    recorded.end([end], end)
    assert run.finished
    assert run.successful
    assert run.data is not None
    assert run.data.x == 1


def test_the_end_task_is_there_whatever_becomes_of_it(folder: FolderStore) -> None:
    recorded = RecordedRun(folder)
    recorded.running("end", "6")
    run = Run("Digits/1")
    assert run.end_task is not None
    assert (run.end_task.pathspec, run.end_task.finished) == ("Digits/1/end/6", False)
    recorded.attempt("end", "6", failure=BOOM)
    recorded.end()
    run = Run("Digits/1")
    assert run.end_task is not None
    assert (run.end_task.has_ended, run.end_task.finished, run.end_task.successful) == (True, False, False)
    assert (run.has_ended, run.finished, run.successful) == (True, False, False)
    assert "ValueError" in str(run.end_task.exception)
    assert run.finished_at == run.end_task.finished_at is not None


def test_a_run_that_failed_before_its_end_step_has_ended_and_never_finished(folder: FolderStore) -> None:
    recorded = RecordedRun(folder)
    recorded.attempt("train", "2", failure=BOOM)
    run = Run("Digits/1")
    assert (run.ended_at, run.finished_at) == (None, None)
    recorded.end()
    run = Run("Digits/1")
    assert (run.has_ended, run.finished, run.finished_at) == (True, False, None)
    assert run.ended_at == datetime.fromtimestamp(BEGUN + 60)  # noqa: DTZ006 - as the client has it


def test_tasks_whose_batch_is_stored_in_parts_are_seen_before_they_have_a_record(folder: FolderStore) -> None:
    recorded = RecordedRun(folder)
    start = recorded.attempt("start", "1")
    count = layout.BATCH_PART + 2
    batch = Batch(
        "Digits",
        "1",
        "train",
        "train-2",
        Code("path", "digits.py", ("__main__", "Digits")),
        tuple(TaskSpec(str(2 + index), 0, index) for index in range(count)),
        frames=(("start", "1", 0, count, "models"),),
        inputs=(start,),
    )
    store_batch(folder, batch)
    assert len(list(Step("Digits/1/train"))) == count
    last = Task(f"Digits/1/train/{1 + count}")
    assert (last.index, [task.pathspec for task in last.parent_tasks]) == (count - 1, ["Digits/1/start/1"])


def test_a_task_in_a_pod_is_seen_before_it_has_a_record(folder: FolderStore) -> None:
    recorded = RecordedRun(folder)
    recorded.attempt("start", "1")
    frames = (("start", "1", 0, 3, "models"),)
    start = recorded.attempt("start", "1", attempt=1)
    recorded.running("train", "2", index=2, frames=frames, inputs=(start,))
    task = Run("Digits/1")["train"]["2"]
    assert (task.finished, task.successful, task.finished_at, task.created_at) == (False, False, None, None)
    assert (task.index, list(task), task.metadata, task.metadata_dict, task.exception) == (
        2,
        [],
        [],
        {},
        None,
    )
    assert list(task.parent_task_pathspecs) == ["Digits/1/start/1"]
    assert list(Task("Digits/1/start/1").child_tasks) == [task]
    assert [each.id for each in Step("Digits/1/train")] == ["2"]
    assert Step("Digits/1/train").finished_at is None
    with pytest.raises(AttributeError, match="has not finished yet"):
        _ = task.data.score
    recorded.attempt("train", "2", values={"score": 7}, frames=frames)
    assert task.finished
    assert task.data.score == 7


def test_lines_that_a_running_pod_has_sent(folder: FolderStore) -> None:
    recorded = RecordedRun(folder)
    ref = recorded.running("train", "2")
    other = recorded.running("train", "3")
    recorded.report(ref, 1, "second")
    recorded.report(ref, 0, "first")
    recorded.report(other, 0, "not mine")
    recorded.report(ref, 2, "warning", "stderr")
    task = Task("Digits/1/train/2")
    assert (task.stdout, task.stderr) == ("first\nsecond\n", "warning\n")
    recorded.report(ref, 3, "third")
    assert task.stdout == "first\nsecond\nthird\n"
    stored = b"".join(encode_line(text, 0) for text in (b"first", b"second", b"third", b"last"))
    folder.put(layout.log("Digits", "1", *ref, "stdout"), stored)
    recorded.attempt("train", "2")
    assert task.stdout == "first\nsecond\nthird\nlast\n"


def test_a_retry_takes_the_place_of_what_failed(folder: FolderStore) -> None:
    recorded = RecordedRun(folder)
    recorded.attempt("train", "2", failure=BOOM)
    task = Task("Digits/1/train/2")
    assert (task.has_ended, task.finished, task.successful, task.current_attempt) == (True, False, False, 0)
    recorded.running("train", "2", attempt=1)
    assert (task.has_ended, task.current_attempt, task.exception) == (False, 1, None)
    recorded.attempt("train", "2", attempt=1, values={"score": 1})
    assert (task.successful, task.data.score) == (True, 1)
    assert [fact.value for fact in task.metadata if fact.name == "attempt"] == ["0", "1"]


def test_a_pinned_attempt_stays(folder: FolderStore) -> None:
    recorded = RecordedRun(folder)
    recorded.attempt("train", "2", failure=BOOM)
    first = Task("Digits/1/train/2", attempt=0)
    recorded.attempt("train", "2", attempt=1)
    assert (first.current_attempt, first.successful) == (0, False)


def test_a_step_can_look_at_its_own_task(folder: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = RecordedRun(folder)
    recorded.attempt("train", "2", failure=BOOM)
    monkeypatch.setenv("HEADWAY_PATHSPEC", "Digits/1/train/2")
    monkeypatch.setenv("HEADWAY_ATTEMPT", "1")
    task = Task("Digits/1/train/2")
    assert (task.current_attempt, task.finished) == (1, False)
    monkeypatch.setenv("HEADWAY_PATHSPEC", "Digits/1/join/3")
    assert Step("Digits/1/join").task == Task("Digits/1/join/3")
    monkeypatch.setenv("HEADWAY_PATHSPEC", "Digits/2/join/3")
    with pytest.raises(NotFoundError):
        Task("Digits/1/join/3")


def test_new_tasks_and_runs_appear(folder: FolderStore) -> None:
    recorded = digits(folder, "1", ended=False)
    step, flow = Step("Digits/1/train"), Flow("Digits")
    assert len(list(step)) == 3
    recorded.attempt("train", "20")
    assert step.task == Task("Digits/1/train/20")
    assert flow.latest_run == Run("Digits/1")
    RecordedRun(folder, "2")
    assert flow.latest_run == Run("Digits/2")


def test_a_task_that_left_no_record_is_over_with_its_run(folder: FolderStore) -> None:
    recorded = RecordedRun(folder)
    folder.put(layout.log("Digits", "1", "train", "2", 0, "stdout"), encode_line(b"so far", 0))
    recorded.attempt("train", "3", failure=BOOM)
    folder.put(layout.log("Digits", "1", "train", "3", 1, "stdout"), encode_line(b"torn off", 0))
    task = Task("Digits/1/train/2")
    assert not task.has_ended
    recorded.end()
    assert (task.has_ended, task.finished, task.stdout) == (True, False, "so far\n")
    with pytest.raises(AttributeError, match="left no result before its run ended"):
        _ = task.data.score
    assert Task("Digits/1/train/3").current_attempt == 0
    assert Task("Digits/1/train/3", attempt=1).stdout == "torn off\n"
