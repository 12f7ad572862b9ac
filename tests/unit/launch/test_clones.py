"""Resume: what an earlier run has done is taken over, and only that, in every shape of graph."""

import asyncio
import threading
from collections.abc import Sequence

import pytest
from driven_runs import BROKEN_CODE, FLOW, Told, ref, to

from headway.errors import StoreUnavailableError
from headway.flow.decorators import DecoratorSpec
from headway.flow.graph import PARALLEL_VARIABLE, Graph, Node
from headway.launch.batches import BatchFactory, StepRun
from headway.launch.clones import Clones, steps_again
from headway.launch.driver import CLONED, Driver
from headway.launch.journal import Journal
from headway.launch.past import PastRun
from headway.launch.standing import Standing, replay
from headway.launch.steps import schedule_plan
from headway.runtime.commit import commit, origin_facts
from headway.runtime.state import PARAMETERS
from headway.schedule.events import AttemptSucceeded, RunStarted
from headway.schedule.instructions import INTERRUPTED, RunEnded, StartBatch
from headway.schedule.scheduler import Scheduler
from headway.store import layout
from headway.store.artifacts import ArtifactStore
from headway.store.base import Buffer
from headway.store.batch import Code, TaskSpec
from headway.store.records import FAILED, SUCCEEDED, AttemptRef, Record, Transition
from headway.store.run_records import RunRecord
from headway.testing.fake_executor import Act, FakeExecutor
from headway.testing.memory_store import MemoryStore

CODE = Code("path", "flow.py", ("__main__", FLOW))


def graph(*nodes: Node) -> Graph:
    return Graph(FLOW, nodes, nodes[0].name, nodes[-1].name)


LINEAR = graph(Node("start", "linear", ("middle",)), Node("middle", "linear", ("end",)), Node("end", "end"))
FOREACH = graph(
    Node("start", "foreach", ("work",), foreach="items"),
    Node("work", "linear", ("join",)),
    Node("join", "join", ("end",), takes_inputs=True),
    Node("end", "end"),
)
NESTED = graph(
    Node("start", "foreach", ("outer",), foreach="items"),
    Node("outer", "foreach", ("inner",), foreach="parts"),
    Node("inner", "linear", ("gather",)),
    Node("gather", "join", ("join",), takes_inputs=True),
    Node("join", "join", ("end",), takes_inputs=True),
    Node("end", "end"),
)
BRANCHES = graph(
    Node("start", "split", ("a", "b")),
    Node("a", "linear", ("join",)),
    Node("b", "linear", ("join",)),
    Node("join", "join", ("end",), takes_inputs=True),
    Node("end", "end"),
)
LOOP = graph(
    Node("start", "linear", ("again",)),
    Node("again", "switch", ("again", "end"), condition="more"),
    Node("end", "end"),
)


CHAIN = graph(
    Node("start", "foreach", ("first",), foreach="items"),
    Node("first", "linear", ("second",)),
    Node("second", "linear", ("join",)),
    Node("join", "join", ("end",), takes_inputs=True),
    Node("end", "end"),
)


class Meeting(MemoryStore):
    """A datastore in which writes of a step's records wait for each other: alone none of them comes to its end.

    Args:
        step: Of these.
        parties: So many at a time.
    """

    def __init__(self, step: str, parties: int) -> None:
        super().__init__()
        self._step = f"/task/{step}/"
        self._barrier = threading.Barrier(parties, timeout=1.0)
        self.met = False

    def put_if_absent(self, key: str, data: Buffer) -> None:
        if self._step in key:
            self._barrier.wait()
            self.met = True
        super().put_if_absent(key, data)


class Run:
    """A run over a scripted executor; ``of`` makes it one that resumes another."""

    def __init__(
        self,
        shape: Graph,
        acts: dict[str, Act],
        *,
        run: str = "1",
        of: "Run | None" = None,
        step: str | None = None,
        max_splits: int | None = None,
        clone_only: bool = False,
        store: MemoryStore | None = None,
        standing: Standing | None = None,
    ) -> None:
        self.standing = standing
        self.store = store or (of.store if of else MemoryStore())
        self.graph, self.run = shape, run
        self.executor = FakeExecutor(self.store)
        for name, act in acts.items():
            self.executor.script(act, *name.split("/"))
        self.told = Told()
        record = RunRecord(FLOW, run, "ann", 1.0, graph=shape.to_json(), origin=of.run if of else None)
        self.store.put(layout.run_record(FLOW, run), record.encode())
        commit(self.store, FLOW, run, Record(PARAMETERS, SUCCEEDED))
        self.past = PastRun(self.store, record)
        again = steps_again(shape, [step] if step else [])
        self.clones = Clones(of.past, self.store, run, shape, again, max_splits) if of else None
        self.driver = Driver(
            standing.scheduler if standing else Scheduler(schedule_plan(shape), {}),
            dict.fromkeys(shape.nodes, self.executor),
            BatchFactory(FLOW, run, "ann", "user:ann", (), {name: StepRun(CODE) for name in shape.nodes}),
            Journal(self.store, FLOW, run),
            self.told,
            max_splits,
            clones=self.clones,
            clone_only=clone_only,
        )

    async def drive(self) -> RunEnded:
        return await self.driver.run(self.standing)

    def ran(self) -> list[str]:
        """What was run, by step and task."""
        return [str(each) for each in self.executor.started]

    def record(self, step: str, task: int) -> Record:
        return Record.decode(self.store.get(layout.record(FLOW, self.run, step, str(task), 0)))


def fan_out(step: str, splits: int, variable: str = "items") -> Act:
    return Act(outcome=Transition((step,), variable, splits))


def going(**ways: str | Sequence[str]) -> dict[str, Act]:
    return {
        name: Act(outcome=to(*([targets] if isinstance(targets, str) else targets)))
        for name, targets in ways.items()
    }


async def test_what_succeeded_is_taken_over_and_the_rest_is_run() -> None:
    first = Run(LINEAR, {**going(start="middle"), "middle": Act(outcome=BROKEN_CODE)})
    assert (await first.drive()).outcome == FAILED
    second = Run(LINEAR, going(middle="end"), run="2", of=first)
    assert (await second.drive()).outcome == SUCCEEDED
    assert second.ran() == ["middle/2", "end/3"]
    assert second.told.of("cloned") == [("1", ["start/1"], 1)]
    taken = second.record("start", 1).metadata
    assert (taken["origin-run-id"], taken["origin-task-id"]) == ("1", "1")
    assert "origin-task-id" not in second.record("middle", 2).metadata


async def test_a_run_that_succeeded_is_taken_over_whole() -> None:
    first = Run(LINEAR, going(start="middle", middle="end"))
    await first.drive()
    second = Run(LINEAR, {}, run="2", of=first)
    ended = await second.drive()
    assert (ended.outcome, ended.end_ref, second.ran()) == (SUCCEEDED, ref("end", 3), [])


async def test_from_a_step_on_all_is_run_again() -> None:
    first = Run(LINEAR, going(start="middle", middle="end"))
    await first.drive()
    second = Run(LINEAR, going(middle="end"), run="2", of=first, step="middle")
    await second.drive()
    assert second.ran() == ["middle/2", "end/3"]


async def test_of_a_foreach_only_the_missing_items_are_run() -> None:
    acts = {"start": fan_out("work", 50), **going(work="join", join="end")}
    first = Run(FOREACH, {**acts, "work/7": Act(outcome=BROKEN_CODE, seconds=5)})
    await first.drive()
    second = Run(FOREACH, acts, run="2", of=first)
    assert (await second.drive()).outcome == SUCCEEDED
    assert second.ran() == ["work/7", "join/52", "end/53"]
    assert second.told.of("cloned") == [
        ("1", ["start/1"], 1),
        ("1", [f"work/{n}" for n in range(2, 52) if n != 7], 50),
    ]
    # Its index is that of the foreach, though it is alone in its batch.
    assert second.record("work", 7).frames == (("start", "1", 5, 50, "items"),)
    assert second.record("join", 52).inputs == tuple(ref("work", n) for n in range(2, 52))


async def test_of_a_nested_foreach_only_what_hangs_together_with_the_missing_item() -> None:
    acts = {
        "start": fan_out("outer", 2),
        "outer": fan_out("inner", 2, "parts"),
        **going(inner="gather", gather="join", join="end"),
    }
    # Tasks: outer 2 and 3, inner 4 to 7; the last of them fails once all else is done.
    first = Run(NESTED, {**acts, "inner/7": Act(outcome=BROKEN_CODE, seconds=5)})
    await first.drive()
    second = Run(NESTED, acts, run="2", of=first)
    assert (await second.drive()).outcome == SUCCEEDED
    assert [name.split("/")[0] for name in second.ran()] == ["inner", "gather", "join", "end"]
    (inner,) = [each for each in second.executor.started if each.step == "inner"]
    assert [frame[2] for frame in second.record("inner", int(inner.task)).frames] == [1, 1]


async def test_a_branch_that_does_not_follow_from_the_step_is_kept() -> None:
    acts = going(start=("a", "b"), a="join", b="join", join="end")
    first = Run(BRANCHES, acts)
    await first.drive()
    second = Run(BRANCHES, acts, run="2", of=first, step="b")
    await second.drive()
    assert [name.split("/")[0] for name in second.ran()] == ["b", "join", "end"]


async def test_the_rounds_of_a_loop_are_told_apart() -> None:
    acts = {**going(start="again", again="again"), "again/4": Act(outcome=to("end"))}
    first = Run(LOOP, {**acts, "again/3": Act(outcome=BROKEN_CODE)})
    await first.drive()
    second = Run(LOOP, acts, run="2", of=first)
    assert (await second.drive()).outcome == SUCCEEDED
    assert second.ran() == ["again/3", "again/4", "end/5"]


async def test_a_run_that_resumed_another_can_be_resumed() -> None:
    first = Run(LINEAR, {**going(start="middle"), "middle": Act(outcome=BROKEN_CODE)})
    await first.drive()
    second = Run(LINEAR, {**going(middle="end"), "end": Act(outcome=BROKEN_CODE)}, run="2", of=first)
    await second.drive()
    third = Run(LINEAR, {}, run="3", of=second)
    assert (await third.drive()).outcome == SUCCEEDED
    assert third.ran() == ["end/3"]
    assert third.record("start", 1).metadata["origin-run-id"] == "2"


async def test_an_attempt_that_came_after_a_failed_one_is_the_one_taken_over() -> None:
    first = Run(LINEAR, {**going(start="middle", middle="end"), "end": Act(outcome=BROKEN_CODE)})
    won = AttemptRef("start", "1", 3)
    # As if three attempts had been lost.
    await first.drive()
    record = first.record("start", 1)
    first.store.delete(
        [layout.record(FLOW, "1", "start", "1", 0), layout.record(FLOW, "1", "middle", "2", 0)]
    )
    commit(first.store, FLOW, "1", record._replace(ref=won))
    commit(
        first.store,
        FLOW,
        "1",
        Record(won._replace(attempt=0), FAILED, failure=BROKEN_CODE, inputs=record.inputs),
    )
    second = Run(LINEAR, going(middle="end"), run="2", of=first)
    await second.drive()
    assert second.ran() == ["middle/2", "end/3"]
    assert second.record("start", 1).metadata["origin-attempt"] == "3"


@pytest.mark.parametrize(
    ("changed", "again"),
    [
        ((Node("start", "linear", ("other",)), Node("other", "linear", ("end",))), ["start", "other", "end"]),
        ((Node("start", "split", ("middle", "more")), Node("middle", "linear", ("end",))), ["start"]),
    ],
)
async def test_a_step_that_leads_elsewhere_now_is_run_again(
    changed: tuple[Node, ...], again: list[str]
) -> None:
    first = Run(LINEAR, going(start="middle", middle="end"))
    await first.drive()
    nodes = {node.name: node for node in (*changed, Node("more", "linear", ("end",)), Node("end", "end"))}
    second = Run(graph(*nodes.values()), going(start=changed[0].targets[0], other="end"), run="2", of=first)
    await second.drive()
    assert [name.split("/")[0] for name in second.ran()][: len(again)] == again


async def test_a_foreach_over_something_else_now_is_run_again() -> None:
    acts = {"start": fan_out("work", 2), **going(work="join", join="end")}
    first = Run(FOREACH, acts)
    await first.drive()
    other = graph(Node("start", "foreach", ("work",), foreach="others"), *list(FOREACH)[1:])
    second = Run(other, {**acts, "start": fan_out("work", 3, "others")}, run="2", of=first)
    await second.drive()
    assert len(second.ran()) == 6


@pytest.mark.parametrize("written", ["others", None], ids=str)
async def test_a_foreach_other_than_the_graph_has_is_taken_over_where_the_graph_stays(
    written: str | None,
) -> None:
    shape = graph(Node("start", "foreach", ("work",), foreach=written), *list(FOREACH)[1:])
    acts = {"start": fan_out("work", 2), **going(work="join")}
    first = Run(shape, {**acts, "join": Act(outcome=BROKEN_CODE)})
    assert (await first.drive()).outcome == FAILED
    second = Run(shape, {**acts, **going(join="end")}, run="2", of=first)
    assert (await second.drive()).outcome == SUCCEEDED
    assert second.ran() == ["join/4", "end/5"]


async def test_what_was_no_foreach_and_is_one_now_is_run_again() -> None:
    plain = graph(Node("start", "linear", ("work",)), Node("work", "linear", ("end",)), Node("end", "end"))
    first = Run(plain, going(start="work", work="end"))
    assert (await first.drive()).outcome == SUCCEEDED
    acts = {"start": fan_out("work", 2), **going(work="join", join="end")}
    second = Run(FOREACH, acts, run="2", of=first)
    assert (await second.drive()).outcome == SUCCEEDED
    assert second.ran()[0] == "start/1"


async def test_more_splits_than_are_allowed_are_told_by_the_step_itself() -> None:
    acts = {"start": fan_out("work", 5), **going(work="join", join="end")}
    first = Run(FOREACH, acts, max_splits=4)
    assert (await first.drive()).outcome == FAILED
    second = Run(FOREACH, acts, run="2", of=first, max_splits=4)
    assert (await second.drive()).outcome == FAILED
    assert second.ran() == ["start/1"]
    third = Run(FOREACH, acts, run="3", of=first, max_splits=5)
    assert (await third.drive()).outcome == SUCCEEDED
    assert "start/1" not in third.ran()


@pytest.mark.parametrize("sized", [False, True])
async def test_of_a_gang_all_is_taken_over_or_nothing(sized: bool) -> None:
    gang = DecoratorSpec("parallel", {"num_nodes": 12} if sized else {})
    start = Node(
        "start", "linear" if sized else "parallel", ("work",), foreach=None if sized else PARALLEL_VARIABLE
    )
    after = "end" if sized else "join"
    work = Node("work", "linear", (after,), decorators=(gang,))
    shape = graph(start, work, *list(FOREACH)[3 if sized else 2 :])
    leading = Act(outcome=to("work")) if sized else fan_out("work", 12, PARALLEL_VARIABLE)
    acts = {"start": leading, **going(work=after, join="end")}
    first = Run(shape, acts)
    assert (await first.drive()).outcome == SUCCEEDED
    whole = Run(shape, acts, run="2", of=first)
    assert (await whole.drive()).outcome == SUCCEEDED
    assert whole.ran() == []
    assert (
        Record.decode(first.store.get(layout.record(FLOW, "2", "work", "2_node_11", 0))).metadata[
            "origin-task-id"
        ]
        == "2_node_11"
    )
    lacking = layout.record(FLOW, "1", "work", "2_node_3", 0)
    kept = first.store.get(lacking)
    first.store.delete([lacking])
    again = Run(shape, acts, run="3", of=first)
    await again.drive()
    assert len([name for name in again.ran() if name.startswith("work")]) == 12
    # A rank that succeeded in another attempt than its fellows is none of theirs.
    record = Record.decode(kept)
    commit(first.store, FLOW, "1", record._replace(ref=record.ref._replace(attempt=1)))
    mixed = Run(shape, acts, run="4", of=first)
    await mixed.drive()
    assert len([name for name in mixed.ran() if name.startswith("work")]) == 12


async def test_clone_only_runs_nothing() -> None:
    first = Run(LINEAR, {**going(start="middle"), "middle": Act(outcome=BROKEN_CODE)})
    await first.drive()
    second = Run(LINEAR, {}, run="2", of=first, clone_only=True)
    ended = await second.drive()
    assert (ended.outcome, ended.message, second.ran()) == (INTERRUPTED, CLONED, [])
    assert second.record("start", 1).outcome == SUCCEEDED


async def test_trouble_with_the_datastore_while_taking_over_is_waited_out() -> None:
    first = Run(LINEAR, going(start="middle", middle="end"))
    await first.drive()
    second = Run(LINEAR, {}, run="2", of=first)
    driving = asyncio.ensure_future(second.drive())
    second.store.fail_next(StoreUnavailableError("no answer"), "put_if_absent")
    second.store.fail_next(StoreUnavailableError("no answer"), "put_if_absent", after_effect=True)
    assert (await driving).outcome == SUCCEEDED
    assert second.ran() == []


async def chain_of_six() -> tuple[Run, dict[str, Act]]:
    """A run of a foreach of six with a body of two steps, and what its steps do."""
    acts = {
        "start": fan_out("first", 6),
        **going(first="second", second="join", join="end"),
    }
    run = Run(CHAIN, acts)
    assert (await run.drive()).outcome == SUCCEEDED
    return run, acts


def brought_along(past: Run, store: MemoryStore) -> Run:
    """The same run in another datastore."""
    for info in past.store.list("v1/"):
        store.put(info.key, past.store.get(info.key))
    past.past = PastRun(store, past.past.record)
    past.store = store
    return past


async def test_batches_that_start_together_are_taken_over_together() -> None:
    """A second step of a foreach's body is a batch for each item."""
    first, _ = await chain_of_six()
    store = Meeting("second", 6)
    second = Run(CHAIN, {}, run="2", of=brought_along(first, store))
    assert (await second.drive()).outcome == SUCCEEDED
    assert (store.met, second.ran()) == (True, [])
    told = [records for _, records, _ in second.told.of("cloned")]
    assert told[2:8] == [[f"second/{n}"] for n in range(8, 14)]


async def test_a_launcher_that_takes_over_takes_what_was_done_together_too() -> None:
    first, acts = await chain_of_six()
    store = Meeting("second", 6)
    brought_along(first, store)
    # The launcher before died once all items of the first step were taken over.
    done = [(ref("start", 1), acts["start"]), *((ref("first", n), acts["first"]) for n in range(2, 8))]
    entries = [
        RunStarted(),
        *(AttemptSucceeded(each, act.outcome) for each, act in done if isinstance(act.outcome, Transition)),
    ]
    standing = replay(schedule_plan(CHAIN), {}, entries)
    second = Run(CHAIN, {}, run="2", of=first, standing=standing)
    assert second.clones is not None
    second.clones.recall(
        first.record(each.step, int(each.task))._replace(metadata=origin_facts("1", each.task, 0))
        for each, _ in done
    )
    assert (await second.drive()).outcome == SUCCEEDED
    assert (store.met, second.ran()) == (True, [])
    assert second.told.of("cloned")[:6] == [("1", [f"second/{n}"], 1) for n in range(8, 14)]


async def test_in_another_datastore_what_artifacts_hold_is_brought_along() -> None:
    first = Run(LINEAR, {**going(start="middle"), "middle": Act(outcome=BROKEN_CODE)})
    artifacts = ArtifactStore(first.store, FLOW)
    kept = {
        "x": artifacts.save("x", [1, 2, 3]),
        "included": artifacts.save_file("included", b"line\r\n", "a.txt", "utf-8"),
        **artifacts.save_many({"small": 7}),
    }
    first.executor.script(Act(outcome=to("middle"), artifacts=kept), "start")
    await first.drive()
    second = Run(LINEAR, going(middle="end"), run="2", of=first, store=MemoryStore("elsewhere"))
    assert (await second.drive()).outcome == SUCCEEDED
    found = ArtifactStore(second.store, FLOW).load_many(second.record("start", 1).artifacts)
    assert found == {"x": [1, 2, 3], "included": "line\n", "small": 7}


async def test_what_an_earlier_launcher_took_over_is_recalled() -> None:
    first = Run(LINEAR, going(start="middle", middle="end"))
    await first.drive()
    second = Run(LINEAR, {}, run="2", of=first)
    middle = StartBatch("middle", (), (ref("start", 1),), (TaskSpec("2", 0),), False, "middle-2")
    assert second.clones is not None
    assert second.clones.take([middle]) == [[]], "nobody has told it of the start"
    assert second.clones.left(middle) == middle
    commit(
        second.store,
        FLOW,
        "2",
        first.record("start", 1)._replace(metadata=origin_facts("1", "1", 0)),
    )
    second.clones.recall([second.record("start", 1)])
    assert [str(record.ref) for record in second.clones.take([middle])[0]] == ["middle/2"]
    assert second.clones.left(middle).tasks == ()


def test_what_follows_from_a_step() -> None:
    assert steps_again(BRANCHES, ["a"]) == {"a", "join", "end"}
    assert steps_again(LOOP, ["again"]) == {"again", "end"}
    assert steps_again(LINEAR, []) == frozenset()
