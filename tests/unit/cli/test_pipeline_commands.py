"""A pipeline on the command line: its parameters as options, its commands, and when a program's words are not ours."""

import sys
from types import ModuleType
from typing import Annotated, Any

import pytest
from cli_flows import Answer

from headway import kubernetes, pipeline, step
from headway.call import CONSTANTS
from headway.cli.pipelines import ARGUMENTS, as_flow, call_pipeline, is_command, pipeline_tags
from headway.cli.start import run_command
from headway.errors import FlowDefinitionError
from headway.flow.parameters import Parameter
from headway.flow.values import JSONType


@step
def load(rows: int, names: object = None) -> Annotated[list[int], "table"]:
    """Read the rows."""
    return list(range(rows))


@kubernetes(cpu=2)
@step
def train(table: list[int]) -> Annotated[int, "score"]:
    return len(table)


@step
def compare(scores: list[int]) -> None: ...


@pipeline
def training(rows: int, rate: float = 1, names: list[str] | None = None, model: object = print) -> None:
    """Trains and compares."""
    table = load(rows, names)
    compare([train(table), train(table)])


class Cli:
    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *words: str, given: Any = (), **named: Any) -> Answer:
        self.capsys.readouterr()
        code = run_command(as_flow(training, given, named), words, "file.py")
        printed = self.capsys.readouterr()
        return Answer(code, printed.out, printed.err)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(capsys)


@pytest.fixture(autouse=True)
def _main(monkeypatch: pytest.MonkeyPatch) -> None:
    main = ModuleType("__main__")
    main.__file__ = __file__
    monkeypatch.setitem(sys.modules, "__main__", main)


def parameter(name: str, **named: Any) -> Parameter:
    found = vars(as_flow(training, (), named))[name]
    assert isinstance(found, Parameter)
    return found


def test_parameters_become_options_with_what_was_given_as_defaults() -> None:
    assert (parameter("rows").required, parameter("rows").type) == (True, int)
    assert (parameter("rows", rows=5).required, parameter("rows", rows=5).default) == (False, 5)
    assert (parameter("rate").default, parameter("rate").type) == (1, float)
    assert (parameter("names").default, parameter("names").type) == (None, JSONType)
    assert parameter("names", names=["a"]).default == '["a"]'


def test_what_no_option_can_give_stays_an_argument() -> None:
    flow = as_flow(training, (3,), {"model": load})
    assert vars(flow)[ARGUMENTS] == {"model": load}
    assert "model" not in {name for name, value in vars(flow).items() if isinstance(value, Parameter)}


def values(*words: str, **named: Any) -> Any:
    """What a pipeline's body is called with."""
    seen: list[Any] = []

    @pipeline
    def telling(shape: tuple = (2, 3), names: dict = {}, rate: float = 1) -> None:  # type: ignore[type-arg]  # noqa: B006
        seen.append((shape, names, rate))
        load(1)

    flow = as_flow(telling.with_options(parameters={"rate": 7}), (), named)
    assert run_command(flow, ["run", "--dry-run", *words], "file.py") == 0
    return seen[-1]


def test_what_text_only_resembles_stays_what_it_was() -> None:
    assert values() == ((2, 3), {}, 7)
    assert values(names={1: "one"}, rate=2) == ((2, 3), {1: "one"}, 2)
    # What is typed is what JSON says.
    assert values("--shape", "[4, 5]", "--names", '{"1": "one"}') == ([4, 5], {"1": "one"}, 7)


def test_parameters_of_the_decorator_are_those_of_the_function() -> None:
    with pytest.raises(
        FlowDefinitionError, match=r"has parameters=\{'row': 1\}, which it does not take"
    ) as caught:
        as_flow(training.with_options(parameters={"row": 1}))
    assert caught.value.hint == "It takes rows, rate, names, model."


def test_a_mistaken_call_ends_the_program_with_words(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        call_pipeline(training, (), {"row": 1})
    assert ended.value.code == 2
    assert "Pipeline 'training' is called with what it does not take" in capsys.readouterr().err


def test_mistakes_of_a_call() -> None:
    with pytest.raises(
        FlowDefinitionError, match="is called with what it does not take: got an unexpected"
    ) as caught:
        as_flow(training, (), {"row": 1})
    assert caught.value.hint == "It takes rows, rate, names, model."
    with pytest.raises(FlowDefinitionError, match="has the name 'a b'"):
        as_flow(training.with_options(name="a b"))
    starred: Any = pipeline(lambda *many: None)
    with pytest.raises(FlowDefinitionError, match="takes \\*many"):
        as_flow(starred)


def test_show_and_check_run_the_body_with_what_is_known(cli: Cli) -> None:
    shown = cli("show", rows=3)
    assert shown.code == 0, shown.err
    assert shown.out == (
        "training: Trains and compares.\n"
        "\n"
        "Step load\n"
        "    Read the rows.\n"
        "\n"
        "@kubernetes(cpu=2)\n"
        "Step train\n"
        "    <= load\n"
        "\n"
        "@kubernetes(cpu=2)\n"
        "Step train_2\n"
        "    <= load\n"
        "\n"
        "Step compare\n"
        "    <= train, train_2\n"
    )
    assert cli("check", rows=3).out == "The flow training is valid: 4 steps.\n"


def test_a_parameter_without_a_value_is_asked_for(cli: Cli) -> None:
    answer = cli("show")
    assert answer.code == 2
    assert "Parameter 'rows' is required: what the pipeline's body calls may depend on it." in answer.err
    assert "Set HEADWAY_RUN_ROWS=VALUE; only run has the option --rows." in answer.err
    assert "Traceback" not in answer.err


def test_other_commands_than_run_take_parameters_from_variables(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWAY_RUN_ROWS", "3")
    assert cli("check").out == "The flow training is valid: 4 steps.\n"
    monkeypatch.setenv("HEADWAY_RUN_ROWS", "many")
    assert "Parameter 'rows' cannot be 'many': it takes a whole number." in cli("check").err


def test_late_decorators_and_settings(cli: Cli) -> None:
    assert cli("show", "--with", "kubernetes:memory=100", rows=3).out.count("@kubernetes(memory=100)") == 2


def test_a_gang_that_with_makes_of_a_call_says_on_how_many_nodes(cli: Cli) -> None:
    answer = cli("check", "--with", "parallel", rows=3)
    assert answer.code == 2
    assert "--with parallel: " in answer.err
    assert "does not say on how many nodes" in answer.err
    assert cli("check", "--with", "parallel:num_nodes=2", rows=3).code == 0


def test_the_graph_as_text_dot_and_svg(cli: Cli) -> None:
    assert cli("output-text", rows=3).out.splitlines() == [
        "load",
        "train  (pod)  after load",
        "train_2  (pod)  after load",
        "compare  after train, train_2",
    ]
    assert '"load" -> "train_2"' in cli("output-dot", rows=3).out.replace(
        "load -> train_2", '"load" -> "train_2"'
    )
    assert cli("output-svg", rows=3).out.count("<g id=") == 4


def test_help_names_the_parameters(cli: Cli) -> None:
    helped = cli("run", "--help").out
    assert "--rows" in helped
    assert "--rate" in helped
    assert "--model" not in helped


@pytest.mark.parametrize(
    ("words", "ours"),
    [
        ((), False),
        (("run",), True),
        (("run", "--rows", "5"), True),
        (("--with", "kubernetes", "run"), True),
        (("--datastore=local", "show"), True),
        (("--help",), True),
        (("--rows", "5"), False),
        (("--kind", "run"), False),
        (("train", "run"), False),
        (("--quiet",), False),
    ],
)
def test_which_words_are_ours(words: tuple[str, ...], ours: bool) -> None:
    assert is_command(as_flow(training), words) is ours


def test_tags() -> None:
    assert pipeline_tags(training.with_options(tags=["a", "b"])) == ("a", "b")
    with pytest.raises(FlowDefinitionError, match="has tags='a'"):
        pipeline_tags(training.with_options(tags="a"))


def test_a_call_runs_and_returns_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[list[str]] = []

    def refused(flow_class: Any, arguments: list[str], program: str) -> int:
        seen.append(arguments)
        return 2

    monkeypatch.setattr("headway.cli.start.run_command", refused)
    monkeypatch.setattr(sys, "argv", ["file.py", "--mine"])
    with pytest.raises(SystemExit) as ended:
        call_pipeline(training, (3,), {})
    assert ended.value.code == 2
    assert seen[0][:2] == ["run", "--runner-attribute-file"]
    assert CONSTANTS.startswith("_")
