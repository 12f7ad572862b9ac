"""Where the lines go that tasks print to stderr: as it is configured."""

import pytest
from cli_flows import Digits

from headway.cli.commands_run import reporter
from headway.cli.program import Options, Program
from headway.errors import SettingsError
from headway.executors.base import Output
from headway.store.records import AttemptRef
from headway.ui.writer import StreamWriter

LINES = Output(AttemptRef("train", "3", 0), (("stdout", 1.0, "loss 0.5"), ("stderr", 2.0, "a warning")))


def told() -> None:
    write = StreamWriter()
    reporter(Program(Digits, Options(), write), write).output(LINES)


def test_where_lines_of_tasks_on_stderr_go(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told()
    assert capsys.readouterr() == ("[train/3] loss 0.5\n", "[train/3] a warning\n")
    monkeypatch.setenv("HEADWAY_TASK_STDERR", "stderr")
    told()
    assert capsys.readouterr().err == "[train/3] a warning\n"
    monkeypatch.setenv("HEADWAY_TASK_STDERR", "stdout")
    told()
    assert capsys.readouterr() == ("[train/3] loss 0.5\n[train/3] a warning\n", "")


def test_there_are_two_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWAY_TASK_STDERR", "nowhere")
    with pytest.raises(SettingsError, match="stdout or stderr is allowed"):
        told()
