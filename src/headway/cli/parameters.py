"""A flow's parameters as options of ``run``, and what was given for them as values."""

import sys
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from headway.errors import HeadwayError, UsageError
from headway.flow.config_value import ConfigValue
from headway.flow.current import current
from headway.flow.members import constants_of
from headway.flow.parameters import Parameter, ParameterFieldFailedError
from headway.store.batch import Project

if TYPE_CHECKING:
    from headway.cli.program import Program

#: Click's names for our options start with this, so that no parameter can take the place of another option.
PREFIX = "parameter_"

#: Characters of a default that are noted for people.
_LONGEST_SHOWN = 200


def parameter_options(parameters: Iterable[Parameter]) -> list[click.Parameter]:
    """One option for each parameter; its text is converted by the parameter itself, whose errors say more."""
    # A name that two of them have is refused when the flow is checked, which tells both places.
    return [_option(parameter) for parameter in {each.name: each for each in parameters}.values()]


def _option(parameter: Parameter) -> click.Option:
    # One without a value has nothing that stands for it in the help.
    kind: dict[str, Any] = {"nargs": parameter.nargs, "metavar": _metavar(parameter)}
    if parameter.is_flag or parameter.counts:
        kind = {"is_flag": True} if parameter.is_flag else {"count": True}
    return click.Option(
        [f"--{parameter.name}", f"{PREFIX}{parameter.attribute}"],
        multiple=parameter.multiple,
        help=_help(parameter),
        hidden=parameter.options.get("hidden") is True,
        # Not given is not false: the parameter's own default counts.
        default=None,
        # Its variables are read below, with its own separators.
        envvar=[],
        **kind,
    )


def given_values(
    parameters: Mapping[str, Parameter], given: Mapping[str, Any], environ: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """What was given for each parameter, by its attribute: on the command line, else in a variable."""
    texts: dict[str, tuple[str, ...]] = {}
    for attribute, parameter in parameters.items():
        value = given.get(f"{PREFIX}{attribute}")
        # One that counts is 0 where it is not given.
        if value is not None and value != () and not (parameter.counts and not value):
            texts[attribute] = _texts(parameter, value)
            continue
        # A variable has one text, whatever the option takes: spaces stand between several.
        found = next((environ[name] for name in parameter.variables if environ.get(name)), None)
        if found is None:
            found = _asked(parameter)
        if found:
            several = parameter.multiple or parameter.nargs != 1
            texts[attribute] = tuple(found.split()) if several else (found,)
    return texts


def _texts(parameter: Parameter, value: Any) -> tuple[str, ...]:
    """What was typed for a parameter, one text after the other."""
    if parameter.is_flag:
        return (str(parameter.flag_value),)
    if parameter.multiple and parameter.nargs != 1:
        return tuple(text for each in value for text in each)
    return tuple(value) if parameter.multiple or parameter.nargs != 1 else (str(value),)


def _asked(parameter: Parameter) -> str:
    """What is typed for a parameter that asks (``prompt``), "" where its default is to count."""
    question = parameter.options.get("prompt")
    if not question:
        return ""
    text = question if isinstance(question, str) else parameter.name.replace("_", " ").capitalize()
    default = parameter.default
    simple = isinstance(default, (str, int, float))
    try:
        if parameter.is_flag:
            return str(click.confirm(text, default=bool(default), err=True))
        typed = click.prompt(
            text,
            # Without one the question is put until something is typed.
            default=None if default is None else str(default) if simple else "",
            show_default=simple and bool(parameter.show_default),
            hide_input=parameter.options.get("hide_input") is True,
            confirmation_prompt=parameter.options.get("confirmation_prompt") or False,
            type=str,
            err=True,
        )
    except click.Abort:
        if sys.stdin is not None and sys.stdin.isatty():
            raise
        raise UsageError(
            f"Parameter '{parameter.name}' asks for its value, and nobody is there to type it.", parameter.how
        ) from None
    return "" if simple and typed == str(default) else str(typed)


def run_parameters(
    program: "Program",
    texts: Mapping[str, tuple[str, ...]],
    store_kind: Callable[[], str] | None = None,
    project: Callable[[], Project | None] | None = None,
) -> dict[str, object]:
    """The values that a run starts with: the class's constants, the configurations and every parameter.

    Args:
        program: The command line.
        texts: What was given for parameters, by attribute.
        store_kind: Tells the kind of datastore to defaults that are functions; asked only where there are such.
        project: The project that the run will belong to, which ``current`` tells to these functions; asked likewise.
    """
    return _values(program, texts, (), store_kind, project)


def shown_parameters(
    program: "Program", texts: Mapping[str, tuple[str, ...]], values: Mapping[str, object]
) -> dict[str, str]:
    """Of the values that a run starts with its parameters, as they were typed, else as Python writes what is simple."""
    return {
        name: ", ".join(texts[name]) if name in texts else _shown(values[name])
        for name in program.declared.parameters
        if name in values
    }


def missing_parameters(
    program: "Program",
    known: Container[str],
    store_kind: Callable[[], str] | None = None,
    project: Callable[[], Project | None] | None = None,
) -> dict[str, object]:
    """What a run that takes its parameters from an earlier one starts with beside them.

    The class's constants are those of the code as it is now. A parameter that the earlier run did not know
    has its default.

    Args:
        program: The command line.
        known: The parameters that the earlier run knew.
        store_kind: As for :func:`run_parameters`.
        project: As there.
    """
    return _values(program, {}, known, store_kind, project)


def _values(
    program: "Program",
    texts: Mapping[str, tuple[str, ...]],
    known: Container[str],
    store_kind: Callable[[], str] | None,
    project: Callable[[], Project | None] | None,
) -> dict[str, object]:
    """The constants, and the configurations and parameters that are not known."""
    declared = program.declared
    values = dict(constants_of(program.flow_class))
    values.update((name, value) for name, value in declared.values.items() if name not in known)
    context = program.parameter_context._replace(configs=ConfigValue(declared.scope))
    wanted = {name: each for name, each in declared.parameters.items() if name not in known}
    functions = any(callable(each.default) for name, each in wanted.items() if name not in texts)
    if store_kind and functions:
        context = context._replace(ds_type=store_kind())
    told: dict[str, object] = {}
    with _current_of(project() if project and functions else None):
        for attribute, parameter in wanted.items():
            value = parameter.value(texts.get(attribute, ()), context)
            if parameter.options.get("callback") is not None:
                value = _called_back(parameter, value, told)
            values[attribute] = told[_click_name(parameter)] = value
    return values


@contextmanager
def _current_of(project: Project | None) -> Iterator[None]:
    """Within this, ``current`` tells of the project as it will in steps."""
    if project is None or current.is_running_flow:
        yield
        return
    current._extend(**project.told())
    try:
        yield
    finally:
        current._end()


def _called_back(parameter: Parameter, value: object, told: Mapping[str, object]) -> object:
    """What a parameter's callback makes of its value, called as click calls it."""
    now = click.get_current_context(silent=True)
    context = click.Context(now.command if now else click.Command("run"), now, info_name="run")
    context.params.update(told)
    option = click.Option([f"--{parameter.name}", _click_name(parameter)])
    try:
        return parameter.options["callback"](context, option, value)
    except (HeadwayError, click.ClickException, click.Abort, click.exceptions.Exit):
        raise
    except Exception as error:
        words = f"Parameter '{parameter.name}': its callback failed: {type(error).__name__}: {error}."
        raise ParameterFieldFailedError(words, None, parameter.file, parameter.line) from error


def _click_name(parameter: Parameter) -> str:
    return parameter.name.replace("-", "_").lower()


def _shown(value: object) -> str:
    simple = value is None or isinstance(value, (bool, int, float, str))
    return repr(value)[:_LONGEST_SHOWN] if simple else type(value).__name__


def _written(value: object) -> str:
    # What stands for a value of a configuration is no text yet.
    return value if isinstance(value, str) else repr(value)


def _metavar(parameter: Parameter) -> str:
    said = parameter.options.get("metavar")
    if isinstance(said, str) and said:
        return said
    several = parameter.nargs != 1 and not isinstance(parameter.type, tuple)
    return " ".join([parameter.type_name.upper()] * (parameter.nargs if several else 1))


def _help(parameter: Parameter) -> str:
    words = [_written(parameter.help or "")]
    if parameter.options.get("show_envvar"):
        words.append(f"[variable: {', '.join(parameter.variables)}]")
    if parameter.required:
        words.append("[required]")
    elif parameter.show_default and parameter.default is not None:
        shown = parameter.show_default if isinstance(parameter.show_default, str) else parameter.default
        words.append("[default: computed]" if callable(shown) else f"[default: {_written(shown)}]")
    return " ".join(word for word in words if word)
