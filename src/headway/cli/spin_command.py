"""The words of ``spin``."""

from typing import Any

import click

from headway.cli.context import program


def spin_command() -> click.Command:
    """The command."""

    def spin(**values: Any) -> None:
        # The launcher is not loaded by the commands that only look at the flow.
        from headway.cli import commands_spin

        commands_spin.spin_step(program(), **values)

    return click.Command(
        "spin",
        params=[
            click.Argument(["pathspec"], metavar="[RUN/]STEP[/TASK]"),
            click.Option(
                ["--skip-decorators/--no-skip-decorators"],
                default=False,
                help="Whether all decorators are left out, also the flow's own [default: no].",
            ),
            click.Option(
                ["--artifacts-module"],
                metavar="FILE",
                help="A Python file whose dict ARTIFACTS gives values in place of the task's inputs.",
            ),
            click.Option(
                ["--persist/--no-persist"],
                default=None,
                help="Whether what the task makes is kept, in .headway_spin [default: no].",
            ),
            click.Option(["--max-log-size"], type=int, default=10, show_default=True, help="MB of log kept."),
            click.Option(["--run-id-file"], metavar="FILE", help="Write the id of the task's run here."),
            click.Option(
                ["--runner-attribute-file"],
                metavar="FILE",
                help="Write the task's ids and place to this file, as JSON.",
            ),
        ],
        callback=spin,
        help="Do one task of an earlier run again, here and alone, with your code as it is now.",
    )
