"""The program's options that come with a flow's own decorators."""

from typing import Any

import click

from headway.config.sources import PREFIXES
from headway.flow.flow_decorators import flow_decorators_of


def decorator_options(flow_class: Any) -> list[click.Parameter]:
    """The options of the decorators that this flow has."""
    if "project" not in flow_decorators_of(flow_class):
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
