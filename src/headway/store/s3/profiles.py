"""The shared files of the AWS tools: ``~/.aws/config`` and ``~/.aws/credentials``."""

import os
from typing import Dict, Mapping

from headway.store.s3.signing import Credentials

Section = Dict[str, str]


def profile_name(environ: Mapping[str, str]) -> str:
    """The profile in use."""
    return environ.get("AWS_PROFILE") or environ.get("AWS_DEFAULT_PROFILE") or "default"


def config_path(environ: Mapping[str, str]) -> str:
    """Where the configuration file is looked for."""
    return os.path.expanduser(environ.get("AWS_CONFIG_FILE") or "~/.aws/config")


def credentials_path(environ: Mapping[str, str]) -> str:
    """Where the credentials file is looked for."""
    return os.path.expanduser(environ.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials")


def active_profile(environ: Mapping[str, str]) -> Section:
    """The settings of the profile in use, see :func:`read_profile`."""
    return read_profile(profile_name(environ), environ)


def read_profile(name: str, environ: Mapping[str, str]) -> Section:
    """A profile's settings from both files; what stands in the credentials file counts first.

    A profile that is in neither file, or files that are not there, give no settings.
    """
    config = _read_sections(config_path(environ))
    merged = dict(config.get(name if name == "default" else f"profile {name}", {}))
    merged.update(_read_sections(credentials_path(environ)).get(name, {}))
    return merged


def profile_keys(profile: Section) -> Credentials:
    """The keys that stand in a profile; an empty access key where there are none."""
    return Credentials(
        profile.get("aws_access_key_id", ""),
        profile.get("aws_secret_access_key", ""),
        profile.get("aws_session_token") or None,
    )


def _read_sections(path: str) -> Dict[str, Section]:
    """A file of ``[section]`` and ``key = value`` lines; nested (indented) values are left out."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:
        return {}
    sections: Dict[str, Section] = {}
    section: Section = {}
    for line in lines:
        text = line.strip()
        if not text or text[0] in "#;":
            continue
        if text[0] == "[" and "]" in text:
            title = " ".join(text[1 : text.index("]")].split()).replace('"', "")
            section = sections.setdefault(title, {})
        elif not line[0].isspace() and "=" in text:
            key, _, value = text.partition("=")
            section[key.strip().lower()] = value.partition(" #")[0].strip()
    return sections
