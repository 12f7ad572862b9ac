"""The ``headway`` command: what needs no flow."""

import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from headway.cli import errors
from headway.ui.writer import StreamWriter
from headway.version import VERSION


def main() -> NoReturn:
    """Run one command and exit."""
    write = StreamWriter()
    try:
        _commands(write).main(standalone_mode=False)
    except click.exceptions.Exit as exit_:
        sys.exit(exit_.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(errors.USAGE)
    except SystemExit:
        raise
    except BaseException as error:  # whatever it is, a person gets one clear message
        sys.exit(errors.report(error, write))
    sys.exit(errors.FAILED if write.lost else errors.SUCCESS)


def _commands(write: StreamWriter) -> click.Group:
    def doctor(**given: Any) -> None:
        # Looks at everything, so it loads everything.
        from headway.cli import commands_doctor

        commands_doctor.doctor(**given, write=write)

    group = click.Group(
        "headway",
        help="Run any step of a Python flow on any Kubernetes. Flows have their own commands: python flow.py --help",
    )
    group.add_command(
        click.Command(
            "cluster",
            params=[click.Argument(["words"], nargs=-1, type=click.UNPROCESSED)],
            callback=_cluster,
            add_help_option=False,
            context_settings={"ignore_unknown_options": True},
            help="Start, stop or show the embedded cluster: pods as processes of this machine.",
        )
    )
    group.add_command(
        click.Command(
            "doctor",
            params=[
                click.Argument(["flow"], required=False, metavar="[FLOW.py]"),
                click.Argument(["rest"], nargs=-1, type=click.UNPROCESSED, metavar="[OPTIONS OF THE FLOW]"),
                click.Option(
                    ["--inside/--no-inside"], default=True, help="Whether to look from inside a pod, too."
                ),
            ],
            callback=doctor,
            context_settings={"ignore_unknown_options": True},
            help="Say what runs on Kubernetes need, whether it is there, and what to do where it is not.",
        )
    )
    group.add_command(click.Command("version", callback=_version, help="Show the version."))
    return group


def _cluster(words: Sequence[str]) -> None:
    # A server and its controllers: only for those who use them.
    from headway.localcluster.__main__ import main as cluster

    sys.exit(cluster(list(words)))


def _version() -> None:
    click.echo(VERSION)
