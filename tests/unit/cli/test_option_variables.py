"""Options said by variables: which names, and what wins."""

import pytest
import yaml
from cli_flows import CommandLine, Digits

from headway.cli.program import Options, Program
from headway.config.general import is_on
from headway.ui.writer import StreamWriter

DRY = ("run", "--label=x", "--dry-run")


def cpu(answer: str) -> str:
    (job,) = yaml.safe_load_all(answer)
    (container,) = job["spec"]["template"]["spec"]["containers"]
    return str(container["resources"]["requests"]["cpu"])


@pytest.mark.parametrize(
    "name", ["METAFLOW_OVERRIDE", "METAFLOW_RUN_OVERRIDE", "HEADWAY_OVERRIDE", "HEADWAY_RUN_OVERRIDE"]
)
def test_both_prefixes_before_and_after_the_command(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "cpu=7 memory=50")
    answer = cli(*DRY)
    assert answer.code == 0, answer.err
    assert cpu(answer.out) == "7"
    assert "memory is 50" in answer.err


def test_ours_wins_over_metaflows_and_the_command_line_over_both(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METAFLOW_DATASTORE_ROOT", "s3://theirs/x")
    monkeypatch.setenv("HEADWAY_DATASTORE_ROOT", "s3://ours/x")
    assert "s3://ours/x" in cli(*DRY).out
    assert "s3://typed/x" in cli(*DRY, "--datastore-root=s3://typed/x").out


def test_a_flag(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METAFLOW_RUN_DRY_RUN", "true")
    assert "kind: Job" in cli("run", "--label=x").out


def test_a_bad_value_names_the_option(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METAFLOW_RUN_MAX_WORKERS", "many")
    answer = cli("run", "--label=x")
    assert answer.code == 2
    assert "--max-workers" in answer.err
    assert "METAFLOW_RUN_MAX_WORKERS" in answer.err


def test_a_pods_own_variable_is_not_an_option(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWAY_DATASTORE", "s3://bucket/of-the-pod")
    assert cli(*DRY).code == 0


def test_the_environment_is_metaflows_word(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWAY_ENVIRONMENT", "production")
    monkeypatch.setenv("METAFLOW_ENVIRONMENT", "pypi")
    assert cli("check").code == 0
    monkeypatch.setenv("METAFLOW_ENVIRONMENT", "production")
    answer = cli("check")
    assert answer.code == 2
    assert "The value comes from the variable METAFLOW_ENVIRONMENT." in answer.err


@pytest.mark.parametrize("name", ["FORWARD_CREDENTIALS", "SPIN_PERSIST"])
@pytest.mark.parametrize(("said", "on"), [("1", True), ("True", True), ("no", False), ("", False)])
def test_a_switch_may_be_a_variable(monkeypatch: pytest.MonkeyPatch, name: str, said: str, on: bool) -> None:
    monkeypatch.setenv(f"METAFLOW_{name}", said)
    assert is_on(Program(Digits, Options(), StreamWriter()).configuration, name) is on


@pytest.mark.parametrize("prefix", ["METAFLOW_", "HEADWAY_"])
def test_of_commands_within_commands(cli: CommandLine, monkeypatch: pytest.MonkeyPatch, prefix: str) -> None:
    monkeypatch.setenv(f"{prefix}CONFIG_SHOW_ALL", "1")
    assert "HEADWAY_EMBEDDED_CLUSTER" in cli("config", "show").out
    monkeypatch.setenv(f"{prefix}TAG_REPLACE_RUN_ID", "1/start")
    answer = cli("tag", "replace", "--add=a", "--remove=b")
    assert "--run-id=1/start is no run's id" in answer.err
    monkeypatch.setenv(f"{prefix}KUBERNETES_LIST_RUN_ID", "1")
    assert "is not a setting" not in cli("check").err


def test_by_the_names_that_metaflow_has_for_them(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METAFLOW_DECOSPECS", "timeout:minutes=7 environment:vars={}")
    shown = cli("show").out
    assert "@timeout(minutes=7)" in shown
    assert "@environment(vars={})" in shown
    monkeypatch.setenv("METAFLOW_RUN_DECOSPECS", "nosuch")
    assert "There is no step decorator 'nosuch'" in cli(*DRY).err
    monkeypatch.delenv("METAFLOW_RUN_DECOSPECS")
    monkeypatch.setenv("METAFLOW_RUN_TAGS", "x" * 501)
    answer = cli(*DRY)
    assert answer.code == 2
    assert "500" in answer.err
