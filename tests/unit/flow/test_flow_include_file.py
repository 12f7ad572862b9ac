"""``IncludeFile``: a path on the command line, the content in steps."""

import json
from pathlib import Path
from typing import Any

import pytest
from flow_sources import NAMES, MemorySource, body_source, bound, flow_class

from headway.errors import FlowDefinitionError, HeadwayError, UsageError
from headway.flow.configs import Config
from headway.flow.configure import GivenConfigs
from headway.flow.declare import declare
from headway.flow.include_file import FileContent, IncludeFile
from headway.flow.members import parameters_of
from headway.flow.parameter_checks import check_parameters
from headway.flow.parameters import ParameterContext

NAMES.update(Config=Config, IncludeFile=IncludeFile)

CONTEXT = ParameterContext("F", "ann", "", lambda line: None, "local")


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_bytes("grün".encode())
    (tmp_path / "l.txt").write_bytes("grün".encode("latin-1"))


def content(parameter: IncludeFile, *texts: str) -> Any:
    return parameter.value(texts, CONTEXT)


def test_a_path_becomes_what_the_file_holds(tmp_path: Path) -> None:
    data = "grün".encode()
    assert content(IncludeFile("f"), "a.txt") == FileContent(data, "a.txt", "utf-8")
    assert content(IncludeFile("f"), "~/a.txt").data == data
    assert content(IncludeFile("f", is_text=False), str(tmp_path / "a.txt")) == FileContent(
        data, "a.txt", None
    )
    assert content(IncludeFile("f", encoding="latin-1"), "l.txt").encoding == "latin-1"


def test_defaults(tmp_path: Path) -> None:
    assert content(IncludeFile("f")) is None
    assert content(IncludeFile("f", default="a.txt")).name == "a.txt"
    assert content(IncludeFile("f", default=tmp_path / "a.txt")).name == "a.txt"
    assert (
        content(IncludeFile("f", default=lambda context: f"{context.parameter_name}.txt"), "a.txt").name
        == "a.txt"
    )
    assert content(IncludeFile("a", default=lambda context: f"{context.parameter_name}.txt")).name == "a.txt"
    cls = flow_class(
        body_source(
            'cfg = Config("cfg", default_value={"path": "l.txt", "code": "latin-1"})\n'
            'f = IncludeFile("f", default=cfg.path, encoding=cfg.code)'
        )
    )
    parameter = declare(cls, GivenConfigs(), CONTEXT).parameters["f"]
    assert parameter.value((), CONTEXT) == FileContent("grün".encode("latin-1"), "l.txt", "latin-1")
    assert parameter.type_name == "path"


@pytest.mark.parametrize(
    ("parameter", "text", "words"),
    [
        (IncludeFile("f"), "s3://bucket/x", "cannot be the s3 URL s3://bucket/x"),
        (IncludeFile("f"), "none.txt", "cannot be read from none.txt: No such file"),
        (IncludeFile("f"), ".", "cannot be read from .: Is a directory"),
        (IncludeFile("f"), "l.txt", "l.txt is no utf-8 text, as its byte 2 shows"),
        (IncludeFile("f", encoding="utf-9"), "a.txt", "no encoding 'utf-9'"),
        (IncludeFile("f", required=True), None, "'f' is required"),
        (IncludeFile("f", default="none.txt"), None, "cannot be read from none.txt"),
    ],
)
def test_what_cannot_be_included_is_named(parameter: IncludeFile, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        content(parameter, *([text] if text else []))


def test_the_declaration_is_checked_like_any_parameter() -> None:
    check_parameters([IncludeFile("f", default="a.txt"), IncludeFile("g")])
    with pytest.raises(FlowDefinitionError, match=r"the default \[3\]") as caught:
        check_parameters([IncludeFile("f", default=[3])])
    assert caught.value.file == __file__


def test_a_step_gets_what_the_parser_makes_of_it_once() -> None:
    cls = flow_class(
        body_source(
            """\
            f = IncludeFile("f", parser="json.loads")
            g = IncludeFile("g", parser=".yaml_parser")
            bad = IncludeFile("bad", parser=int)
            none = IncludeFile("none", parser=int)
            @step
            def start(self):
                pass
            """
        )
    )
    flow = bound(cls, "start", MemorySource(f="[1]", g="a: 1", bad="x", none=None))
    assert flow.f == json.loads("[1]")
    assert flow.f is flow.f
    assert flow.g == {"a": 1}
    assert flow.none is None
    with pytest.raises(HeadwayError, match=r"refused by its parser: ValueError: .*: 'x'$"):
        _ = flow.bad
    with pytest.raises(AttributeError, match="a parameter of the flow"):
        flow.f = 1
    assert set(parameters_of(cls)) == {"f", "g", "bad", "none"}
