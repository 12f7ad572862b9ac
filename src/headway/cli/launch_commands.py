"""The words of ``run``, ``resume`` and ``attach``; what they do is in modules of their own."""

from collections.abc import Collection, Mapping
from copy import copy
from typing import Any

import click

from headway.cli.context import program
from headway.cli.parameters import PREFIX, parameter_options
from headway.cli.shared_options import launch_options
from headway.errors import UsageError
from headway.flow.names import folded
from headway.flow.parameters import Parameter

#: Before click's name for an option that has given its own to a parameter.
_GAVE_WAY = "headway_"


def run_command(parameters: Mapping[str, Parameter]) -> click.Command:
    """``run``, with the flow's parameters as its options."""

    def run(**values: Any) -> None:
        # The launcher is not loaded by the commands that only look at the flow.
        from headway.cli import commands_run

        commands_run.run(program(), **{name.removeprefix(_GAVE_WAY): value for name, value in values.items()})

    options: list[click.Parameter] = [
        *parameter_options(parameters.values()),
        *launch_options(),
        click.Option(["--namespace", "user_namespace"], metavar="NAME", help="The run's user namespace."),
        click.Option(
            ["--dry-run"],
            is_flag=True,
            help="Print the pods' manifests (YAML) and run nothing; asks no cluster.",
        ),
    ]
    taken = {folded(parameter.name) for parameter in parameters.values()}
    options = [_with_room(option, taken) for option in options]
    return click.Command("run", params=options, callback=run, help="Run the flow.")


def _with_room(option: click.Parameter, taken: set[str]) -> click.Parameter:
    """Where a parameter of the flow is called like an option that only Headway has, the parameter has the name.

    So it has the variables and the keyword argument that go by it: in these neither case counts, nor - against _.
    """
    names = {name.removeprefix("--") for name in option.opts}
    if str(option.name).startswith(PREFIX) or not taken & names:
        return option
    renamed = copy(option)
    renamed.opts = [f"--headway-{name}" for name in names]
    renamed.name = f"{_GAVE_WAY}{option.name}"
    return renamed


class _Resume(click.Command):
    """``resume``: of a parameter of the flow it says why that cannot be given.

    Args:
        parameters: The flow's parameters by their names.
        **known: As for any command.
    """

    def __init__(self, parameters: Collection[str], **known: Any) -> None:
        super().__init__(**known)
        self._parameters = parameters

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words that follow."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            name = error.option_name.removeprefix("--")
            if name not in self._parameters:
                raise
            raise UsageError(
                f"resume takes no --{name}: the run has the parameters of the one that it goes on from.",
                f"A new run can have others: run --{name} …",
            ) from error


def resume_command(parameters: Collection[str] = ()) -> click.Command:
    """``resume``, of a flow with these parameters."""

    def resume(**values: Any) -> None:
        # As for run.
        from headway.cli import commands_resume

        commands_resume.resume(program(), **values)

    options: list[click.Parameter] = [
        click.Argument(["step"], required=False),
        click.Option(
            ["--origin-run-id"],
            metavar="RUN",
            help="The run to go on from [default: the newest that was started from this folder].",
        ),
        *launch_options(),
        click.Option(["--run-id"], metavar="NAME", hidden=True, help="The new run's id; not only digits."),
        click.Option(
            ["--clone-only/--no-clone-only"],
            default=False,
            hidden=True,
            help="Take over results and run nothing.",
        ),
        click.Option(
            ["--reentrant/--no-reentrant"],
            default=False,
            hidden=True,
            help="Go on with the run of that --run-id, if there is one.",
        ),
        click.Option(["--resume-identifier"], hidden=True, help="Kept with the run, for whoever started it."),
    ]
    return _Resume(
        parameters,
        name="resume",
        params=options,
        callback=resume,
        help="Run again what an earlier run has not done, or all from STEP on; the rest is taken over.",
    )


def attach_command() -> click.Command:
    """``attach``."""

    def attach(**values: Any) -> None:
        # As for run.
        from headway.cli import commands_attach

        commands_attach.attach(program(), **values)

    options: list[click.Parameter] = [
        click.Argument(["run"], required=False),
        click.Option(["--max-workers"], type=int, metavar="N", help="Tasks at a time [default: as it was]."),
        click.Option(["--forward-credentials"], is_flag=True, help="As for run."),
    ]
    return click.Command(
        "attach",
        params=options,
        callback=attach,
        help="Drive a run on whose launcher died, with the pods that it has [default: the newest from here].",
    )
