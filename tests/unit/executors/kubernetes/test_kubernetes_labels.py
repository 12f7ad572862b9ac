"""Labels select, annotations tell the whole; ours win over the user's."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.executors.kubernetes.labels import annotations_of, label_value, labels_of, run_selector
from headway.store.batch import Batch, Code, TaskSpec

VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")


def batch(
    flow: str = "MyFlow", user: str = "ann", tasks: tuple[TaskSpec, ...] = (TaskSpec("3", 1),)
) -> Batch:
    code = Code("path", "flow.py", ("__main__", "MyFlow"))
    return Batch(flow=flow, run="17", step="train_it", name="b1", code=code, tasks=tasks, user=user)


def test_the_labels_that_selectors_use() -> None:
    assert labels_of(batch(), {"team": "ml"}) == {
        "team": "ml",
        "metaflow/flow_name": "MyFlow",
        "metaflow/run_id": "17",
        "metaflow/step_name": "train_it",
        "metaflow/user": "ann",
        "run": "17",
        "pipeline": "MyFlow",
        "headway.dev/batch": "b1",
        "app.kubernetes.io/name": "metaflow-task",
        "app.kubernetes.io/part-of": "metaflow",
        "app.kubernetes.io/managed-by": "headway",
    }


def test_ours_win_over_the_users() -> None:
    assert labels_of(batch(), {"run": "mine", "metaflow/user": "me"})["run"] == "17"
    assert annotations_of(batch(), {"metaflow/user": "me", "note": "x"})["metaflow/user"] == "ann"
    assert annotations_of(batch(), {"note": "x"})["note"] == "x"


def test_what_a_label_cannot_hold_stands_whole_in_an_annotation() -> None:
    long = batch(flow="F" * 80, user="ann@example.com")
    labels, annotations = labels_of(long, {}), annotations_of(long, {})
    for key, whole in {
        "metaflow/flow_name": "F" * 80,
        "pipeline": "F" * 80,
        "metaflow/user": "ann@example.com",
    }.items():
        assert labels[key] != whole
        assert annotations[key] == whole
    assert labels["metaflow/user"].startswith("ann-example.com-")
    assert "run" not in annotations


def test_the_selector_of_a_run_matches_its_labels() -> None:
    long = batch(flow="F" * 80)
    labels = labels_of(long, {})
    for term in run_selector(long.flow, long.run).split(","):
        key, _, value = term.partition("=")
        assert labels[key] == value


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        ((TaskSpec("3", 1),), ("3", "1")),
        ((TaskSpec("3", 1), TaskSpec("4", 1)), (None, "1")),
        ((TaskSpec("3", 0), TaskSpec("4", 1)), (None, None)),
    ],
)
def test_task_and_attempt_are_told_where_all_pods_share_them(
    tasks: tuple[TaskSpec, ...], expected: tuple[str | None, str | None]
) -> None:
    annotations = annotations_of(batch(tasks=tasks), {})
    assert (annotations.get("metaflow/task_id"), annotations.get("metaflow/attempt")) == expected


def test_nobody_is_no_label() -> None:
    assert "metaflow/user" not in labels_of(batch(user=""), {})


@settings(max_examples=100, deadline=None)
@given(text=st.text("aZ0_-. @é流", max_size=80))
def test_any_text_has_a_label_value(text: str) -> None:
    value = label_value(text)
    assert VALUE.fullmatch(value)
    assert len(value) <= 63
    assert value == label_value(text)


def test_different_texts_have_different_values() -> None:
    texts = ["a@b", "a b", "a-b", "x" * 70, "x" * 71, "é", "流"]
    assert len({label_value(text) for text in texts}) == len(texts)
