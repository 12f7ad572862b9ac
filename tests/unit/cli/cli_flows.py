"""A flow whose command line the tests use, and a way to call it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from headway import FlowSpec, JSONType, Parameter, kubernetes, resources, retry, step
from headway.cli.start import run_command


class Digits(FlowSpec):
    """Learns to read digits."""

    SIZE = 8

    alpha = Parameter("alpha", default=0.5, help="How fast to learn.")
    names = Parameter("names", multiple=True, default=["svm"])
    options = Parameter("options", type=JSONType, default={"depth": 3})
    label = Parameter("label", required=True)

    @retry(times=2)
    @step
    def start(self) -> None:
        """Reads the data."""
        self.models = ["a", "b"]
        self.next(self.train, foreach="models")

    @resources(memory=2000)
    @kubernetes(cpu=2)
    @step
    def train(self) -> None:
        """Trains one model.

        On a pod of its own.
        """
        self.next(self.join)

    @step
    def join(self, inputs: Any) -> None:
        self.next(self.end)

    @step
    def end(self) -> None:
        """Says which is best."""


@dataclass
class Answer:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str


class CommandLine:
    """A flow's command line, called in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str, flow: Any = Digits, program: str = "flow.py") -> Answer:
        words: Sequence[str] = arguments
        code = run_command(flow, words, program)
        return Answer(code, *self._capsys.readouterr())
