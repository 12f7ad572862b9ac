"""Configuration values with their provenance: environment variables first, then files.

A name is written without prefix (``KUBERNETES_CPU``). It is looked for, first hit wins, as

1. the environment variables ``HEADWAY_<name>``, then ``METAFLOW_<name>``;
2. the files of the named configuration, if one is chosen: ``.headway/config_<profile>.json`` (the
   nearest one upward from the working directory), then ``config_<profile>.json`` in Headway's home;
3. ``.headway/config.json`` (the nearest one upward), then ``config.json`` in Headway's home;
4. Metaflow's files: ``.metaflow/config.json`` (the nearest one upward), then ``config.json`` in
   Metaflow's home, in whose place ``config_<profile>.json`` stands where there is one.

Headway's home is ``$HEADWAY_HOME``, ``$XDG_CONFIG_HOME/headway`` or ``~/.config/headway``; Metaflow's
is ``$METAFLOW_HOME`` or ``~/.metaflowconfig``. The profile is chosen by ``--config-name``,
``HEADWAY_PROFILE`` or ``METAFLOW_PROFILE``. Keys in files carry a prefix, as the variables do. An empty
variable or value, and null in a file, is not set.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from headway.config import places
from headway.config.places import PREFIXES
from headway.errors import SettingsError

#: What chooses a named configuration on the command line.
OPTION = "--config-name"

_UNPREFIXED = re.compile(r"[A-Z][A-Z0-9_]*")


class Sourced(NamedTuple):
    """A configured value and where it was found.

    Attributes:
        value: A string from the environment; any JSON value from a file.
        source: The variable's name, or ``<file>: <key>``.
    """

    value: object
    source: str


class ConfigFile(NamedTuple):
    """One configuration file that was read: its path and its object."""

    path: str
    values: Mapping[str, object]


class Configuration(NamedTuple):
    """What a person configured outside their code. Build it with :meth:`load`.

    Attributes:
        environ: The process's environment.
        cwd: The folder that relative searches started from.
        files: The files that exist, the one that wins first.
        profile: The named configuration in use, if any.
        named_by: What chose it: ``--config-name`` or a variable; "" where nothing did.
    """

    environ: Mapping[str, str]
    cwd: str
    files: tuple[ConfigFile, ...] = ()
    profile: str | None = None
    named_by: str = ""

    @classmethod
    def load(
        cls, environ: Mapping[str, str], cwd: "str | os.PathLike[str]", profile: str | None = None
    ) -> "Configuration":
        """Read the files that apply.

        Args:
            environ: The environment to look in.
            cwd: Where the upward search for project files begins.
            profile: The named configuration (``--config-name``); by default the variable's.

        Raises:
            SettingsError: A file is not a JSON object, or the named configuration has no file.
        """
        folder = os.fspath(cwd)
        chosen = _chosen_profile(environ, profile)
        name, origin = chosen or (None, "")
        own = _files(places.own_places(environ, folder, name))
        for file in own:
            _check_keys(file)
        files = (*own, *_files(places.metaflow_places(environ, folder, name)))
        if name and not any(os.path.basename(file.path) == f"config_{name}.json" for file in files):
            homes = f"{places.headway_home(environ)}, {places.metaflow_home(environ)}"
            raise SettingsError(
                "profile",
                name,
                f"there is no config_{name}.json in .headway here or above, nor in {homes}",
                origin,
                "Write that file, or name a configuration that exists.",
            )
        return cls(environ, folder, files, name, origin)

    def get(self, name: str) -> Sourced | None:
        """The configured value of a name without prefix, or None where nobody set it."""
        for prefix in PREFIXES:
            if value := self.environ.get(prefix + name):
                return Sourced(value, prefix + name)
        for file in self.files:
            for prefix in PREFIXES:
                found = file.values.get(prefix + name)
                if found is not None and found != "":
                    return Sourced(found, f"{file.path}: {prefix}{name}")
        return None

    def first(self, *names: str) -> Sourced | None:
        """The first of several names that is set."""
        return next((found for name in names if (found := self.get(name))), None)

    def names(self) -> list[str]:
        """Every name that is set anywhere, without prefix, sorted."""
        keys = [key for key, value in self.environ.items() if value]
        keys += [key for file in self.files for key in file.values]
        return sorted({key[len(prefix) :] for key in keys for prefix in PREFIXES if key.startswith(prefix)})


def _chosen_profile(environ: Mapping[str, str], option: str | None) -> tuple[str, str] | None:
    if option:
        return option, OPTION
    for prefix in PREFIXES:
        if name := environ.get(f"{prefix}PROFILE"):
            return name, f"{prefix}PROFILE"
    return None


def _files(paths: Iterable[str]) -> list[ConfigFile]:
    return [_read(path) for path in paths if os.path.isfile(path)]


def _read(path: str) -> ConfigFile:
    try:
        with open(path, encoding="utf-8") as file:
            values: Any = json.load(file)
    except json.JSONDecodeError as error:
        raise _bad_file(path, f"line {error.lineno}, column {error.colno}: {error.msg}") from error
    except UnicodeDecodeError as error:
        raise _bad_file(path, f"byte {error.start} is not UTF-8") from error
    except OSError as error:
        raise _bad_file(path, error.strerror or "it cannot be read") from error
    if not isinstance(values, dict):
        raise _bad_file(path, f"it holds a {type(values).__name__}")
    return ConfigFile(path, values)


def _check_keys(file: ConfigFile) -> None:
    for key, value in file.values.items():
        if _UNPREFIXED.fullmatch(key) and not key.startswith(PREFIXES):
            allowed = "a name in a configuration file begins with HEADWAY_ or METAFLOW_"
            raise SettingsError(key, value, allowed, file.path, f"Write HEADWAY_{key}.")


def _bad_file(path: str, problem: str) -> SettingsError:
    return SettingsError(
        "configuration file",
        path,
        f"{problem}; the file must hold one JSON object",
        hint='Like this: {"HEADWAY_KUBERNETES_NAMESPACE": "ml"}',
    )
