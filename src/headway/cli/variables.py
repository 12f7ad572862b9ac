"""Every option can be said by a variable too: ``METAFLOW_DATASTORE``, ``METAFLOW_RUN_MAX_WORKERS`` and so on."""

import copy
import os

import click
from click.core import ParameterSource

from headway.config.places import PREFIXES

#: What a pod's own environment says under a name that an option would have; and what people call the place
#: that they deploy to, where the option is there for the sake of Metaflow's scripts only.
_TAKEN = {"HEADWAY_DATASTORE", "HEADWAY_ENVIRONMENT"}

#: The names that Metaflow's command line has for options beside those that are typed, by which its variables go.
_METAFLOWS = {
    "--add": "TAGS_TO_ADD",
    "--namespace": "USER_NAMESPACE",
    "--remove": "TAGS_TO_REMOVE",
    "--tag": "TAGS",
    "--with": "DECOSPECS",
}


def name_variables(group: click.Group) -> None:
    """Give each option its variables: ``<PREFIX><OPTION>``, and ``<PREFIX><COMMAND>_<OPTION>`` for a command's.

    The command line wins over a variable, and our prefix over Metaflow's. Several values are separated by
    spaces. A flow's parameters have variables of their own.

    Args:
        group: The command line, changed in place.
    """
    _name_all(group, "")


def _name_all(command: click.Command, path: str) -> None:
    # One option may stand in several commands, each with a variable of its own.
    command.params = [copy.copy(parameter) for parameter in command.params]
    for parameter in command.params:
        _name(parameter, path)
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            _name_all(inner, f"{path}{name.upper().replace('-', '_')}_")


def variable_of(error: click.BadParameter) -> str | None:
    """The variable that said what an option refuses; None if it was typed."""
    context, option = error.ctx, error.param
    if context is None or option is None or option.name is None:
        return None
    if context.get_parameter_source(option.name) is not ParameterSource.ENVIRONMENT:
        return None
    names = option.envvar if isinstance(option.envvar, list) else []
    return next((name for name in names if os.environ.get(name)), None)


def _name(parameter: click.Parameter, path: str) -> None:
    if not isinstance(parameter, click.Option) or parameter.envvar is not None:
        return
    option = max(parameter.opts, key=len)
    if not option.startswith("--"):
        return
    words = [option.removeprefix("--").replace("-", "_").upper()]
    if option in _METAFLOWS:
        words.append(_METAFLOWS[option])
    names = [f"{prefix}{path}{word}" for prefix in PREFIXES for word in words]
    parameter.envvar = [name for name in names if name not in _TAKEN]
