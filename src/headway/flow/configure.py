"""Reads a flow's configurations: what was given for each, else its default; the launcher alone does."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from headway.errors import HeadwayError, UsageError
from headway.flow.configs import Config, ConfigDeclaration, as_value
from headway.flow.delayed import Delayed
from headway.flow.names import did_you_mean, folded
from headway.flow.parameters import ParameterContext
from headway.flow.parser_of import parser_of


class GivenConfigs(NamedTuple):
    """What a person gave for a flow's configurations.

    Attributes:
        files: Name to (path, where it was said).
        values: Name to (text or value, where it was said).
        ready: Name to (value, where it was said): no parser reads it again.
    """

    files: Mapping[str, tuple[str, str]] = {}
    values: Mapping[str, tuple[Any, str]] = {}
    ready: Mapping[str, tuple[Any, str]] = {}


def read_configs(
    configs: Mapping[str, Config], given: GivenConfigs, context: ParameterContext
) -> dict[str, Any]:
    """The value of each configuration by its attribute: plain data, or whatever its parser makes.

    Raises:
        UsageError: One that is required is not given, given twice, or cannot be read.
        FlowDefinitionError: A declaration is wrong, or a function of it failed.
    """
    found = read_given(configs, given)
    return {
        attribute: found[attribute] if attribute in found else _default(config._declaration, context)
        for attribute, config in configs.items()
    }


def read_given(configs: Mapping[str, Config], given: GivenConfigs) -> dict[str, Any]:
    """The value of each configuration that was given, by its attribute; no default is asked for.

    Raises:
        UsageError: One is given twice, or cannot be read.
        FlowDefinitionError: A declaration is wrong.
    """
    declared = {attribute: config._declaration for attribute, config in configs.items()}
    _check(declared)
    by_name = {folded(each.name): attribute for attribute, each in declared.items()}
    files, values = _by_attribute(given.files, by_name), _by_attribute(given.values, by_name)
    ready = _by_attribute(given.ready, by_name)
    for attribute in files.keys() & values.keys():
        name = declared[attribute].name
        raise UsageError(
            f"Config '{name}' is given as a file ({files[attribute][1]}) and as a value ({values[attribute][1]}).",
            "Cannot provide both a value and a file for the same configuration: leave one of them out.",
        )
    found: dict[str, Any] = {}
    for attribute, each in declared.items():
        if attribute in ready:
            found[attribute] = _checked(each, *ready[attribute])
        elif attribute in files:
            path, said = files[attribute]
            found[attribute] = _parsed(each, _text(each, path, said), f"{path} ({said})")
        elif attribute in values:
            value, said = values[attribute]
            found[attribute] = _parsed(each, value, said)
    return found


def scope_of(configs: Mapping[str, Config], values: Mapping[str, Any]) -> dict[str, Any]:
    """The configurations as expressions know them: by their names, and by their attributes."""
    scope: dict[str, Any] = {}
    for attribute, config in configs.items():
        scope[attribute] = as_value(config._declaration, values[attribute])
    for attribute, config in configs.items():
        scope[config._declaration.name.replace("-", "_")] = scope[attribute]
    return scope


def _check(declared: Mapping[str, ConfigDeclaration]) -> None:
    seen: dict[str, ConfigDeclaration] = {}
    for each in declared.values():
        name: object = each.name
        if not (isinstance(name, str) and name.replace("-", "_").isidentifier()):
            raise each.error("this is no name.", "Use letters, digits, - and _, and no digit first.")
        if each.default is not None and each.default_value is not None:
            raise each.error("both default and default_value are given.", "Name a file or a value, not both.")
        key = folded(each.name)
        if key in seen:
            raise each.error(
                f"its name is taken by another one (line {seen[key].line}).", "Rename one of them."
            )
        seen[key] = each


def _by_attribute(
    given: Mapping[str, tuple[Any, str]], by_name: Mapping[str, str]
) -> dict[str, tuple[Any, str]]:
    found = {}
    for name, value in given.items():
        attribute = by_name.get(folded(name))
        if attribute is None:
            raise UsageError(
                f"{value[1]}: the flow has no configuration '{name}'.",
                did_you_mean(name, by_name) or "It declares none: config = Config('config').",
            )
        found[attribute] = value
    return found


def _text(each: ConfigDeclaration, path: str, said: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"Config '{each.name}' cannot be read from {path} ({said}): {why}.",
            f"Give another file with --config {each.name} PATH, or a value with --config-value {each.name} JSON.",
        ) from error


def _default(each: ConfigDeclaration, context: ParameterContext) -> Any:
    if each.default is not None:
        path = _computed(each, each.default, context)
        if path is None:
            return None
        return _parsed(each, _text(each, str(path), "its default"), f"{path} (its default)")
    if each.default_value is not None:
        value = _computed(each, each.default_value, context)
        return None if value is None else _parsed(each, value, "its default")
    if each.required:
        raise UsageError(
            f"Config '{each.name}' is required.",
            f"Give it as --config {each.name} PATH, or --config-value {each.name} JSON.",
        )
    return None


def _computed(each: ConfigDeclaration, default: Any, context: ParameterContext) -> Any:
    if isinstance(default, Delayed):
        raise each.error("its default depends on a configuration.", "A configuration's own cannot.")
    if not callable(default):
        return default
    try:
        return default(context._replace(parameter_name=each.name))
    except Exception as error:
        raise each.error(f"its default's function failed: {type(error).__name__}: {error}.") from error


def _parsed(each: ConfigDeclaration, value: Any, where: str) -> Any:
    if each.parser is None:
        if not isinstance(value, str) or each.plain:
            return _checked(each, value, where)
        try:
            return _checked(each, json.loads(value), where)
        except json.JSONDecodeError as error:
            raise UsageError(
                f"Config '{each.name}' from {where} is not JSON: {error.msg.lower()} "
                f"at line {error.lineno}, column {error.colno}.",
                "Mend it, or declare what reads it: Config(…, parser=yaml_parser).",
            ) from error
    parser = parser_of(each.parser, each.error)
    try:
        made = parser(value if isinstance(value, str) else json.dumps(value))
    except HeadwayError as error:
        raise UsageError(f"Config '{each.name}' from {where}: {error.message}", error.hint) from error
    except Exception as error:
        raise UsageError(
            # Nothing behind words of others: they may end with an address, or with a full stop of their own.
            f"Config '{each.name}' from {where} is refused by its parser: {type(error).__name__}: {error}"
        ) from error
    return _checked(each, made, where)


def _checked(each: ConfigDeclaration, value: Any, where: str) -> Any:
    # JSON's null is a configuration that is not given; a parser that gives none has forgotten its return.
    if each.plain or isinstance(value, Mapping) or (value is None and each.parser is None):
        return value
    raise UsageError(
        f"Config '{each.name}' from {where} holds {value!r} ({type(value).__name__}) and no names with values.",
        "Let it be a JSON object, or declare it plain: Config(…, plain=True).",
    )
