"""How a settings class declares its fields: one line each, from which all else is derived.

A settings class is a frozen dataclass whose fields are made by :func:`setting`. What the line says
(default, parser, variables, how layers join, where the value lands) is what the resolver, the error
messages, ``config show`` and the documentation's tables read.
"""

import enum
from collections.abc import Callable
from dataclasses import Field, dataclass, field, fields
from typing import Any, TypeVar, cast

T = TypeVar("T")

_KEY = "headway"


class Join(enum.Enum):
    """How the values that several layers hold for one field become one."""

    #: The layer that wins gives the value.
    REPLACE = "replace"
    #: As REPLACE, then the greater of it and of what ``@resources`` says.
    MAXIMUM = "maximum"
    #: Maps joined key by key, the layer that wins last; lists one after the other, it first.
    ADD = "add"


@dataclass(frozen=True)
class Setting:
    """One field of a settings class.

    Attributes:
        name: The field's name, which is the decorator's argument.
        default: The default, parsed; None for no statement.
        written_default: The default as a person would write it.
        parse: From what a person wrote to the field's value; raises RefusedError.
        variables: The configuration names it can come from, without prefix, the first that is set wins.
        join: How layers become one.
        argument: Whether a decorator may say it; otherwise configuration and --override alone.
        aliases: Other names by which a decorator may say it.
        sensitive: Whether its value may hold a secret and is kept out of messages.
        lands: Where in the manifest it ends, in words.
        doc: What it means, in one sentence.
    """

    name: str
    default: object
    written_default: object
    parse: Callable[[object], object]
    variables: tuple[str, ...]
    join: Join
    argument: bool
    aliases: tuple[str, ...]
    sensitive: bool
    lands: str
    doc: str


def setting(
    default: object,
    parse: Callable[[object], T],
    *variables: str,
    doc: str,
    lands: str,
    join: Join = Join.REPLACE,
    argument: bool = True,
    aliases: tuple[str, ...] = (),
    sensitive: bool = False,
) -> T:
    """Declare one field of a settings class; see :class:`Setting`.

    Args:
        default: As a person would write it; None for no statement, the field's type is then optional.
        parse: The parser of what a person writes.
        variables: Configuration names without prefix.
        doc: What it means.
        lands: Where in the manifest it ends.
        join: How layers become one.
        argument: Whether a decorator may say it.
        aliases: Other names for the decorator's argument.
        sensitive: Whether its value may hold a secret.
    """
    parsed = None if default is None else parse(default)
    declared = {
        "default": parsed, "written_default": default, "parse": parse, "variables": variables, "join": join,
        "argument": argument, "aliases": aliases, "sensitive": sensitive, "lands": lands, "doc": doc,
    }  # fmt: skip
    # The declared type is the parser's, as dataclasses.field declares its default's.
    return cast("T", field(default_factory=lambda: parsed, metadata={_KEY: declared}))


def optional(parse: Callable[[object], T]) -> Callable[[object], T | None]:
    """The same parser for a field that may stay without a statement; only its type differs."""
    return parse


def settings_of(cls: type[Any]) -> dict[str, Setting]:
    """The settings that a class declares, by name, in its order."""
    declared: tuple[Field[Any], ...] = fields(cls)
    return {
        item.name: Setting(name=item.name, **item.metadata[_KEY])
        for item in declared
        if _KEY in item.metadata
    }
