"""Flow, Run, Step, Task and DataArtifact over a run that has ended."""

import pickle
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from recorded_runs import BEGUN, BOOM, RecordedRun, digits

from headway.client import (
    DataArtifact,
    Flow,
    Headway,
    InvalidPathspecError,
    NamespaceMismatchError,
    NotFoundError,
    Run,
    Step,
    Task,
    TaskFailedError,
    get_namespace,
    namespace,
)
from headway.flow.graph import Graph, Node
from headway.store.folder import FolderStore
from headway.store.records import LOST, Failure


def local(seconds: float) -> datetime:
    """A moment after the run's beginning, the way ``datetime.now()`` would have told it."""
    return datetime.fromtimestamp(BEGUN + seconds, timezone.utc).astimezone().replace(tzinfo=None)


def ids(entities: object) -> list[str]:
    return [entity.id for entity in entities]  # type: ignore[attr-defined]


def test_latest_run_and_what_it_made(folder: FolderStore) -> None:
    digits(folder, "100")
    digits(folder, "101")
    run = Flow("Digits").latest_run
    assert run is not None
    assert (run.id, run.pathspec, run.path_components) == ("101", "Digits/101", ["Digits", "101"])
    assert run.successful
    assert run.finished
    assert run.data is not None
    assert run.data.best == 20
    assert run.end_task is not None
    assert run.end_task.pathspec == "Digits/101/end/6"
    assert run.created_at == local(0)
    assert run.finished_at == local(60)


def test_pods_of_a_step_as_the_documents_read_them(folder: FolderStore) -> None:
    digits(folder)
    run = Flow("Digits").latest_run
    assert run is not None
    pods = [task.metadata_dict.get("kubernetes-pod-name") for task in run["train"]]
    assert pods == ["digits-train-2", "digits-train-1", "digits-train-0"]
    assert {task.metadata_dict.get("kubernetes-node-ip") for task in run["train"]} == {"10.0.0.1"}


def test_children_come_newest_first_and_parameters_only_by_name(folder: FolderStore) -> None:
    digits(folder, "9", models=12)
    digits(folder, "10")
    assert ids(Flow("Digits")) == ["10", "9"]
    run = Flow("Digits")["9"]
    assert ids(run) == ["end", "join", "train", "start"]
    assert ids(run["train"]) == [str(number) for number in range(13, 1, -1)]
    assert run["_parameters"].task is not None
    assert run["_parameters"].task.data.alpha == 0.5
    assert "_parameters" in run


def test_names_that_are_not_there_are_key_errors_that_help(folder: FolderStore) -> None:
    run = digits(folder) and Run("Digits/1")
    assert "train" in run
    assert "trian" not in run
    assert "../runs" not in run
    with pytest.raises(KeyError, match="Did you mean train"):
        run["trian"]
    with pytest.raises(KeyError, match="no task"):
        run["train"]["99"]
    with pytest.raises(KeyError, match="score"):
        run["train"]["3"]["scores"]
    with pytest.raises(KeyError, match="no run"):
        Flow("Digits")["7"]
    assert "1" in Flow("Digits")
    assert 7 not in Flow("Digits")
    assert 3 in run["train"]
    assert "a/b" not in run["train"]


def test_objects_open_by_path_in_parts_or_whole(folder: FolderStore) -> None:
    digits(folder)
    assert Run("Digits", 1) == Run("Digits/1") == Flow("Digits")["1"]
    assert Step("Digits/1", "train") == Step("Digits/1/train")
    assert Task("Digits", "1", "train", 3) == Task("Digits/1/train/3")
    assert DataArtifact("Digits/1/train/3/score").data == 10
    assert Run(pathspec="Digits/1").id == "1"
    assert len({Task("Digits/1/train/3"), Task("Digits/1/train/3"), Task("Digits/1/train/4")}) == 2
    assert repr(Task("Digits/1/train/3")) == "Task('Digits/1/train/3')"


@pytest.mark.parametrize("path", ["Digits", "Digits/1/train", "Digits//1", "Digits/../1", "", "Digits/\n"])
def test_a_path_of_another_kind_is_refused(path: str) -> None:
    with pytest.raises(InvalidPathspecError, match="Expects Run"):
        Run(path)


def test_what_does_not_exist_says_what_is_missing_and_where_it_was_sought(folder: FolderStore) -> None:
    digits(folder)
    with pytest.raises(NotFoundError, match=r"Flow\('Nope'\) does not exist") as flow:
        Flow("Nope")
    assert flow.value.hint is not None
    with pytest.raises(NotFoundError, match=r"Looked in .*headway"):
        Run("Digits/7")
    with pytest.raises(NotFoundError, match="no run Digits/7"):
        Task("Digits/7/train/2")
    with pytest.raises(NotFoundError, match="Did you mean train"):
        Step("Digits/1/tran")
    with pytest.raises(NotFoundError, match="no task of a step 'tran'"):
        Task("Digits/1/tran/3")
    with pytest.raises(NotFoundError, match="Known: 2, 3, 4"):
        Task("Digits/1/train/9")
    with pytest.raises(NotFoundError, match="no attempt 5, only 0, 1"):
        Task("Digits/1/train/2", attempt=5)
    with pytest.raises(NotFoundError, match="Did you mean score"):
        DataArtifact("Digits/1/train/3/scor")
    with pytest.raises(InvalidPathspecError, match="no attempts"):
        Run("Digits/1", attempt=0)


def test_the_attempt_that_counts_is_shown_and_others_on_request(folder: FolderStore) -> None:
    digits(folder)
    task = Task("Digits/1/train/2")
    assert (task.current_attempt, task.successful, task.exception) == (1, True, None)
    assert task.data.score == 0
    assert task.created_at == local(2)
    assert task.finished_at == local(104)
    first = Task("Digits/1/train/2", attempt=0)
    assert first == Task("Digits/1/train/2", 0) == Task("Digits/1/train/2", "0") != task
    assert Task("Digits/1/train/2", None) == task
    with pytest.raises(NotFoundError, match="no attempt 'last'"):
        Task("Digits/1/train/2", "last")
    with pytest.raises(InvalidPathspecError, match="Expects Run"):
        Run("Digits/1", 0)
    assert (first.current_attempt, first.successful, first.finished, first.has_ended) == (
        0,
        False,
        False,
        True,
    )
    assert first != task
    with pytest.raises(AttributeError, match="failed, so it has no artifact 'score'"):
        _ = first.data.score


def test_a_failed_attempt_has_what_it_had_set_and_says_why_not_the_rest(folder: FolderStore) -> None:
    run = RecordedRun(folder)
    why = {"artifacts-not-kept": '{"lock": "a lock cannot be pickled"}'}
    run.attempt("start", "1", 0, values={"early": 1, "score": 0.5}, failure=BOOM)
    run.attempt("start", "1", 1, values={"score": 0.7}, failure=BOOM, metadata=why)
    run.end()
    task = Task("Digits/1/start/1")
    assert (task.data.score, task.artifacts.score.data) == (0.7, 0.7)
    assert [artifact.id for artifact in task] == ["name", "score"]
    assert "early" not in task
    assert Task("Digits/1/start/1", attempt=0).data.early == 1
    with pytest.raises(AttributeError, match="'lock' was not kept: a lock cannot be pickled"):
        _ = task.data.lock
    with pytest.raises(AttributeError, match=r"failed before its step had set 'scores'\. Did you mean score"):
        _ = task.data.scores


def test_the_winner_counts_even_where_a_newer_attempt_left_a_record(folder: FolderStore) -> None:
    run = RecordedRun(folder)
    won = run.attempt("start", "1", 0, values={"x": 1})
    run.attempt("start", "1", 1, failure=BOOM, outcome=LOST)
    run.end([won])
    assert Task("Digits/1/start/1").data.x == 1
    assert next(iter(Step("Digits/1/start"))).current_attempt == 0


def test_a_failure_reads_as_an_exception(folder: FolderStore) -> None:
    run = RecordedRun(folder)
    run.attempt("start", "1", failure=BOOM)
    run.attempt("train", "2", failure=Failure("infrastructure", "Evicted", "The node was drained."))
    run.end()
    error = Task("Digits/1/start/1").exception
    assert isinstance(error, TaskFailedError)
    assert (error.type, error.exception, error.reason) == ("builtins.ValueError", "boom", "Exception")
    assert str(error) == "Traceback (most recent call last):\nValueError: boom\nTry another seed."
    assert str(Task("Digits/1/train/2").exception) == "The node was drained."
    ours = TaskFailedError(
        "It leads nowhere.", "Call self.next.", stacktrace="It leads nowhere.\nCall self.next.\n"
    )
    assert str(ours) == "It leads nowhere.\nCall self.next.", "the hint is said once"
    assert pickle.loads(pickle.dumps(error)).stacktrace == error.stacktrace
    assert Run("Digits/1").data is None
    assert Run("Digits/1").end_task is None
    assert not Run("Digits/1").successful


def test_a_step_that_catch_stood_in_for_is_done_and_was_no_success(folder: FolderStore) -> None:
    run = RecordedRun(folder)
    run.end(end=run.attempt("end", "1", metadata={"caught": "True"}))
    task = Task("Digits/1/end/1")
    assert (task.successful, task.finished, task.exception) == (False, True, None)
    assert (task["_success"].data, task["_task_ok"].data) == (False, True)
    assert Run("Digits/1").successful


def test_values_and_artifacts_of_a_task(folder: FolderStore) -> None:
    digits(folder)
    task = Task("Digits/1/train/3")
    assert "score" in task.data
    assert "nope" not in task.data
    assert not hasattr(task.data, "nope")
    with pytest.raises(AttributeError, match="Did you mean score"):
        _ = task.data.scor
    assert ids(task) == ["alpha", "name", "score"], "the flow's name is one, as with Metaflow"
    assert task["_seed"].data == task.data._seed == 1
    assert "_seed" in task
    assert task.artifacts._fields == ("alpha", "name", "score")
    assert task.artifacts._asdict() == {name: task[name] for name in ("alpha", "name", "score")}
    assert repr(task.data) == "<data of Digits/1/train/3: alpha, name, score>"
    assert [artifact.data for artifact in task.artifacts] == [0.5, "Digits", 10]
    assert task.artifacts.score == task["score"] == task.artifacts[2]
    assert len(task.artifacts) == 3
    assert "score" in dir(task.data)
    with pytest.raises(AttributeError, match="no artifact 'scor'"):
        _ = task.artifacts.scor


def test_an_artifact_tells_of_itself_without_being_loaded(folder: FolderStore) -> None:
    digits(folder)
    artifact = DataArtifact("Digits/1/train/3/score")
    assert artifact.type == "int"
    assert len(artifact.sha) == 64
    assert artifact.size > 0
    assert artifact.sha != DataArtifact("Digits/1/train/4/score").sha
    assert artifact.parent == Task("Digits/1/train/3")
    assert artifact.parent.parent.parent.parent.id == "Digits"
    assert artifact.created_at == artifact.finished_at == Task("Digits/1/train/3").finished_at


def test_what_programs_read_of_metaflows_objects_under_private_names(folder: FolderStore) -> None:
    digits(folder)
    run, task, artifact = Run("Digits/1"), Task("Digits/1/train/3"), DataArtifact("Digits/1/train/3/score")
    assert task.data._artifacts == {"alpha": task["alpha"], "name": task["name"], "score": artifact}
    assert (run._tags, run._user_tags, run._system_tags) == (run.tags, run.user_tags, run.system_tags)
    assert (task._tags, task._created_at) == (task.tags, task.created_at)
    kept = artifact._object
    assert (kept["name"], kept["sha"], kept["task_id"], kept["attempt_id"]) == ("score", artifact.sha, "3", 0)
    assert kept["ds_type"] == "local"
    assert Path(kept["location"]).is_file()
    assert artifact.finished_at is not None
    assert kept["ts_epoch"] == round(artifact.finished_at.timestamp() * 1000)
    digits(folder, "2", within=True)
    assert DataArtifact("Digits/2/train/3/score")._object["location"] == "", "it stands in the record"


def test_metadata_of_all_attempts_and_of_the_one_that_is_shown(folder: FolderStore) -> None:
    digits(folder)
    task = Task("Digits/1/train/2")
    assert [fact.value for fact in task.metadata if fact.name == "attempt"] == ["0", "1"]
    assert [fact.value for fact in task.metadata if fact.name == "attempt_ok"] == ["False", "True"]
    known = task.metadata_dict
    assert known["attempt"] == "1"
    assert known["kubernetes-pod-name"] == "digits-train-0"
    assert known["foreach-execution-path"] == "train:0"
    assert (known["ds-type"], known["ds-root"], known["user"]) == ("local", folder.url, "ann")
    assert known["script-name"] == "digits.py"
    pod = next(fact for fact in task.metadata if fact.name == "kubernetes-pod-name")
    assert task.finished_at is not None
    when = round(task.finished_at.timestamp() * 1000)
    assert (pod.type, pod.task, pod.created_at) == ("kubernetes-pod-name", task, when)
    pinned = Task("Digits/1/train/2", attempt=0)
    assert [fact.value for fact in pinned.metadata if fact.name == "attempt"] == ["0"]
    assert (task.runtime_name, task.environment_info["headway_version"]) == ("dev", "0.1.0")


def test_index_is_that_of_the_innermost_foreach(folder: FolderStore) -> None:
    run = RecordedRun(folder)
    outer = ("start", "1", 4, 9, "items")
    run.attempt("train", "2", frames=(outer, ("split", "3", 1, 2, None)))
    run.attempt("join", "3", frames=(("split", "3", 1, 2, None),))
    assert Task("Digits/1/train/2").index == 4
    assert Task("Digits/1/join/3").index is None


def test_logs_as_text_and_line_by_line(folder: FolderStore) -> None:
    digits(folder)
    task = Task("Digits/1/train/3")
    assert task.stdout == "model 1\ndone\n"
    assert (task.stderr, task.stdout_size, task.stderr_size) == ("", 13, 0)
    when, line = next(task.loglines("stdout"))
    assert (when, line) == (datetime.fromisoformat("2027-01-15T08:00:00"), "model 1")
    assert [text for _, text in task.loglines("stdout", as_unicode=False)] == [b"model 1", b"done"]


def test_the_log_of_the_attempt_that_metadata_is_about(folder: FolderStore) -> None:
    run = RecordedRun(folder)
    run.attempt("start", "1", 0, failure=BOOM, stdout=["first"])
    run.attempt("start", "1", 1, stdout=["second"])
    task, first = Task("Digits/1/start/1"), Task("Digits/1/start/1", attempt=0)

    def lines(task: Task, *arguments: Any) -> list[Any]:
        return [text for _, text in task.loglines("stdout", *arguments)]

    assert lines(task, True, None) == lines(task, True, task.metadata_dict) == ["second"]
    assert lines(task, False, first.metadata_dict) == [b"first"]
    assert lines(first, True, task.metadata_dict) == ["first"], "the task's own attempt counts more"
    assert lines(task, True, {}) == ["second"]


def test_parents_and_children_of_tasks_and_steps(folder: FolderStore) -> None:
    digits(folder)
    run = Run("Digits/1")
    assert list(Task("Digits/1/start/1").parent_tasks) == []
    assert ids(Task("Digits/1/start/1").child_tasks) == ["2", "3", "4"]
    assert ids(Task("Digits/1/join/5").parent_tasks) == ["2", "3", "4"]
    assert list(Task("Digits/1/train/3").child_task_pathspecs) == ["Digits/1/join/5"]
    assert list(Task("Digits/1/end/6").parent_task_pathspecs) == ["Digits/1/join/5"]
    assert list(Task("Digits/1/end/6").child_tasks) == []
    assert list(Task("Digits/1/_parameters/0").child_tasks) == []
    assert ids(run["train"].parent_steps) == ["start"]
    assert ids(run["train"].child_steps) == ["join"]
    assert list(run["start"].parent_steps) == list(run["end"].child_steps) == []
    assert list(run["_parameters"].child_steps) == []


def test_parents_in_split_order_from_several_steps(folder: FolderStore) -> None:
    run = RecordedRun(folder)
    run.attempt("b", "2")
    run.attempt("a", "3")
    run.attempt("join", "4", inputs=[("b", "2"), ("a", "3"), ("gone", "9")])
    assert ids(Task("Digits/1/join/4").parent_tasks) == ["2", "3"]


def test_steps_that_a_switch_left_out_are_not_there(folder: FolderStore) -> None:
    nodes = [Node("start", "switch", ("a", "b")), Node("a", targets=("end",), kind="linear")]
    graph = Graph("Digits", [*nodes, Node("b", "linear", ("end",)), Node("end", "end")], "start", "end")
    run = RecordedRun(folder, graph=graph)
    for number, step in enumerate(("start", "b", "end"), 1):
        run.attempt(step, str(number))
    assert ids(Step("Digits/1/start").child_steps) == ["b"]
    assert ids(Step("Digits/1/end").parent_steps) == ["b"]
    assert "a" not in Run("Digits/1")


def test_times_of_a_step(folder: FolderStore) -> None:
    digits(folder)
    step = Step("Digits/1/train")
    assert step.created_at == local(2)
    assert step.finished_at == local(104)
    assert step.environment_info == {"headway_version": "0.1.0", "script-name": "digits.py", "user": "ann"}


def test_tags_choose_runs_and_pass_down(folder: FolderStore) -> None:
    digits(folder, "1", tags=("nightly", "big"))
    digits(folder, "2", tags=("nightly",))
    assert ids(Flow("Digits").runs("nightly")) == ["2", "1"]
    assert ids(Flow("Digits").runs("nightly", "big")) == ["1"]
    task = Task("Digits/1/train/3")
    assert task.user_tags == {"nightly", "big"}
    assert task.system_tags == {"user:ann", "runtime:dev"}
    assert task.tags == task.user_tags | task.system_tags
    assert len(list(Run("Digits/1").steps("big"))) == 4
    assert list(Run("Digits/2").steps("big")) == []
    assert len(list(Step("Digits/1/train").tasks("big", "runtime:dev"))) == 3
    assert list(Step("Digits/1/train").tasks("small")) == []


def test_runs_of_others_are_seen_in_their_namespace_or_in_none(folder: FolderStore) -> None:
    digits(folder, "1")
    digits(folder, "2", user="bob")
    RecordedRun(folder, "1", flow="Other", user="bob")
    assert get_namespace() == "user:ann"
    assert Flow("Digits").latest_run == Run("Digits/1")
    assert ids(Headway()) == ["Digits"]
    with pytest.raises(NamespaceMismatchError, match=r"namespace\('user:bob'\) shows it") as refused:
        Run("Digits/2")
    assert "'user:ann'" in refused.value.message
    assert refused.value.hint == "namespace('user:bob') shows it, namespace(None) shows everything."
    with pytest.raises(NamespaceMismatchError):
        Flow("Digits")["2"]
    with pytest.raises(NamespaceMismatchError):
        Flow("Other")
    assert not Run("Digits/2", _namespace_check=False).is_in_namespace()
    assert namespace("user:bob") == "user:bob"
    assert ids(Flow("Digits")) == ["2"]
    assert namespace(None) is None
    assert ids(Flow("Digits")) == ["2", "1"]
    assert ids(Headway().flows) == ["Digits", "Other"]


def test_a_flow_that_checks_no_namespace_gives_all_of_its_runs(folder: FolderStore) -> None:
    digits(folder, tags=("good",))
    namespace("user:bob")
    flow = Flow("Digits", _namespace_check=False)
    for each in (flow, pickle.loads(pickle.dumps(flow))):
        assert (
            each.latest_run
            == each.latest_successful_run
            == each["1"]
            == Run("Digits/1", _namespace_check=False)
        )
        assert ids(each) == ids(each.runs("good")) == ["1"]
        assert not each.is_in_namespace(), "a question of its own"
    assert ids(Headway()) == []
    with pytest.raises(InvalidPathspecError, match="has no attempts"):
        Flow("Digits", attempt=1)


def test_all_flows(folder: FolderStore) -> None:
    digits(folder)
    assert "Digits" in Headway()
    assert "Nope" not in Headway()
    assert Headway()["Digits"].latest_run == Run("Digits/1")
    with pytest.raises(KeyError, match="Nope"):
        Headway()["Nope"]
    with pytest.raises(NotFoundError, match=r"^Flow\('Nope'\) does not exist\n"):
        Headway()["Nope"]
    assert Flow("Digits").created_at == local(0)
    assert Flow("Digits").parent is None
    assert Run("Digits/1").parent == Flow("Digits")


def test_where_a_resumed_run_took_things_from(folder: FolderStore) -> None:
    run = digits(folder, "2", origin="1", ended=False)
    cloned = {"origin-task-id": "7", "origin-run-id": "1"}
    run.attempt("extra", "9", values={"x": 1}, metadata=cloned)
    assert Run("Digits/2").origin_pathspec == "Digits/1"
    assert Step("Digits/2/train").origin_pathspec == "Digits/1/train"
    assert Task("Digits/2/extra/9").origin_pathspec == "Digits/1/extra/7"
    assert DataArtifact("Digits/2/extra/9/x").origin_pathspec == "Digits/1/extra/7/x"
    assert Task("Digits/2/train/3").origin_pathspec is None
    assert Flow("Digits").origin_pathspec is None


def test_latest_successful_run_passes_over_the_others(folder: FolderStore) -> None:
    digits(folder, "1")
    RecordedRun(folder, "2").end()
    RecordedRun(folder, "3")
    flow = Flow("Digits")
    assert flow.latest_run == Run("Digits/3")
    assert flow.latest_successful_run == Run("Digits/1")


@pytest.mark.parametrize("make", ["flow", "run", "step", "task", "artifact", "values", "artifacts"])
def test_objects_travel_in_pickles(folder: FolderStore, make: str) -> None:
    digits(folder)
    task = Step("Digits/1/train").task
    assert task is not None
    assert task.data.score == 20
    made = {
        "flow": Flow("Digits"),
        "run": Run("Digits/1"),
        "step": Step("Digits/1/train"),
        "task": task,
        "artifact": task["score"],
        "values": task.data,
        "artifacts": task.artifacts,
    }[make]
    data = pickle.dumps(made)
    assert b"model 2" not in data
    again = pickle.loads(data)
    assert repr(again) == repr(made)
    match make:
        case "task":
            assert again == task
            assert again.data.score == 20
        case "artifact":
            assert again.data == 20
        case "values":
            assert again.score == 20
        case "artifacts":
            assert again.score.data == 20
        case "step":
            assert [each.data.score for each in again] == [20, 10, 0]
