"""Where configuration files are looked for: paths as text, for those who only want to know whether there are any."""

import os

from headway.plain import Iterator, Mapping

PREFIXES = ("HEADWAY_", "METAFLOW_")


def own_places(environ: Mapping[str, str], cwd: str, profile: str | None) -> Iterator[str]:
    """Headway's files, the one that wins first, whether they exist or not."""
    names = [f"config_{profile}.json"] if profile else []
    for name in [*names, "config.json"]:
        if project := nearest(cwd, f".headway/{name}"):
            yield project
        yield f"{headway_home(environ)}/{name}"


def metaflow_places(environ: Mapping[str, str], cwd: str, profile: str | None) -> Iterator[str]:
    """Metaflow's files, likewise."""
    if project := nearest(cwd, ".metaflow/config.json"):
        yield project
    home = metaflow_home(environ)
    named = f"{home}/config_{profile}.json"
    yield named if profile and os.path.isfile(named) else f"{home}/config.json"


def headway_home(environ: Mapping[str, str]) -> str:
    """The folder of Headway's own files for this person."""
    if home := environ.get("HEADWAY_HOME"):
        return _expanded(home, environ)
    if base := environ.get("XDG_CONFIG_HOME"):
        return f"{base}/headway"
    return f"{_user_home(environ)}/.config/headway"


def metaflow_home(environ: Mapping[str, str]) -> str:
    """The folder of Metaflow's configuration for this person."""
    return _expanded(environ.get("METAFLOW_HOME") or "~/.metaflowconfig", environ)


def nearest(cwd: str, relative: str) -> str | None:
    """The nearest existing ``<folder>/<relative>``, from the working directory upward."""
    folder = cwd
    while True:
        path = os.path.join(folder, relative)
        if os.path.exists(path):
            return path
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


def _user_home(environ: Mapping[str, str]) -> str:
    return environ.get("HOME") or os.path.expanduser("~")


def _expanded(path: str, environ: Mapping[str, str]) -> str:
    # Not os.path.expanduser: the environment given decides, not the process's own.
    if path == "~" or path.startswith("~/"):
        return os.path.join(_user_home(environ), path[2:])
    return path
