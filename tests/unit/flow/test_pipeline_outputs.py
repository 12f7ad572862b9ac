"""The names of a step's outputs: from its annotation, else from what it returns."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any, Tuple  # noqa: UP035 - as flows have them

import pytest

from headway.errors import FlowDefinitionError
from headway.flow.outputs import Outputs, outputs_of
from headway.flow.source import SourceReader

if TYPE_CHECKING:
    from nowhere import Missing  # type: ignore[import-not-found]


def none() -> None: ...


def one() -> int:
    return 1


def maybe() -> int | None:
    return 1


def named() -> Annotated[int, "rows"]:
    return 1


def configured() -> Annotated[int, SimpleNamespace(name="rows")]:  # as ArtifactConfig
    return 1


def pair() -> tuple[int, str]:
    return 1, ""


def old_pair() -> Tuple[Annotated[int, "a"], str]:  # noqa: UP006
    return 1, ""


def many() -> tuple[int, ...]:
    return (1,)


def unwritten():  # type: ignore[no-untyped-def]
    return 1


def unwritten_pair(flag=True):  # type: ignore[no-untyped-def]
    def inner():  # type: ignore[no-untyped-def]
        return 1, 2, 3

    if flag:
        return 1, 2
    return inner(), 3


def unwritten_mixed(flag=True):  # type: ignore[no-untyped-def]
    if flag:
        return 1, 2
    return 3


def quoted() -> "Annotated[int, 'rows']":
    return 1


def beside(x: "Missing") -> "tuple[int, int]":
    return 1, 2


def unknown() -> "Missing":
    return 1


def lost() -> "tuple[Annotated[Missing, 'table'], int]":
    return 1, 2


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (none, Outputs(())),
        (one, Outputs(("output",))),
        (maybe, Outputs(("output",))),
        (named, Outputs(("rows",))),
        (configured, Outputs(("rows",))),
        (pair, Outputs(("output_0", "output_1"), True)),
        (old_pair, Outputs(("a", "output_1"), True)),
        (many, Outputs(("output",))),
        (unwritten, Outputs(("output",))),
        (unwritten_pair, Outputs(("output_0", "output_1"), True)),
        (unwritten_mixed, Outputs(("output",))),
        (quoted, Outputs(("rows",))),
        (beside, Outputs(("output_0", "output_1"), True)),
        (unknown, Outputs(("output",))),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_outputs(function: Any, expected: Outputs) -> None:
    assert outputs_of(function, SourceReader()) == expected


def twice() -> tuple[Annotated[int, "a"], Annotated[int, "a"]]:
    return 1, 2


def hidden() -> Annotated[int, "_a"]:
    return 1


def slashed() -> Annotated[int, "a/b"]:
    return 1


def reserved() -> Annotated[int, "input"]:
    return 1


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (reserved, "Step 'reserved' calls an output 'input', which every task has already"),
        (twice, "Step 'twice' names two of its outputs 'a'"),
        (hidden, "Step 'hidden' calls an output '_a'"),
        (slashed, "Step 'slashed' calls an output 'a/b'"),
    ],
)
def test_names_that_no_artifact_can_have(function: Any, said: str) -> None:
    with pytest.raises(FlowDefinitionError, match=said):
        outputs_of(function, SourceReader())


def test_names_of_outputs_are_not_lost_with_an_annotation_that_cannot_be_worked_out() -> None:
    with pytest.raises(
        FlowDefinitionError, match="cannot be worked out here: name 'Missing' is not defined"
    ) as caught:
        outputs_of(lost, SourceReader())
    assert "TYPE_CHECKING" in str(caught.value.hint)
