"""``describe``: every command and option, as a program reads them."""

import json

from cli_flows import CommandLine


def test_it_tells_every_command_with_its_options_and_arguments(cli: CommandLine) -> None:
    answer = cli("describe")
    assert answer.code == 0
    told = json.loads(answer.out)
    assert {"run", "dump", "check", "show"} <= set(told["commands"])
    options = {option["on"]: option for option in told["commands"]["run"]["options"]}
    assert options["--alpha"] == {
        "names": ["alpha"],
        "on": "--alpha",
        "off": "",
        "words": 1,
        "counts": False,
        "multiple": False,
        "separator": None,
        "type": "float",
    }
    assert options["--options"]["type"] == "JSON"
    assert (options["--max-workers"]["names"], options["--max-workers"]["type"]) == (["max_workers"], "int")
    assert (options["--tag"]["names"], options["--tag"]["multiple"]) == (["tag", "tags"], True)
    top = {option["on"]: option for option in told["top"]}
    assert (top["--quiet"]["words"], top["--quiet"]["off"], top["--quiet"]["type"]) == (
        0,
        "--not-quiet",
        "bool",
    )
    assert told["commands"]["dump"]["arguments"] == [{"name": "path", "several": False, "required": True}]


def test_people_are_not_shown_it(cli: CommandLine) -> None:
    assert "describe" not in cli("--help").out
