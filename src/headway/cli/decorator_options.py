"""The program's options that come with a flow's own decorators."""

from collections.abc import Container

import click

from headway.config.places import PREFIXES


def decorator_options(names: Container[str]) -> list[click.Parameter]:
    """The options of a flow's own decorators, told by their names."""
    return [
        *(_project_options() if "project" in names else ()),
        *(_trigger_options() if "trigger_on_finish" in names else ()),
    ]


def _trigger_options() -> list[click.Parameter]:
    return [
        click.Option(
            ["--trigger", "triggers"],
            multiple=True,
            metavar="FLOW/RUN",
            envvar=_variables("TRIGGER"),
            help="A run that this one comes after, for current.trigger; may be repeated.",
        )
    ]


def _project_options() -> list[click.Parameter]:
    return [
        click.Option(
            ["--branch"],
            metavar="NAME",
            envvar=_variables("BRANCH"),
            help="The branch of the @project; by default your own.",
        ),
        click.Option(
            ["--production"],
            is_flag=True,
            envvar=_variables("PRODUCTION"),
            help="Use the @project's production branch.",
        ),
    ]


def _variables(name: str) -> list[str]:
    return [f"{prefix}{path}{name}" for path in ("", "FLOW_") for prefix in PREFIXES]
