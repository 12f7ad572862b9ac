"""``kubernetes list`` and ``kubernetes kill``: what may be asked; what they do is an end-to-end test."""

import pytest
from cli_flows import CommandLine


@pytest.mark.parametrize("command", ["list", "kill"])
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--my-runs", "--user", "bob"), "--user and --my-runs exclude each other."),
        (("--my-runs", "--run-id", "12"), "--run-id and --user or --my-runs exclude each other."),
        (("--user", "bob", "--run-id", "12"), "--run-id and --user or --my-runs exclude each other."),
        ((), "No run of Digits was started from here"),
        ((), "Name the run: --run-id ID (or say whose: --my-runs)"),
    ],
)
def test_what_cannot_be_meant(cli: CommandLine, command: str, words: tuple[str, ...], said: str) -> None:
    answer = cli("kubernetes", command, *words)
    assert answer.code == 2
    assert said in answer.err
    assert answer.out == ""


def test_a_kubeconfig_that_is_not_there_is_one_clear_error(cli: CommandLine) -> None:
    answer = cli("kubernetes", "list", "--run-id", "12")
    assert answer.code == 2
    assert "kubeconfig" in answer.err
    assert "Traceback" not in answer.err
