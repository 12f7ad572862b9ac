"""What a flow's commands print, on which stream, and with which exit code."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from cli_flows import CommandLine, Digits

from headway import FlowMutator, FlowSpec, Parameter, UserStepDecorator, kubernetes, step
from headway.cli.commands_run import finish
from headway.cli.program import Options, Program
from headway.cli.start import run_command
from headway.errors import HeadwayError, RunInterruptedError
from headway.store.records import FAILED
from headway.store.run_records import RunEnd
from headway.ui.writer import StreamWriter
from headway.version import VERSION


def test_check_says_that_it_is_valid(cli: CommandLine) -> None:
    answer = cli("check")
    assert (answer.code, answer.out, answer.err) == (0, "The flow Digits is valid: 4 steps.\n", "")


def test_without_a_command_it_checks_and_says_what_there_is(cli: CommandLine) -> None:
    answer = cli()
    assert (answer.code, answer.out) == (0, "The flow Digits is valid: 4 steps.\n")
    assert answer.err == "Type `run` to run it, `show` to see its steps, `--help` for all commands.\n"


def test_show(cli: CommandLine) -> None:
    answer = cli("show")
    assert answer.code == 0
    assert answer.out == (
        "Digits: Learns to read digits.\n"
        "\n"
        "@retry(times=2)\n"
        "Step start (start)\n"
        "    Reads the data.\n"
        "    => train (for each of models)\n"
        "\n"
        "@resources(memory=2000)\n"
        "@kubernetes(cpu=2)\n"
        "Step train\n"
        "    Trains one model.\n"
        "    \n"
        "    On a pod of its own.\n"
        "    => join\n"
        "\n"
        "Step join\n"
        "    => end\n"
        "\n"
        "Step end (end)\n"
        "    Says which is best.\n"
    ), answer.out


class Plain(FlowSpec):
    """A flow without decorators and without a fan-out."""

    rate = Parameter("rate", default=1)

    @step
    def start(self) -> None:
        self.next(self.end)

    @step
    def end(self) -> None:
        pass


class Mutating(FlowMutator):
    """Changes nothing, but such a flow is read anew with late decorators."""


@Mutating
class Mutated(Plain):
    pass


@pytest.mark.parametrize("flow", [Plain, Mutated])
@pytest.mark.parametrize(
    ("late", "words"),
    [
        (
            "catch:var=next",
            "@catch(var='next') on step 'start': 'next' is a name that every flow object has.",
        ),
        ("catch:var=rate", "@catch(var='rate') on step 'start': 'rate' is a parameter of the flow."),
        ("parallel", "step 'start' is @parallel, and nothing says on how many nodes it runs."),
    ],
)
@pytest.mark.parametrize("command", ["check", "run"])
def test_a_late_decorator_that_no_step_can_have_is_refused(
    cli: CommandLine, flow: Any, late: str, words: str, command: str
) -> None:
    answer = cli(command, "--with", late, flow=flow)
    assert answer.code == 2
    assert f"--with {late}: {words}" in answer.err


def test_a_late_catch_on_a_step_that_decides_is_refused(cli: CommandLine) -> None:
    answer = cli("check", "--with", "catch")
    assert answer.code == 2
    assert "--with catch: step 'start' is @catch and ends with a foreach" in answer.err
    assert "Write @catch on the steps that can have it" in answer.err


@pytest.mark.parametrize(
    ("late", "words"),
    [
        ("nope", "There is no step decorator 'nope'."),
        ("nomod.deco", "There is no step decorator 'nomod.deco'"),
        ("retry:times=x", "times='x'"),
        ("catch:var=next", "@catch(var='next') on step 'start'"),
    ],
)
def test_a_decorator_of_a_variable_or_a_file_is_blamed_on_it(
    cli: CommandLine, late: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "METAFLOW_DEFAULT_DECOSPECS"
    monkeypatch.setenv(name, f"timeout:minutes=7 {late}")
    answer = cli("check", flow=Plain)
    assert (answer.code, f"{name} {late}: {words}" in answer.err) == (2, True)
    assert "--with" not in answer.err
    assert f"--with {late}: {words}" in cli("check", "--with", late, flow=Plain).err, "which comes first"
    monkeypatch.delenv(name)
    file = tmp_path / "config.json"
    file.write_text(json.dumps({name: late}))
    monkeypatch.setenv("METAFLOW_HOME", str(tmp_path))
    answer = cli("check", flow=Plain)
    assert (answer.code, f"{name} {late} ({file}): {words}" in answer.err) == (2, True)


def test_what_a_secret_holds_that_a_variable_names_is_not_shown(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWAY_DEFAULT_DECOSPECS", "secrets:surces=hush")
    err = cli("check", flow=Plain).err
    assert "HEADWAY_DEFAULT_DECOSPECS secrets: Decorator 'secrets' does not support" in err
    assert "hush" not in err


def test_show_with_a_late_decorator(cli: CommandLine) -> None:
    for words in (("show", "--with", "kubernetes:cpu=3"), ("--with", "kubernetes:cpu=3", "show")):
        out = cli(*words).out
        assert out.count("@kubernetes(cpu=3)") == 3, "on the steps that lack it"
        assert out.count("@kubernetes(cpu=2)") == 1
        assert out.count("    what it leaves open: --with kubernetes:cpu=3") == 1


def test_show_with_what_a_persons_own_decorator_was_given(cli: CommandLine) -> None:
    class Told(UserStepDecorator):
        def init(self, *values: object, **named: object) -> None: ...

    class Flow(FlowSpec):
        @Told(1, "a", z=2)
        @step
        def start(self) -> None: ...

    assert "Told(1, 'a', z=2)\n" in cli("show", flow=Flow).out


def test_version(cli: CommandLine) -> None:
    assert cli("version").out == f"{VERSION}\n"


def test_help_of_the_program_and_of_a_command(cli: CommandLine) -> None:
    top = cli("--help")
    assert top.code == 0
    assert "Learns to read digits." in top.out
    for word in ("run", "check", "show", "logs", "dump", "package", "version", "--datastore", "--with"):
        assert word in top.out
    run = cli("run", "--help")
    assert run.code == 0
    assert "--alpha FLOAT" in run.out
    assert "How fast to learn. [default: 0.5]" in run.out
    assert "[required]" in run.out


def test_package_names_what_ships(cli: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flow = tmp_path / "flow.py"
    flow.write_text("x = 1\n")
    (tmp_path / "data.bin").write_bytes(b"0" * 100)
    main: Any = type("Main", (), {"__file__": str(flow), "__spec__": None})
    monkeypatch.setitem(sys.modules, "__main__", main)
    listed = cli("package", "list")
    assert listed.code == 0
    assert "flow.py" in listed.out
    assert "data.bin" not in listed.out
    assert "left out   *.bin" in listed.err
    archive = cli("package", "--timeout", "5", "list", "--archive")
    assert (archive.code, archive.err) == (0, "")
    assert "flow.py" in archive.out.splitlines()
    assert " files, " in cli("package", "info").out
    saved = cli("package", "save", str(tmp_path / "package.tgz"))
    assert saved.code == 0
    assert "sha256" in saved.out
    assert (tmp_path / "package.tgz").stat().st_size > 50


# Usage


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("walk",), "walk"),
        (("--no-such-option",), "--no-such-option"),
        (("run", "--no-such-option"), "--no-such-option"),
        (("run", "--max-workers", "many"), "many"),
        (("run", "--max-workers"), "--max-workers"),
        (("run", "surplus"), "surplus"),
        (("package", "unpack"), "unpack"),
    ],
)
def test_what_cannot_be_understood_is_usage(cli: CommandLine, words: tuple[str, ...], said: str) -> None:
    answer = cli(*words)
    assert answer.code == 2
    assert said in answer.err
    assert answer.out == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--max-workers", "0"), "--max-workers=0 is not possible: at least 1 is needed."),
        (("--max-num-splits", "-1"), "--max-num-splits=-1 is not possible"),
        (("--max-log-size", "0"), "--max-log-size=0 is not possible"),
    ],
)
def test_numbers_that_make_no_sense(cli: CommandLine, words: tuple[str, ...], said: str) -> None:
    answer = cli("run", "--label", "x", *words)
    assert answer.code == 2
    assert answer.err.startswith("This cannot be done:\n    ")
    assert said in answer.err


def test_a_step_that_runs_remotely_needs_a_datastore_it_can_reach(cli: CommandLine) -> None:
    answer = cli("run", "--label", "x")
    assert answer.code == 2
    assert "a step runs remotely" in answer.err
    assert "HEADWAY_DATASTORE_SYSROOT_S3" in answer.err


def test_a_wrong_late_decorator(cli: CommandLine) -> None:
    answer = cli("check", "--with", "kubernetis")
    assert answer.code == 2
    assert "kubernetis" in answer.err


# Errors


class Malformed(FlowSpec):
    @step
    def start(self) -> None:
        self.next(self.no_such_step)  # type: ignore[attr-defined]


class Misconfigured(FlowSpec):
    @kubernetes(cpu=0)
    @step
    def start(self) -> None:
        pass


def test_a_malformed_flow_is_told_with_file_and_line(cli: CommandLine) -> None:
    answer = cli("check", flow=Malformed)
    assert answer.code == 2
    head, *rest = answer.err.splitlines()
    assert head.startswith("Validity checker found an issue (")
    assert "test_flow_commands.py, line " in head
    assert "no_such_step" in "".join(rest)
    assert all(line.startswith("    ") for line in rest)


def test_a_wrong_setting_is_told_before_anything_runs(cli: CommandLine) -> None:
    answer = cli("run", flow=Misconfigured)
    assert answer.code == 2
    assert "cpu=0" in answer.err
    assert "Traceback" not in answer.err


def raising(error: BaseException) -> Any:
    """A flow class whose command line meets this error."""

    class Raising(FlowSpec):
        bad = Parameter("bad", default=lambda context: _raise(error))

        @step
        def start(self) -> None:
            pass

    return Raising


def _raise(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "code", "lines"),
    [
        (HeadwayError("It failed.", "Try again."), 1, ["Flow failed:", "    It failed.", "    Try again."]),
        (RunInterruptedError("Stopped."), 130, ["Run interrupted:", "    Stopped."]),
        (KeyboardInterrupt(), 130, ["Interrupted."]),
    ],
)
def test_errors_and_their_exit_codes(
    cli: CommandLine, error: BaseException, code: int, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headway.cli.flow_commands.check", lambda: _raise(error))
    answer = cli()
    assert (answer.code, answer.err.splitlines()) == (code, lines)


def test_an_error_of_ours_is_told_with_its_traceback(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headway.cli.flow_commands.check", lambda: _raise(ZeroDivisionError("a defect")))
    answer = cli()
    assert answer.code == 1
    assert answer.err.startswith("Internal error, a defect of Headway. Please report it with what follows:\n")
    assert "ZeroDivisionError: a defect" in answer.err


@pytest.mark.parametrize(("code", "expected"), [(None, 0), (3, 3), ("words", 1)])
def test_an_exit_within_a_command_keeps_its_code(
    monkeypatch: pytest.MonkeyPatch, code: Any, expected: int
) -> None:
    monkeypatch.setattr("headway.cli.flow_commands.check", lambda: _raise(SystemExit(code)))
    assert run_command(Misconfigured, [], "flow.py") == expected


def test_nobody_reading_is_no_error(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli("show", program="-c").code == 0


def test_what_is_set_without_meaning_is_named_once_and_not_to_programs(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METAFLOW_SERVICE_URL", "http://service:8080")
    answer = cli("check")
    assert answer.err == "Set, and without meaning to Headway: METAFLOW_SERVICE_URL.\n"
    assert answer.out == "The flow Digits is valid: 4 steps.\n"
    assert cli("--quiet", "check").err == ""
    assert cli("describe").err == ""


@pytest.mark.parametrize("name", ["S3_ENDPOINT_URL", "AZURE_STORAGE_BLOB_SERVICE_ENDPOINT"])
def test_the_address_of_the_datastore_may_stand_in_a_file(
    cli: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv(f"HEADWAY_{name}", raising=False)
    monkeypatch.setenv(f"HEADWAY_{name}", "")  # what the command sets ends with the test
    (tmp_path / ".metaflowconfig").mkdir()
    (tmp_path / ".metaflowconfig" / "config.json").write_text(
        json.dumps({f"METAFLOW_{name}": "http://minio:9000"})
    )
    assert cli("check").code == 0
    assert os.environ[f"HEADWAY_{name}"] == "http://minio:9000"
    monkeypatch.setenv(f"METAFLOW_{name}", "http://other:9000")
    monkeypatch.setenv(f"HEADWAY_{name}", "")
    assert cli("check").code == 0
    assert os.environ[f"HEADWAY_{name}"] == ""


def test_a_misspelt_variable_is_told_once(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWAY_KUBERNETES_NAMESPCE", "ml")
    for words in (("check",), ("show",), ("config", "show")):
        answer = cli(*words)
        said = "HEADWAY_KUBERNETES_NAMESPCE is not a setting; did you mean HEADWAY_KUBERNETES_NAMESPACE?"
        assert answer.err.count(said) == 1
    assert "NAMESPCE" not in cli("--quiet", "check").err


@pytest.mark.parametrize(("winners", "told"), [({"start/1": 0}, True), ({}, False)])
def test_how_to_go_on_is_told_of_a_run_that_did_something(
    winners: dict[str, int], told: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    this = Program(Digits, Options(), StreamWriter())
    with pytest.raises(SystemExit) as exit_:
        finish(this, RunEnd(FAILED, 1.0, None, "no", winners))
    assert exit_.value.code == 1
    assert ("resume" in capsys.readouterr().err) is told


@pytest.mark.parametrize(
    ("command", "naming"),
    [(("resume",), "--origin-run-id ID"), (("attach",), "attach ID"), (("spin", "train"), "spin RUN/STEP")],
)
def test_where_no_run_was_started_it_is_said_how_this_command_takes_one(
    cli: CommandLine, command: tuple[str, ...], naming: str
) -> None:
    answer = cli(*command)
    assert answer.code == 2
    assert f"Name the run: {naming}, and its datastore" in answer.err


def test_resume_takes_no_parameter_of_the_flow(cli: CommandLine) -> None:
    answer = cli("resume", "--alpha", "3")
    assert (answer.code, answer.out) == (2, "")
    assert (
        "resume takes no --alpha: the run has the parameters of the one that it goes on from." in answer.err
    )
    assert "A new run can have others: run --alpha …" in answer.err
    assert "No such option '--beta'" in cli("resume", "--beta", "3").err


@pytest.mark.parametrize("command", ["run", "show"])
def test_a_folder_that_is_no_longer_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: CommandLine, command: str
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    answer = cli(command)
    assert answer.code == 2
    assert (
        answer.err
        == "This cannot be done:\n    The folder that you are in is no longer there.\n    Type: cd ~\n"
    )
