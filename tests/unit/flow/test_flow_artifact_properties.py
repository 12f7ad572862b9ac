"""Whatever a step does to its artifacts, what is stored and what is inherited add up to what it left."""

import copy
from typing import Any

import pytest
from flow_sources import MemorySource, bound
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.flow.spec import FlowSpec, inherited, produced
from headway.flow.step import step

NAMES = ("a", "b", "c")
names = st.sampled_from(NAMES)
atoms = st.one_of(
    st.integers(), st.text(max_size=3), st.none(), st.tuples(st.booleans(), st.floats(allow_nan=False))
)
values = st.one_of(atoms, st.lists(st.integers(), max_size=3), st.tuples(st.lists(st.integers(), max_size=2)))
actions = st.one_of(
    st.tuples(st.just("read"), names, st.none()),
    st.tuples(st.just("set"), names, values),
    st.tuples(st.just("append"), names, st.integers()),
    st.tuples(st.just("delete"), names, st.none()),
    st.tuples(st.just("same"), names, st.none()),
)


class Flow(FlowSpec):
    @step
    def work(self) -> None: ...


class Unpickling(MemorySource):
    """Gives a new object at each load, as a store does."""

    def load(self, name: str) -> Any:
        return copy.deepcopy(super().load(name))


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(names, values), st.lists(actions, max_size=12))
def test_nothing_is_lost_and_nothing_is_twice(
    before: dict[str, Any], script: list[tuple[str, str, Any]]
) -> None:
    source = Unpickling(**before)
    flow = bound(Flow, source=source)
    model = copy.deepcopy(before)
    for action, name, value in script:
        if action == "set":
            setattr(flow, name, copy.deepcopy(value))
            model[name] = value = copy.deepcopy(value)
        elif name not in model:
            assert not hasattr(flow, name)
        elif action == "read":
            assert getattr(flow, name) == model[name]
        elif action == "append" and isinstance(model[name], list):
            getattr(flow, name).append(value)
            model[name].append(value)
        elif action == "delete" and name in vars(flow):
            delattr(flow, name)
            del model[name]
            if name in before:
                # What is inherited stays, whatever the step made of it.
                model[name] = copy.deepcopy(before[name])
        elif action == "delete":
            with pytest.raises(AttributeError, match="inherits"):
                delattr(flow, name)
        elif action == "same":
            setattr(flow, name, getattr(flow, name))
    stored, places = produced(flow), inherited(flow)
    assert not stored.keys() & places.keys()
    assert {**stored, **{name: before[name] for name in places}} == model
    assert all(place == source.ref(name) for name, place in places.items())
