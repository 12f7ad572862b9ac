"""Paths as people type them after ``logs`` and ``dump``."""

import pytest
from recorded_runs import digits

from headway.client import (
    DataArtifact,
    InvalidPathspecError,
    NotFoundError,
    Run,
    Step,
    Task,
    find,
    find_tasks,
    namespace,
)
from headway.store.folder import FolderStore


@pytest.fixture(autouse=True)
def _of_somebody_else(folder: FolderStore) -> None:
    digits(folder, user="bob")


@pytest.mark.parametrize("before", ["", "Digits/"])
def test_objects_by_path(before: str) -> None:
    found = [find(before + path, "Digits") for path in ("1", "1/train", "1/train/3/", "1/train/3/score")]
    namespace(None)
    assert found == [
        Run("Digits/1"),
        Step("Digits/1/train"),
        Task("Digits/1/train/3"),
        DataArtifact("Digits/1/train/3/score"),
    ]


def test_without_a_flow_the_path_begins_with_it() -> None:
    assert find("Digits/1/train").id == "train"
    with pytest.raises(InvalidPathspecError, match="FLOW/RUN"):
        find("Digits")


@pytest.mark.parametrize("path", ["", "1/train/3/score/more"])
def test_too_few_or_too_many_parts(path: str) -> None:
    with pytest.raises(InvalidPathspecError):
        find(path, "Digits")


def test_what_is_not_there() -> None:
    with pytest.raises(NotFoundError, match="no run Digits/2"):
        find("2/train", "Digits")


def test_tasks_of_a_run_a_step_or_one_from_old_to_new() -> None:
    assert [task.id for task in find_tasks("1", "Digits")] == ["1", "2", "3", "4", "5", "6"]
    assert [task.id for task in find_tasks("1/train", "Digits")] == ["2", "3", "4"]
    assert [task.id for task in find_tasks("Digits/1/train/3")] == ["3"]
    with pytest.raises(InvalidPathspecError, match="RUN/STEP/TASK"):
        find_tasks("1/train/3/score", "Digits")


def test_an_attempt_of_a_task_or_of_all_that_have_it() -> None:
    assert [task.current_attempt for task in find_tasks("1/train/2", "Digits", attempt=0)] == [0]
    assert [task.pathspec for task in find_tasks("1/train", "Digits", attempt=1)] == ["Digits/1/train/2"]
    assert len(find_tasks("1", "Digits", attempt=0)) == 6
    with pytest.raises(NotFoundError, match="no attempt 4"):
        find_tasks("1/train/2", "Digits", attempt=4)
