"""Modules as pods load them: without annotations and typing, named tuples spelled out."""

import ast
import sys
from pathlib import Path
from typing import Any

import pytest

import headway
from headway import plain
from headway.executors.kubernetes.slim import compile_slim, without_words

SOURCE = '''
"""A module."""
from __future__ import annotations
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, NamedTuple, Optional, TypeVar, Union, overload

if TYPE_CHECKING:
    from nowhere import Thing

Pair = Union[int, Dict[str, "Thing"]]
T = TypeVar("T", bound=Pair)
shared: List[int] = []
unset: int


class Point(NamedTuple):
    """A point."""

    x: int
    tags: List[str] = shared
    y: Optional[Thing] = None

    @property
    def sum(self) -> int:
        total: int
        total = self.x + (self.y or 0)
        return total


class Empty(NamedTuple):
    pass


class Open:
    place: int

    def only(self, x: Any) -> None:
        kept: int


@overload
def twice(x: int) -> int: ...


@overload
def twice(x: str) -> str: ...


def twice(x: Union[int, str], *rest: int, by: Callable[..., T] = lambda y: y, **more: Thing) -> T:
    return by(x * 2)


def is_mapping(x: object) -> bool:
    if TYPE_CHECKING:
        raise AssertionError
    return isinstance(x, Mapping)
'''


def executed(source: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "some.module"}
    exec(compile_slim(source.encode(), "some/module.py"), names)
    return names


@pytest.mark.parametrize("place", ["typing", "headway.plain"])
def test_what_remains_behaves_as_written(place: str) -> None:
    module = executed(SOURCE.replace("from typing", f"from {place}"))
    assert "__new__" in vars(module["Point"]), "spelled out"
    point = module["Point"](1, y=2)
    assert repr(point) == "Point(x=1, tags=[], y=2)"
    assert point.sum == 3
    assert point.tags is module["shared"], "a default is evaluated once, where it stands"
    assert module["Point"]._field_defaults == {"tags": [], "y": None}
    assert module["Empty"]() == ()
    assert module["twice"]("ab") == "abab"
    assert module["is_mapping"]({})
    assert module["Open"]().only(1) is None


def test_nothing_remains_of_annotations() -> None:
    module = executed(SOURCE)
    assert not module["twice"].__annotations__
    assert "unset" not in module
    assert "Thing" not in module
    assert not {"NamedTuple", "TYPE_CHECKING", "overload"} & set(module)
    assert (module["List"], module["Any"]) == (plain.List, plain.Any)


def test_code_keeps_its_lines_and_its_file() -> None:
    code = executed(SOURCE)["is_mapping"].__code__
    assert code.co_filename == "some/module.py"
    assert SOURCE.splitlines()[code.co_firstlineno - 1].startswith("def is_mapping")


def test_a_module_that_uses_typing_otherwise_is_left_as_it_is() -> None:
    module = executed(
        "import typing\nfrom typing import NamedTuple\n\nclass P(NamedTuple):\n    x: typing.Any = 1\n"
    )
    assert module["P"]().x == 1
    assert module["typing"] is sys.modules["typing"]
    assert executed("from typing import get_type_hints\nx = get_type_hints")["x"].__module__ == "typing"


def without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        bodied = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if (
            bodied
            and ast.get_docstring(node) is not None
            and (len(node.body) > 1 or isinstance(node, ast.Module))
        ):
            del node.body[0]
    return tree


@pytest.mark.budget(8)
def test_sources_without_words_say_the_same_on_the_same_lines() -> None:
    package = Path(headway.__file__).parent
    compared = 0
    for path in sorted(package.rglob("*.py")):
        source = path.read_bytes()
        lean = without_words(source)
        expected = ast.dump(without_docstrings(ast.parse(source)), include_attributes=True)
        # One that shares its line with code may stay.
        found = ast.dump(without_docstrings(ast.parse(lean)), include_attributes=True)
        assert found == expected, path
        assert lean.count(b"\n") == source.count(b"\n")
        compared += len(lean) < len(source)
    assert compared > 300


def test_a_comment_sign_within_text_stays() -> None:
    source = b'"""Doc."""\n# gone\nx = """\n# kept\n"""  # kept too\n\n\ndef f():\n    """Only."""\n'
    assert without_words(source) == b'\n\nx = """\n# kept\n"""  # kept too\n\n\ndef f():\n    """Only."""\n'
