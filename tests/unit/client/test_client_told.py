"""What Metaflow stores with every task, told of tasks that store none of it: of records and of the graph."""

import pickle

import pytest
from recorded_runs import BOOM, RecordedRun, digits

from headway.client import DataArtifact, Flow, Run, Task
from headway.flow.decorators import DecoratorSpec
from headway.flow.graph import PARALLEL_VARIABLE, Graph, Node
from headway.store import layout
from headway.store.folder import FolderStore
from headway.store.records import Record, Transition


def test_what_metaflow_stores_with_every_task_is_told(folder: FolderStore) -> None:
    digits(folder)
    key = layout.record("Digits", "1", "start", "1", 0)
    said = Transition(("train",), "models", 3)
    folder.put(key, Record.decode(folder.get(key))._replace(transition=said).encode())
    start = Run("Digits/1")["start"].task
    train = Run("Digits/1")["train"].task
    assert start is not None
    assert train is not None
    assert (start["name"].data, start["_current_step"].data) == ("Digits", "start")
    assert start["_task_ok"].data
    assert start["_success"].data
    assert "_task_ok" in start
    assert "_no_such" not in start
    (frame,) = train["_foreach_stack"].data
    assert frame[:4] == ("train", "models", 3, train.index)
    assert (frame.step, frame.index, frame.value) == ("train", train.index, None), (
        "no such artifact was recorded"
    )
    assert start["_foreach_stack"].data == []
    assert start["_transition"].data == (["train"], "models")
    assert (start["_foreach_var"].data, start["_foreach_num_splits"].data) == ("models", 3)
    assert (start["name"].type, start["name"].size) == ("str", 0)
    assert repr(start["name"]) == f"DataArtifact('{start.pathspec}/name')"
    assert [artifact.id for artifact in start] == ["models", "name"], "private ones are found by name alone"
    assert [name for name in start.artifact_names(private=True) if name.startswith("_")] == [
        "_configs_processed", "_current_step", "_exception", "_foreach_num_splits", "_foreach_stack",
        "_foreach_var", "_graph_info", "_iteration_stack", "_success", "_task_ok", "_transition",
    ]  # fmt: skip
    assert start["_exception"].data is None
    assert (start["_iteration_stack"].data, start["_configs_processed"].data) == ([], True)


def test_the_rounds_of_a_step_that_leads_to_itself_are_counted(folder: FolderStore) -> None:
    again = Node(
        "again", "switch", ("again", "end"), condition="way", cases=(("more", "again"), ("done", "end"))
    )
    graph = Graph("Digits", [Node("start", "linear", ("again",)), again, Node("end", "end")], "start", "end")
    run = RecordedRun(folder, graph=graph)
    run.attempt("again", "2", inputs=[("start", "1")])
    run.attempt("again", "3", inputs=[("again", "2")])
    run.attempt("again", "4", inputs=[("again", "3")])
    run.attempt("end", "5", inputs=[("again", "4")])
    rounds = [Task(f"Digits/1/again/{number}")["_iteration_stack"].data for number in (2, 3, 4)]
    assert rounds == [[0], [1], [2]]
    assert Task("Digits/1/end/5")["_iteration_stack"].data == []


def test_they_are_found_under_their_names_in_every_way(folder: FolderStore) -> None:
    run = RecordedRun(folder)
    frames = (("start", "1", 1, 3, "models"),)
    run.attempt("train", "2", values={"models": ["a", "b" * 40, "c"], "name": "mine"}, frames=frames)
    run.attempt("train", "3", failure=BOOM)
    run.end()
    mine, failed = Task("Digits/1/train/2"), Task("Digits/1/train/3")
    assert (mine.data.name, mine.artifacts.name.data, mine["name"].data) == ("mine", "mine", "mine")
    assert "name" in [artifact.id for artifact in mine]
    assert (failed.data.name, failed.artifacts.name.data) == ("Digits", "Digits")
    assert "name" in failed.data
    assert pickle.loads(pickle.dumps(failed.artifacts)).name.data == "Digits"
    artifact = DataArtifact("Digits/1/train/3/_task_ok")
    assert (artifact.data, artifact.sha, artifact.parent) == (False, "", failed)
    assert DataArtifact("Digits/1/train/3/name").data == "Digits"
    error = failed["_exception"].data
    assert (error.type, error.exception, error.stacktrace) == ("builtins.ValueError", "boom", BOOM.traceback)
    assert mine["_exception"].data is None
    assert mine["_foreach_stack"].data == [("train", "models", 3, 1, "b" * 30)]
    for name in ("_task_ok", "_exception"):
        assert name not in failed.data
        with pytest.raises(AttributeError):
            getattr(failed.data, name)
        with pytest.raises(AttributeError):
            getattr(failed.artifacts, name)


def test_where_in_foreachs_a_task_stands(folder: FolderStore) -> None:
    run = RecordedRun(folder)
    frames = (("start", "1", 1, 2, "models"), ("train", "2", 2, 3, "sizes"))
    values: dict[str, object] = {"models": [0, "b" * 40], "sizes": {3, 1, 2}}
    run.attempt("fit", "3", values=values, frames=frames)
    deep = (("start", "1", 1, 2, "models"), *((f"s{n}", "1", 0, 1, "x" * 50) for n in range(6)))
    run.attempt("deep", "4", values={**values, "x" * 50: [(1, 2)]}, frames=deep)
    run.attempt("gang", "5", values=values, frames=(frames[0], ("train", "2", 0, 2, PARALLEL_VARIABLE)))
    run.attempt("empty", "6", values={"models": ["", None]}, frames=(("start", "1", 0, 2, "models"),))
    run.attempt("none", "7", values={"models": ["", None]}, frames=(("start", "1", 1, 2, "models"),))
    run.attempt("lost", "8", frames=frames)
    run.end()
    stacks = {
        step.id: task.metadata_dict.get("foreach-stack")
        for step in Run("Digits/1")
        if (task := step.task) is not None
    }
    first = "models=" + "b" * 30
    assert stacks["fit"] == [first, "sizes=3"]
    assert stacks["deep"] == [first, *[f"{'x' * 50}=(1, 2)"] * 3], "256 characters at most"
    assert stacks["gang"] == [first]
    assert stacks["none"] == ["models=None"]
    assert stacks["empty"] is stacks["lost"] is None
    task = Task("Digits/1/fit/3")
    assert task.metadata_dict["foreach-execution-path"].startswith("train:1,")
    (fact,) = [fact for fact in task.metadata if fact.name == "foreach-stack"]
    assert (fact.value, fact.type) == ([first, "sizes=3"], "foreach-stack")


def test_the_graph_is_told_as_steps_are_told_of_it(folder: FolderStore) -> None:
    digits(folder)
    info = Task("Digits/1/train/3")["_graph_info"].data
    assert (info["start_step"], info["end_step"]) == ("start", "end")
    assert info["steps"]["start"]["foreach_artifact"] == "models"
    assert info["constants"] == [{"name": "alpha", "type": "float"}], "the run was given no parameter"


CAUGHT_AT_THE_END = Graph(
    "Digits", [Node("end", "end", decorators=(DecoratorSpec("catch", {"var": "why"}),))], "end", "end"
)


@pytest.mark.parametrize("caught", [True, False])
def test_a_run_whose_end_was_caught_is_finished_and_no_success(folder: FolderStore, caught: bool) -> None:
    recorded = RecordedRun(folder, graph=CAUGHT_AT_THE_END)
    recorded.end(end=recorded.attempt("end", "1", metadata={"caught": "True"} if caught else {}))
    run = Run("Digits/1")
    assert (run.finished, run.successful, run.has_ended) == (True, not caught, True)
    assert Flow("Digits").latest_successful_run == (None if caught else run)
