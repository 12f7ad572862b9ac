"""Parameters: types, conversion from text, defaults, and declarations that are refused."""

from pathlib import Path
from typing import Any

import click
import pytest
from flow_sources import FILE, body_source, flow_class, parse_body, refused

from headway.errors import FlowDefinitionError, UsageError
from headway.flow.members import parameters_of
from headway.flow.parameter_checks import RESERVED_PARAMETERS, check_parameters
from headway.flow.parameters import Parameter, ParameterContext
from headway.flow.values import JSONType, guess


class Digits(int):
    """A type of a flow's own."""


CONTEXT = ParameterContext("F", "ann", "", print, "local")


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({}, "str"),
        ({"default": "a"}, "str"),
        ({"default": 1}, "int"),
        ({"default": 1.5}, "float"),
        ({"default": False}, "bool"),
        ({"default": {"a": 1}}, "JSON"),
        ({"default": [1]}, "JSON"),
        ({"default": 1, "type": float}, "float"),
        ({"default": lambda context: 1}, "str"),
        ({"type": JSONType}, "JSON"),
        ({"default": [1, 2], "multiple": True}, "int"),
        ({"multiple": True}, "str"),
    ],
)
def test_type(options: dict[str, Any], kind: str) -> None:
    assert Parameter("p", **options).type_name == kind
    assert repr(JSONType) == "JSON"


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (str, " a ", " a "),
        (str, "", ""),
        (int, "-3", -3),
        (int, " 4 ", 4),
        (float, "1e-3", 0.001),
        (float, "2", 2.0),
        (bool, "true", True),
        (bool, "1", True),
        (bool, "Off", False),
        (bool, "no", False),
        (JSONType, '{"a": [1, null]}', {"a": [1, None]}),
    ],
)
def test_convert(kind: Any, text: str, value: object) -> None:
    converted = Parameter("p", type=kind).convert(text)
    assert converted == value
    assert type(converted) is type(value)


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        (int, "1.5", "Parameter 'p' cannot be '1.5': it takes a whole number."),
        (int, "", "Parameter 'p' cannot be '': it takes a whole number."),
        (float, "x", "Parameter 'p' cannot be 'x': it takes a number."),
        (bool, "maybe", "Parameter 'p' cannot be 'maybe': it takes true or false."),
        (JSONType, "{a", "it takes JSON, and at character 2 expecting property name"),
        (list, "{}", "it takes JSON, and a list"),
        (click.Choice(["a", "b"]), "c", "Parameter 'p' cannot be 'c': 'c' is not one of 'a', 'b'"),
        (Digits, "x", "Parameter 'p' cannot be 'x': invalid literal"),
    ],
)
def test_convert_refused(kind: Any, text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        Parameter("p", type=kind).convert(text)
    assert words in caught.value.message
    assert "--p VALUE" in str(caught.value)
    assert "HEADWAY_RUN_P" in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("options", "texts", "value"),
    [
        ({}, [], None),
        ({"default": 3}, [], 3),
        ({"default": 3}, ["4"], 4),
        ({"default": 3}, ["4", "5"], 5),
        ({"default": 1, "type": float}, [], 1),
        ({"default": 1e6, "type": int}, [], 1000000),
        ({"default": [2.0, "3"], "type": int, "multiple": True}, [], (2, 3)),
        ({"default": "a,b", "separator": ","}, [], ["a", "b"]),
        ({"separator": ","}, ["x,y"], ["x", "y"]),
        ({"separator": ","}, [""], []),
        ({"multiple": True}, [], ()),
        ({"multiple": True, "type": int}, ["1", "2"], (1, 2)),
        ({"multiple": True, "type": int, "default": ["1"]}, [], (1,)),
        ({"nargs": 2, "type": int}, [], ()),
        ({"nargs": 2, "type": int}, ["1", "2"], (1, 2)),
        ({"nargs": 2, "type": int}, ["1", "2", "3", "4"], (3, 4)),
        ({"nargs": 2, "type": int, "multiple": True}, ["1", "2", "3", "4"], ((1, 2), (3, 4))),
        ({"nargs": 2, "default": (1, 2)}, ["3", "4"], (3, 4)),
        ({"type": (int, str), "default": ("1", 2)}, [], (1, "2")),
        ({"type": (int, str)}, ["1", "2"], (1, "2")),
        ({"count": True}, [], 0),
        ({"count": True}, ["3"], 3),
        ({"count": True, "default": 2}, [], 2),
        ({"is_flag": True}, [], None),
        ({"is_flag": True, "type": bool}, [], False),
        ({"is_flag": True, "default": True}, [], True),
        ({"is_flag": True, "default": True}, ["False"], False),
        ({"flag_value": "fast"}, [], None),
        ({"flag_value": "fast"}, ["fast"], "fast"),
        ({"flag_value": "fast", "default": "slow"}, [], "fast"),
        ({"flag_value": 3, "type": int}, ["3"], 3),
        ({"type": str.upper, "default": "a"}, [], "A"),
        ({"type": str.upper}, ["b"], "B"),
        ({"type": click.Choice(["a", "b"])}, ["b"], "b"),
        ({"type": Path, "default": "x"}, [], Path("x")),
        ({"type": list, "default": [1]}, [], [1]),
        ({"type": dict}, ['{"a": 1}'], {"a": 1}),
        ({"multiple": True, "default": ["a"]}, [], ("a",)),
        ({"multiple": True, "separator": ","}, ["a,b", "c"], (["a", "b"], ["c"])),
        ({"type": JSONType, "default": '{"a": 1}'}, [], {"a": 1}),
        ({"default": {"a": 1}}, [], {"a": 1}),
        ({"default": lambda context: f"{context.flow_name}.{context.parameter_name}"}, [], "F.p"),
        ({"default": lambda context: 1 / 0}, ["given"], "given"),
        ({"default": lambda context: 2, "type": float}, [], 2),
        ({"required": True}, ["x"], "x"),
        ({"required": True, "default": "d"}, [], "d"),
    ],
)
def test_value(options: dict[str, Any], texts: list[str], value: object) -> None:
    assert Parameter("p", **options).value(texts, CONTEXT) == value


def test_required() -> None:
    with pytest.raises(UsageError, match="Parameter 'learning-rate' is required") as caught:
        Parameter("learning-rate", required=True).value([], CONTEXT)
    assert "--learning-rate VALUE" in str(caught.value)
    assert "HEADWAY_RUN_LEARNING_RATE" in str(caught.value)


def test_a_default_that_fails() -> None:
    with pytest.raises(
        FlowDefinitionError, match="its default's function failed: ZeroDivisionError"
    ) as caught:
        Parameter("p", default=lambda context: 1 / 0).value([], CONTEXT)
    assert caught.value.file == __file__
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_default_of_the_wrong_type() -> None:
    with pytest.raises(FlowDefinitionError, match="made 'x', a str, where the parameter's type is int"):
        Parameter("p", default=lambda context: "x", type=int).value([], CONTEXT)


def test_variables() -> None:
    assert Parameter("learning-rate").variables == (
        "HEADWAY_RUN_LEARNING_RATE",
        "METAFLOW_RUN_LEARNING_RATE",
    )
    own = Parameter("a", envvar=["MINE", "OURS"])
    assert own.variables == ("MINE", "OURS", "HEADWAY_RUN_A", "METAFLOW_RUN_A"), (
        "its own come first, as in click"
    )
    assert Parameter("a", envvar="MINE", allow_from_autoenv=False).variables == ("MINE",)


def test_name_and_attribute_may_differ() -> None:
    cls = flow_class(
        body_source("rate = Parameter('learning-rate', default=0.1, help='How fast', show_default='x')")
    )
    parameter = parameters_of(cls)["rate"]
    assert (parameter.name, parameter.attribute) == ("learning-rate", "rate")
    assert (parameter.help, parameter.show_default, parameter.required) == ("How fast", "x", False)
    assert repr(parameter) == "Parameter('learning-rate', type=float)"


def test_unknown_options_are_kept() -> None:
    assert Parameter("p", hidden=True).options == {"hidden": True}


STEP = "\n@step\ndef only(self): pass\n"
DECLARATIONS = {
    "a = Parameter('max-workers')": ("'max-workers': the name is reserved", "Use another name"),
    "a = Parameter('run_id')": ("'run_id': the name is reserved", "Use another name"),
    "a = Parameter('With')": ("'With': the name is reserved", ""),
    "a = Parameter('alpha'); b = Parameter('Alpha')": (
        "its name is taken by the parameter 'alpha'",
        "Rename one",
    ),
    "a = Parameter('a-b'); b = Parameter('a_b')": ("its name is taken by the parameter 'a-b'", "Rename one"),
    "index = Parameter('place')": ("every flow object has an attribute 'index' of its own", "otherwise"),
    "a = Parameter('two words')": ("this is no name", "Use letters"),
    "a = Parameter(3)": ("this is no name", "Use letters"),
    "a = Parameter('a', type='int')": ("the type int is none that a parameter can have", "JSONType"),
    "a = Parameter('a', type=())": ("is none that a parameter can have", "JSONType"),
    "a = Parameter('a', nargs=0)": ("nargs=0 is not possible", "nargs=2"),
    "a = Parameter('a', nargs=3, type=(int, str))": ("its type is one for 2 values", "Leave nargs out"),
    "a = Parameter('a', nargs=2, type=int, default=1)": ("is not several values of the type int", "Change"),
    "a = Parameter('a', nargs=2, type=int, default=(1, 2, 3))": ("is not several values", "Change"),
    "a = Parameter('a', multiple=True, type=int, default=5)": ("is not several values", "Change"),
    "a = Parameter('a', callback=3)": ("the callback 3 is no function", "(context, option, value)"),
    "a = Parameter('a', count=True, multiple=True)": ("count and multiple are two kinds", "Leave one"),
    "a = Parameter('a', flag_value='x', prompt=True)": ("cannot be asked for", "prompt"),
    "a = Parameter('a', default='x', type=int)": (
        "the default 'x' is not of the type int",
        "Change the default",
    ),
    "a = Parameter('a', default=1.5, type=int)": ("the default 1.5 is not of the type int", ""),
    "a = Parameter('a', default=float('inf'), type=int)": ("the default inf is not of the type int", ""),
    "a = Parameter('a', default=True, type=int)": ("the default True is not of the type int", ""),
    "a = Parameter('a', type=int, separator=',')": (
        "a separator needs text, but the type is int",
        "type=str",
    ),
}


@pytest.mark.parametrize("declaration", DECLARATIONS, ids=str)
def test_declaration_refused(declaration: str) -> None:
    message, hint = DECLARATIONS[declaration]
    error = refused(declaration + STEP)
    assert message in error.message
    assert hint in str(error)
    assert (error.file, error.line) == (FILE, 2)


@pytest.mark.parametrize(
    "options",
    [
        "default=1, type=float",
        "default={'a': 1}",
        "default='[1]', type=JSONType",
        "default=['a'], multiple=True",
        "type=bool",
        "type=set",
        "default=b''",
        "nargs=2, type=int, default=(1, 2)",
        "type=(int, str), default=(1, 'a')",
        "default=0, count=True",
        "nargs=1, count=False, is_flag=True, flag_value=True, default=False",
        "is_eager=True, allow_from_autoenv=False, autocompletion=None, show_choices=False",
    ],
)
def test_declaration_accepted(options: str) -> None:
    parse_body(f"a = Parameter('a', {options})" + STEP)


def test_every_reserved_name_in_either_spelling() -> None:
    for name in RESERVED_PARAMETERS:
        for spelling in (name, name.replace("-", "_")):
            assert "reserved" in refused(f"a = Parameter({spelling!r})" + STEP).message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4", 4), ("4.5", 4.5), ("1e3", 1000.0), ("true", True), ("True", True), ("null", None), ("None", None),
        ('"4"', "4"), ("[1]", [1]), ('{"a": 1}', {"a": 1}), ("text", "text"), ("python:3.9", "python:3.9"), ("", ""),
        ("1_000", 1000), ("NaN value", "NaN value"),
    ],
)  # fmt: skip
def test_guess(text: str, value: object) -> None:
    assert guess(text) == value
    assert type(guess(text)) is type(value)


def test_an_argument_that_a_parameter_does_not_have() -> None:
    parameter = Parameter("alpha", typ=int)
    with pytest.raises(FlowDefinitionError) as caught:
        check_parameters([parameter])
    assert "Parameter 'alpha'" in caught.value.message
    assert "it does not support 'typ'" in caught.value.message
    assert caught.value.hint == "Did you mean type?"


def test_what_is_handed_on_to_other_command_lines_is_taken() -> None:
    check_parameters([Parameter("alpha", metavar="X", hidden=True)])


def test_how_it_is_given_is_said_as_it_is_typed() -> None:
    point = Parameter("point", nargs=2, type=int, allow_from_autoenv=False)
    with pytest.raises(UsageError) as caught:
        point.value(["1"], CONTEXT)
    assert str(caught.value) == (
        "Parameter 'point' takes 2 values each time, not 1.\nGive it as --point VALUE VALUE."
    )
    assert Parameter("more", count=True).how == "Give it as --more, or in the variable HEADWAY_RUN_MORE."
