"""Every flow that is none, and the words in which it is refused."""

# ruff: noqa: E501 - tables

import pytest
from flow_sources import FILE, refused, refused_steps

from headway.errors import FlowDefinitionError

END = "@step\ndef end(self): pass\n"

#: Name to (steps, step named, part of the message, part of the hint).
GRAPHS: dict[str, tuple[dict[str, str], str, str]] = {
    "unknown step": (
        {"start": "self.trian", "train": "self.end", "end": ""},
        "Step 'start' leads to 'trian'", "Did you mean self.train?",
    ),
    "a step named twice": (
        {"start": "self.a, self.a", "a": "self.end", "end": ""}, "'start' leads to 'a' twice", "Name each step once",
    ),
    "orphan": (
        {"start": "self.end", "orphan": "self.end", "end": ""},
        "Step 'orphan' is never reached from 'start'", "self.next(self.orphan)",
    ),
    "an orphan in a flow without named start": (
        {"a": "self.end", "b": "self.end", "end": ""},
        "Steps 'a' and 'b' can each be the start", "name it 'start', mark it @step(start=True)",
    ),
    "several ends": (
        {"start": "self.a, self.b", "a": "", "b": ""},
        "Steps 'a' and 'b' can each be the end", "mark it @step(end=True)",
    ),
    "missing next": (
        {"start": "self.a", "a": "", "end": ""}, "Step 'a' does not say what follows", "self.next(self.end)",
    ),
    "loop": (
        {"start": "self.a", "a": "self.b", "b": "self.c", "c": '{"x": self.a, "y": self.end}, condition="k"', "end": ""},
        "closes a loop: a → b → c → a", "only a switch may lead to its own step",
    ),
    "a loop that is all there is": (
        {"a": "self.b", "b": "self.a"}, "Flow 'F' has no start", "Let nothing lead to its first step",
    ),
    "a linear step to itself": (
        {"start": "self.a", "a": "self.a", "end": ""}, "Step 'a' leads to itself", "Only a switch",
    ),
    "something leads to the start": (
        {"start": "self.a", "a": '{"x": self.start, "y": self.end}, condition="k"', "end": ""},
        "Step 'a' leads to 'start', where the flow starts", "Nothing can lead to the start",
    ),
    "the end leads on": (
        {"start": "self.end", "end": "self.a", "a": ""}, "Step 'end' is the end of the flow, but has", "Leave self.next out",
    ),
    "no end": (
        {"start": "self.a", "a": '{"x": self.a, "y": self.b}, condition="k"', "b": "self.a"},
        "Flow 'F' has no end", "Leave self.next out of its last step",
    ),
    "join without split": (
        {"start": "self.join", "join": "self.end", "end": ""},
        "Step 'join' takes inputs, but no split is open there", "Write def join(self)",
    ),
    "the start joins": (
        {"join": "self.end", "end": ""}, "Step 'join' is the start and takes inputs", "def join(self)",
    ),
    "the end joins": (
        {"start": 'self.a, foreach="x"', "a": "self.join", "join": ""},
        "Step 'join' is the end of the flow and a join", "in a step of its own",
    ),
    "split never joined": (
        {"start": 'self.a, foreach="x"', "a": "self.end", "end": ""},
        "Split 'start' is never joined", "def join(self, inputs), before 'end'",
    ),
    "an inner split never joined": (
        {
            "start": 'self.a, foreach="x"', "a": 'self.b, foreach="y"', "b": "self.join", "join": "self.end",
            "end": "",
        },
        "Split 'start' is never joined", "before 'end'",
    ),
    "one join too many": (
        {
            "start": 'self.a, foreach="x"', "a": "self.join", "join": "self.join_again", "join_again": "self.end",
            "end": "",
        },
        "Step 'join_again' takes inputs, but no split is open", "there is nothing",
    ),
    "branches meet in a step that is no join": (
        {"start": "self.a, self.b", "a": "self.c", "b": "self.c", "c": "self.end", "end": ""},
        "Step 'c' is reached from 'a' and 'b', which are different branches", "def c(self, inputs)",
    ),
    "branches of two splits joined at once": (
        {
            "start": "self.a, self.b", "a": "self.c, self.d", "b": "self.join", "c": "self.join", "d": "self.join",
            "join": "self.end", "end": "",
        },
        "joins branches of different splits: 'b' of 'start'; 'c', 'd' of 'a'", "the inner one first",
    ),
    "a branch that goes elsewhere": (
        {
            "start": "self.a, self.b, self.c", "a": "self.join", "b": "self.join", "c": "self.join_c",
            "join": "self.join_c", "join_c": "self.end", "end": "",
        },
        "Step 'join' joins 'a', 'b', but split 'start' has more branches: 'c'", "every branch of 'start'",
    ),
    "a split straight into a join": (
        {"start": 'self.join, foreach="x"', "join": "self.end", "end": ""},
        "Step 'start' splits straight into 'join'", "Put a step between",
    ),
    "a branch straight into a join": (
        {"start": "self.a, self.join", "a": "self.join", "join": "self.end", "end": ""},
        "'start'", "",
    ),
    "a conditional way into a join": (
        {
            "start": 'self.a, foreach="x"', "a": '{"l": self.b, "r": self.join}, condition="k"', "b": "self.join",
            "join": "self.end", "end": "",
        },
        "of which only one runs", "Introduce an intermediate, unconditional step",
    ),
    "num_parallel to a step that is no gang": (
        {"start": "self.a, num_parallel=2", "a": "self.join", "join": "self.end", "end": ""},
        "'a' is not a @parallel step", "Write @parallel above step 'a'",
    ),
    "a gang without a number of nodes": (
        {"start": "self.gang", "gang": "self.end", "end": ""},
        "without saying on how many nodes", "num_parallel=N",
    ),
    "a join of a gang that is one task": (
        {"start": "self.gang", "gang": "self.join", "join": "self.end", "end": ""},
        "takes inputs, but 'gang', reached by a plain self.next, is one task", "self.next(self.gang, num_parallel=N)",
    ),
    "a gang without a join": (
        {"start": "self.gang, num_parallel=2", "gang": "self.a", "a": "self.join", "join": "self.end", "end": ""},
        "Step 'gang' is @parallel, so that a join has to follow", "def join(self, inputs)",
    ),
    "a reserved name": ({"start": "self.index", "index": "self.end", "end": ""}, "Step 'index' has a name that every", ""),
    "a name in upper case": ({"start": "self.End", "End": ""}, "Step 'End' has a name that a step cannot", "lower-case"),
    "a name with an underscore first": ({"start": "self._a", "_a": ""}, "Step '_a' has a name", "no underscore first"),
}  # fmt: skip


@pytest.mark.parametrize("case", GRAPHS, ids=str)
def test_graph(case: str) -> None:
    said, message, hint = GRAPHS[case]
    error = refused_steps(**said)
    assert message in error.message
    assert hint in str(error)
    assert error.file == FILE
    assert error.line
    assert error.exit_code == 2


#: What stands as the last statement of the start, and what is said of it.
STATEMENTS = {
    "self.next()": ("Step 'start' names no step in self.next", "Write one of"),
    "self.next(self.end())": ("passes self.end() to self.next", "Write self.end, without calling it"),
    "self.next('end')": ("passes 'end' to self.next, which is not a step", "Write one of"),
    "self.next(*steps)": ("passes *steps to self.next", "Write one of"),
    "self.next(end)": ("passes end to self.next", "Write one of"),
    "self.next(Other.end)": ("passes Other.end to self.next, which is not a step", "Write one of"),
    "self.next(self.end, for_each='x')": ("passes for_each to self.next", "Did you mean foreach?"),
    "self.next(self.end, **options)": ("passes ** to self.next", "Known: condition, foreach"),
    "self.next(self.end, foreach='')": ("passes foreach='', which cannot be an artifact", "as text"),
    "self.next(self.end, foreach=['a'])": ("passes foreach=['a']", "as text"),
    "self.next(self.a, self.b, foreach='x')": (
        "passes foreach with 2 steps",
        "split in the step that follows",
    ),
    "self.next(self.end, foreach='x', num_parallel=2)": (
        "passes foreach and num_parallel",
        "Use one of them",
    ),
    "self.next(self.end, num_parallel=0)": ("passes num_parallel=0", "at least 1"),
    "self.next(self.end, num_parallel='2')": ("passes num_parallel='2'", "at least 1"),
    "self.next({'x': self.a})": ("passes a dict of steps alone", 'condition="kind"'),
    "self.next({'x': self.a}, foreach='x')": ("passes a dict of steps with foreach", 'condition="kind"'),
    "self.next({'x': self.a, 'y': self.b}, condition=kind)": ("passes condition=kind", 'condition="items"'),
    "self.next({'x': self.a}, condition='k')": ("fewer than two cases", "Add a case"),
    "self.next({name: self.a, 'y': self.b}, condition='k')": ("the case name", "A case is a text"),
    "self.next({**cases}, condition='k')": ("the case **", "A case is a text"),
    "self.next({'x': a, 'y': self.b}, condition='k')": ("passes a to self.next", "Write one of"),
    "self.next(self.a, condition='k')": ("passes condition to self.next without one dict", "A switch is"),
    "if self.x: self.next(self.end)": ("not as its last statement", "outside of if"),
    "return self.next(self.end)": ("not as its last statement", "return"),
    "self.next(self.end); self.x = 1": ("not as its last statement", "Move it to the end"),
    "self.next(self.a); self.next(self.end)": (
        "calls self.next in two ways: self.next(self.a) and, at its end, self.next(self.end)",
        "they all end in the same call",
    ),
    "self.next(self.end); self.next(self.end)": ("calls self.next twice", "they all end in the same call"),
}


@pytest.mark.parametrize("statement", STATEMENTS, ids=str)
def test_statement(statement: str) -> None:
    message, hint = STATEMENTS[statement]
    error = refused(f"@step\ndef start(self):\n    {statement}\n{END}")
    assert "Step 'start'" in error.message
    assert message in error.message
    assert hint in str(error)
    assert (error.file, error.line) == (FILE, 4)


@pytest.mark.parametrize(
    ("signature", "message"),
    [
        ("def start():", "takes 0 arguments"),
        ("def start(self, a, b):", "takes 3 arguments"),
        ("def start(self, *inputs):", "takes *arguments, **arguments or keyword-only ones"),
        ("def start(self, **inputs):", "takes *arguments, **arguments or keyword-only ones"),
        ("def start(self, *, inputs):", "takes *arguments, **arguments or keyword-only ones"),
        ("async def start(self):", "is an async function"),
    ],
)
def test_signature(signature: str, message: str) -> None:
    error = refused(f"@step\n{signature}\n    pass\n{END}")
    assert message in error.message
    assert error.line == 3


def test_a_flow_without_steps() -> None:
    assert "Flow 'F' has no steps" in refused("x = 1").message


@pytest.mark.parametrize("role", ["start", "end"])
def test_two_annotations(role: str) -> None:
    error = refused(
        f"""
        @step({role}=True)
        def a(self): self.next(self.b)
        @step({role}=True)
        def b(self): pass
        """
    )
    assert error.message == f"Steps 'a' and 'b' are all marked @step({role}=True)."


@pytest.mark.parametrize("role", ["start", "end"])
def test_annotation_against_name(role: str) -> None:
    error = refused(
        f"""
        @step({role}=True)
        def a(self): self.next(self.b)
        @step
        def b(self): self.next(self.{role})
        @step
        def {role}(self): pass
        """
    )
    assert f"marked @step({role}=True), but there is a step called '{role}'" in error.message


def test_catch_cannot_stand_on_a_foreach() -> None:
    error = refused(
        f"""
        @catch
        @step
        def start(self): self.next(self.a, foreach="x")
        @step
        def a(self): self.next(self.join)
        @step
        def join(self, inputs): self.next(self.end)
        {END.replace(chr(10), chr(10) + " " * 8)}
        """
    )
    assert "is @catch and ends with a foreach" in error.message


def test_errors_are_usage_errors_with_a_place() -> None:
    error = refused("@step\ndef start(self):\n    self.next(self.nothing)\n" + END)
    assert isinstance(error, FlowDefinitionError)
    assert error.line == 4
