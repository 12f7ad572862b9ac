"""Resolved packages on this machine: each set is resolved once, and again when somebody asks for it."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from headway.errors import UsageError
from headway.launch.packages.finish import finish, is_portable, resolved_versions
from headway.launch.packages.parts import parts_of
from headway.launch.packages.resolver import install
from headway.launch.packages.wanted import Wanted
from headway.store.batch import Packages

#: Raised when what is kept changes its form.
_FORM = 1
_FACTS, _SITE, _PARTS, _INDEX = "set.json", "site", "parts", "index"

#: Variables that decide what an index answers.
_INDEXES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX",
            "UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Resolved:
    """A set of packages on this machine.

    Attributes:
        packages: How a step is told of them.
        versions: What was chosen: ``numpy 2.4.6``, by name.
        size: Bytes: on the way to pods, or in the folder of steps on this machine.
        folder: Where they are kept.
        parts: The parts for pods, by the hash of their content.
        cached: Whether they were there before.
    """

    packages: Packages
    versions: tuple[str, ...]
    size: int
    folder: Path
    parts: tuple[str, ...] = ()
    cached: bool = True

    def part(self, sha256: str) -> bytes:
        """A part's content."""
        return (self.folder / _PARTS / sha256).read_bytes()

    def index(self) -> bytes:
        """The list of the parts, whose hash names the set."""
        return (self.folder / _INDEX).read_bytes()


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """``$XDG_CACHE_HOME/headway/packages``.

    Raises:
        UsageError: This user has no home, and nothing else is named.
    """
    base = environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 - Path's raises
    if base.startswith("~"):
        raise UsageError(
            "There is no place for packages: this user has no home folder.",
            "Name a folder of your own: export XDG_CACHE_HOME=/path",
        )
    return Path(base) / "headway" / "packages"


class PackageCache:
    """The sets that were resolved here.

    Args:
        folder: Where they are kept.
        environ: The resolver's variables; which indexes they name belongs to a set.
        installs: Resolves and installs a set into a folder.
    """

    def __init__(
        self,
        folder: Path,
        environ: Mapping[str, str] = os.environ,
        installs: Callable[[Wanted, Path], None] | None = None,
    ) -> None:
        self._folder = folder
        self._environ = environ
        self._installs = installs or partial(install, environ=environ)

    def find(self, wanted: Wanted) -> Resolved | None:
        """The set, if it was resolved before."""
        folder = self._folder / self._key(wanted)
        try:
            return _read(folder)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def resolve(self, wanted: Wanted, *, anew: bool = False) -> Resolved:
        """The set, resolved now unless it was before.

        Args:
            wanted: What is asked for.
            anew: Resolve it again: newer versions may be there.

        Raises:
            UsageError: It cannot be resolved, or not be kept.
        """
        found = None if anew else self.find(wanted)
        if found is not None:
            return found
        folder = self._folder / self._key(wanted)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".new-", dir=self._folder) as work:
                made = Path(work) / "set"
                self._make(wanted, made)
                # Steps of another launcher, which was quicker, may be importing from its set.
                found = None if anew else self.find(wanted)
                if found is not None:
                    return found
                _put(made, folder)
            return _read(folder, cached=False)
        except OSError as error:
            raise UsageError(
                f"Packages cannot be kept in {self._folder}: {error.strerror or error}.",
                "Name a folder of your own: export XDG_CACHE_HOME=/path",
            ) from error

    def _make(self, wanted: Wanted, folder: Path) -> None:
        site = folder / _SITE
        site.mkdir(parents=True)
        self._installs(wanted, site)
        finish(site, wanted.target)
        target, portable = wanted.target, is_portable(site)
        facts: dict[str, object] = {
            "versions": resolved_versions(site),
            "python": target.python,
            "machine": "" if portable else target.machine,
            "libc": "" if portable else target.libc,
        }
        if target.is_here:
            facts["size"] = sum(file.stat().st_size for file in site.rglob("*") if file.is_file())
        else:
            sizes = _write_parts(site, folder / _PARTS)
            facts.update(size=sum(sizes.values()), parts=list(sizes))
            index = json.dumps({"form": _FORM, **facts}).encode()
            (folder / _INDEX).write_bytes(index)
            shutil.rmtree(site)
            facts["sha256"] = hashlib.sha256(index).hexdigest()
        (folder / _FACTS).write_text(json.dumps(facts), encoding="utf-8")

    def _key(self, wanted: Wanted) -> str:
        target = wanted.target
        indexes = [self._environ.get(name, "") for name in _INDEXES]
        here = [os.uname().sysname, os.uname().machine] if target.is_here else []
        what = [_FORM, wanted.requirements, target.python, target.machine, target.libc, here, indexes]
        return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:32]


def _write_parts(site: Path, folder: Path) -> dict[str, int]:
    """The parts' hashes, in order, and their sizes."""
    folder.mkdir()
    sizes = {}
    for part in parts_of(site):
        (folder / part.sha256).write_bytes(part.data)
        sizes[part.sha256] = len(part.data)
    return sizes


def _read(folder: Path, *, cached: bool = True) -> Resolved:
    facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
    sha256 = facts.get("sha256", "")
    site = "" if sha256 else str(folder / _SITE)
    packages = Packages(sha256, facts["python"], facts["machine"], facts["libc"], site)
    parts = tuple(facts.get("parts", ()))
    return Resolved(packages, tuple(facts["versions"]), facts["size"], folder, parts, cached)


def _put(made: Path, folder: Path) -> None:
    """Move a set to its place, where an older one may be or another launcher's of this moment."""
    if folder.exists():
        folder.rename(made.with_name("old"))
    try:
        made.rename(folder)
    except OSError:
        if not folder.exists():
            raise
