"""A flow's configurations on the command line, ``--config`` and ``--config-value``, and in variables."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from headway.config.places import PREFIXES
from headway.errors import UsageError
from headway.flow.configure import GivenConfigs
from headway.flow.members import configs_of

#: How a value begins that stands for one in the file of ``--local-config-file``.
_READY = "kv."


def config_options(flow_class: Any) -> list[click.Parameter]:
    """The options by which a flow's configurations are given; none where it has none."""
    names = configs_of(flow_class)
    if not names:
        return []
    declared = [getattr(flow_class, name)._declaration for name in names]
    listed = "; ".join(f"{each.name}: {each.help}" if each.help else str(each.name) for each in declared)
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
    files: Iterable[tuple[str, str]],
    values: Iterable[tuple[str, str]],
    environ: Mapping[str, str],
    ready_file: str | None = None,
) -> GivenConfigs:
    """What was given for configurations: on the command line, else in the variables FLOW_CONFIG and FLOW_CONFIG_VALUE.

    Args:
        files: ``--config``.
        values: ``--config-value``; ``kv.NAME`` stands for what the file of values says of that name.
        environ: The variables.
        ready_file: ``--local-config-file``: values that were read before, as JSON.

    Raises:
        UsageError: A variable is not a JSON object, or the file says nothing of a name.
    """
    values = list(values)
    stands = {
        name: text.removeprefix(_READY) for name, text in values if ready_file and text.startswith(_READY)
    }
    # As with Metaflow: variables may still be set where the values have all been read.
    own: Mapping[str, str] = {} if stands and len(stands) == len(values) else environ
    return GivenConfigs(
        {
            **_from_variable("FLOW_CONFIG", own),
            **{name: (path, f"--config {name}") for name, path in files},
        },
        {
            **_from_variable("FLOW_CONFIG_VALUE", own),
            **{name: (text, f"--config-value {name}") for name, text in values if name not in stands},
        },
        _ready(ready_file, stands) if ready_file and stands else {},
    )


def _ready(path: str, stands: Mapping[str, str]) -> dict[str, tuple[Any, str]]:
    """The values that a file holds for these configurations, by what each is called there."""
    said = f"--local-config-file {path}"
    try:
        known = json.loads(Path(path).read_text(encoding="utf-8"))["user_configs"]
        return {name: (known[key], said) for name, key in stands.items()}
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UsageError(
            f"{said} does not hold the values of {', '.join(stands)}: {type(error).__name__}: {error}.",
            'It looks like this: {"user_configs": {"config": {"alpha": 1}}}',
        ) from error


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
