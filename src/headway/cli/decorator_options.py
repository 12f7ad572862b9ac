"""The program's options that come with a flow's own decorators."""

from collections.abc import Container

import click

from headway.config.sources import PREFIXES


def decorator_options(names: Container[str]) -> list[click.Parameter]:
    """The options of a flow's own decorators, told by their names."""
    if "project" not in names:
        return []
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
