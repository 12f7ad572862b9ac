"""What scripts for Metaflow type and Headway does not need or does not have: taken, or one clear notice."""

import pytest
from cli_flows import CommandLine
from recorded_runs import digits

from headway import FlowSpec, step, trigger_on_finish
from headway.cli.decorator_options import decorator_options
from headway.cli.left_commands import LEFT
from headway.store.folder import FolderStore


@pytest.mark.parametrize(
    "words",
    [
        ("--no-pylint",),
        ("--pylint",),
        ("--metadata=local",),
        ("--environment=local",),
        ("--environment=pypi",),
        ("--metadata", "local@/data"),
        ("--event-logger=nullSidecarLogger", "--monitor", "nullSidecarMonitor"),
    ],
    ids=" ".join,
)
def test_options_that_change_nothing_are_taken(cli: CommandLine, words: tuple[str, ...]) -> None:
    answer = cli(*words, "check")
    assert (answer.code, answer.err) == (0, "")


def test_what_they_ask_for_that_is_not_there_is_named(cli: CommandLine) -> None:
    answer = cli("--metadata=service", "--monitor=debugMonitor", "check")
    assert answer.code == 0
    assert answer.err == "Set, and without meaning to Headway: --metadata=service, --monitor=debugMonitor.\n"


@pytest.mark.parametrize("kind", ["uv", "conda"])
def test_an_environment_that_is_not_made_is_told(
    cli: CommandLine, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = cli(f"--environment={kind}", "check")
    assert answer.code == 0
    (line,) = answer.err.splitlines()
    assert line.startswith(f"--environment={kind}: no ")
    assert "@pypi" in line
    monkeypatch.setenv("METAFLOW_ENVIRONMENT", kind)
    assert cli("check").err == answer.err
    assert cli("--quiet", "check").err == ""
    monkeypatch.setenv("METAFLOW_DEFAULT_ENVIRONMENT", kind)
    assert "METAFLOW_DEFAULT_ENVIRONMENT" in cli("--environment=local", "check").err


@pytest.mark.parametrize("command", LEFT)
@pytest.mark.parametrize("rest", [(), ("create", "--only-json"), ("--help",)], ids=" ".join)
def test_a_command_that_is_not_there_says_what_to_type(
    cli: CommandLine, command: str, rest: tuple[str, ...]
) -> None:
    answer = cli(command, *rest)
    assert (answer.code, answer.out) == (2, "")
    assert (
        answer.err
        == f"This cannot be done:\n    Headway does not have the command {command}.\n    {LEFT[command]}\n"
    )


def test_they_are_no_part_of_the_help(cli: CommandLine) -> None:
    out = cli("--help").out
    assert not [name for name in LEFT if f"  {name} " in out]
    assert "--metadata" not in out


def test_flows_that_wait_for_others_take_their_runs() -> None:
    assert [option.name for option in decorator_options({"trigger_on_finish"})] == ["triggers"]
    assert decorator_options({"schedule"}) == []


@trigger_on_finish(flow="Upstream")
class Downstream(FlowSpec):
    @step
    def start(self) -> None:
        pass


def test_a_run_to_come_after_has_to_be_there(cli: CommandLine) -> None:
    answer = cli("--trigger", "Upstream/1", "run", flow=Downstream)
    assert answer.code == 1
    assert "--trigger=Upstream/1" in answer.err
    assert "Looked in " in answer.err
    assert "metadata(" not in answer.err, "that is for code"


def test_of_a_run_to_come_after_those_that_are_there_are_named(cli: CommandLine, folder: FolderStore) -> None:
    digits(folder)
    answer = cli("--trigger", "Digits/7", "run", flow=Downstream)
    assert answer.code == 1
    assert "The newest runs of Digits: 1.\n" in answer.err
