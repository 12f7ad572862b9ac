"""Mutators: what they see, what they change, and when."""

from collections.abc import Callable
from typing import Any

import pytest
from flow_sources import NAMES, body_source, flow_class

from headway.errors import FlowDefinitionError, HeadwayError, UsageError
from headway.flow import decorators, flow_decorators
from headway.flow.configs import Config
from headway.flow.configure import GivenConfigs
from headway.flow.declare import declare
from headway.flow.declared import Declared
from headway.flow.decorator_errors import (
    DuplicateFlowDecoratorError,
    DuplicateStepDecoratorError,
    UnknownFlowDecoratorError,
    UnknownStepDecoratorError,
)
from headway.flow.given_members import changed_parameters, give_parameters
from headway.flow.late import parse_with
from headway.flow.members import parameters_of
from headway.flow.mutable_flow import MutableFlow
from headway.flow.mutable_step import MutableStep
from headway.flow.mutate import Mutation, has_mutators
from headway.flow.parameters import Parameter, ParameterContext
from headway.flow.parse import parse_flow
from headway.flow.spec import FlowSpec, bind
from headway.flow.task import TaskContext
from headway.flow.user_decorators import FlowMutator, StepMutator, UserStepDecorator, name_of

CONTEXT = ParameterContext("F", "ann", "", lambda line: None, "local")

HEARD: list[Any] = []

BODY = """
cfg = Config("settings", default_value={"cpu": 2, "vars": {"A": "1"}})
alpha = Parameter("my-alpha", default=1)
@On(before=before_first, after=after_first)
@retry(times=cfg.cpu)
@step
def start(self):
    self.next(self.end)
@step
def end(self):
    pass
"""


class On(StepMutator):
    """Does as it is told."""

    def init(self, before: Any = None, after: Any = None) -> None:
        self.before, self.after = before, after

    def pre_mutate(self, mutable_step: MutableStep) -> None:
        HEARD.append(("before", mutable_step.name))
        if self.before:
            self.before(mutable_step)

    def mutate(self, mutable_step: MutableStep) -> None:
        HEARD.append(("after", mutable_step.name))
        if self.after:
            self.after(mutable_step)


class Another(On):
    pass


class OnFlow(FlowMutator):
    def init(self, before: Any = None, after: Any = None) -> None:
        self.before, self.after = before, after

    def pre_mutate(self, mutable_flow: MutableFlow) -> None:
        HEARD.append("flow before")
        if self.before:
            self.before(mutable_flow)

    def mutate(self, mutable_flow: MutableFlow) -> None:
        HEARD.append("flow after")
        if self.after:
            self.after(mutable_flow)


class Wrapper(UserStepDecorator):
    def init(self, level: int = 0) -> None: ...


NAMES.update(Config=Config, On=On, OnFlow=OnFlow, FlowMutator=FlowMutator)


def nothing(target: Any) -> None: ...


@pytest.fixture(autouse=True)
def _nothing_heard() -> None:
    HEARD.clear()


def mutated(
    step: Callable[[Any], Any] = nothing,
    flow: Callable[[Any], Any] = nothing,
    after_step: Callable[[Any], Any] = nothing,
    after_flow: Callable[[Any], Any] = nothing,
    late: tuple[str, ...] = (),
) -> Declared:
    """The flow once these were called, before and after ``--with``."""
    NAMES.update(before_first=step, after_first=after_step, flow_before=flow, flow_after=after_flow)
    source = "@OnFlow(before=flow_before, after=flow_after)\n" + body_source(BODY)
    cls = flow_class(source)
    assert has_mutators(cls)
    mutation = Mutation(declare(cls, GivenConfigs(), CONTEXT))
    declared = mutation.finish(parse_with(text) for text in late)
    parse_flow(cls, source, declared)
    return declared


def names(declared: Declared, step: str = "start") -> list[str]:
    return [spec.name.rpartition(".")[2] for spec in declared.decorators[step]]


def test_who_is_heard_when() -> None:
    seen: list[Any] = []
    mutated(
        flow=lambda flow: flow.end.add_decorator(Another),
        after_step=lambda step: seen.append(step.has_decorator("kubernetes")),
        late=("kubernetes",),
    )
    assert HEARD == [
        "flow before", ("before", "start"), ("before", "end"), "flow after", ("after", "start"), ("after", "end"),
    ]  # fmt: skip
    assert seen == [True], "the second time, what was attached late is there"


def test_a_mutator_from_the_command_line_is_heard_too() -> None:
    mutated(late=(name_of(Another),))
    assert HEARD.count(("before", "end")) == HEARD.count(("after", "end")) == 1
    assert HEARD.count(("before", "start")) == 2


def test_what_a_step_shows() -> None:
    seen: list[Any] = []

    def look(step: MutableStep) -> None:
        seen.extend(step.decorator_specs)
        usual = {"minutes_between_retries": "2", "on_oom": None}
        assert step.get_decorator_specs("retry") == [
            ("retry", "headway.flow.decorators.retry", [], {"times": 2, **usual})
        ]
        assert step.has_decorator("headway.flow.decorators.retry")
        assert step.has_decorator("On")
        assert step.has_decorator(name_of(On))
        assert not step.has_decorator("kubernetes")
        assert not step.has_decorator("other.retry")
        assert step.flow.cfg.cpu == 2
        assert step.name == "start"

    mutated(look)
    assert [(short, whole) for short, whole, _, _ in seen] == [
        ("On", name_of(On)),
        ("retry", "headway.flow.decorators.retry"),
    ]


def test_what_a_flow_shows() -> None:
    def look(flow: MutableFlow) -> None:
        assert [(name, value.cpu) for name, value in flow.configs] == [("settings", 2)]
        assert [name for name, _ in flow.parameters] == ["alpha"]
        assert [(name, step.name) for name, step in flow.steps] == [("start", "start"), ("end", "end")]
        assert flow.alpha.default == 1
        assert flow.start.has_decorator("retry")
        assert [short for short, *_ in flow.decorator_specs] == ["OnFlow"]
        assert flow.has_decorator("OnFlow")
        assert flow.get_decorator_specs("project") == []
        with pytest.raises(
            AttributeError, match=r"no step, configuration or parameter 'strt'\. Did you mean start"
        ):
            _ = flow.strt
        HEARD.append("looked")

    mutated(flow=look)
    assert "looked" in HEARD


def test_decorators_are_added_and_removed() -> None:
    def change(step: MutableStep) -> None:
        assert step.add_decorator(decorators.kubernetes, deco_kwargs={"cpu": step.flow.cfg.cpu}) is not None
        assert step.add_decorator("environment", deco_kwargs={"vars": step.flow.cfg.vars}) is not None
        assert step.add_decorator("timeout:minutes=2")
        assert step.add_decorator(Wrapper, deco_args=[3])
        assert step.add_decorator(f"{name_of(Wrapper)}:level=4") is None, "it is there"
        assert step.add_decorator("retry:times=1") is None
        assert step.add_decorator("kubernetes:memory=9", duplicates=MutableStep.OVERRIDE)
        assert not step.remove_decorator("timeout", deco_kwargs={"minutes": 3})
        assert step.remove_decorator("timeout", deco_kwargs={"minutes": 2})
        assert not step.remove_decorator("timeout")
        assert step.remove_decorator("retry")

    found = mutated(change)
    assert names(found) == ["Wrapper", "On", "environment", "kubernetes"]
    wrapper, _, environment, kubernetes = found.decorators["start"]
    assert wrapper.positional == (3,)
    assert environment.attributes == {"vars": {"A": "1"}}
    assert kubernetes.attributes == {"memory": 9}
    assert kubernetes.location[0] == __file__


def test_all_arguments_are_shown_and_none_that_nobody_wrote_is_written_by_putting_them_back() -> None:
    def change(step: MutableStep) -> None:
        assert step.add_decorator("resources:memory=8000")
        assert step.add_decorator("kubernetes:labels={}")
        ((_, _, _, asked),) = step.get_decorator_specs("resources")
        assert (int(asked["cpu"]), asked["memory"], asked["gpu"]) == (1, 8000, None)
        assert not step.remove_decorator("resources", deco_kwargs={**asked, "cpu": 2})
        assert step.remove_decorator("resources", deco_kwargs=asked)
        assert step.add_decorator("resources", deco_kwargs={**asked, "cpu": int(asked["cpu"]) * 2})
        for name, _, arguments, named in list(step.decorator_specs):
            if name == "kubernetes":
                assert (named["memory"], named["use_tmpfs"]) == ("4096", None)
                assert step.remove_decorator(name, arguments, named)
                assert step.add_decorator(name, arguments, {**named, "qos": "Burstable", "image": "mine"})
        ((_, _, _, hidden),) = step.get_decorator_specs("timeout")
        assert hidden == {"seconds": 0, "minutes": 5, "hours": 0}

    found = mutated(lambda step: (step.add_decorator("timeout:minutes=5"), change(step)))
    by_name = {spec.name: dict(spec.attributes) for spec in found.decorators["start"]}
    assert by_name["resources"] == {"cpu": 2, "memory": 8000}
    assert by_name["kubernetes"] == {"image": "mine"}, "and labels={} says what holds anyway"


def test_what_is_added_alone_is_written_also_where_it_says_what_holds_anyway() -> None:
    found = mutated(
        lambda step: step.add_decorator("kubernetes", deco_kwargs={"qos": "Burstable", "cpu": "1"})
    )
    assert found.decorators["start"][-1].attributes == {"qos": "Burstable", "cpu": "1"}


def test_what_is_written_wins_over_late_decorators_and_so_does_what_is_added() -> None:
    found = mutated(
        lambda step: step.add_decorator("kubernetes:cpu=7"), late=("kubernetes:cpu=1", "timeout:seconds=5")
    )
    kubernetes = found.decorators["start"][2]
    assert kubernetes.attributes == {"cpu": 7}
    assert [spec.source for spec in kubernetes.beneath] == ["--with kubernetes:cpu=1"]
    assert names(found, "end") == ["kubernetes", "timeout"]


def test_what_with_leaves_goes_on_filling_in_what_takes_a_decorators_place() -> None:
    def change(step: MutableStep) -> None:
        assert step.add_decorator("kubernetes:cpu=7", duplicates=MutableStep.OVERRIDE)

    late = ("kubernetes:cpu=1,memory=9", "kubernetes:disk=5")
    found = mutated(after_step=change, late=late)
    (kubernetes,) = [spec for spec in found.decorators["start"] if spec.name == "kubernetes"]
    assert kubernetes.attributes == {"cpu": 7}
    assert [spec.source for spec in kubernetes.beneath] == [f"--with {text}" for text in late]


def test_decorators_of_the_flow() -> None:
    def change(flow: MutableFlow) -> None:
        assert flow.add_decorator("project:name=fraud")
        assert flow.add_decorator(flow_decorators.project, deco_kwargs={"name": "other"}) is None
        assert flow.add_decorator("exit_hook", deco_kwargs={"on_success": ["f"]})
        assert flow.add_decorator("project", deco_kwargs={"name": "third"}, duplicates=flow.OVERRIDE)
        assert flow.remove_decorator("exit_hook")
        assert not flow.remove_decorator("exit_hook")
        assert flow.add_decorator(Added)
        assert flow.add_decorator(Added) is None

    class Added(OnFlow):
        def pre_mutate(self, mutable_flow: MutableFlow) -> None:
            HEARD.append("added before")

    found = mutated(flow=change)
    assert [(spec.name, dict(spec.attributes)) for spec in found.flow] == [("project", {"name": "third"})]
    assert HEARD[:2] == ["flow before", "added before"]


def test_parameters_are_added_and_removed_and_steps_are_told() -> None:
    def change(flow: MutableFlow) -> None:
        flow.add_parameter("beta", Parameter("beta", default=flow.cfg.cpu + 1, help="More."))
        assert flow.remove_parameter("my-alpha")
        assert not flow.remove_parameter("alpha")

    found = mutated(flow=change)
    assert list(found.parameters) == ["beta"]
    assert found.parameters["beta"].default == 3
    changes = changed_parameters(parameters_of(found.cls), found.parameters)
    assert set(changes) == {"alpha", "beta"}
    other = flow_class("class F(FlowSpec):\n    beta = 'a constant'\n    alpha = Parameter('alpha')\n")
    bind(other, TaskContext(_Source(), "start"))
    give_parameters(other, changes)
    flow = bind(other, TaskContext(_Source(), "start"))
    assert flow.beta == 5
    with pytest.raises(AttributeError, match="cannot change 'beta', which is a parameter"):
        flow.beta = 1
    flow.alpha = 2
    with pytest.raises(FlowDefinitionError, match="cannot be sent to steps"):
        changed_parameters({}, {"x": _unsendable()})


def _unsendable() -> Parameter:
    from headway.flow.include_file import IncludeFile

    return IncludeFile("x", parser=lambda text: text)


class _Source:
    def names(self) -> list[str]:
        return ["beta"]

    def load(self, name: str) -> Any:
        return 5

    def ref(self, name: str) -> Any:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"step": lambda s: s.add_decorator("retr")}, r"no step decorator 'retr'\.\nDid you mean retry"),
        ({"step": lambda s: s.add_decorator("retry:tmes=1", duplicates=3)}, "does not support the attribute 'tmes'"),
        ({"step": lambda s: s.add_decorator("retry:times=1", duplicates=2)}, "'start', which has it already"),
        ({"step": lambda s: s.add_decorator("retry:times=1", duplicates=9)}, "duplicates=9 is not possible"),
        ({"step": lambda s: s.add_decorator("retry:times=1", deco_kwargs={"times": 1})}, "holds arguments, and more"),
        ({"step": lambda s: s.add_decorator(3)}, "add_decorator is given 3"),
        ({"step": lambda s: s.add_decorator(flow_decorators.project)}, "add_decorator is given @project"),
        ({"step": lambda s: s.add_decorator(Wrapper, deco_kwargs={"lvel": 1})}, "unexpected keyword argument 'lvel'"),
        ({"step": lambda s: 1 / 0}, r"pre_mutate of @.*On on step 'start' failed: ZeroDivisionError"),
        ({"after_flow": lambda f: {}["x"]}, r"mutate of @.*OnFlow on flow F failed: KeyError: 'x'"),
        ({"after_step": lambda s: s.add_decorator(Another)}, r"too late\.\nDo it in pre_mutate"),
        ({"after_step": lambda s: s.remove_decorator("On")}, r"too late\.\nDo it in pre_mutate"),
        ({"after_flow": lambda f: f.add_parameter("x", Parameter("x"))}, "the parameter 'x' is added in mutate"),
        ({"after_flow": lambda f: f.remove_parameter("x")}, "the parameter 'x' is removed in mutate"),
        ({"after_flow": lambda f: f.add_decorator("project:name=a")}, "is added in mutate, which is too late"),
        ({"after_flow": lambda f: f.remove_decorator("project")}, "is removed in mutate, which is too late"),
        ({"flow": lambda f: f.remove_decorator("OnFlow")}, "'OnFlow' cannot be removed"),
        ({"flow": lambda f: f.add_parameter("alpha", Parameter("a"))}, "has 'alpha' already"),
        ({"flow": lambda f: f.add_parameter("start", Parameter("a"))}, "has 'start' already"),
        ({"flow": lambda f: f.add_parameter("x", 3)}, "add_parameter is given 3"),
        ({"flow": lambda f: f.add_parameter("x", Parameter("my_ALPHA"))}, "its name is taken"),
        ({"flow": lambda f: f.add_decorator(Wrapper)}, "which is no such decorator"),
    ],
)  # fmt: skip
def test_what_a_mutator_does_wrong_is_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        mutated(**changes)
    assert getattr(caught.value, "file", None) in (__file__, None)


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"step": lambda s: s.add_decorator("nope")}, UnknownStepDecoratorError, "no step decorator 'nope'"),
        ({"flow": lambda f: f.add_decorator("nope")}, UnknownFlowDecoratorError, "no flow decorator 'nope'"),
        (
            {"step": lambda s: s.add_decorator("retry:times=1", duplicates=2)},
            DuplicateStepDecoratorError,
            "on step|to step",
        ),
        (
            {"flow": lambda f: [f.add_decorator("project:name=a", duplicates=2) for _ in "ab"]},
            DuplicateFlowDecoratorError,
            "to flow",
        ),
    ],
)
def test_what_flows_catch_has_its_class(changes: dict[str, Any], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        mutated(**changes)


def test_an_error_says_where_in_the_mutator() -> None:
    with pytest.raises(FlowDefinitionError) as caught:
        mutated(lambda step: step.nothing())
    assert caught.value.file == __file__
    assert caught.value.line


def test_mutators_are_inherited_and_flows_without_any_are_left_alone() -> None:
    class Base(FlowSpec):
        pass

    assert not has_mutators(Base)
    marked = OnFlow(before=None)(Base)
    assert marked is Base
    assert OnFlow(Base) is Base

    class Derived(Base):
        pass

    assert has_mutators(Derived)


def test_late_decorators_of_ones_own() -> None:
    spec = parse_with(f"{name_of(Wrapper)}:level=3")
    assert (spec.user, spec.attributes, spec.attached) == (Wrapper, {"level": 3}, True)
    for text, words in (
        (f"{name_of(Wrapper)}:depth=3", "unexpected keyword argument 'depth'"),
        ("no.such_module.Thing", "There is no step decorator 'no.such_module.Thing'"),
        ("json.loads", "There is no step decorator 'json.loads'"),
    ):
        with pytest.raises(HeadwayError, match=words):
            parse_with(text)
