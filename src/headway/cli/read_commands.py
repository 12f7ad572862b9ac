"""``logs`` and ``dump``: the words that are typed; what they do is in :mod:`headway.cli.commands_read`."""

from typing import Any

import click

from headway.cli.context import program


def logs_group() -> click.Group:
    """``logs PATH`` (or ``logs show PATH``) and ``logs scrub PATH``."""
    return _WithDefault(
        "logs",
        help="Show what tasks printed and why they failed: logs [show] RUN[/STEP[/TASK]]; or scrub it.",
        commands=[_show(), _scrub()],
    )


def dump_command() -> click.Command:
    """``dump PATH``."""

    def dump(**values: Any) -> None:
        from headway.cli import commands_read

        commands_read.dump(program(), **values)

    return click.Command(
        "dump",
        params=[
            _path(),
            click.Option(
                ["--private/--no-private"], default=False, help="Also artifacts whose name begins with _."
            ),
            click.Option(
                ["--max-value-size"], type=int, default=1000, show_default=True, help="Bytes of values shown."
            ),
            click.Option(["--include"], metavar="A,B", help="Only these artifacts."),
            click.Option(["--file"], metavar="FILE", help="Write the values to this file, as a pickle."),
        ],
        callback=dump,
        help="Show the artifacts of tasks.",
    )


class _WithDefault(click.Group):
    """A group whose first command need not be said."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [next(iter(self.commands)), *args]
        return super().parse_args(ctx, args)


# Each loads what reads datastores only once it is called.
def _show() -> click.Command:
    def show(**values: Any) -> None:
        from headway.cli import commands_read

        commands_read.logs(program(), **values)

    return click.Command(
        "show",
        params=[
            _path(),
            *_streams("Show"),
            click.Option(
                ["--timestamps/--no-timestamps"], default=False, help="Begin each line with its time (UTC)."
            ),
            _attempt(),
        ],
        callback=show,
        help="Show what tasks printed, and why they failed.",
    )


def _scrub() -> click.Command:
    def scrub(**values: Any) -> None:
        from headway.cli import commands_read

        commands_read.scrub(program(), **values)

    return click.Command(
        "scrub",
        params=[
            _path(),
            *_streams("Scrub"),
            _attempt(),
            click.Option(["--latest/--all"], default=True, help="The attempt that counts, or every attempt."),
            click.Option(["--include-not-done"], is_flag=True, help="Also tasks that have not ended."),
        ],
        callback=scrub,
        help="Take what tasks printed out of the datastore, for good.",
    )


def _streams(do: str) -> list[click.Parameter]:
    return [
        click.Option(["--stdout/--no-stdout"], default=False, help=f"{do} only stdout."),
        click.Option(["--stderr/--no-stderr"], default=False, help=f"{do} only stderr."),
        click.Option(["--both/--no-both"], default=True, help=f"{do} both; the default."),
    ]


def _attempt() -> click.Option:
    return click.Option(["--attempt"], type=int, help="Another attempt than the one that counts, from 0.")


def _path() -> click.Argument:
    return click.Argument(["path"], metavar="RUN[/STEP[/TASK]]")
