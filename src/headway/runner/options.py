"""Keyword arguments as words on a flow's command line, by what the flow itself says of its options."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headway.runner.errors import ArgumentTypeError, UnknownArgumentError

#: Names from Metaflow's Runner for options and arguments that are called otherwise here.
_ALSO = {
    "--with": ("decospecs",),
    "--tag": ("tags",),
    "--namespace": ("user_namespace",),
    "step": ("step_to_rerun",),
}

_TYPES: Mapping[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "str": (str,),
}


@dataclass(frozen=True)
class Surface:
    """What can be said on a flow's command line.

    Attributes:
        described: What the flow's ``describe`` says.
    """

    described: Mapping[str, Any]

    def top(self, given: Mapping[str, object]) -> list[str]:
        """The words for the program's own options.

        Raises:
            UnknownArgumentError: There is no such option.
            ArgumentTypeError: A value is of another type.
        """
        words, rest = _options(self.described["top"], given)
        if rest:
            raise _unknown(rest, _names(self.described["top"]))
        return words

    def command(self, name: str, given: Mapping[str, object]) -> list[str]:
        """The words for a command, its name first.

        Raises:
            UnknownArgumentError: There is no such command, option or argument, or one is missing.
            ArgumentTypeError: A value is of another type.
        """
        command = self.described["commands"].get(name)
        if command is None:
            raise UnknownArgumentError(f"This flow has no command {name!r}.")
        words, rest = _options(command["options"], given)
        arguments, rest = _arguments(name, command["arguments"], rest)
        if rest:
            known = [*_names(command["options"]), *(argument["name"] for argument in command["arguments"])]
            raise _unknown(rest, known)
        # What could be taken for an option stands behind the mark that no more follow.
        return [
            name,
            *words,
            *(["--", *arguments] if any(a.startswith("-") for a in arguments) else arguments),
        ]


def _options(
    options: Sequence[Mapping[str, Any]], given: Mapping[str, object]
) -> tuple[list[str], dict[str, object]]:
    """The words, and what was given and is no option."""
    by_name = {name: option for option in options for name in _spellings(option)}
    # What an option is called on the command line is its own, whatever else another goes by.
    by_name.update((option["names"][0], option) for option in options)
    words: list[str] = []
    rest: dict[str, object] = {}
    for name, value in given.items():
        option = by_name.get(name)
        if option is None:
            rest[name] = value
        elif value is not None:
            words += _option(name, option, value)
    return words, rest


def _arguments(
    command: str, arguments: Sequence[Mapping[str, Any]], given: Mapping[str, object]
) -> tuple[list[str], dict[str, object]]:
    rest = dict(given)
    words: list[str] = []
    for argument in arguments:
        spellings = (argument["name"], *_ALSO.get(argument["name"], ()))
        found = [rest.pop(name) for name in spellings if name in rest]
        value = next((each for each in found if each is not None), None)
        if value is None:
            if argument["required"]:
                raise UnknownArgumentError(f"{command}() needs the argument '{argument['name']}'.")
            continue
        values = value if argument["several"] and isinstance(value, (list, tuple)) else [value]
        words += [str(each) for each in values]
    return words, rest


def _option(name: str, option: Mapping[str, Any], value: Any) -> Iterator[str]:
    if option.get("counts"):
        if not isinstance(value, int):
            raise _wrong(name, "a number of times", value)
        yield from [option["on"]] * value
        return
    if option["words"] == 0:
        if not isinstance(value, bool):
            raise _wrong(name, "True or False", value)
        if value or option["off"]:
            yield option["on"] if value else option["off"]
        return
    if option["multiple"] and not isinstance(value, (list, tuple)):
        raise _wrong(name, f"a list of {_words_for(option)}", value)
    for each in value if option["multiple"] else [value]:
        if option["words"] == 1:
            yield f"{option['on']}={_text(name, option, each)}"
            continue
        if not isinstance(each, (list, tuple)) or len(each) != option["words"]:
            raise _wrong(name, f"{option['words']} values each", each)
        yield option["on"]
        yield from (part if isinstance(part, str) else json.dumps(part) for part in each)


def _text(name: str, option: Mapping[str, Any], value: Any) -> str:
    if option["type"] == "JSON":
        # The value itself, as in Metaflow: a text too, which no JSON has to be read from.
        return json.dumps(value)
    if option["separator"] is not None and isinstance(value, (list, tuple)):
        return str(option["separator"]).join(map(str, value))
    allowed = _TYPES.get(option["type"])
    if allowed is not None and (
        not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed)
    ):
        raise _wrong(name, _words_for(option), value)
    return str(value)


def _words_for(option: Mapping[str, Any]) -> str:
    return "pairs" if option["words"] > 1 else str(option["type"])


def _spellings(option: Mapping[str, Any]) -> Sequence[str]:
    return (*option["names"], *_ALSO.get(option["on"], ()))


def _names(options: Sequence[Mapping[str, Any]]) -> list[str]:
    # A word such as "with" cannot be a keyword argument.
    return [_ALSO.get(option["on"], option["names"])[0] for option in options]


def _unknown(given: Mapping[str, object], known: Sequence[str]) -> UnknownArgumentError:
    names = ", ".join(repr(name) for name in given)
    return UnknownArgumentError(f"Unknown argument: {names}, possible args are: {', '.join(sorted(known))}")


def _wrong(name: str, wanted: str, value: object) -> ArgumentTypeError:
    return ArgumentTypeError(
        f"The argument {name!r} takes {wanted}, and {value!r} is of type {type(value).__name__}."
    )
