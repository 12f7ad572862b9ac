"""Where the commands that read runs back look for them, and in which user namespace."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

from headway.cli.program import Program
from headway.client import Flow, NamespaceMismatchError, metadata
from headway.config.datastore import choose_datastore
from headway.config.general import datastore_roots
from headway.config.general import user as configured_user
from headway.errors import NotFoundError

#: How many runs are named where one was not found.
_MOST = 5
#: How the client's hints write a user namespace that has a name.
_CALL = re.compile(r"namespace\('([^']*)'\)")


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


@contextmanager
def told_for_typing(this: Program) -> Iterator[None]:
    """Of a run that is not found, or not in the user namespace, says what to type to find it."""
    try:
        yield
    except NotFoundError as error:
        looked = _looked(error)
        if not looked:
            raise
        hint = f"{_newest(this.flow)}{looked}; --datastore-root=s3://bucket/prefix looks elsewhere."
        raise NotFoundError(error.message, hint) from error
    except NamespaceMismatchError as error:
        everywhere = (error.hint or "").replace("namespace(None)", '--namespace=""')
        raise NamespaceMismatchError(error.message, _CALL.sub(r"--namespace=\1", everywhere)) from error


@contextmanager
def warned_in_words(this: Program) -> Iterator[None]:
    """What the client warns of is a line on stderr, without the line of code at which Python would show it."""
    with warnings.catch_warnings():
        warnings.simplefilter("default", RuntimeWarning)
        warnings.showwarning = lambda message, *_: this.write(f"Warning: {message}", error=True, style="warn")
        yield


@contextmanager
def trigger_told_for_typing(pathspecs: tuple[str, ...]) -> Iterator[None]:
    """Of a ``--trigger`` that is not found, names the runs that could have been meant."""
    try:
        yield
    except NotFoundError as error:
        looked = _looked(error)
        if not looked:
            raise
        flows = dict.fromkeys(pathspec.partition("/")[0] for pathspec in pathspecs)
        raise NotFoundError(error.message, f"{''.join(map(_newest, flows))}{looked}.") from error


def _looked(error: NotFoundError) -> str:
    """Where a run was looked for, as the client tells it; the rest of its hint is for code."""
    looked, code, _ = (error.hint or "").partition("; metadata(")
    return looked if code else ""


def _newest(flow: str) -> str:
    try:
        runs = [run.id for run in islice(Flow(flow, _namespace_check=False), _MOST)]
    except NotFoundError:
        return ""
    known = ", ".join(runs)
    return f"The newest runs of {flow}: {known}.\n" if runs else ""
