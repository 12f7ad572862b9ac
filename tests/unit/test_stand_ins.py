"""What stands in for slower modules of the standard library does what they do."""

import ast
import copy
import inspect
import pickle
import typing
from pathlib import Path

import pytest

from headway import plain
from headway.flow.decorators import DecoratorSpec
from headway.flow.docstrings import cleaned
from headway.flow.graph import Node
from headway.flow.syntax import definitions, parsed, walk

SOURCES = sorted((Path(__file__).parents[2] / "src/headway/flow").glob("*.py"))


class Ours(plain.NamedTuple):
    """A row."""

    name: str
    count: int = 3
    rest: plain.Tuple[str, ...] = ()

    @property
    def double(self) -> int:
        return 2 * self.count


class Theirs(typing.NamedTuple):
    """A row."""

    name: str
    count: int = 3
    rest: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("values", "named"),
    [(("a",), {}), (("a", 1, ("b",)), {}), (("a",), {"rest": ("x",)}), ((), {"count": 1, "name": "b"})],
)
def test_rows_are_made_as_named_tuples_are(values: tuple[object, ...], named: dict[str, object]) -> None:
    ours, theirs = Ours(*values, **named), Theirs(*values, **named)  # type: ignore[arg-type]
    assert tuple(ours) == tuple(theirs)
    assert ours == theirs
    assert hash(ours) == hash(theirs)
    assert ours._asdict() == theirs._asdict()
    assert repr(ours).replace("Ours", "Theirs") == repr(theirs)
    assert (ours.name, ours.count, ours.rest) == (theirs.name, theirs.count, theirs.rest)
    assert ours.double == 2 * ours.count
    assert tuple(ours._replace(count=9)) == tuple(theirs._replace(count=9))
    assert type(ours._replace(count=9)) is Ours
    assert pickle.loads(pickle.dumps(ours)) == ours
    assert type(copy.copy(ours)) is Ours


@pytest.mark.parametrize(
    ("values", "named"),
    [((), {}), (("a", 1, (), 4), {}), (("a",), {"name": "b"}), (("a",), {"other": 1}), ((), {"count": 1})],
)
def test_rows_refuse_what_named_tuples_refuse(values: tuple[object, ...], named: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        Theirs(*values, **named)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Ours(*values, **named)  # type: ignore[arg-type]


def test_rows_are_as_small_and_as_frozen() -> None:
    row = Ours("a")
    assert not hasattr(row, "__dict__")
    with pytest.raises(AttributeError):
        row.name = "b"  # type: ignore[misc]
    with pytest.raises(ValueError, match="other"):
        row._replace(other=1)
    assert Ours._fields == Theirs._fields
    assert Ours._field_defaults == Theirs._field_defaults
    assert Ours.__match_args__ == Theirs.__match_args__
    assert type(Ours) is type(Theirs) is type
    assert Ours._make(["a", 1, ()]) == Ours("a", 1, ())
    assert issubclass(Node, tuple)
    assert DecoratorSpec("retry") == DecoratorSpec(name="retry")


@pytest.mark.parametrize(
    "doc",
    [
        "",
        "One.",
        " One. ",
        "\n    One.\n\n        In.\n    Out.\n    ",
        "One.\n\tTab\n  two\n",
        "\n\n",
        "a\n  \n   b",
    ],
)
def test_docstrings_are_cleaned_as_inspect_does(doc: str) -> None:
    assert cleaned(doc) == inspect.cleandoc(doc)


def test_no_docstring() -> None:
    assert cleaned(None) == ""


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_trees_are_walked_as_ast_does(path: Path) -> None:
    tree = parsed(path.read_bytes(), str(path))
    every = list(ast.walk(tree))
    assert list(walk(tree)) == every
    functions = [each for each in every if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))]
    assert sorted(definitions(tree), key=id) == sorted(functions, key=id)
