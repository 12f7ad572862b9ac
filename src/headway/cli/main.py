"""The ``headway`` command: what needs no flow."""

import sys
from typing import NoReturn

import click

from headway.cli import errors
from headway.ui.writer import StreamWriter
from headway.version import VERSION


def main() -> NoReturn:
    """Run one command and exit."""
    write = StreamWriter()
    try:
        _commands().main(standalone_mode=False)
    except click.exceptions.Exit as exit_:
        sys.exit(exit_.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(errors.USAGE)
    except BaseException as error:  # whatever it is, a person gets one clear message
        sys.exit(errors.report(error, write))
    sys.exit(errors.SUCCESS)


def _commands() -> click.Group:
    group = click.Group(
        "headway",
        help="Run any step of a Python flow on any Kubernetes. Flows have their own commands: python flow.py --help",
    )
    group.add_command(click.Command("version", callback=_version, help="Show the version."))
    return group


def _version() -> None:
    click.echo(VERSION)
