"""Lets uv, or else pip, resolve and install packages into a folder, for a platform that need not be this one."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from headway.errors import UsageError
from headway.launch.packages.wanted import Target, Wanted

#: The newest C libraries that wheels may ask for: what Debian 10, RHEL 8 and Alpine 3.13 have.
_GLIBC, _MUSL = 28, 2
#: Lines of a resolver's words that are shown.
_LINES = 6

#: pip's variables that say where packages come from, and uv's for the same.
_SAME = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_INDEX",
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
}


class ResolutionError(UsageError):
    """The packages that a step asks for cannot be had."""

    headline = "Packages"


@dataclass(frozen=True, slots=True)
class Installer:
    """A program that resolves and installs packages.

    Attributes:
        words: How it is called.
        is_uv: Whether it is uv, which has options of its own.
    """

    words: tuple[str, ...]
    is_uv: bool = False


def find_installer() -> Installer:
    """uv, else pip.

    Raises:
        UsageError: Neither is there.
    """
    uv = shutil.which("uv")
    if uv is not None:
        return Installer((uv, "pip"), is_uv=True)
    if importlib.util.find_spec("pip") is not None:
        return Installer((sys.executable, "-m", "pip"))
    pip = shutil.which("pip") or shutil.which("pip3")
    if pip is not None:
        return Installer((pip,))
    raise UsageError("@pypi needs uv or pip on this machine, and neither is there.", "Type: pip install uv")


def command(installer: Installer, wanted: Wanted, folder: Path, environ: Mapping[str, str]) -> list[str]:
    """What is typed to install packages into a folder; only wheels are taken, as nothing can be built for elsewhere."""
    target, is_uv = wanted.target, installer.is_uv
    words = [*installer.words, "install", "--target", str(folder), "--only-binary", ":all:"]
    words += ["--python-version", target.python]
    words += ["--python", sys.executable] if is_uv else ["--no-compile", "--disable-pip-version-check"]
    if not target.is_here:
        words += _uv_platform(target) if is_uv else _pip_platforms(target)
    if is_uv and environ.get("PIP_NO_INDEX", "").lower() in ("1", "true", "yes", "on"):
        words.append("--no-index")
    return [*words, "--", *wanted.requirements]


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The resolver's variables: what pip was told of indexes holds for uv as well, unless uv was told otherwise."""
    told = dict(environ)
    if not any(name.startswith("UV_") and ("INDEX" in name or "LINKS" in name) for name in environ):
        told.update({uv: environ[pip] for pip, uv in _SAME.items() if environ.get(pip)})
    return {**told, "UV_NO_PROGRESS": "1", "PIP_NO_INPUT": "1", "NO_COLOR": "1"}


def install(
    wanted: Wanted, folder: Path, installer: Installer | None = None, environ: Mapping[str, str] = os.environ
) -> None:
    """Resolve and install.

    Args:
        wanted: What.
        folder: Where to.
        installer: How the resolver is called; found by default.
        environ: What it is told of indexes and proxies.

    Raises:
        ResolutionError: It cannot be done; the resolver's own words say why.
    """
    words = command(installer or find_installer(), wanted, folder, environ)
    done = subprocess.run(
        words, env=environment(environ), check=False, capture_output=True, text=True, errors="replace"
    )
    if done.returncode:
        raise ResolutionError(
            f"The packages {', '.join(wanted.requirements)} cannot be resolved for {wanted.target}:\n"
            + shortened(done.stderr or done.stdout),
            _hint(done.stderr, wanted),
        )


def shortened(text: str) -> str:
    """The lines of a resolver's words that say why, without warnings, progress and passwords."""
    clean = re.sub(r"\x1b\[[0-9;]*m|(?<=://)[^/@\s]+@", "", text)
    lines = [line.rstrip() for line in clean.splitlines() if line.strip()]
    told = [
        line
        for line in lines
        if not re.match(r"\s*(WARNING|warning|Using |Looking in|Resolved|Collecting|\[notice\]|hint:)", line)
    ]
    return "\n".join((told or lines)[-_LINES:])


def _hint(text: str, wanted: Wanted) -> str:
    if re.search("Failed to fetch|error sending request|Connection|Retrying|timed out|certificate", text):
        return (
            "Can this machine reach the index? UV_DEFAULT_INDEX or PIP_INDEX_URL name another one, "
            "SSL_CERT_FILE or PIP_CERT a certificate, HTTPS_PROXY a proxy."
        )
    return (
        f"Choose a version that the index has as a wheel for {wanted.target}, another Python (python=…), "
        "or an image that has the package: @kubernetes(image=…)."
    )


def _uv_platform(target: Target) -> list[str]:
    if target.libc == "musl":
        return ["--python-platform", f"{target.machine}-unknown-linux-musl"]
    return ["--python-platform", f"{target.machine}-manylinux_2_{_GLIBC}"]


def _pip_platforms(target: Target) -> list[str]:
    """Platforms as pip takes them: the names in wheels; it does not know that the newer include the older."""
    if target.libc == "musl":
        names = [f"musllinux_1_{minor}" for minor in range(_MUSL, -1, -1)]
    else:
        names = [f"manylinux_2_{minor}" for minor in range(_GLIBC, 4, -1)]
        names += ["manylinux2014", "manylinux2010", "manylinux1"]
    tags = (("--platform", f"{name}_{target.machine}") for name in (*names, "linux"))
    return ["--implementation", "cp", *(word for pair in tags for word in pair)]
