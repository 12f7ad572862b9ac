"""Configurations on the command line and in variables, and what of a flow depends on them."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from cli_flows import Answer, CommandLine

from headway import Config, FlowMutator, FlowSpec, MutableFlow, Parameter, config_expr, retry, step


class Configured(FlowSpec):
    """Its retries and a default come from a configuration."""

    cfg = Config("cfg", default="cfg.json", help="All of it.")
    alpha = Parameter("alpha", default=cfg.alpha, help=config_expr("'At most ' + str(cfg.alpha)"))

    @retry(times=cfg.times)
    @step
    def start(self) -> None:
        pass


@pytest.fixture
def configured(cli: CommandLine, tmp_path: Path) -> Callable[..., Answer]:
    (tmp_path / "cfg.json").write_text('{"alpha": 3, "times": 1}')
    (tmp_path / "other.json").write_text('{"alpha": 0.5, "times": 2}')
    return partial(cli, flow=Configured)


def test_the_default_file(configured: Callable[..., Answer]) -> None:
    assert "@retry(times=1)" in configured("show").out


@pytest.mark.parametrize(
    "words",
    [
        ("--config", "cfg", "other.json", "show"),
        ("show", "--config", "cfg", "other.json"),
        ("--config-value", "cfg", '{"alpha": 0, "times": 2}', "show"),
        ("show", "--config-value", "cfg", '{"alpha": 0, "times": 2}', "--quiet"),
        ("--config=cfg", "other.json", "show"),
        ("show", "--config=cfg", "other.json"),
    ],
)
def test_options_stand_in_any_place(configured: Callable[..., Answer], words: tuple[str, ...]) -> None:
    answer = configured(*words)
    assert answer.code == 0, answer.err
    assert "@retry(times=2)" in answer.out


def test_variables(configured: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METAFLOW_FLOW_CONFIG", '{"cfg": "other.json"}')
    assert "@retry(times=2)" in configured("show").out
    monkeypatch.delenv("METAFLOW_FLOW_CONFIG")
    monkeypatch.setenv("METAFLOW_FLOW_CONFIG_VALUE", '{"cfg": {"alpha": 1, "times": 4}}')
    assert "@retry(times=4)" in configured("show").out
    monkeypatch.setenv("METAFLOW_FLOW_CONFIG_VALUE", "[]")
    answer = configured("show")
    assert answer.code == 2
    assert "METAFLOW_FLOW_CONFIG_VALUE is not a JSON object: '[]'" in answer.err


def test_the_help_of_run_says_what_is_configured(configured: Callable[..., Answer], tmp_path: Path) -> None:
    out = configured("run", "--help").out
    assert "--alpha INT" in out
    assert "At most 3 [default: 3]" in out
    assert "--alpha FLOAT" in configured("run", "--help", "--config", "cfg", "other.json").out
    assert "Here: cfg: All of it." in " ".join(configured("--help").out.split())
    (tmp_path / "cfg.json").unlink()
    assert "--alpha" in configured("run", "--help").out, "help needs no configuration"
    answer = configured("run")
    assert answer.code == 2
    assert "Config 'cfg' cannot be read from cfg.json (its default): No such file" in answer.err


def test_a_name_that_is_no_text_is_told_like_other_wrong_declarations(cli: CommandLine) -> None:
    class Misnamed(FlowSpec):
        cfg = Config(3)  # type: ignore[arg-type]

        @step
        def start(self) -> None: ...

    answer = cli("check", flow=Misnamed)
    assert answer.code == 2
    assert "Config '3': this is no name." in answer.err


def test_a_value_given_for_a_parameter_has_the_type_of_its_default(configured: Callable[..., Answer]) -> None:
    answer = configured("run", "--alpha", "fast")
    assert answer.code == 2
    assert "a whole number" in answer.err


def test_a_flow_without_configurations_has_no_such_options(cli: CommandLine) -> None:
    assert "--config-value" not in cli("--help").out
    assert cli("show", "--config", "a", "b").code == 2


class InProject(FlowMutator):
    """Puts the flow into a project."""

    def pre_mutate(self, flow: MutableFlow) -> None:
        flow.add_decorator("project:name=fraud")


class Apart(FlowMutator):
    """Changes nothing."""


@InProject
class Joined(FlowSpec):
    @step
    def start(self) -> None:
        pass


@Apart
class Alone(FlowSpec):
    @step
    def start(self) -> None:
        pass


def test_a_project_that_a_mutator_adds_has_its_options(cli: CommandLine) -> None:
    assert "--branch" in cli("--help", flow=Joined).out
    for words in (("--branch", "b", "show"), ("show", "--production"), ("run", "--branch=b", "--dry-run")):
        answer = cli(*words, flow=Joined)
        assert answer.code == 0, answer.err
    answer = cli("run", "--branch", "Not Possible", "--max-workers", "1", flow=Joined)
    assert (answer.code, "is not possible" in answer.err) == (2, True), answer.err


def test_a_mutator_that_adds_none_brings_no_options_to_runs(cli: CommandLine) -> None:
    answer = cli("run", "--branch", "b", flow=Alone)
    assert (answer.code, "No such option" in answer.err) == (2, True), answer.err


def test_a_file_of_values_that_were_read_before(
    configured: Callable[..., Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "values.json").write_text('{"user_configs": {"cfg": {"alpha": 1, "times": 4}}}')
    # Read before, so what the variables say of it has been heard.
    monkeypatch.setenv("METAFLOW_FLOW_CONFIG", '{"cfg": "other.json"}')
    words = ("--local-config-file", "values.json", "--config-value", "cfg", "kv.cfg", "show")
    answer = configured(*words)
    assert answer.code == 0, answer.err
    assert "@retry(times=4)" in answer.out
    # By itself it says nothing.
    assert "@retry(times=2)" in configured("show", "--local-config-file", "values.json").out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--local-config-file", "nowhere.json"), "nowhere.json"),
        (("--local-config-file", "other.json", "--config-value", "cfg", "kv.cfg"), "values of cfg: KeyError"),
        (("--config-value", "cfg", "kv.cfg"), "is not JSON"),
    ],
)
def test_a_file_of_values_that_is_not_there_or_has_none(
    configured: Callable[..., Answer], words: tuple[str, ...], said: str
) -> None:
    answer = configured(*words, "show")
    assert answer.code == 2
    assert said in answer.err
