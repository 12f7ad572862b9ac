"""Decorators that people write and that run with a step: in which order, in its place, around its errors."""

from collections.abc import Mapping
from typing import Any

import pytest
from flow_sources import NAMES, MemorySource, body_source, bound, flow_class, parse

from headway.errors import FlowDefinitionError, HeadwayError
from headway.flow.arguments import decode_arguments, encode_arguments
from headway.flow.decorators import decorators_of
from headway.flow.graph import Graph
from headway.flow.spec import transition_of
from headway.flow.task import Transition
from headway.flow.user_decorators import (
    USER_SKIP_STEP,
    FlowMutator,
    StepMutator,
    UserStepDecorator,
    user_step_decorator,
)
from headway.flow.wrappers import call_told, tell_wrappers, usual_next

SAID: list[Any] = []


class Told(UserStepDecorator):
    """Says what it hears, and does as it is told."""

    def init(self, name: str, **does: Any) -> None:
        self.name = name
        self.does = does

    def pre_step(self, step_name: str, flow: Any, inputs: Any = None) -> Any:
        SAID.append(f"{self.name} before {step_name}")
        if "skip" in self.does:
            self.skip_step = self.does["skip"]
        if "raises" in self.does:
            raise self.does["raises"]
        return self.does.get("instead")

    def post_step(self, step_name: str, flow: Any, exception: Exception | None = None) -> Any:
        SAID.append(f"{self.name} after {exception!r}")
        if "post_raises" in self.does:
            raise self.does["post_raises"]
        return self.does.get("post", (exception, None))


class Inner(Told):
    """Another one, since none can stand twice on a step."""


@user_step_decorator
def plain(step_name: str, flow: Any, inputs: Any) -> Any:
    """Says when."""
    SAID.append(("plain", step_name, inputs is not None))
    yield
    flow.marked = step_name


@user_step_decorator
def catching(step_name: str, flow: Any, inputs: Any, attributes: Mapping[str, Any]) -> Any:
    try:
        yield attributes.get("gives")
    except ValueError as error:
        flow.caught = str(error)
    return attributes.get("returns")


@user_step_decorator
def refusing(step_name: str, flow: Any, inputs: Any) -> Any:
    raise OSError("before")
    yield


@user_step_decorator
def twice(step_name: str, flow: Any, inputs: Any) -> Any:
    yield
    yield


@user_step_decorator
def silent(step_name: str, flow: Any, inputs: Any) -> Any:
    if step_name == "never":
        yield


class Changes(FlowMutator):
    """Belongs on a flow."""


NAMES.update(
    Changes=Changes,
    Told=Told,
    Inner=Inner,
    plain=plain,
    catching=catching,
    refusing=refusing,
    twice=twice,
    silent=silent,
    SKIP=USER_SKIP_STEP,
)

REST = """
@step
def a(self):
    self.next(self.end)
@step
def b(self):
    self.next(self.end)
@step
def end(self):
    pass
"""


@pytest.fixture(autouse=True)
def _nothing_said() -> None:
    SAID.clear()


def called(
    decorators: str,
    statement: str = "SAID.append('step')",
    follows: str = "self.next(self.a)",
    **artifacts: Any,
) -> tuple[Any, Transition | None]:
    """The flow after its first step, within these decorators; and what it said follows."""
    NAMES["SAID"] = SAID
    lines = "\n".join(decorators.split("\n"))
    rest = REST if "self.a" in follows else REST.replace("def a", "def other").replace("def b", "def another")
    if "self.b" not in follows:
        rest = rest.replace("@step\ndef b(self):\n    self.next(self.end)\n", "")
    body = f"{lines}\n@step\ndef start(self):\n    {statement}\n    {follows}\n{rest}"
    source = body_source(body)
    graph: Graph = parse(source)
    cls = flow_class(source)
    node = graph["start"]
    flow = bound(cls, "start", MemorySource(**artifacts))
    call_told(flow, "start", None, tell_wrappers(node), usual_next(node))
    return flow, transition_of(flow)


def test_the_topmost_is_outermost() -> None:
    flow, said = called("@Told('1')\n@plain\n@Inner('2')")
    assert SAID == [
        "1 before start",
        ("plain", "start", False),
        "2 before start",
        "step",
        "2 after None",
        "1 after None",
    ]
    assert said == Transition(("a",))
    assert flow.marked == "start"


def test_an_exception_goes_outwards_until_somebody_settles_it() -> None:
    flow, said = called("@Told('1')\n@catching\n@Inner('2')", "raise ValueError('x')")
    assert SAID == ["1 before start", "2 before start", "2 after ValueError('x')", "1 after None"]
    assert said == Transition(("a",)), "the step's own self.next is called in its place"
    assert flow.caught == "x"
    with pytest.raises(KeyError):
        called("@Told('1')\n@catching", "raise KeyError('x')")
    assert SAID[-1] == "1 after KeyError('x')"
    with pytest.raises(TypeError, match="other"):
        called("@Told('1', post=TypeError('other'))", "raise KeyError('x')")
    _, said = called("@Told('1', post=None)", "raise KeyError('x')")
    assert said == Transition(("a",))
    with pytest.raises(TypeError, match="after"):
        called("@Told('1', post_raises=TypeError('after'))", "raise KeyError('x')")


def test_a_pre_step_that_fails_fails_the_task_and_nobody_settles_that() -> None:
    with pytest.raises(OSError, match="before"):
        called("@Told('1', post=None)\n@Inner('2', raises=OSError('before'), post=None)\n@plain")
    assert SAID == ["1 before start", "2 before start"]
    with pytest.raises(OSError, match="before"):
        called("@refusing", "raise AssertionError")
    with pytest.raises(FlowDefinitionError, match="returned 3"):
        called("@Told('1', post=None, instead=3)")


@pytest.mark.parametrize(
    ("decorators", "follows", "artifacts", "expected"),
    [
        ("@catching(gives=SKIP)", "self.next(self.a)", {}, Transition(("a",))),
        ("@silent", "self.next(self.a)", {}, Transition(("a",))),
        ("@Told('1', skip=True)", "self.next(self.a)", {}, Transition(("a",))),
        (
            "@Told('1', skip=True)",
            "self.next({1: self.a, 'x': self.b}, condition='kind')",
            {"kind": 1},
            Transition(("a",), condition="kind", choice="1"),
        ),
    ],
)  # fmt: skip
def test_a_step_that_is_skipped(decorators: str, follows: str, artifacts: Any, expected: Transition) -> None:
    _, said = called(decorators, "raise AssertionError", follows, **artifacts)
    assert said == expected


@pytest.mark.parametrize("nothing", ["False", "{}", "None"])
def test_nothing_to_skip_with_skips_nothing(nothing: str) -> None:
    flow, said = called(f"@Told('1', skip={nothing})", "self.ran = True")
    assert (flow.ran, said) == (True, Transition(("a",)))
    with pytest.raises(AssertionError, match="the step"):
        called(f"@Told('1', skip={nothing})", "raise AssertionError('the step')")


def test_a_foreach_that_is_skipped() -> None:
    source = body_source(
        """
        @catching(gives={"foreach": "ys"})
        @step
        def start(self):
            self.next(self.a, foreach="xs")
        @step
        def a(self):
            self.next(self.join)
        @silent
        @step
        def join(self, inputs):
            raise AssertionError
            self.next(self.end)
        @step
        def end(self):
            pass
        """
    )
    graph, cls = parse(source), flow_class(source)
    for given, expected in (("start", Transition(("a",), "ys", 1)), ("join", Transition(("end",)))):
        flow = bound(cls, given, MemorySource(ys=[7], xs=[1, 2]), inputs=() if given == "join" else None)
        inputs = [] if given == "join" else None
        call_told(flow, given, inputs, tell_wrappers(graph[given]), usual_next(graph[given]))
        assert transition_of(flow) == expected


def test_a_function_in_the_place_of_the_step() -> None:
    def instead(flow: Any) -> None:
        flow.by = "another"
        flow.next(flow.a)

    NAMES["instead"] = instead
    flow, said = called("@plain\n@catching(gives=instead)\n@Told('inner')", "raise AssertionError")
    assert (flow.by, flow.marked, said) == ("another", "start", Transition(("a",)))
    assert "inner before start" not in SAID
    NAMES["instead"] = lambda flow: True
    assert called("@catching(gives=instead)", "raise AssertionError")[1] == Transition(("a",))
    for nothing in (False, {}):
        NAMES["instead"] = lambda flow, said=nothing: said
        assert called("@catching(gives=instead)", "raise AssertionError")[1] is None


def test_a_function_that_says_nothing_leads_where_the_step_does() -> None:
    NAMES["instead"] = lambda flow: setattr(flow, "failed", True)
    flow, said = called("@catching(gives=instead)", "raise AssertionError")
    assert (flow.failed, said) == (True, Transition(("a",)))
    switch = "self.next({'x': self.a, 'y': self.b}, condition='kind')"
    _, said = called("@Told('1', instead=instead)", follows=switch, kind="y")
    assert said == Transition(("b",), condition="kind", choice="y")


@pytest.mark.parametrize(
    ("decorators", "words"),
    [
        ("@twice", r"twice yields more than once\.\nThe step runs at the one yield"),
        ("@Told('1', post=3)", r"post_step of @.*Told returned 3, a int\.\nIt returns an exception or None"),
        ("@Told('1', instead=3)", r"pre_step of @.*Told returned 3, a int\.\nIt returns None, or a function"),
        ("@Told('1', post=(None, 'a'))", r"says that 'a' follows\.\nIt takes True"),
        ("@Told('1', skip={'forech': 'x'})", "no argument 'forech'"),
    ],
)
def test_what_a_decorator_does_wrong_is_named(decorators: str, words: str) -> None:
    with pytest.raises(FlowDefinitionError, match=words):
        called(decorators)


def test_how_it_is_written() -> None:
    cls = flow_class(
        body_source(
            "@plain\n@catching()\n@catching(a=1)\n@Told('1')\n@retry\n@step\ndef start(self):\n    pass"
        )
    )
    specs = decorators_of(cls.start)
    assert [(spec.name.rpartition(".")[2], spec.positional, dict(spec.attributes)) for spec in specs] == [
        ("plain", (), {}), ("catching", (), {}), ("catching", (), {"a": 1}), ("Told", ("1",), {}), ("retry", (), {}),
    ]  # fmt: skip
    assert plain.__name__ == "plain"
    assert plain.__doc__ == "Says when."


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("@step\n@plain\ndef start(self): pass", "@step stands above"),
        ("@step\n@Told('1')\ndef start(self): pass", "stands on 'start', which is not a step"),
        (
            "@plain\ndef helper(self): pass\n@step\ndef start(self): pass",
            r"stands on 'helper', which is not a step there\.\nPut it above @step",
        ),
        (
            "@Changes\n@step\ndef helper(self): pass\n@step\ndef start(self): pass",
            r"stands on 'helper', which is not a flow there\.\nPut it above the class of a flow",
        ),
        ("@plain(1)\n@step\ndef start(self): pass", "value without a name: 1"),
        (
            "@plain(a=1)\n@step\ndef start(self): pass",
            r"takes no arguments\.\nLet the function take a fourth",
        ),
        ("@Told()\n@step\ndef start(self): pass", "does not take these arguments: missing a required"),
        ("@plain\n@plain\n@step\ndef start(self): pass", "has @.*plain twice"),
    ],
)
def test_what_is_written_wrong_is_named(body: str, words: str) -> None:
    with pytest.raises(HeadwayError, match=words):
        parse(body_source(body))


@pytest.mark.parametrize("written", ["plain", "plain()", "Told", "Told('1')"])
def test_a_steps_decorator_on_a_flow_is_told_by_the_flows_check(written: str) -> None:
    with pytest.raises(HeadwayError, match=r"@.*\.(plain|Told) stands on class F"):
        parse(f"@{written}\n" + body_source("@step\ndef only(self): pass"))


def test_what_is_no_generator_is_refused() -> None:
    with pytest.raises(FlowDefinitionError, match="'f', which is no generator function") as caught:
        user_step_decorator(f)
    assert caught.value.file == __file__
    with pytest.raises(FlowDefinitionError, match="takes 1 arguments, not three or four"):
        user_step_decorator(_too_few)
    with pytest.raises(FlowDefinitionError, match="takes 3 arguments, not four"):
        user_step_decorator(x=1)(_three)
    assert issubclass(user_step_decorator()(_three), UserStepDecorator)


def _too_few(step_name: str) -> Any:
    yield


def _three(step_name: str, flow: Any, inputs: Any) -> Any:
    yield


def f(step_name: str, flow: Any, inputs: Any) -> None: ...


def test_mutators_do_not_run_with_the_step() -> None:
    class Nothing(StepMutator):
        pass

    NAMES["Nothing"] = Nothing
    source = body_source("@Nothing\n@step\ndef start(self): pass")
    assert tell_wrappers(parse(source)["start"]) == []
    with pytest.raises(FlowDefinitionError, match="which is not a flow"):
        type("M", (FlowMutator,), {})()(f)


@pytest.mark.parametrize(
    "arguments",
    [
        ([], {}), ([1, "a", None], {"b": {"c": [1.5]}}), ([(1, 2)], {"a": {1: 2}}), ([b"x"], {"s": {1}}),
        ([], {"t": ValueError}),
    ],
)  # fmt: skip
def test_arguments_travel_as_they_are(arguments: tuple[list[Any], dict[str, Any]]) -> None:
    positional, named = decode_arguments(encode_arguments(*arguments))
    assert (list(positional), named) == arguments
    assert [type(value) for value in positional] == [type(value) for value in arguments[0]]
