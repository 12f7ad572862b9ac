"""The graph for programs and for eyes, through the command line."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

from cli_flows import CommandLine


def test_text_and_dot(cli: CommandLine) -> None:
    assert cli("output-text").out == "start\n├─ each of models: train  (pod)\njoin\nend\n"
    dot = cli("output-dot")
    assert (dot.code, dot.err) == (0, "")
    assert '  "start" -> "train" [label="each of models"];\n' in dot.out


def test_raw(cli: CommandLine) -> None:
    told = json.loads(cli("output-raw", "--json").out)
    assert [node["name"] for node in told["nodes"]] == ["start", "train", "join", "end"]
    assert (told["start"], told["end"]) == ("start", "end")
    lines = cli("output-raw").out.splitlines()
    assert lines[0].startswith('name="start" kind="foreach" targets=["train"] foreach="models"')
    assert len(lines) == 4


def test_svg_to_standard_output_and_to_a_file(cli: CommandLine, tmp_path: Path) -> None:
    picture = cli("output-svg").out
    assert ET.fromstring(picture).tag == "{http://www.w3.org/2000/svg}svg"
    answer = cli("output-svg", "flow.svg")
    assert (answer.code, answer.out, answer.err) == (0, "", "The graph is drawn in flow.svg.\n")
    assert (tmp_path / "flow.svg").read_text() == picture
    assert cli("output-svg", "nowhere/flow.svg").code == 2


def test_help_is_a_command_too(cli: CommandLine) -> None:
    answer = cli("help")
    assert answer.code == 0
    assert "output-svg" in answer.out
    assert answer.out == cli("--help").out


def test_late_decorators_are_drawn_as_well(cli: CommandLine) -> None:
    assert "start  (pod)" in cli("output-text", "--with", "kubernetes").out
