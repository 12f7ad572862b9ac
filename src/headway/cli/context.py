"""The program whose command is being run."""

import click

from headway.cli.program import Program

#: Under which the program stands in click's context before its command runs.
PROGRAM = "headway.program"


def program() -> Program:
    """The flow's command line that the current command belongs to."""
    found = click.get_current_context().find_object(Program)
    assert found is not None, "the group sets it before any command runs"
    return found
