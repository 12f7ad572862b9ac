"""``config show``: what is configured, every setting of every step, and where each comes from."""

import os
from collections.abc import Iterable, Iterator, Sequence

import click

from headway.cli.context import program
from headway.cli.program import Program
from headway.config.describe import Row
from headway.config.general import datastore_roots
from headway.config.overview import GENERAL, general_rows, misspelt_names, pod_rows, shown_value
from headway.config.places import PREFIXES
from headway.config.resolve import BUILT_IN
from headway.errors import UsageError
from headway.flow.parameters import Parameter
from headway.launch.preview import settings_rows

#: Options whose values are the flow's own affair.
_UNSHOWN = ("config_values",)


def show(*, step: str | None, every: bool, late: Sequence[str], overrides: Sequence[str]) -> None:
    """Print the settings, one a line: name, value, source.

    Args:
        step: Only this step.
        every: Also those that are as they are by default.
        late: ``--with``.
        overrides: ``--override``.
    """
    this = program()
    found = settings_rows(this.graph(tuple(late)), this.configuration, this.overrides(overrides))
    if step is not None and step not in found:
        raise UsageError(f"The flow has no step {step}; it has {', '.join(found)}.")
    if step is None:
        _general(this, every=every, pods=any(rows is not None for rows in found.values()))
    for name, rows in found.items():
        if step not in (None, name):
            continue
        this.write(f"Step {name}: " + ("on this machine" if rows is None else "on Kubernetes"))
        if rows is not None:
            _table(this, [row for row in rows if every or row.source != BUILT_IN])
    if not every:
        this.write("Settings that nobody set are left out; --all shows them.", error=True)


def _general(this: Program, *, every: bool, pods: bool) -> None:
    configuration = this.configuration
    if configuration.profile:
        this.write(f"Named configuration: {configuration.profile}")
    for file in configuration.files:
        this.write(f"Read: {file.path}")
    roots = datastore_roots(configuration)
    options, parameters = list(_options()), this.declared.parameters.values()
    for title, rows in (
        ("Datastores", [Row(kind, shown_value(root.value), root.source) for kind, root in roots.items()]),
        ("General", [row for row in general_rows(configuration, every=every) if not _is_root(row)]),
        (
            "Options said by variables",
            [*filter(None, (_said(*each) for each in options)), *filter(None, map(_given, parameters))],
        ),
        ("For pods, of which this flow has none", [] if pods else pod_rows(configuration)),
    ):
        if rows:
            this.write(title)
            _table(this, rows)
    known = [*(names for _, _, names in options), *(parameter.variables for parameter in parameters)]
    for line in misspelt_names(configuration, _bare(name for names in known for name in names)):
        this.write(line, error=True)


def _is_root(row: Row) -> bool:
    """Whether it stands among the datastores."""
    return row.name.rpartition("_")[2].lower() in ("local", "s3", "azure", "gs") and "SYSROOT" in row.name


def _options() -> Iterator[tuple[str, click.Parameter, tuple[str, ...]]]:
    """Every option of the command line with its command, and the variables that may say it."""
    yield from _options_of(click.get_current_context().find_root().command, "")


def _options_of(command: click.Command, path: str) -> Iterator[tuple[str, click.Parameter, tuple[str, ...]]]:
    for option in command.params:
        names = (option.envvar,) if isinstance(option.envvar, str) else tuple(option.envvar or ())
        if names:
            yield path, option, names
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from _options_of(inner, f"{path} {name}".strip())


def _said(path: str, option: click.Parameter, names: Sequence[str]) -> Row | None:
    """What a variable says of an option, None where none does, or where it stands among the settings."""
    said = next((name for name in names if os.environ.get(name)), None)
    if said is None or GENERAL.keys() & set(_bare(names)):
        return None
    value = "(set)" if option.name in _UNSHOWN else shown_value(os.environ[said])
    return Row(f"{path} {max(option.opts, key=len)}".strip(), value, said)


def _given(parameter: Parameter) -> Row | None:
    """That a variable says a parameter of the flow's, None where none does; what it says is the flow's own affair."""
    said = next((name for name in parameter.variables if os.environ.get(name)), None)
    return Row(f"run --{parameter.name}", "(set)", said) if said is not None else None


def _bare(names: Iterable[str]) -> Iterator[str]:
    """Variables without the prefix."""
    for name in names:
        yield next((name.removeprefix(prefix) for prefix in PREFIXES if name.startswith(prefix)), name)


def _table(this: Program, rows: Iterable[Row]) -> None:
    listed = list(rows)
    name = max((len(row.name) for row in listed), default=0)
    value = max((min(len(row.value), 40) for row in listed), default=0)
    for row in listed:
        this.write(f"    {row.name:<{name}}  {row.value:<{value}}  ({row.source})")
