"""Lets options stand anywhere on the command line: before the command or after it."""

from collections.abc import Mapping, Sequence


def hoist(
    arguments: Sequence[str],
    top: Mapping[str, int],
    commands: Mapping[str, Mapping[str, int]],
) -> list[str]:
    """Put the arguments into the order in which the parser wants them.

    Args:
        arguments: As typed.
        top: The program's own options, and how many values each takes.
        commands: Each command's options, likewise.

    Returns:
        The program's options, the command, the command's options and arguments. What is not known
        stays with the command, whose parser says so.
    """
    command = _command(arguments, top, commands)
    if command is None:
        return list(arguments)
    own = commands[arguments[command]]
    front: list[str] = []
    back: list[str] = []
    rest = [(index, text) for index, text in enumerate(arguments) if index != command]
    position = 0
    while position < len(rest):
        index, text = rest[position]
        if text == "--":
            back += [item for _, item in rest[position:]]
            break
        name, _, _ = text.partition("=")
        goes_front = name in top and not (index > command and name in own)
        values = top.get(name, 0) if goes_front else own.get(name, 0)
        width = 1 + max(values - ("=" in text), 0)
        (front if goes_front else back).extend(item for _, item in rest[position : position + width])
        position += width
    return [*front, arguments[command], *back]


def _command(
    arguments: Sequence[str], top: Mapping[str, int], commands: Mapping[str, Mapping[str, int]]
) -> int | None:
    """Where the command stands: the first word that is one and not the value of an option."""
    every = {name: takes for options in commands.values() for name, takes in options.items()}
    position = 0
    while position < len(arguments):
        text = arguments[position]
        if text == "--":
            return None
        if text.startswith("-"):
            name, equals, _ = text.partition("=")
            position += 1 + max(top.get(name, every.get(name, 0)) - len(equals), 0)
        elif text in commands:
            return position
        else:
            return None
    return None
