"""``config show``: every setting of every step, and where it comes from."""

from collections.abc import Iterable, Sequence

from headway.cli.context import program
from headway.cli.program import Program
from headway.config.describe import Row
from headway.config.general import datastore_roots
from headway.config.resolve import BUILT_IN
from headway.errors import UsageError
from headway.launch.preview import settings_rows


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
        _general(this)
    for name, rows in found.items():
        if step not in (None, name):
            continue
        this.write(f"Step {name}: " + ("on this machine" if rows is None else "on Kubernetes"))
        if rows is not None:
            _table(this, [row for row in rows if every or row.source != BUILT_IN])
    if not every:
        this.write("Settings that nobody set are left out; --all shows them.", error=True)


def _general(this: Program) -> None:
    configuration = this.configuration
    if configuration.profile:
        this.write(f"Named configuration: {configuration.profile}")
    for file in configuration.files:
        this.write(f"Read: {file.path}")
    this.write("Datastores")
    roots = datastore_roots(configuration)
    _table(this, [Row(kind, str(root.value), root.source) for kind, root in roots.items()])


def _table(this: Program, rows: Iterable[Row]) -> None:
    listed = list(rows)
    name = max((len(row.name) for row in listed), default=0)
    value = max((min(len(row.value), 40) for row in listed), default=0)
    for row in listed:
        this.write(f"    {row.name:<{name}}  {row.value:<{value}}  ({row.source})")
