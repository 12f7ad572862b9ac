"""Which batches a run would start, found by the scheduler alone."""

from typing import Any

from headway import FlowSpec, parallel, step
from headway.flow.parse import parse_flow
from headway.launch.rehearsal import rehearse
from headway.schedule.plan import StepPolicy


class Fans(FlowSpec):
    """A foreach of a branch, and a gang behind it."""

    @step
    def start(self) -> None:
        self.items = ["a", "b", "c"]
        self.next(self.split, foreach="items")

    @step
    def split(self) -> None:
        self.next(self.left, self.right)

    @step
    def left(self) -> None:
        self.next(self.both)

    @step
    def right(self) -> None:
        self.next(self.both)

    @step
    def both(self, inputs: Any) -> None:
        self.next(self.collect)

    @step
    def collect(self, inputs: Any) -> None:
        self.next(self.train, num_parallel=3)

    @parallel
    @step
    def train(self) -> None:
        self.next(self.end_gang)

    @step
    def end_gang(self, inputs: Any) -> None:
        self.next(self.end)

    @step
    def end(self) -> None:
        pass


class Turns(FlowSpec):
    """A switch that may go back, and two ways of which each leads on."""

    @step
    def start(self) -> None:
        self.next(self.choose)

    @step
    def choose(self) -> None:
        self.way = "a"
        self.next({"again": self.choose, "a": self.one, "b": self.two}, condition="way")

    @step
    def one(self) -> None:
        self.next(self.end)

    @step
    def two(self) -> None:
        self.next(self.more)

    @step
    def more(self) -> None:
        self.next(self.end)

    @step
    def end(self) -> None:
        pass


class Ranks(FlowSpec):
    """A gang reached by a plain next."""

    @step
    def start(self) -> None:
        self.next(self.train)

    @parallel(num_nodes=4)
    @step
    def train(self) -> None:
        self.next(self.end)

    @step
    def end(self) -> None:
        pass


def rehearsed(flow: type) -> dict[str, tuple[str, int]]:
    """By step, the first batch's name and width."""
    graph = parse_flow(flow)
    starts = rehearse(graph, {name: StepPolicy() for name in graph.nodes})
    return {start.step: (start.name, len(start.tasks)) for start in starts}


def test_every_step_of_fans_is_reached_under_the_name_that_it_would_have() -> None:
    found = rehearsed(Fans)
    assert list(found) == ["start", "split", "left", "right", "both", "collect", "train", "end_gang", "end"]
    assert found["start"] == ("start-1", 1)
    assert found["split"] == ("split-2", 2)
    assert found["train"][1] == 3


def test_every_way_of_a_switch_is_gone() -> None:
    assert set(rehearsed(Turns)) == {"start", "choose", "one", "two", "more", "end"}


def test_the_ranks_that_are_written_are_shown() -> None:
    assert rehearsed(Ranks) == {"start": ("start-1", 1), "train": ("train-2", 4), "end": ("end-3", 1)}
