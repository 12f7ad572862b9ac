"""Where the commands that read runs back look for them, and in which user namespace."""

from headway.cli.program import Program
from headway.client import metadata
from headway.config.datastore import choose_datastore
from headway.config.general import datastore_roots
from headway.config.general import user as configured_user


def look_where_told(this: Program) -> None:
    """Look for runs in the datastore that the command line names, where it names one.

    Raises:
        SettingsError: ``--datastore`` names a kind without a root.
        NotFoundError: There are no runs there.
    """
    kind, root = this.options.datastore, this.options.datastore_root
    if kind is None and root is None:
        return
    roots = datastore_roots(this.configuration)
    metadata(choose_datastore(kind, root, roots, any_remote_step=False).url)


def user_namespace(this: Program, given: str | None) -> str | None:
    """The user namespace that is meant: as typed ("" for all), by default the person's own."""
    if given is None:
        return f"user:{configured_user(this.configuration)}"
    return given or None
