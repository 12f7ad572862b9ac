"""What a task within a foreach knows: its index, its input, the stack around it, also once names have changed."""

import subprocess
import sys
from collections import OrderedDict, deque
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from flow_sources import MemorySource, Place, bound

import headway
from headway.errors import HeadwayError
from headway.flow.current import current
from headway.flow.graph import PARALLEL_VARIABLE
from headway.flow.spec import FlowSpec, call_step, inherited, inputs_of, produced, transition_of
from headway.flow.splits import count_items, item_at
from headway.flow.step import step
from headway.flow.task import Frame, Input


class Flow(FlowSpec):
    @step
    def work(self) -> None: ...

    @step
    def join(self, inputs: Any) -> None: ...


OUTER: Frame = ("start", "1", 1, 3, "xs")
BRANCH: Frame = ("fork", "4", 0, 2, None)
INNER: Frame = ("inner", "7", 2, 4, "ys")


def test_outside_of_a_foreach() -> None:
    one = bound(Flow)
    assert (one.index, one.input, one.foreach_stack()) == (None, None, [])
    assert repr(one) == "<flow Flow step work>"


def test_in_one_foreach() -> None:
    one = bound(Flow, source=MemorySource(xs=["a", "b", "c"]), frames=[OUTER])
    assert (one.index, one.input, one.foreach_stack()) == (1, "b", [(1, 3, "b")])
    assert repr(one) == "<flow Flow step work[1] (input: b)>"


def test_in_nested_foreachs_with_a_branch_between() -> None:
    source = MemorySource(xs="abc", ys=[10, 20, 30, 40])
    one = bound(Flow, source=source, frames=[OUTER, BRANCH, INNER])
    assert (one.index, one.input) == (2, 30)
    assert one.foreach_stack() == [(1, 3, "b"), (2, 4, 30)]
    assert repr(one) == "<flow Flow step work[1,2] (input: 30)>"


def test_in_a_branch_within_a_foreach_the_foreach_counts() -> None:
    one = bound(Flow, source=MemorySource(xs="abc"), frames=[OUTER, BRANCH])
    assert (one.index, one.input) == (1, "b")


def test_num_parallel_gives_the_index() -> None:
    one = bound(Flow, frames=[("start", "1", 3, 4, PARALLEL_VARIABLE)])
    assert (one.index, one.input) == (3, 3)
    assert inherited(one) == {}


def test_the_stack_as_metaflow_has_it_inside() -> None:
    source = MemorySource(xs=["a", "b" * 40, "c"], ys=[10, 20, 30, {"of": "many"}])
    gang: Frame = ("launch", "8", 0, 2, PARALLEL_VARIABLE)
    one = bound(Flow, source=source, frames=[OUTER, BRANCH, INNER, gang])
    start = {"next": ["inner"]}
    current._begin(graph_info={"steps": {"start": start, "inner": {"next": ["work"]}}}, step_name="work")
    try:
        outer, inner, ranks = one._foreach_stack
    finally:
        current._end()
    assert outer == ("inner", "xs", 3, 1, "b" * 30)
    assert (inner.step, inner.var, inner.num_splits, inner.index, inner.value) == ("work", "ys", 4, 2, "30")
    assert ranks == ("launch", "_parallel_ubf_iter", 2, 0, None)
    assert bound(Flow)._foreach_stack == []
    assert "_foreach_stack" not in inherited(one)


def test_looking_at_the_input_does_not_touch_the_whole() -> None:
    source = MemorySource(xs=[[1], [2], [3]])
    one = bound(Flow, source=source, frames=[OUTER])
    one.input.append(5)
    assert one.input == [2, 5]
    assert source.loaded == ["xs"]
    assert set(inherited(one)) == {"xs"}


def test_the_input_outlives_another_meaning_of_the_name() -> None:
    one = bound(Flow, source=MemorySource(xs=["a", "b", "c"]), frames=[OUTER])
    one.xs = "something else"
    assert one.input == "b"
    places = inherited(one)
    assert places == {"_headway_start": Place("['a', 'b', 'c']")}
    later = bound(
        Flow, source=MemorySource(_headway_start=["a", "b", "c"], xs="something else"), frames=[OUTER]
    )
    assert (later.input, later.xs) == ("b", "something else")
    assert set(inherited(later)) == {"_headway_start", "xs"}


def test_the_outer_input_outlives_an_inner_join() -> None:
    inputs = [Input("work", MemorySource(xs="abc", ys=[1]), (OUTER, INNER))]
    join = bound(Flow, "join", frames=[OUTER], inputs=inputs)
    assert join.input == "b"
    assert inherited(join) == {"_headway_start": Place("'abc'")}
    after = bound(Flow, source=MemorySource(_headway_start="abc"), frames=[OUTER])
    assert after.input == "b"


def test_what_is_lost_is_an_error_and_never_none() -> None:
    one = bound(Flow, source=MemorySource(), frames=[OUTER])
    with pytest.raises(HeadwayError, match=r"the foreach of step 'start' goes over \('xs'\)"):
        _ = one.input
    with pytest.raises(HeadwayError, match="resume start"):
        one.foreach_stack()
    assert inherited(one) == {}


class Computes(FlowSpec):
    """What its foreachs go over is in the class: computed, private, or no data at all."""

    _private = ("a", "b")
    constant = ("c", "d")

    class Colour(Enum):
        RED = 1
        BLUE = 2

    @property
    def computed(self) -> list[int]:
        return [self.base, self.base + 1]  # type: ignore[attr-defined]

    @property
    def yielded(self) -> Iterator[int]:
        yield from (7, 8)

    @step
    def work(self) -> None: ...

    @step
    def join(self, inputs: Any) -> None: ...


@pytest.mark.parametrize(
    ("name", "items"),
    [
        ("computed", [5, 6]),
        ("yielded", [7, 8]),
        ("_private", ["a", "b"]),
        ("Colour", [Computes.Colour.RED, Computes.Colour.BLUE]),
        ("name", list("Computes")),
    ],
)
def test_what_only_the_class_has_is_kept_for_the_tasks(name: str, items: list[Any]) -> None:
    split = bound(Computes, source=MemorySource(base=5))
    split.next(split.work, foreach=name)
    assert transition_of(split).splits == len(items)
    made = produced(split)
    assert set(made) == {"_headway_work"}
    frames: list[Frame] = [("work", "1", index, len(items), name) for index in range(len(items))]
    # As the tasks find it: in its hidden place, whatever the class says by then.
    source = MemorySource(base=50, **made)
    tasks = [bound(Computes, source=source, frames=[frame]) for frame in frames]
    assert [task.input for task in tasks] == items
    assert tasks[1].foreach_stack() == [(1, len(items), items[1])]
    assert set(inherited(tasks[0])) == {"base", "_headway_work"}
    inputs = [Input("work", source, (frame,)) for frame in frames]
    assert [each.input for each in inputs_of(bound(Computes, "join", inputs=inputs))] == items


def test_behind_an_inner_join_what_the_class_computed_is_kept() -> None:
    inner: Frame = ("inner", "7", 0, 1, "ys")
    inputs = [
        Input("work", MemorySource(_headway_work=[5, 6], ys=[1]), (("work", "1", 1, 2, "computed"), inner))
    ]
    join = bound(Computes, "join", frames=[("work", "1", 1, 2, "computed")], inputs=inputs)
    assert join.input == 6
    assert inherited(join) == {"_headway_work": Place("[5, 6]")}


def test_what_is_an_artifact_is_not_kept_twice() -> None:
    split = bound(Computes, source=MemorySource(constant=("c", "d"), given=[1]))
    split.next(split.work, foreach="constant")
    assert produced(split) == {}
    split = bound(Computes, source=MemorySource(given=[1]))
    split.next(split.work, foreach="given")
    assert produced(split) == {"given": [1]}
    split = bound(Computes)
    split.own = [1]
    split.next(split.work, foreach="own")
    assert produced(split) == {"own": [1]}


def test_a_private_attribute_counts_as_the_step_reads_it() -> None:
    split = bound(Computes, source=MemorySource(_private=["of an earlier step"]))
    split.next(split.work, foreach="_private")
    assert produced(split) == {"_headway_work": ("a", "b")}


def test_a_foreach_over_a_parameter_needs_nothing_kept() -> None:
    inputs = [Input("work", MemorySource(xs="abc", ys=[1]), (OUTER, INNER))]
    join = bound(Flow, "join", MemorySource(xs="abc"), frames=[OUTER], inputs=inputs)
    assert join.input == "b"
    assert set(inherited(join)) == {"xs"}


def test_an_input_of_a_join_knows_its_own_place() -> None:
    class Looks(Flow):
        @step
        def join(self, inputs: Any) -> None:
            self.seen = [(each.index, each.input) for each in inputs]

    frames: list[Frame] = [("start", "1", i, 2, "xs") for i in range(2)]
    inputs = [Input("work", MemorySource(xs="ab"), (frame,)) for frame in frames]
    one: Any = bound(Looks, "join", inputs=inputs)
    call_step(one)
    assert one.seen == [(0, "a"), (1, "b")]


class Labelled:
    """Like a pandas Series with labels of its own: ``[n]`` is a label, iteration gives the values."""

    iloc = None

    def __iter__(self) -> Iterator[str]:
        return iter("xyz")

    def __getitem__(self, label: int) -> str:
        return {2: "x", 0: "y", 1: "z"}[label]


class Table:
    """Like a pandas DataFrame: its length counts rows, iteration gives columns."""

    iloc = None

    def __len__(self) -> int:
        return 100

    def __iter__(self) -> Iterator[str]:
        return iter(["id", "price"])


class Lines:
    """Iterable again and again, without positions."""

    def __iter__(self) -> Iterator[str]:
        return iter(["one", "two"])


@pytest.mark.parametrize(
    ("iterable", "items"),
    [
        ([1, 2], [1, 2]),
        ((1, 2), [1, 2]),
        ("ab", ["a", "b"]),
        (b"ab", [97, 98]),
        (range(5, 8), [5, 6, 7]),
        ({"a": 1, "b": 2}, ["a", "b"]),
        ({0: "a", 5: "b"}, [0, 5]),
        (OrderedDict(a=1, b=2), ["a", "b"]),
        ({"a": 1}.items(), [("a", 1)]),
        (frozenset({3}), [3]),
        (deque([1, 2]), [1, 2]),
        (Labelled(), ["x", "y", "z"]),
        (Lines(), ["one", "two"]),
        (Table(), ["id", "price"]),
        ([], []),
    ],
)
def test_what_can_be_gone_over(iterable: Any, items: list[Any]) -> None:
    assert count_items(iterable) == len(items)
    assert [item_at(iterable, index) for index in range(len(items))] == items
    with pytest.raises(IndexError):
        item_at(iterable, len(items))


@pytest.mark.parametrize("value", [5, iter([1]), map(str, [1])], ids=["number", "iterator", "map"])
def test_what_cannot(value: Any) -> None:
    with pytest.raises(TypeError):
        count_items(value)


def test_a_set_has_one_order_in_every_process() -> None:
    program = (
        "from headway.flow.splits import item_at\n"
        "words = {'alpha', 'beta', 'gamma', 'delta', ('x', frozenset({'p', 'q', 'r'})), 7, None}\n"
        "print([sorted(each[1]) if isinstance(each, tuple) else each for each in\n"
        "       (item_at(words, index) for index in range(7))])"
    )
    source = str(Path(headway.__file__).parents[1])
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": str(seed), "PYTHONPATH": source},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in (1, 2, 3)
    }
    assert len(told) == 1
