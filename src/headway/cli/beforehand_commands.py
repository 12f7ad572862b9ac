"""The words of ``package``, ``config`` and ``doctor``: what a run would ship, how its pods would be, what it needs."""

from pathlib import Path
from typing import Any

import click

from headway.cli.context import program
from headway.cli.shared_options import OVERRIDE, WITH
from headway.config.places import PREFIXES


def package_group() -> click.Group:
    """``package list``, ``package info`` and ``package save``."""

    # What reads folders and packs them is not loaded by the commands that do neither.
    def list_files(archive: bool) -> None:
        from headway.cli import commands_package

        commands_package.list_files(archive=archive)

    def info() -> None:
        from headway.cli import commands_package

        commands_package.info()

    def save(file: str) -> None:
        from headway.cli import commands_package

        commands_package.save(Path(file))

    return click.Group(
        "package",
        help="Show or save the code that ships to pods.",
        params=[
            click.Option(
                ["--timeout"],
                type=int,
                hidden=True,
                expose_value=False,
                help="Taken for the sake of scripts: nothing here is waited for.",
            )
        ],
        commands=[
            click.Command(
                "list",
                params=[
                    click.Option(
                        ["--archive/--no-archive"],
                        default=False,
                        help="Only the files' paths in the package, one a line.",
                    )
                ],
                callback=list_files,
                help="List what ships, and what does not and why.",
            ),
            click.Command("info", callback=info, help="Say how much ships."),
            click.Command(
                "save",
                params=[click.Argument(["file"], type=click.Path(dir_okay=False))],
                callback=save,
                help="Write the package to a file (tar.gz).",
            ),
        ],
    )


def config_group() -> click.Group:
    """``config show``."""

    def show(**values: Any) -> None:
        # The settings' table is not loaded by the commands that only look at the flow.
        from headway.cli import commands_config

        commands_config.show(**values)

    return click.Group(
        "config",
        help="Show the settings, and where each comes from.",
        commands=[
            click.Command(
                "show",
                params=[
                    click.Argument(["step"], required=False),
                    click.Option(["--all", "every"], is_flag=True, help="Also what nobody set."),
                    WITH,
                    OVERRIDE,
                ],
                callback=show,
                help="Show what each step's pods will be, and why: value, then its source.",
            ),
        ],
    )


def doctor_command() -> click.Command:
    """``doctor``, of one flow."""

    def doctor(**values: Any) -> None:
        # Looks at everything, so it loads everything.
        from headway.cli import commands_doctor

        commands_doctor.doctor_of_flow(program(), **values)

    return click.Command(
        "doctor",
        params=[
            WITH,
            OVERRIDE,
            click.Option(
                ["--inside/--no-inside"],
                default=True,
                help="Whether to look from inside a pod, too [default: yes].",
            ),
            click.Option(
                ["--forward-credentials"],
                is_flag=True,
                # What is set for run is what doctor is asked about.
                envvar=[
                    f"{prefix}{command}_FORWARD_CREDENTIALS"
                    for command in ("DOCTOR", "RUN")
                    for prefix in PREFIXES
                ],
                help="As for run.",
            ),
        ],
        callback=doctor,
        help="Say what a run of this flow needs, whether it is there, and what to do where it is not.",
    )
