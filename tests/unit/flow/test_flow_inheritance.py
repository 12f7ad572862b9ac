"""Where steps come from: base classes, other files, packages, ``-c``, wrapped functions."""

import functools
import importlib
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path
from typing import Any

import pytest
from flow_sources import bound, flow_class, parse, shapes

from headway.errors import FlowDefinitionError
from headway.flow.parse import parse_flow
from headway.flow.source import command_source
from headway.flow.spec import FlowSpec, call_step
from headway.flow.step import step, steps_of

SOURCE = Path(__file__).parents[3] / "src"

INHERITING = """
class Base(FlowSpec):
    @step
    def start(self):
        self.next(self.work)
    @step
    def work(self):
        self.next(self.end)
    @step
    def end(self):
        pass

class Mixin:
    @step
    def extra(self):
        self.next(self.end)

class Derived(Mixin, Base):
    @step
    def work(self):
        self.next(self.extra)
"""


def test_steps_are_inherited_and_overridden() -> None:
    graph = parse(INHERITING, "Derived")
    assert graph.name == "Derived"
    assert {name: shape.targets for name, shape in shapes(graph).items()} == {
        "start": ("work",),
        "work": ("extra",),
        "end": (),
        "extra": ("end",),
    }
    assert list(parse(INHERITING, "Base").nodes) == ["start", "work", "end"]


def test_an_override_that_is_no_step_hides_the_step() -> None:
    cls = flow_class(
        "class A(FlowSpec):\n @step\n def a(self): pass\n @step\n def b(self): pass\nclass B(A):\n b = None\n"
    )
    assert list(steps_of(cls)) == ["a"]


class OfThisFile(FlowSpec):
    # A comment, and a decorator of the user's own below.

    @step
    def start(self) -> None:
        """Doc."""
        self.next(self.end)  # and one here

    @step
    def end(self) -> None: ...


def test_a_class_in_a_file() -> None:
    graph = parse_flow(OfThisFile)
    assert graph["start"].file == __file__
    assert graph["start"].targets == ("end",)


def test_classes_of_the_same_name_in_functions_are_told_apart() -> None:
    def make(flag: bool) -> Any:
        if flag:

            class Local(FlowSpec):
                @step
                def start(self) -> None:
                    self.next(self.one)

                @step
                def one(self) -> None: ...

        else:

            class Local(FlowSpec):  # type: ignore[no-redef]
                @step
                def start(self) -> None:
                    self.next(self.two)

                @step
                def two(self) -> None: ...

        return Local

    assert parse_flow(make(True)).end == "one"
    assert parse_flow(make(False)).end == "two"


def test_a_decorator_of_the_users_own_is_looked_through() -> None:
    def logged(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(*args: Any) -> Any:
            return function(*args)

        return wrapper

    class Wrapped(FlowSpec):
        @logged
        @step
        def start(self) -> None:
            self.next(self.end)

        @step
        @logged
        def end(self) -> None: ...

    graph = parse_flow(Wrapped)
    assert graph["start"].targets == ("end",)


def test_a_wrapper_without_its_functions_name_still_leads_on() -> None:
    class Flow(FlowSpec):
        @step
        def work(self) -> None:
            self.next(self.end)

        def wrapper(self) -> None: ...

        wrapper.__dict__.update(work.__dict__)
        end = wrapper
        del wrapper

    assert call_step(bound(Flow)).targets == ("end",)  # type: ignore[union-attr]


def test_a_step_that_is_no_function() -> None:
    class Odd:
        def __call__(self) -> None: ...

    class Flow(FlowSpec):
        start = step(Odd())

    with pytest.raises(FlowDefinitionError, match="A step is a plain method, but a decorator has made"):
        parse_flow(Flow)


def test_a_module_in_a_zip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "flows.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(
            "zipped_flow.py",
            "from headway.flow.spec import FlowSpec\nfrom headway.flow.step import step\n"
            "class F(FlowSpec):\n    @step\n    def start(self):\n        self.next(self.end)\n"
            "    @step\n    def end(self):\n        pass\n",
        )
    monkeypatch.syspath_prepend(str(archive))
    assert parse_flow(importlib.import_module("zipped_flow").F).end == "end"


def test_a_package_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "a_package_of_flows"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "base.py").write_text(
        "from headway.flow.spec import FlowSpec\nfrom headway.flow.step import step\n"
        "class Base(FlowSpec):\n    @step\n    def start(self):\n        self.next(self.end)\n"
    )
    (package / "flow.py").write_text(
        "from headway.flow.step import step\nfrom a_package_of_flows.base import Base\n"
        "class Flow(Base):\n    @step\n    def end(self):\n        pass\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    graph = parse_flow(importlib.import_module("a_package_of_flows.flow").Flow)
    assert graph["start"].file.endswith("base.py")
    assert graph["end"].file.endswith("flow.py")


def test_a_program_given_with_c() -> None:
    program = (
        "from headway.flow.parse import parse_flow\nfrom headway.flow.spec import FlowSpec\n"
        "from headway.flow.step import step\n"
        "class TestFlow(FlowSpec):\n"
        "    @step\n    def start(self):\n        print('Running!')\n        self.next(self.end)\n"
        "    @step\n    def end(self):\n        pass\n\n"
        "print(parse_flow(TestFlow))"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-X", "utf8", "-c", program, "run", "--with", "kubernetes"],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(SOURCE)},
    )
    assert done.stdout == "<Graph TestFlow: start, end>\n", done.stderr


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["-c", "TEXT", "run"], "TEXT"),
        (["-u", "-c", "TEXT"], "TEXT"),
        (["-uc", "TEXT", "-c", "other"], "TEXT"),
        (["-cTEXT"], "TEXT"),
        (["-X", "dev", "-W", "error", "-c", "TEXT"], "TEXT"),
        (["-Xdev", "-Werror", "-c", "TEXT"], "TEXT"),
        (["-W", "-c", "-c", "TEXT"], "TEXT"),
        (["--check-hash-based-pycs", "always", "-c", "TEXT"], "TEXT"),
        (["flow.py", "-c", "TEXT"], None),
        (["-m", "flow", "-c", "TEXT"], None),
        (["-mflow", "-c", "TEXT"], None),
        (["-"], None),
        (["-c"], None),
        ([], None),
    ],
)
def test_the_program_among_the_interpreters_arguments(words: list[str], expected: str | None) -> None:
    assert command_source(["python", *words]) == expected


def test_an_indented_program() -> None:
    # As Python 3.14 runs what is given with -c.
    names: dict[str, Any] = {"FlowSpec": FlowSpec, "step": step}
    program = "class F(FlowSpec):\n    @step\n    def a(self): pass\n"
    exec(program, names)
    assert parse_flow(names["F"], textwrap.indent(program, "    ")).end == "a"


def test_without_source_the_error_says_what_to_do() -> None:
    names: dict[str, Any] = {"FlowSpec": FlowSpec, "step": step}
    exec("class F(FlowSpec):\n @step\n def a(self): pass", names)
    with pytest.raises(FlowDefinitionError, match="source of step 'a' cannot be read") as caught:
        parse_flow(names["F"])
    assert "Put the flow in a file" in str(caught.value)


def test_a_file_that_changed_since_its_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "flow_that_changes.py"
    path.write_text(
        "from headway.flow.spec import FlowSpec\nfrom headway.flow.step import step\n"
        "class F(FlowSpec):\n    @step\n    def only(self): pass\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    cls = importlib.import_module("flow_that_changes").F
    path.write_text("# a new first line\n" + path.read_text())
    with pytest.raises(FlowDefinitionError, match="has changed since its import"):
        parse_flow(cls)
