"""The client over a task that a resumed run took over: its facts, and its log by reference to where it was written."""

from recorded_runs import RecordedRun

from headway.client import Run, Task
from headway.store import layout
from headway.store.folder import FolderStore


def origin(run: str, task: str) -> dict[str, str]:
    return {"origin-run-id": run, "origin-task-id": task, "origin-attempt": "1"}


def test_a_log_is_read_where_it_was_written_however_often_the_task_was_taken_over(
    folder: FolderStore,
) -> None:
    first = RecordedRun(folder, "1")
    first.attempt("train", "4", attempt=1, stdout=["hello"])
    second = RecordedRun(folder, "2", origin="1")
    second.attempt("train", "7", attempt=0, metadata=origin("1", "4"))
    third = RecordedRun(folder, "3", origin="2")
    third.attempt("train", "9", metadata={**origin("2", "7"), "origin-attempt": "0"})
    task = Task("Digits/3/train/9")
    assert task.stdout == "hello\n"
    assert task.stderr == ""
    assert task.origin_pathspec == "Digits/2/train/7"
    assert Run("Digits/3").origin_pathspec == "Digits/2"
    assert task.metadata_dict["origin-task-id"] == "7"


def test_a_task_that_was_run_again_has_its_own_log(folder: FolderStore) -> None:
    RecordedRun(folder, "1").attempt("train", "4", stdout=["old"])
    RecordedRun(folder, "2", origin="1").attempt("train", "4", stdout=["new"])
    assert Task("Digits/2/train/4").stdout == "new\n"
    assert Task("Digits/2/train/4").origin_pathspec is None


def test_where_the_origin_is_gone_the_task_stays_without_a_log(folder: FolderStore) -> None:
    RecordedRun(folder, "1").attempt("train", "4", stdout=["hello"])
    RecordedRun(folder, "2", origin="1").attempt("train", "4", metadata=origin("1", "4"))
    folder.delete([layout.run_record("Digits", "1")])
    assert Task("Digits/2/train/4").stdout == ""


def test_a_task_that_was_spun_without_being_kept_lists_nothing(folder: FolderStore) -> None:
    run = RecordedRun(folder, "1")
    run.attempt("train", "4", metadata={"unpersisted": "true"})
    run.attempt("train", "5")
    assert list(Task("Digits/1/train/4")) == []
    assert [artifact.id for artifact in Task("Digits/1/train/5")] == ["name"]
