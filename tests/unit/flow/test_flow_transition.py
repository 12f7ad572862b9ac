"""``self.next`` at run time: every form, and every refusal."""

import pickle
from typing import Any

import pytest
from flow_sources import FILE, MemorySource, body_source, bound, flow_class

from headway.flow.spec import call_step, transition_of
from headway.flow.task import Transition
from headway.flow.transition import InvalidTransitionError, check_followed


def said(statements: str, **values: Any) -> Transition | None:
    lines = "\n    ".join(statements.splitlines())
    source = body_source(
        f"""\
@step
def work(self):
    {lines}
@step
def a(self): pass
@step
def b(self): pass
@parallel
@step
def gang(self): pass
def helper(self): pass
"""
    )
    flow = bound(flow_class(source), source=MemorySource(**values))
    returned = call_step(flow)
    assert returned == transition_of(flow)
    return returned


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ("pass", None),
        ("self.next(self.a)", Transition(("a",))),
        ("self.next(self.a, self.b)", Transition(("a", "b"))),
        ("self.next(self.a, foreach='xs')", Transition(("a",), "xs", 3)),
        ("self.xs = {1: 2}\nself.next(self.a, foreach='xs')", Transition(("a",), "xs", 1)),
        ("self.next(self.gang, num_parallel=4)", Transition(("gang",), "_parallel", 4)),
        ("self.next({'u': self.a, 'v': self.b}, condition='kind')",
         Transition(("b",), condition="kind", choice="v")),
        ("self.next({1: self.a, True: self.b}, condition='flag')",
         Transition(("b",), condition="flag", choice="True")),
        ("self.next(self.a, foreach=None)", Transition(("a",))),
    ],
)  # fmt: skip
def test_said(statements: str, expected: Transition | None) -> None:
    assert said(statements, xs="abc", kind="v", flag=True) == expected


REFUSED = {
    "self.next()": "no step is named",
    "self.next(self.a, oops=1)": "there is no argument 'oops'",
    "self.next(self.a)\nself.next(self.b)": "is called a second time, after line 4",
    "self.next('a')": "'a' is not a step",
    "self.next(self.helper)": "is not a step",
    "self.next(self.a())": "None is not a step",
    "self.next(self.a, self.a)": "a step is named twice: a, a",
    "self.next(self.a, foreach=['x'])": "foreach takes the name of an artifact, not list",
    "self.next(self.a, self.b, foreach='xs')": "a foreach leads to one step, not to a, b",
    "self.next(self.a, foreach='nothing')": "the foreach variable 'nothing' is not an artifact of this step",
    "self.next(self.a, foreach='number')": "the foreach variable 'number' is 5, which cannot be iterated",
    "self.next(self.a, foreach='once')": "which gives its items only once",
    "self.next(self.a, foreach='none')": "the foreach over 'none' has no items",
    "self.next(self.a, foreach='xs', num_parallel=2)": "foreach and num_parallel cannot be combined",
    "self.next(self.gang, num_parallel=0)": "num_parallel is a number of nodes of at least 1, not 0",
    "self.next(self.gang, num_parallel='4')": "num_parallel is a number of nodes of at least 1, not '4'",
    "self.next(self.gang, self.a, num_parallel=2)": "num_parallel leads to one step",
    "self.next({'v': self.a})": "a dict of steps needs a condition",
    "self.next({}, condition='kind')": "a switch needs at least one case",
    "self.next(self.a, condition='kind')": "a condition needs one dict",
    "self.next({'v': self.a}, self.b, condition='kind')": "a condition needs one dict",
    "self.next({'v': self.a}, condition=5)": "the condition is the name of an artifact, not int",
    "self.next({'v': 'a'}, condition='kind')": "'a' is not a step",
    "self.next({'u': self.a}, condition='kind')": "the condition 'kind' is 'v', which is none of the cases 'u'",
    "self.next({'u': self.a}, condition='xs')": "the condition 'xs' is 'abc', which is none of the cases",
    "self.next({'u': self.a}, condition='listed')": "the condition 'listed' is [1], which is none of the cases",
    "self.next({'u': self.a}, condition='nothing')": "the condition 'nothing' is not an artifact of this step",
    "self.next({'v': self.a}, condition='kind', foreach='xs')": "a switch cannot be combined",
    "self.next({'v': self.a}, condition='kind', num_parallel=2)": "a switch cannot be combined",
}


@pytest.mark.parametrize("statements", REFUSED, ids=str)
def test_refused(statements: str) -> None:
    with pytest.raises(InvalidTransitionError) as caught:
        said(statements, xs="abc", kind="v", number=5, once=iter([1]), none=[], listed=[1])
    assert REFUSED[statements] in caught.value.message
    assert "self.next() in step 'work'" in caught.value.message
    assert (caught.value.file, caught.value.line) == (FILE, 4 + statements.count("\n"))


def test_an_unknown_step_is_a_missing_artifact() -> None:
    with pytest.raises(AttributeError, match="Step 'work' has no artifact 'c'"):
        said("self.next(self.c)")


A, AB, EACH, GANG = Transition(("a",)), Transition(("a", "b")), Transition(("a",), "xs", 3), ("_parallel", 2)


@pytest.mark.parametrize(
    ("leads", "targets", "said"),
    [
        ("linear", ("a",), A),
        ("linear", ("a",), Transition(("a",), condition="kind", choice="x")),
        ("join", ("a",), A),
        ("split", ("a", "b"), AB),
        ("split", ("b", "a"), AB),
        ("foreach", ("a",), EACH),
        ("foreach", ("a",), EACH._replace(foreach="more", splits=9)),
        ("parallel", ("a",), Transition(("a",), *GANG)),
        ("switch", ("a", "b"), A),
        ("", ("a", "b"), A),
    ],
)
def test_a_step_ends_as_the_graph_has_it(leads: str, targets: tuple[str, ...], said: Transition) -> None:
    check_followed("work", targets, said, leads)


@pytest.mark.parametrize(
    ("leads", "targets", "said", "words"),
    [
        ("linear", ("a",), None, "ended without saying"),
        ("linear", ("b",), A, "leads to a, where the flow's graph has b"),
        ("linear", ("a",), EACH, "leads to a by a foreach, where the flow's graph has it lead there once"),
        ("foreach", ("a",), A, "leads to a once, where the flow's graph has it lead there by a foreach"),
        ("foreach", ("a",), Transition(("a",), *GANG), "by num_parallel, where"),
        ("switch", ("a", "b"), EACH, "by a foreach, where"),
        ("switch", ("a", "b"), AB, "leads to a, b at once, and a switch leads to one of them"),
        ("split", ("a", "b"), A, "leads to a only, where the flow's graph has a, b"),
    ],
)
def test_a_step_that_ends_otherwise_is_refused(
    leads: str, targets: tuple[str, ...], said: Transition | None, words: str
) -> None:
    with pytest.raises(InvalidTransitionError, match="Step 'work'") as caught:
        check_followed("work", targets, said, leads)
    assert words in caught.value.message


@pytest.mark.parametrize("condition", ["kind", "xs", "listed"])
def test_a_value_without_a_case_is_a_runtime_error_too(condition: str) -> None:
    with pytest.raises(RuntimeError) as caught:
        said(f"self.next({{'u': self.a}}, condition='{condition}')", kind="v", xs="abc", listed=[1])
    assert isinstance(caught.value, InvalidTransitionError)
    assert pickle.loads(pickle.dumps(caught.value)).args == caught.value.args
