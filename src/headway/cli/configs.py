"""A flow's configurations on the command line, ``--config`` and ``--config-value``, and in variables."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import click

from headway.config.places import PREFIXES
from headway.errors import UsageError
from headway.flow.configure import GivenConfigs
from headway.flow.members import configs_of


def config_options(flow_class: Any) -> list[click.Parameter]:
    """The options by which a flow's configurations are given; none where it has none."""
    names = configs_of(flow_class)
    if not names:
        return []
    declared = [getattr(flow_class, name)._declaration for name in names]
    listed = "; ".join(each.name + (f": {each.help}" if each.help else "") for each in declared)
    return [
        click.Option(
            ["--config", "configs"],
            multiple=True,
            envvar=[],  # its variables hold JSON, and are read with what is typed
            type=(str, str),
            metavar="NAME PATH",
            help=f"The file of a configuration; may be repeated. Here: {listed}.",
        ),
        click.Option(
            ["--config-value", "config_values"],
            multiple=True,
            envvar=[],  # its variables hold JSON, and are read with what is typed
            type=(str, str),
            metavar="NAME JSON",
            help="The value of a configuration in place of a file; may be repeated.",
        ),
    ]


def given_configs(
    files: Iterable[tuple[str, str]], values: Iterable[tuple[str, str]], environ: Mapping[str, str]
) -> GivenConfigs:
    """What was given for configurations: on the command line, else in the variables FLOW_CONFIG and FLOW_CONFIG_VALUE.

    Raises:
        UsageError: A variable is not a JSON object.
    """
    return GivenConfigs(
        {
            **_from_variable("FLOW_CONFIG", environ),
            **{name: (path, f"--config {name}") for name, path in files},
        },
        {
            **_from_variable("FLOW_CONFIG_VALUE", environ),
            **{name: (text, f"--config-value {name}") for name, text in values},
        },
    )


def _from_variable(name: str, environ: Mapping[str, str]) -> dict[str, tuple[Any, str]]:
    variable = next((prefix + name for prefix in PREFIXES if environ.get(prefix + name)), None)
    if variable is None:
        return {}
    try:
        found = json.loads(environ[variable])
    except json.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise UsageError(
            f"The variable {variable} is not a JSON object: {environ[variable]!r}.",
            f"Write names and what they stand for: export {variable}='{{\"config\": …}}'",
        )
    return {key: (value, variable) for key, value in found.items()}
