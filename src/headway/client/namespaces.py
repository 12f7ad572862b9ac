"""The user namespace: a tag, mostly ``user:<name>``, that the runs one looks at bear."""

import os
from typing import Optional

from headway.flow.current import current


class _Default:
    """Stands for "nobody chose a namespace": None says that somebody chose to see everything."""


#: One for the process, as in the notebooks and scripts that this serves.
_chosen: object = _Default


def namespace(ns: Optional[str]) -> Optional[str]:
    """Look only at runs with this tag from now on, in this process.

    Args:
        ns: ``user:ann``, any other tag, or None for all runs.

    Returns:
        The namespace now in use.
    """
    global _chosen
    _chosen = ns
    return ns


def get_namespace() -> Optional[str]:
    """The namespace in use, None where all runs are seen."""
    if _chosen is _Default:
        return _default()
    return _chosen if isinstance(_chosen, str) else None


def default_namespace() -> Optional[str]:
    """Go back to the default: within a step the run's namespace, elsewhere ``user:<you>``.

    Returns:
        The namespace now in use.

    Raises:
        SettingsError: No variable tells who you are.
    """
    global _chosen
    _chosen = _Default
    return _default()


def _default() -> Optional[str]:
    # Found anew each time: a process that read runs before it was forked for a step is one of them.
    if current.is_running_flow:
        return current._sees or None
    return f"user:{_user()}"


def user_name() -> str:
    """Who runs this.

    Raises:
        UnknownUserError: No variable tells.
    """
    return _user()


def _user() -> str:
    try:
        # Not in a pod, where a step knows its namespace from its run.
        from headway.config.general import user
        from headway.config.sources import Configuration
    except ImportError:
        return os.environ.get("HEADWAY_USER") or os.environ.get("METAFLOW_USER") or "unknown"
    return user(Configuration.load(os.environ, os.getcwd()))
