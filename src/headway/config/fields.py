"""How a settings class declares its fields: one line each, from which all else is derived.

A settings class is a :class:`Settings` whose fields are made by :func:`setting`. What the line says
(default, parser, variables, how layers join, where the value lands) is what the resolver, the error
messages, ``config show`` and the documentation's tables read.

Dataclasses and structs would do as well, but ``show`` and ``--help`` of every flow with ``@kubernetes`` read these
declarations, and to load either takes longer than all the rest that these commands do.
"""

import enum
from collections.abc import Callable

from headway.plain import TYPE_CHECKING, ClassVar, NamedTuple, TypeVar, cast

T = TypeVar("T")
S = TypeVar("S", bound="Settings")

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_: object) -> Callable[[T], T]:
        """For type checkers alone."""
        return lambda cls: cls


class Join(enum.Enum):
    """How the values that several layers hold for one field become one."""

    #: The layer that wins gives the value.
    REPLACE = "replace"
    #: As REPLACE, then the greater of it and of what ``@resources`` says.
    MAXIMUM = "maximum"
    #: Maps joined key by key, the layer that wins last; lists one after the other, it first.
    ADD = "add"


class Setting(NamedTuple):
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
    declared = Setting("", parsed, default, parse, variables, join, argument, aliases, sensitive, lands, doc)
    # The declared type is the parser's, as that of a dataclass's field is its default's.
    return cast("T", declared)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(setting,))
class Settings:
    """Values for the fields that a class of settings declares; those not given have their defaults.

    Values never change; :func:`replace` makes others of them.
    """

    _declared: ClassVar[dict[str, Setting]] = {}

    def __init_subclass__(cls) -> None:
        made = {name: value for name, value in vars(cls).items() if isinstance(value, Setting)}
        cls._declared = {name: value._replace(name=name) for name, value in made.items()}
        for name, value in made.items():
            setattr(cls, name, value.default)

    def __init__(self, **values: object) -> None:
        unknown = values.keys() - self._declared.keys()
        if unknown:
            raise TypeError(f"{type(self).__name__} has no {', '.join(sorted(unknown))}")
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} never changes; replace() makes another")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self._declared)

    __hash__ = None  # type: ignore[assignment]  # some values are maps

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"
        )


def replace(settings: S, **changes: object) -> S:
    """The same settings but for these."""
    return type(settings)(**{**vars(settings), **changes})


def optional(parse: Callable[[object], T]) -> Callable[[object], T | None]:
    """The same parser for a field that may stay without a statement; only its type differs."""
    return parse


def settings_of(cls: type[Settings]) -> dict[str, Setting]:
    """The settings that a class declares, by name, in its order."""
    declared: dict[str, Setting] = cls._declared
    return dict(declared)
