"""``merge_artifacts``: by content, with what is set and what is said about names."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from flow_sources import MemorySource, Place, bound

from headway.flow.merge import (
    MergeArtifactsError,
    MissingInMergeArtifactsError,
    UnhandledInMergeArtifactsError,
)
from headway.flow.parameters import Parameter
from headway.flow.spec import FlowSpec, call_step, inherited, produced
from headway.flow.step import step
from headway.flow.task import Input

Body = Callable[[Any, Any], None]


def joined(body: Body, *sources: MemorySource, run: MemorySource | None = None) -> Any:
    class Flow(FlowSpec):
        alpha = Parameter("alpha", default=1)
        constant = 5

        @step
        def join(self, inputs: Any) -> None:
            body(self, inputs)

    flow = bound(Flow, "join", run, inputs=[Input("work", source) for source in sources])
    call_step(flow)
    return flow


def test_what_agrees_is_taken_over_unloaded() -> None:
    first, second = MemorySource(x=[1], y=2), MemorySource(x=[1])
    flow = joined(lambda self, inputs: self.merge_artifacts(inputs), first, second)
    assert inherited(flow) == {"x": Place("[1]"), "y": Place("2")}
    assert produced(flow) == {}
    assert first.loaded == second.loaded == []


def test_what_is_merged_can_be_read_and_changed() -> None:
    def body(self: Any, inputs: Any) -> None:
        self.merge_artifacts(inputs)
        self.x.append(self.y)

    flow = joined(body, MemorySource(x=[1], y=2), MemorySource(x=[1], y=2))
    assert produced(flow) == {"x": [1, 2]}
    assert inherited(flow) == {"y": Place("2")}


def test_what_differs_is_named() -> None:
    with pytest.raises(UnhandledInMergeArtifactsError) as caught:
        joined(
            lambda self, inputs: self.merge_artifacts(inputs),
            MemorySource(same=0, b=1, a=1),
            MemorySource(same=0, b=2, a=2),
            MemorySource(same=0, b=3, a=1),
        )
    assert caught.value.artifact_names == ["a", "b"]
    assert "different values of a, b" in caught.value.message
    assert "exclude=['a', 'b']" in str(caught.value)


def test_what_is_set_stays() -> None:
    def body(self: Any, inputs: Any) -> None:
        self.x = "mine"
        self.merge_artifacts(inputs)

    flow = joined(body, MemorySource(x=1, y=0), MemorySource(x=2, y=0))
    assert flow.x == "mine"
    assert set(inherited(flow)) == {"y"}


def test_exclude_and_include() -> None:
    sources = MemorySource(x=1, y=0, z=0), MemorySource(x=2, y=0, z=0)
    excluding = joined(lambda self, inputs: self.merge_artifacts(inputs, exclude=["x"]), *sources)
    assert set(inherited(excluding)) == {"y", "z"}
    including = joined(lambda self, inputs: self.merge_artifacts(inputs, include=["y"]), *sources)
    assert set(inherited(including)) == {"y"}
    assert not hasattr(including, "z")


def test_include_of_what_no_input_has() -> None:
    with pytest.raises(MissingInMergeArtifactsError, match="no input has nothing") as caught:
        joined(lambda self, inputs: self.merge_artifacts(inputs, include=["x", "nothing"]), MemorySource(x=1))
    assert caught.value.artifact_names == ["nothing"]


def test_include_of_what_is_set() -> None:
    def body(self: Any, inputs: Any) -> None:
        self.mine = 1
        self.merge_artifacts(inputs, include=["mine", "x"])

    assert set(inherited(joined(body, MemorySource(x=1)))) == {"x"}


def test_include_and_exclude_exclude_each_other() -> None:
    with pytest.raises(MergeArtifactsError, match="include and exclude cannot both be given"):
        joined(
            lambda self, inputs: self.merge_artifacts(inputs, exclude=["x"], include=["y"]), MemorySource()
        )


def test_outside_of_a_join() -> None:
    class Flow(FlowSpec):
        @step
        def work(self) -> None:
            self.merge_artifacts([])

    with pytest.raises(MergeArtifactsError, match="called in step 'work', which is no join"):
        call_step(bound(Flow))


def test_parameters_constants_and_what_is_ours_are_not_merged() -> None:
    def source(n: int) -> MemorySource:
        return MemorySource(alpha=n, constant=n, _headway_start=n, _own=0)

    flow = joined(
        lambda self, inputs: self.merge_artifacts(inputs), source(1), source(2), run=MemorySource(alpha=7)
    )
    assert inherited(flow) == {"alpha": Place("7"), "_own": Place("0")}


def test_a_name_alone_is_a_list_of_one() -> None:
    sources = MemorySource(xy=1, x=0), MemorySource(xy=2, x=0)
    assert set(
        inherited(joined(lambda self, inputs: self.merge_artifacts(inputs, exclude="xy"), *sources))
    ) == {"x"}
    assert set(
        inherited(joined(lambda self, inputs: self.merge_artifacts(inputs, include="x"), *sources))
    ) == {"x"}


def _merge(choose: Callable[[Any], Any], self: Any, inputs: Any) -> None:
    self.merge_artifacts(choose(inputs))


def test_what_are_no_inputs() -> None:
    wrongs: list[Callable[[Any], Any]] = [lambda inputs: inputs[0], lambda inputs: [1]]
    for wrong in wrongs:
        with pytest.raises(MergeArtifactsError, match="takes the inputs of the join"):
            joined(partial(_merge, wrong), MemorySource(x=1))


def test_some_of_the_inputs() -> None:
    flow = joined(
        lambda self, inputs: self.merge_artifacts([inputs[0]]), MemorySource(x=1), MemorySource(x=2)
    )
    assert inherited(flow) == {"x": Place("1")}


def test_merging_again_takes_over_more() -> None:
    def body(self: Any, inputs: Any) -> None:
        self.merge_artifacts(inputs, include=["y"])
        self.merge_artifacts([inputs[0]], include=["x"])

    flow = joined(body, MemorySource(x=1, y=0), MemorySource(x=2, y=0))
    assert (flow.x, flow.y) == (1, 0)
