"""A flow object within a task: what it reads, what it may set, what is stored of it."""

import pickle
import sys
from types import ModuleType
from typing import Any

import pytest
from flow_sources import MemorySource, Place, body_source, bound, flow_class

from headway.errors import HeadwayError
from headway.flow import entry
from headway.flow.members import constants_of, parameters_of
from headway.flow.parameters import Parameter
from headway.flow.spec import FlowSpec, bind, call_step, inherited, inputs_of, produced, transition_of
from headway.flow.state import is_atomic
from headway.flow.step import step
from headway.flow.task import Input, TaskContext


class Flow(FlowSpec):
    alpha = Parameter("alpha", default=0.5)
    other_name = Parameter("beta", default={})
    limit = 10
    words = ("a", "b")
    _private = 1

    class Helper: ...

    @property
    def doubled(self) -> Any:
        return self.x * 2

    def helper(self) -> Any:
        return self.x

    @step
    def work(self) -> None:
        self.y = self.x + 1
        self.next(self.end)

    @step
    def join(self, inputs: Any) -> None:
        self.total = sum(each.x for each in inputs)
        self.next(self.end)

    @step
    def end(self) -> None: ...


def flow(step_name: str = "work", **values: Any) -> Any:
    return bound(Flow, step_name, MemorySource(**values))


def joined(*inputs: Input, **values: Any) -> Any:
    return bound(Flow, "join", MemorySource(**values), inputs=inputs)


def test_reads_are_lazy_and_cached() -> None:
    source = MemorySource(x=[1], unread=2)
    one = bound(Flow, source=source)
    assert source.loaded == []
    assert one.x is one.x
    assert source.loaded == ["x"]


def test_calling_the_step() -> None:
    one = flow(x=1, z=2)
    transition = call_step(one)
    assert transition is not None
    assert transition == transition_of(one)
    assert transition.targets == ("end",)
    assert produced(one) == {"y": 2}
    assert inherited(one) == {"x": Place("1"), "z": Place("2")}


def test_what_may_have_changed_is_stored_again() -> None:
    one = flow(
        number=1, text="a", pair=(1, (2.0, None)), items=[1], mixed=(1, [2]), same=3, deep=frozenset({1})
    )
    for name in ("number", "text", "pair", "items", "mixed", "same", "deep"):
        getattr(one, name)
    one.items.append(2)
    one.same = 3
    assert produced(one) == {"items": [1, 2], "mixed": (1, [2]), "same": 3}
    assert set(inherited(one)) == {"number", "text", "pair", "deep"}


@pytest.mark.parametrize(
    "value", [1, 1.5, 1j, True, "a", b"a", None, ..., range(3), (), (1, "a"), frozenset({1})]
)
def test_atomic(value: object) -> None:
    assert is_atomic(value)


class Text(str):
    __slots__ = ("extra",)


@pytest.mark.parametrize("value", [[], {}, set(), ([],), bytearray(), object(), Text("a"), (Text("a"),)])
def test_not_atomic(value: object) -> None:
    assert not is_atomic(value)


def test_private_artifacts_are_artifacts() -> None:
    one = flow(_old=1)
    one._new = 2
    assert one._old == 1
    assert produced(one) == {"_new": 2}


def test_what_a_step_has_set_can_be_deleted() -> None:
    one = flow(x=1)
    one.z = 1
    del one.z
    with pytest.raises(AttributeError, match="no artifact 'z'"):
        one.z  # noqa: B018
    assert produced(one) == {}
    assert set(inherited(one)) == {"x"}
    one.z = 5
    assert produced(one) == {"z": 5}
    with pytest.raises(AttributeError, match="no artifact 'nothing'"):
        del one.nothing
    with pytest.raises(AttributeError, match="constant"):
        del one.limit


def test_what_is_inherited_stays_though_a_step_gives_up_its_memory() -> None:
    """As with Metaflow, whose flows delete a large artifact once they have used it, and use it again further on."""
    one = flow(x=1, y=2)
    assert one.x == 1
    del one.x
    one.y = 3
    del one.y
    assert produced(one) == {}
    assert set(inherited(one)) == {"x", "y"}
    assert (one.x, one.y) == (1, 2)


def test_what_a_step_has_not_used_is_not_deleted() -> None:
    one = flow(x=1)
    with pytest.raises(AttributeError, match="inherits and has not used"):
        del one.x
    assert set(inherited(one)) == {"x"}


def test_missing() -> None:
    one = flow(accuracy=1, loss=2, _hidden=3)
    with pytest.raises(AttributeError) as caught:
        one.acuracy  # noqa: B018
    assert str(caught.value) == (
        "Step 'work' has no artifact 'acuracy'. Did you mean self.accuracy? Known: accuracy, loss."
    )
    assert not hasattr(one, "nothing")
    assert getattr(one, "nothing", 5) == 5
    with pytest.raises(AttributeError, match=r"^Step 'work' has no artifact 'x'\.$"):
        flow().x  # noqa: B018


def test_an_artifact_whose_class_is_gone_is_not_missing() -> None:
    class Broken(MemorySource):
        def load(self, name: str) -> Any:
            raise AttributeError("module 'models' has no attribute 'Net'")

    with pytest.raises(HeadwayError, match=r"Artifact 'x' .* cannot be loaded: module 'models'"):
        hasattr(bound(Flow, source=Broken(x=1)), "x")


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("alpha", "a parameter of the flow"),
        ("other_name", "a parameter of the flow"),
        ("limit", "a constant of the flow's class"),
        ("index", "a name that every flow object has"),
        ("next", "a name that every flow object has"),
    ],
)
def test_what_cannot_be_assigned(name: str, what: str) -> None:
    with pytest.raises(AttributeError) as caught:
        setattr(flow(), name, 1)
    assert str(caught.value) == f"Step 'work' cannot change '{name}', which is {what}. Use another name."


def test_an_artifact_may_be_called_like_a_step_or_like_the_flow_s_name() -> None:
    one = flow()
    assert one.name == "Flow"
    one.name, one.end = "Ada", b"a plot"
    assert (one.name, one.end) == ("Ada", b"a plot")
    assert produced(one) == {"name": "Ada", "end": b"a plot"}
    # The class hides it from the steps after it, so that a join does not mind where inputs differ.
    after = bound(Flow, source=MemorySource(name="Ada", end=b"a plot"))
    assert after.name == "Flow"
    assert callable(after.end)
    assert set(inherited(after)) == {"name", "end"}


def test_an_artifact_may_be_called_like_a_function_that_flows_had_once() -> None:
    one = flow()
    one.cmd = "python train.py"
    assert produced(one) == {"cmd": "python train.py"}
    assert bound(Flow, source=MemorySource(cmd="python train.py")).cmd == "python train.py"
    with pytest.raises(AttributeError, match=r"no artifact 'cmd'\..*subprocess\.run"):
        flow().cmd("ls")


def test_parameters_and_constants_are_read() -> None:
    one = flow(alpha=0.1, other_name={"a": 1}, limit=10)
    assert (one.alpha, one.other_name, one.limit, one.words) == (0.1, {"a": 1}, 10, ("a", "b"))
    assert produced(one) == {}
    assert set(inherited(one)) == {"alpha", "other_name", "limit"}
    assert Flow.alpha is parameters_of(Flow)["alpha"]


def test_names_that_the_runtime_says_are_parameters() -> None:
    one = bind(Flow, TaskContext(MemorySource(extra=1), "work", parameters=frozenset({"extra"})))
    assert one.extra == 1
    with pytest.raises(AttributeError, match="cannot change 'extra', which is a parameter of the flow"):
        one.extra = 2


def test_what_a_class_holds() -> None:
    assert constants_of(Flow) == {"limit": 10, "words": ("a", "b")}
    assert list(parameters_of(Flow)) == ["alpha", "other_name"]

    class Derived(Flow):
        limit = 20
        more = (1,)

    assert constants_of(Derived) == {"limit": 20, "words": ("a", "b"), "more": (1,)}
    assert list(parameters_of(Derived)) == ["alpha", "other_name"]


def test_methods_and_properties_see_artifacts() -> None:
    one = flow(x=4)
    assert one.doubled == 8
    assert one.helper() == 4


@pytest.mark.parametrize("what", ["a flow object", "the inputs of a join"])
def test_flow_objects_are_no_artifacts(what: str) -> None:
    class Keeps(Flow):
        @step
        def join(self, inputs: Any) -> None:
            self.kept = self if what == "a flow object" else inputs

    one: Any = bound(Keeps, "join", inputs=[Input("work", MemorySource())])
    with pytest.raises(HeadwayError, match=f"self.kept in step 'join' is {what}, which cannot be stored"):
        call_step(one)
    with pytest.raises(HeadwayError, match=r"A flow object .* cannot be stored or pickled"):
        pickle.dumps([one])
    with pytest.raises(HeadwayError, match="The inputs of a join cannot be stored or pickled"):
        pickle.dumps([inputs_of(one)])
    assert not hasattr(inputs_of(one), "_private")


def test_names_of_the_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/somewhere/program.py", "run"])
    assert (flow().name, flow().script_name) == ("Flow", "test_flow_task.py")
    main = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", main)
    written = type("Written", (Flow,), {"__module__": "__main__"})(use_cli=False)
    assert written.script_name == "program.py", "a program on standard input is in no file"
    main.__file__ = "/bundle/flow.py"
    assert written.script_name == "flow.py"


def test_outside_of_a_task() -> None:
    inert = Flow(use_cli=False)
    assert repr(inert) == "<flow Flow>"
    with pytest.raises(HeadwayError, match="not running a step"):
        inert.next(inert.end)
    with pytest.raises(AttributeError, match="has no attribute 'x'"):
        inert.x  # noqa: B018
    inert.anything = 1
    assert inert.name == "Flow"
    del inert.anything


def test_steps_can_be_iterated() -> None:
    assert [each.__name__ for each in flow()] == ["work", "join", "end"]


def test_constructing_starts_what_is_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    monkeypatch.setattr(entry, "_start", None)
    Flow()
    entry.register(started.append)
    entry.disable()
    Flow()
    assert started == []
    entry.enable()
    Flow()
    Flow(use_cli=False)
    assert started == [Flow]


def test_the_main_file_is_run_as_far_as_it_constructs_its_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry, "_disabled", True)
    monkeypatch.setattr(entry, "_constructed", {})
    reached: list[str] = []

    class Own(Flow):
        alpha = Parameter("alpha")

        def __init__(self) -> None:
            self.source = "warehouse"
            self.alpha = 2
            super().__init__()
            reached.append("behind the constructor")

    def program() -> None:
        Flow(use_cli=False)
        Own()
        reached.append("behind the flow")

    entry.until_constructed(program)
    assert reached == []
    # What it set by then belongs to each task; parameters have their own values.
    bound = bind(Own, TaskContext(MemorySource(x=1), "work"))
    assert produced(bound) == {"source": "warehouse"}
    assert bound.source == "warehouse"
    # Anywhere else a flow can be constructed, and nothing happens.
    Own()
    assert reached == ["behind the constructor"]


# Joins


def inputs_of_two() -> tuple[Input, Input]:
    return Input("a", MemorySource(x=1, only_a=5)), Input("b", MemorySource(x=2))


def test_a_join_reads_its_inputs() -> None:
    class Seen(Flow):
        @step
        def join(self, inputs: Any) -> None:
            self.by_name = (inputs.a.x, inputs.b.x)
            self.by_place = (inputs[0].x, inputs[1].x, inputs[-1].x)
            self.all = [each.x for each in inputs]
            self.count = len(inputs)
            self.part = [each.x for each in inputs[1:]]
            self.text = repr(inputs)
            self.method = inputs.a.helper()

    one: Any = bound(Seen, "join", MemorySource(alpha=1), inputs=inputs_of_two())
    call_step(one)
    assert produced(one) == {
        "by_name": (1, 2),
        "by_place": (1, 2, 2),
        "all": [1, 2],
        "count": 2,
        "part": [2],
        "text": "<2 inputs: a, b>",
        "method": 1,
    }
    assert set(inherited(one)) == {"alpha"}


def test_a_join_loads_only_what_it_reads() -> None:
    inputs = inputs_of_two()
    one = joined(*inputs)
    call_step(one)
    assert [each.source.loaded for each in inputs] == [["x"], ["x"]]  # type: ignore[attr-defined]


def test_inputs_of_the_same_step_are_named_by_the_last() -> None:
    class Last(Flow):
        @step
        def join(self, inputs: Any) -> None:
            self.last = inputs.a.x

    one: Any = bound(Last, "join", inputs=[Input("a", MemorySource(x=i)) for i in range(3)])
    call_step(one)
    assert one.last == 2


def test_what_a_join_sets_on_its_inputs_is_for_itself() -> None:
    class Cleans(Flow):
        @step
        def join(self, inputs: Any) -> None:
            for each in inputs:
                each.x += 10
                each.extra = each.x * 2
            self.sums = [each.x + each.extra for each in inputs]
            del inputs.a.x
            self.again = inputs.a.x
            self.merge_artifacts(inputs, include=["only_a"])
            self.kept = hasattr(self, "extra")

    one: Any = bound(Cleans, "join", inputs=inputs_of_two())
    call_step(one)
    assert produced(one) == {"sums": [33, 36], "again": 1, "kept": False}
    assert "extra" not in inherited(one)


def errors_in_join(body: str) -> Any:
    source = body_source(f"limit = 1\n@step\ndef join(self, inputs):\n    {body}\n")
    with pytest.raises((AttributeError, IndexError)) as caught:
        call_step(bound(flow_class(source), "join", inputs=inputs_of_two()))
    return str(caught.value)


def test_errors_around_inputs() -> None:
    assert errors_in_join("inputs.c").startswith("This step does not join a step 'c'. ")
    assert errors_in_join("inputs[2]") == "there is no input 2: this step joins 2 tasks"
    assert errors_in_join("del inputs.b.y") == "The input from step 'b' has no artifact 'y'. Known: x."
    assert errors_in_join("inputs.a.limit = 2") == (
        "An input from step 'a' cannot change 'limit', which is a constant of the flow's class. Use another name."
    )
    assert errors_in_join("inputs.b.only_a") == "The input from step 'b' has no artifact 'only_a'. Known: x."
    assert errors_in_join("self.only_a") == (
        "Step 'join' has no artifact 'only_a'. A join inherits no artifacts: read it from its inputs "
        "(inputs[0].only_a), or call self.merge_artifacts(inputs) first."
    )


def test_what_flows_know_of_the_inside_of_metaflows() -> None:
    one = flow(x=1)
    assert (one._current_step, one._transition) == ("work", None)
    call_step(one)
    assert one._transition == (["end"], None)
    assert {name for name in produced(one) if name.startswith("_")} == set()
    assert not hasattr(one, "_datastore")
    named = list(Flow._get_parameters())
    assert [(attribute, parameter.name) for attribute, parameter in named] == [
        ("alpha", "alpha"),
        ("other_name", "beta"),
    ]
    assert list(one._get_parameters()) == named
    # A flow may call something of its own so.
    one._transition = "mine"
    assert (one._transition, produced(one)["_transition"]) == ("mine", "mine")
