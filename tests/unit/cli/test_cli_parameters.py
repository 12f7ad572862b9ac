"""A flow's parameters on the command line and in variables."""

import io
from collections.abc import Mapping
from typing import Any

import click
import pytest
from cli_flows import CommandLine, Digits

from headway import FlowSpec, JSONType, Parameter, current, kubernetes, project, step
from headway.cli import commands_run
from headway.cli.describe import describe
from headway.cli.flow_commands import build
from headway.cli.parameters import given_values, parameter_options, run_parameters
from headway.cli.program import Options, Program
from headway.cli.project import project_of
from headway.cli.start import run_command
from headway.cli.store_kind import store_kind
from headway.errors import HeadwayError, UsageError
from headway.flow.members import parameters_of
from headway.runner.errors import UnknownArgumentError
from headway.runner.options import Surface
from headway.ui.writer import StreamWriter


def values(*words: str, flow: Any = Digits, environ: dict[str, str] | None = None) -> dict[str, object]:
    """The values a run starts with that is typed like this."""
    parameters = parameters_of(flow)
    given: dict[str, Any] = {}
    command = click.Command("run", params=parameter_options(parameters.values()), callback=given.update)
    command.main([*words], standalone_mode=False)
    texts = given_values(parameters, given, environ or {})
    return run_parameters(Program(flow, Options(), StreamWriter()), texts)


def test_a_name_that_two_have_is_told_by_the_flows_check_alone() -> None:
    class Twice(FlowSpec):
        first = Parameter("rows", default=1)
        second = Parameter("rows", default=2)

    options = parameter_options(parameters_of(Twice).values())
    assert [option.opts for option in options] == [["--rows"]], "click would warn of a second one"


def test_defaults_and_constants() -> None:
    assert values("--label", "x") == {
        "SIZE": 8,
        "alpha": 0.5,
        "names": ("svm",),
        "options": {"depth": 3},
        "label": "x",
    }


def test_types() -> None:
    found = values(
        "--label", "x", "--alpha", "3", "--names", "a", "--names", "b", "--options", '{"depth": [1]}'
    )
    assert found["alpha"] == 3.0
    assert isinstance(found["alpha"], float)
    assert list(found["names"]) == ["a", "b"]  # type: ignore[call-overload]
    assert found["options"] == {"depth": [1]}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "label"),
        (("--label", "x", "--alpha", "fast"), "fast"),
        (("--label", "x", "--options", "{no json"), "options"),
    ],
)
def test_what_is_missing_or_wrong_is_named(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(HeadwayError, match=said) as caught:
        values(*words)
    assert caught.value.exit_code == 2


def test_variables_stand_in_for_options() -> None:
    environ = {"METAFLOW_RUN_LABEL": "from a variable", "METAFLOW_RUN_ALPHA": "2"}
    found = values(environ=environ)
    assert (found["label"], found["alpha"]) == ("from a variable", 2.0)
    assert values("--label", "typed", environ=environ)["label"] == "typed"
    assert values("--label", "", environ=environ)["label"] == "", "an empty text is one"
    assert values("--label", "x", environ={"METAFLOW_RUN_ALPHA": ""})["alpha"] == 0.5


class Odd(FlowSpec):
    """Parameters with names that other options, or Python, use."""

    tag = Parameter("my-tag", default="a")
    flag = Parameter("flag", type=bool, default=False)
    count = Parameter("count", default=lambda context: 7, type=int)
    nothing = Parameter("nothing", type=str, default=None)
    data = Parameter("data", type=JSONType, default="[1, 2]")

    @step
    def start(self) -> None:
        pass


def test_names_flags_and_computed_defaults() -> None:
    assert values(flow=Odd) == {"tag": "a", "flag": False, "count": 7, "nothing": None, "data": [1, 2]}
    assert values("--my-tag", "b", "--flag", "true", flow=Odd)["tag"] == "b"
    assert values("--flag", "true", flow=Odd)["flag"] is True
    assert values("--flag", "no", flow=Odd)["flag"] is False


def test_a_value_may_look_like_an_option() -> None:
    assert values("--label", "--alpha")["label"] == "--alpha"
    assert values("--label=-3")["label"] == "-3"


class Fitted(FlowSpec):
    """Defaults that stand for a value of the type, and names that options of Headway's own have."""

    part = Parameter("part", type=float, default=2)
    count = Parameter("count", type=int, default="5")
    words = Parameter("words", type=str, default=7)
    numbers = Parameter("numbers", type=int, multiple=True)
    override = Parameter("override", default="mine")
    dry = Parameter("dry-run", default="wet")

    @step
    def start(self) -> None:
        pass


def test_defaults_get_the_type() -> None:
    found = values(flow=Fitted)
    assert (found["part"], found["count"], found["words"], found["numbers"]) == (2.0, 5, "7", ())
    assert isinstance(found["part"], float)


def test_several_values_in_one_variable() -> None:
    assert values(flow=Fitted, environ={"METAFLOW_RUN_NUMBERS": "1 2"})["numbers"] == (1, 2)


def test_a_parameter_may_be_called_like_an_option_that_only_headway_has(cli: CommandLine) -> None:
    out = cli("run", "--help", flow=Fitted).out
    assert "--override TEXT" in out or "--override STR" in out
    assert "--headway-override" in out
    assert "--headway-dry-run" in out


class Namesakes(FlowSpec):
    """Every option of ``run`` that Metaflow's does not have, as parameters write them."""

    dry_run = Parameter("dry_run", default=False)
    mine = Parameter("Override", default="mine")
    lend = Parameter("forward_credentials", default="d")

    @step
    def start(self) -> None:
        pass


def headways_own(flow: Any, parsed: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What ``run`` is called with after these keyword arguments for it were put into words."""
    told: dict[str, Any] = {}
    monkeypatch.setattr(commands_run, "run", lambda program, **values: told.update(values))
    group = build(flow, parameters_of(flow), set())
    words = Surface(describe(group, parameters_of(flow))).command("run", parsed)
    assert run_command(flow, words, "flow.py") == 0
    return told


def test_what_is_headways_own_gives_way_in_variables_and_keyword_arguments_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for prefix in ("METAFLOW_RUN_", "HEADWAY_RUN_"):
        for name in ("DRY_RUN", "OVERRIDE", "FORWARD_CREDENTIALS"):
            monkeypatch.setenv(prefix + name, "true")
    told = headways_own(
        Namesakes, {"dry_run": True, "Override": "x", "forward_credentials": "f"}, monkeypatch
    )
    assert (told["dry_run"], told["overrides"], told["forward_credentials"]) == (False, (), False)
    given = {name: value for name, value in told.items() if name.startswith("parameter_")}
    assert given_values(parameters_of(Namesakes), given, {}) == {
        "dry_run": ("True",),
        "mine": ("x",),
        "lend": ("f",),
    }


def test_what_gave_way_can_be_said_by_its_other_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METAFLOW_RUN_HEADWAY_FORWARD_CREDENTIALS", "true")
    told = headways_own(Namesakes, {"headway_dry_run": True, "headway_override": ["cpu=2"]}, monkeypatch)
    assert (told["dry_run"], told["overrides"], told["forward_credentials"]) == (True, ("cpu=2",), True)
    with pytest.raises(UnknownArgumentError, match="override"):
        headways_own(Namesakes, {"overrides": ["cpu=2"]}, monkeypatch)


def test_a_parameters_name_goes_before_the_inner_names_of_options(monkeypatch: pytest.MonkeyPatch) -> None:
    class Inner(FlowSpec):
        late = Parameter("late", default="")
        overrides = Parameter("overrides", default="")

        @step
        def start(self) -> None:
            pass

    told = headways_own(Inner, {"late": "a", "overrides": "b"}, monkeypatch)
    assert (told["parameter_late"], told["parameter_overrides"]) == ("a", "b")
    assert (told["late"], told["overrides"]) == ((), ())


def test_a_flag_stands_alone() -> None:
    class Flags(FlowSpec):
        keep = Parameter("keep", is_flag=True)
        only_one = Parameter("only-one", default=False, is_flag=True, help="Only one.")
        path = Parameter("path", default="here")

        @step
        def start(self) -> None:
            pass

    given = values("--keep", "--path", "there", flow=Flags)
    assert (given["keep"], given["only_one"], given["path"]) == (True, False, "there")
    # Not given, it is what its default says: nothing, where there is none.
    assert values("--only-one", flow=Flags)["keep"] is None
    assert values("--only-one", flow=Flags)["only_one"] is True
    assert values(flow=Flags, environ={"METAFLOW_RUN_KEEP": "true"})["keep"] is True


class TwoSteps(FlowSpec):
    """What a flow needs to be one."""

    @step
    def start(self) -> None:
        self.next(self.end)

    @step
    def end(self) -> None:
        pass


class Asking(TwoSteps):
    """Parameters that say more to the command line's library."""

    place = Parameter(
        "place", default="here", metavar="WHERE", envvar=["PLACE", "OLD_PLACE"], show_envvar=True
    )
    secret = Parameter("secret", hidden=True, default="x", envvar="SECRET")
    depth = Parameter("depth", type=int, default=3, prompt="How deep?")
    label = Parameter("label", prompt=True, required=True)


TYPED = ("--label", "a", "--depth", "1")


def test_a_parameter_may_have_variables_of_its_own() -> None:
    found = values(*TYPED, flow=Asking, environ={"OLD_PLACE": "there", "SECRET": "s"})
    assert (found["place"], found["secret"]) == ("there", "s")
    both = {"OLD_PLACE": "second", "PLACE": "first", "METAFLOW_RUN_PLACE": "third"}
    assert values(*TYPED, flow=Asking, environ=both)["place"] == "first"
    assert values(*TYPED, "--place", "typed", flow=Asking, environ=both)["place"] == "typed"


def test_the_help_says_what_a_parameter_says(cli: CommandLine) -> None:
    out = cli("run", "--help", flow=Asking).out
    assert "--place WHERE" in out
    assert "OLD_PLACE" in out
    assert "--secret" not in out
    assert "--label" in out


def test_what_is_not_given_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("7\nmine\n"))
    found = values(flow=Asking)
    assert (found["depth"], found["label"]) == (7, "mine")
    asked = capsys.readouterr()
    assert "How deep? [3]:" in asked.err
    assert "Label:" in asked.err
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    found = values(flow=Asking, environ={"HEADWAY_RUN_LABEL": "from a variable"})
    assert (found["depth"], found["label"]) == (3, "from a variable")


def test_where_nobody_can_be_asked_the_option_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(UsageError, match=r"'label' asks for its value(.|\n)*--label VALUE"):
        values("--depth", "1", flow=Asking)


def test_what_an_option_here_cannot_do_is_named(cli: CommandLine) -> None:
    class Unheard(TwoSteps):
        one = Parameter("one", expose_value=False, cls=click.Option, default="a")
        other = Parameter("other", nargs=2, callback=lambda context, option, value: value)

    said = cli("check", flow=Unheard)
    assert said.code == 0
    assert "Parameter 'one': cls, expose_value have no effect" in said.err
    assert "'other'" not in said.err


def shown(context: click.Context, option: click.Option, value: Any) -> Any:
    """A callback as flows have them: it looks at the value, at its option and at those before it."""
    if value == (0, 0):
        raise click.BadParameter("it is the origin", context, option)
    if value == (9, 9):
        raise KeyError("nine")
    return {"name": option.name, "value": value, "before": dict(context.params), "in": context.info_name}


class Clicked(TwoSteps):
    """Parameters that are other kinds of option."""

    verbose = Parameter("verbose", count=True)
    mode = Parameter("mode", flag_value="fast")
    cache = Parameter("cache", default=True, is_flag=True, help="Leave the cache out.")
    point = Parameter("the-point", nargs=2, type=int, default=(1, 2), callback=shown)
    pairs = Parameter("pairs", type=(str, float), multiple=True)
    sure = Parameter("sure", default=False, is_flag=True, prompt="Sure?")


def test_other_kinds_of_option_give_what_click_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    left = values(flow=Clicked)
    point = left.pop("point")
    assert left == {"verbose": 0, "mode": None, "cache": True, "pairs": (), "sure": True}
    assert point == {
        "name": "the_point",
        "value": (1, 2),
        "before": {"verbose": 0, "mode": None, "cache": True},
        "in": "run",
    }
    words = "--verbose --verbose --mode --cache --the-point 3 4 --pairs a 1 --pairs b 2 --sure"
    given = values(*words.split(), flow=Clicked)
    assert given.pop("point")["value"] == (3, 4)  # type: ignore[index]
    assert given == {
        "verbose": 2,
        "mode": "fast",
        "cache": False,
        "pairs": (("a", 1.0), ("b", 2.0)),
        "sure": True,
    }
    prefix = "METAFLOW_RUN_"
    environ = {"VERBOSE": "3", "CACHE": "true", "THE_POINT": "5 6", "PAIRS": "a 1 b 2", "SURE": "no"}
    said = values(flow=Clicked, environ={prefix + name: value for name, value in environ.items()})
    assert said.pop("point")["value"] == (5, 6)  # type: ignore[index]
    assert said == {
        "verbose": 3,
        "mode": None,
        "cache": True,
        "pairs": (("a", 1.0), ("b", 2.0)),
        "sure": False,
    }


def test_options_of_several_words_stand_anywhere(cli: CommandLine) -> None:
    said = cli("--the-point", "0", "0", "--verbose", "run", "--sure", flow=Clicked)
    assert said.code == 2
    assert "Invalid value for '--the-point': it is the origin" in said.err
    said = cli("run", "--the-point", "9", "9", "--sure", flow=Clicked)
    assert said.code == 2
    assert "Parameter 'the-point': its callback failed: KeyError: 'nine'" in said.err
    said = cli("run", "--the-point", "1", flow=Clicked)
    assert said.code == 2


def test_the_help_shows_what_options_take(cli: CommandLine) -> None:
    out = cli("run", "--help", flow=Clicked).out
    assert "--the-point INT INT" in out
    assert "--pairs STR FLOAT" in out
    assert "--mode\n" in out
    assert "--mode STR" not in out


def test_a_variable_of_its_own_needs_a_name(cli: CommandLine) -> None:
    class Wrong(TwoSteps):
        place = Parameter("place", envvar=[3])

    said = cli("check", flow=Wrong)
    assert said.code == 2
    assert "Parameter 'place': envvar is no variable's name." in said.err


class Stored(TwoSteps):
    """A default and a configuration that say where data goes."""

    where = Parameter("where", default=lambda context: context.ds_type)


class StoredByPods(Stored):
    """Likewise, with a step that is a pod."""

    @kubernetes
    @step
    def start(self) -> None:
        self.next(self.end)


@pytest.mark.parametrize(
    ("flow", "options", "environ", "kind"),
    [
        (Stored, Options(), {}, "local"),
        (Stored, Options(datastore="s3"), {}, "s3"),
        (Stored, Options(datastore_root="gs://bucket/x"), {}, "gs"),
        (Stored, Options(), {"METAFLOW_DEFAULT_DATASTORE": "s3"}, "s3"),
        (Stored, Options(datastore="local"), {"METAFLOW_DEFAULT_DATASTORE": "s3"}, "local"),
        (StoredByPods, Options(), {}, "s3"),
    ],
)
def test_a_default_that_is_a_function_is_told_where_the_run_goes(
    monkeypatch: pytest.MonkeyPatch, flow: Any, options: Options, environ: dict[str, str], kind: str
) -> None:
    given = {
        "HEADWAY_DATASTORE_SYSROOT_S3": "s3://bucket/prefix",
        "HEADWAY_KUBERNETES_CONTAINER_IMAGE": "python:3.11",
        "HEADWAY_EMBEDDED_CLUSTER": "never",
    }
    for name, value in {**given, **environ}.items():
        monkeypatch.setenv(name, value)
    program = Program(flow, options, StreamWriter())
    found = run_parameters(program, {}, lambda: store_kind(program, program.graph(), ()))
    assert found["where"] == kind
    # Before the steps are known all but what pods need is known.
    assert program.parameter_context.ds_type == ("local" if flow is StoredByPods else kind)


def test_only_functions_ask_where_the_run_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    program = Program(Stored, Options(), StreamWriter())
    assert run_parameters(program, {"where": ("given",)}, lambda: pytest.fail("asked"))["where"] == "given"
    # A setting that cannot be used is told by what uses it.
    monkeypatch.setenv("METAFLOW_DEFAULT_DATASTORE", "nowhere")
    assert Program(Stored, Options(), StreamWriter()).parameter_context.ds_type == "local"


@project(name="kin")
class OfProject(TwoSteps):
    """A default that says which project the run belongs to."""

    home = Parameter("home", default=lambda _: f"{current.project_name}/{current.branch_name}")
    flow = Parameter("flow", default=lambda _: current.project_flow_name)


@pytest.mark.parametrize(
    ("options", "branch"),
    [
        (Options(), "user.ann"),
        (Options(branch="b"), "test.b"),
        (Options(production=True), "prod"),
    ],
)
def test_a_default_that_is_a_function_knows_the_project(
    monkeypatch: pytest.MonkeyPatch, options: Options, branch: str
) -> None:
    monkeypatch.setenv("HEADWAY_USER", "ann")
    program = Program(OfProject, options, StreamWriter())
    found = run_parameters(program, {}, None, lambda: project_of(program, program.graph()))
    assert found == {"home": f"kin/{branch}", "flow": f"kin.{branch}.OfProject"}
    assert "project_name" not in current, "no task runs"


def test_a_function_that_fails_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    class Fails(OfProject):
        """One of its defaults cannot be made."""

        wrong = Parameter("wrong", default=lambda _: 1 / 0)

    monkeypatch.setenv("HEADWAY_USER", "ann")
    program = Program(Fails, Options(), StreamWriter())
    with pytest.raises(HeadwayError, match="wrong"):
        run_parameters(program, {}, None, lambda: project_of(program, program.graph()))
    assert "project_name" not in current
