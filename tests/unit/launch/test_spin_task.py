"""Which task is done again alone, and what of its step's decorators has a say."""

from pathlib import Path

import pytest
from driven_runs import FLOW, ref

from headway.config.sources import Configuration
from headway.errors import HeadwayError, NotFoundError, UsageError
from headway.flow.decorators import DecoratorSpec
from headway.flow.graph import Graph, Node
from headway.launch.past import PastRun
from headway.launch.spin import spin_folder
from headway.launch.spin_task import choose_task, parse_pathspec, spun_graph
from headway.runtime.commit import commit
from headway.runtime.state import PARAMETERS
from headway.store.records import CANCELLED, FAILED, LOST, SUCCEEDED, USER, AttemptRef, Failure, Record
from headway.store.run_records import RunRecord
from headway.testing.memory_store import MemoryStore


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("work", (None, "work", None)),
        ("7/work", ("7", "work", None)),
        ("7/work/3", ("7", "work", "3")),
        (f"{FLOW}/7/work", ("7", "work", None)),
        (f"{FLOW}/7/work/3", ("7", "work", "3")),
        ("7/work/3/", ("7", "work", "3")),
    ],
)
def test_what_is_meant(text: str, meant: tuple[str | None, str, str | None]) -> None:
    assert parse_pathspec(text, FLOW) == meant


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "names no step"),
        ("7//3", "names no step"),
        ("a/b/c/d/e", "names no"),
        ("O/7/w/3", "another flow"),
    ],
)
def test_what_means_nothing(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_pathspec(text, FLOW)


def spec(name: str) -> DecoratorSpec:
    return DecoratorSpec(name, {}, "flow.py:1")


GRAPH = Graph(
    FLOW,
    [
        Node("start", "linear", ("work",), decorators=(spec("kubernetes"),)),
        Node("work", "linear", ("gang",), decorators=(spec("retry"), spec("timeout"), spec("kubernetes"))),
        Node("gang", "linear", ("end",), decorators=(spec("parallel"),)),
        Node("end", "end"),
    ],
    "start",
    "end",
    decorators=[spec("project")],
)


def test_where_and_how_often_a_step_runs_has_no_say() -> None:
    graph, unheard = spun_graph(GRAPH, "work", skip_decorators=False)
    assert [each.name for each in graph["work"].decorators] == ["timeout"]
    assert graph["start"].decorators == ()
    assert unheard == ["@retry", "@kubernetes"]
    assert graph.decorator("project") is not None


def test_all_decorators_can_be_left_out() -> None:
    graph, unheard = spun_graph(GRAPH, "work", skip_decorators=True)
    assert graph["work"].decorators == ()
    assert unheard == ["@retry", "@timeout", "@kubernetes"]
    assert graph.decorator("project") is None


@pytest.mark.parametrize(("step", "words"), [("gang", "is a gang"), ("wrk", "Did you mean work")])
def test_steps_that_cannot(step: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        spun_graph(GRAPH, step, skip_decorators=False)


BROKEN = Failure(USER, "Exception", "ValueError: no")


def past(*records: Record) -> PastRun:
    store = MemoryStore()
    for record in records:
        commit(store, FLOW, "7", record)
    return PastRun(store, RunRecord(FLOW, "7", "ann", 0.0))


def test_what_failed_is_looked_for_first_then_what_is_newest() -> None:
    run = past(
        Record(PARAMETERS, SUCCEEDED),
        Record(ref("work", 2), SUCCEEDED, ended=1.0),
        Record(ref("work", 3), FAILED, ended=2.0, failure=BROKEN),
        Record(ref("work", 3, 1), FAILED, ended=3.0, failure=BROKEN),
        Record(ref("work", 4), FAILED, ended=2.5, failure=BROKEN),
        Record(ref("work", 4, 1), SUCCEEDED, ended=4.0),
        Record(ref("work", 5), LOST, ended=5.0, failure=BROKEN._replace(reason=CANCELLED)),
    )
    assert choose_task(run, GRAPH["work"], None).ref == ref("work", 3, 1)
    assert choose_task(run, GRAPH["work"], "4").ref == ref("work", 4, 1)
    with pytest.raises(NotFoundError, match="no task 9") as caught:
        choose_task(run, GRAPH["work"], "9")
    assert caught.value.hint == "There are 2, 3, 4, 5"
    assert (
        choose_task(past(Record(ref("work", 2), SUCCEEDED, ended=1.0)), GRAPH["work"], None).ref.task == "2"
    )


def test_a_step_that_has_no_task_or_takes_other_inputs_now() -> None:
    inputs = (AttemptRef("a", "1", 0), AttemptRef("b", "2", 0))
    run = past(Record(ref("work", 3), SUCCEEDED, inputs=inputs))
    with pytest.raises(HeadwayError, match="no task of step end"):
        choose_task(run, GRAPH["end"], None)
    with pytest.raises(UsageError, match="was a join"):
        choose_task(run, GRAPH["work"], None)
    assert choose_task(run, GRAPH["work"]._replace(takes_inputs=True), None).ref.task == "3"


def test_where_it_is_kept(tmp_path: Path) -> None:
    assert spin_folder(Configuration({}, str(tmp_path))) == tmp_path / ".headway_spin"
    environ = {"METAFLOW_DATASTORE_SYSROOT_SPIN": "/elsewhere"}
    assert spin_folder(Configuration(environ, str(tmp_path))) == Path("/elsewhere/.headway_spin")
