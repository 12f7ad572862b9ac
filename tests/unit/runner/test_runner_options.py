"""Keyword arguments become words on a command line, or one clear error."""

from typing import Any

import pytest

from headway.errors import UsageError
from headway.runner.errors import ArgumentTypeError, UnknownArgumentError
from headway.runner.options import Surface


def option(on: str, kind: str = "str", **more: Any) -> dict[str, Any]:
    name = on.removeprefix("--").replace("-", "_")
    plain = {
        "names": [name],
        "on": on,
        "off": "",
        "words": 1,
        "multiple": False,
        "separator": None,
        "type": kind,
    }
    return {**plain, **more}


SURFACE = Surface(
    {
        "top": [
            option("--quiet", "bool", words=0, off="--not-quiet"),
            option("--datastore"),
            option("--with", names=["with", "late"], multiple=True),
            option("--config-value", words=2, multiple=True),
        ],
        "commands": {
            "run": {
                "options": [
                    option("--tag", names=["tag", "tags"], multiple=True),
                    option("--max-workers", "int"),
                    option("--learning-rate", "float"),
                    option("--verbose", "bool"),
                    option("--names", separator=";"),
                    option("--table", "JSON"),
                    option("--namespace", names=["namespace", "user_namespace"]),
                    option("--forward", "bool", words=0),
                    option("--more", "int", words=0, counts=True),
                ],
                "arguments": [],
            },
            "resume": {
                "options": [],
                "arguments": [{"name": "step", "several": False, "required": False}],
            },
            "spin": {
                "options": [],
                "arguments": [{"name": "pathspec", "several": False, "required": True}],
            },
        },
    }
)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, []),
        ({"max_workers": 4}, ["--max-workers=4"]),
        ({"max_workers": None}, []),
        ({"tags": ["a", "-b c"]}, ["--tag=a", "--tag=-b c"]),
        ({"tag": ("a",)}, ["--tag=a"]),
        ({"learning_rate": 1}, ["--learning-rate=1"]),
        ({"verbose": False}, ["--verbose=False"]),
        ({"names": ["x", "y"]}, ["--names=x;y"]),
        ({"names": "x;y"}, ["--names=x;y"]),
        ({"table": {"a": [1]}}, ['--table={"a": [1]}']),
        ({"table": "[1]"}, ['--table="[1]"']),
        ({"user_namespace": ""}, ["--namespace="]),
        ({"forward": True}, ["--forward"]),
        ({"forward": False}, []),
        ({"more": 2}, ["--more", "--more"]),
    ],
)
def test_options_of_a_command(given: dict[str, object], words: list[str]) -> None:
    assert SURFACE.command("run", given) == ["run", *words]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"quiet": True, "datastore": "s3"}, ["--quiet", "--datastore=s3"]),
        ({"quiet": False}, ["--not-quiet"]),
        ({"decospecs": ["retry", "kubernetes:cpu=2"]}, ["--with=retry", "--with=kubernetes:cpu=2"]),
        ({"config_value": [("c", {"a": 1})]}, ["--config-value", "c", '{"a": 1}']),
    ],
)
def test_options_of_the_program(given: dict[str, object], words: list[str]) -> None:
    assert SURFACE.top(given) == words


def test_arguments_stand_behind_the_options() -> None:
    assert SURFACE.command("resume", {"step_to_rerun": "train"}) == ["resume", "train"]
    assert SURFACE.command("resume", {"step": None}) == ["resume"]
    assert SURFACE.command("spin", {"pathspec": "-1"}) == ["spin", "--", "-1"]


@pytest.mark.parametrize(
    ("command", "given", "error", "words"),
    [
        ("run", {"nope": 1}, ValueError, r"Unknown argument: 'nope', possible args are: .*max_workers.*tags"),
        ("walk", {}, ValueError, "no command 'walk'"),
        ("spin", {}, ValueError, "needs the argument 'pathspec'"),
        ("run", {"max_workers": "4"}, TypeError, "'max_workers' takes int, and '4' is of type str"),
        ("run", {"max_workers": True}, TypeError, "takes int"),
        ("run", {"learning_rate": "fast"}, TypeError, "takes float"),
        ("run", {"verbose": 1}, TypeError, "takes bool"),
        ("run", {"tags": "a"}, TypeError, "takes a list of str"),
        ("run", {"tags": [1]}, TypeError, "takes str, and 1 is of type int"),
        ("run", {"forward": 1}, TypeError, "takes True or False"),
    ],
)
def test_what_is_refused(command: str, given: dict[str, object], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        SURFACE.command(command, given)
    assert isinstance(caught.value, UsageError)
    assert isinstance(caught.value, (UnknownArgumentError, ArgumentTypeError))


def test_pairs_and_unknown_options_of_the_program() -> None:
    with pytest.raises(TypeError, match="takes 2 values each"):
        SURFACE.top({"config_value": ["c"]})
    with pytest.raises(ValueError, match=r"Unknown argument: 'nope', possible args are: .*decospecs"):
        SURFACE.top({"nope": 1})
