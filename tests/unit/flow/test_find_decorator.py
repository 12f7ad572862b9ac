"""A decorator of one's own that is named and not had: the words say why, and where one's own code is to blame."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headway.errors import FlowDefinitionError, UsageError
from headway.flow.late import parse_with
from headway.flow.named_decorator import flow_spec

GOOD = """
from headway import FlowMutator, StepMutator, UserStepDecorator, user_step_decorator

@user_step_decorator
def timed(step_name, flow, inputs=None, attributes=None):
    yield

class Sized(StepMutator):
    pass

class Whole(FlowMutator):
    pass
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], Path]]:
    """Writes a module that can be imported in this test."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def write(name: str, text: str) -> Path:
        path = tmp_path / f"{name}.py"
        path.write_text(text)
        return path

    yield write
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) in {str(path) for path in tmp_path.iterdir()}:
            del sys.modules[name]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("x = 1\nimport notthere\n", 2, "ModuleNotFoundError: No module named 'notthere'."),
        ("from json import nothing\n", 1, "ImportError: cannot import name 'nothing' from 'json'"),
        ("import wrong_mod.below\n", 1, "ModuleNotFoundError: No module named 'wrong_mod.below'"),
        ("\n\ndef f(:\n", 3, "SyntaxError: invalid syntax"),
        ("def f():\n    return 1 / 0\nf()\n", 2, "ZeroDivisionError: division by zero."),
    ],
)
def test_a_module_whose_import_fails(
    module: Callable[[str, str], Path], text: str, line: int, words: str
) -> None:
    path = module("wrong_mod", text)
    with pytest.raises(UsageError) as caught:
        parse_with("wrong_mod.deco:a=1")
    start = f"--with wrong_mod.deco:a=1: the import of module 'wrong_mod' failed: {words}"
    assert caught.value.message.startswith(start)
    assert isinstance(caught.value, FlowDefinitionError)
    assert (caught.value.file, caught.value.line) == (str(path), line), "the person's own line"


@pytest.mark.parametrize(
    ("name", "words", "hint"),
    [
        (
            "nomod.deco",
            "There is no step decorator 'nomod.deco': no module 'nomod' is found.",
            "beside the flow",
        ),
        ("good_mod.below.deco", "no module 'good_mod.below' is found", "beside the flow"),
        ("../good_mod.deco", "no module '../good_mod' is found", "beside the flow"),
        (".deco", "no module '' is found", "beside the flow"),
        (
            "good_mod.times",
            "There is no step decorator 'good_mod.times': module 'good_mod' holds no such decorator.",
            "Did you mean timed? It holds: Sized, timed.",
        ),
        ("json.loads", "module 'json' holds no such decorator.", None),
        (
            "good_mod.Whole",
            "'good_mod.Whole' is a flow mutator, and cannot be added to a step.",
            "Put @Whole above the class of a flow.",
        ),
    ],
)
def test_what_is_there_in_its_place(
    module: Callable[[str, str], Path], name: str, words: str, hint: str | None
) -> None:
    module("good_mod", GOOD)
    with pytest.raises(UsageError) as caught:
        parse_with(name)
    assert caught.value.message.startswith(f"--with {name}: ")
    assert words in caught.value.message
    assert (caught.value.hint is None) == (hint is None)
    assert (hint or "") in (caught.value.hint or "")


def test_a_decorator_of_steps_that_a_mutator_adds_to_a_flow(module: Callable[[str, str], Path]) -> None:
    module("good_mod", GOOD)
    assert parse_with("good_mod.timed").name == "good_mod.timed"
    with pytest.raises(
        FlowDefinitionError, match="is a decorator of steps, and cannot be added to a flow"
    ) as caught:
        flow_spec("good_mod.Sized", None, None, "flow.py:3")
    assert caught.value.hint == "Put @Sized above @step."
    assert caught.value.line == 3
