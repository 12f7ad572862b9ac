"""``describe``: the flow's commands and their options as JSON, for programs that start it: the Runner and deployers.

It is made from the command line itself, so that it knows every command there is.
"""

import json
from collections.abc import Mapping
from typing import Any

import click

from headway.cli.context import program
from headway.cli.parameters import PREFIX
from headway.errors import HeadwayError
from headway.flow.members import parameters_of
from headway.flow.parameters import Parameter

#: The command's name.
DESCRIBE = "describe"


def describe_command() -> click.Command:
    """The command, which people need not know of."""
    return click.Command(DESCRIBE, callback=_print, hidden=True, help="Print commands and options as JSON.")


def describe(group: click.Group, parameters: Mapping[str, Parameter]) -> dict[str, Any]:
    """What can be said on a flow's command line.

    Args:
        group: The command line.
        parameters: The flow's parameters by attribute.

    Returns:
        ``top`` (the program's options) and ``commands`` (by name: ``options`` and ``arguments``). An
        option has ``names`` (as keyword arguments, the first is its own), ``on`` (as typed), ``off``
        (what turns a switch off, or ""), ``words`` (how many values follow: 0 for a switch), ``counts``
        (whether it is said several times), ``multiple``, ``separator`` and ``type``. An argument has
        ``name``, ``several`` and ``required``.
    """
    return {
        "top": _options(group, {}),
        "commands": {
            name: {"options": _options(command, parameters), "arguments": _arguments(command)}
            for name, command in group.commands.items()
            if not isinstance(command, click.Group)
        },
    }


def _print() -> None:
    this = program()
    group = click.get_current_context().parent
    assert group is not None, "a command of a group"
    assert isinstance(group.command, click.Group), "a command of a group"
    try:
        parameters = this.declared.parameters
    except HeadwayError:
        # A configuration that is needed was not given yet: what does not depend on it is told.
        parameters = parameters_of(this.flow_class)
    this.write(json.dumps(describe(group.command, parameters)))


def _options(command: click.Command, parameters: Mapping[str, Parameter]) -> list[dict[str, Any]]:
    found = []
    for option in command.params:
        if not isinstance(option, click.Option) or option.name is None:
            continue
        typed = next((name for name in option.opts if name.startswith("--")), option.opts[0])
        parameter = (
            parameters.get(option.name.removeprefix(PREFIX)) if option.name.startswith(PREFIX) else None
        )
        own = option.name.removeprefix(PREFIX) if parameter is not None else option.name
        names = dict.fromkeys([typed.lstrip("-").replace("-", "_"), own])
        found.append(
            {
                "names": list(names),
                "on": typed,
                "off": next(iter(option.secondary_opts), ""),
                "words": 0 if option.is_flag or option.count else option.nargs,
                "counts": option.count,
                "multiple": option.multiple,
                "separator": parameter.separator if parameter is not None else None,
                "type": parameter.type_name if parameter is not None else _type_of(option),
            }
        )
    return found


def _arguments(command: click.Command) -> list[dict[str, Any]]:
    return [
        {"name": argument.name, "several": argument.nargs == -1, "required": argument.required}
        for argument in command.params
        if isinstance(argument, click.Argument)
    ]


def _type_of(option: click.Option) -> str:
    if option.is_flag:
        return "bool"
    return {click.INT: "int", click.FLOAT: "float", click.BOOL: "bool"}.get(option.type, "str")
