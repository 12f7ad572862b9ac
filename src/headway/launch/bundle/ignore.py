"""What does not ship: built-in rules, ``.gitignore`` and ``.headwayignore``.

``.headwayignore`` is written for this and decides, over folders and files, both ways (``!name/`` ships
what another rule leaves out). ``.gitignore`` was written for another purpose, so it only keeps out
whole folders (data, environments, builds), never a single file of code, and no folder that the flow
imported something from.
"""

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pathspec import GitIgnoreSpec

OURS, GIT = ".headwayignore", ".gitignore"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule says of a path.

    Attributes:
        ignored: Whether it stays here.
        rule: The rule, for people.
        by_git: Whether ``.gitignore`` said so, which an import overrules.
    """

    ignored: bool
    rule: str
    by_git: bool = False


@dataclass(frozen=True, slots=True)
class IgnoreFile:
    """The rules of one ignore file, which count below the folder it stands in.

    Attributes:
        prefix: That folder as seen from the tree's root: ``""``, ``"sub/"``.
        above: What stands before a path of the tree where the file is above the root: ``"flows/"``.
        name: The file, as shown to people.
        spec: Its rules.
    """

    prefix: str
    above: str
    name: str
    spec: GitIgnoreSpec

    def verdict(self, path: str) -> Verdict | None:
        """What it says of a path relative to the tree's root (folders end with a slash), if anything."""
        result = self.spec.check_file(self.above + path.removeprefix(self.prefix))
        if result.include is None or result.index is None:
            return None
        pattern = getattr(self.spec.patterns[result.index], "pattern", "")
        return Verdict(result.include, f"{self.name}: {pattern}", self.name.endswith(GIT))


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The rules that count in one folder of a tree; nearer files are asked first.

    Attributes:
        ours: Rules of ``.headwayignore``, the nearest first.
        git: Rules of ``.gitignore``, the nearest first.
    """

    ours: tuple[IgnoreFile, ...] = ()
    git: tuple[IgnoreFile, ...] = ()

    @classmethod
    def above(cls, root: Path) -> "IgnoreRules":
        """What the ``.gitignore`` files above the root say, up to the top of its repository."""
        found: list[IgnoreFile] = []
        if (root / ".git").exists():
            return cls()
        for folder in root.parents:
            inside = f"{root.relative_to(folder).as_posix()}/"
            # A rule that ignores the flow's own folder was not written for what is in it.
            found += [file for file in _read(folder, GIT, "", inside) if file.verdict("") is None]
            if (folder / ".git").exists():
                return cls(git=tuple(found))
        return cls()

    def entering(self, folder: Path, prefix: str) -> "IgnoreRules":
        """The rules inside a folder: those of its own files, then those that counted so far."""
        ours, git = _read(folder, OURS, prefix), _read(folder, GIT, prefix)
        return IgnoreRules((*ours, *self.ours), (*git, *self.git)) if ours or git else self

    def without_git(self) -> "IgnoreRules":
        """The same without ``.gitignore``, for a package that is ignored and imported all the same."""
        return IgnoreRules(self.ours)

    def on_file(self, path: str) -> Verdict | None:
        """What ``.headwayignore`` says of a file; git is not asked."""
        return _first(self.ours, path)

    def on_folder(self, path: str, folder: Path) -> Verdict | None:
        """What is said of a folder, whose path ends with a slash: by us, by the built-in rules, by git."""
        decided = _first(self.ours, path)
        if decided is not None:
            return decided
        builtin = builtin_rule(folder)
        return Verdict(True, builtin) if builtin else _first(self.git, path)


def builtin_rule(folder: Path) -> str:
    """Why a folder never ships unless ``.headwayignore`` says so; "" for one that may."""
    name = folder.name
    if name in ("__pycache__", "__pypackages__", "node_modules"):
        return "never the flow's own code"
    if name.startswith("."):
        return "hidden"
    if name.endswith((".egg-info", ".dist-info")):
        return "package metadata"
    # os.path: a folder that may not be entered has neither, where pathlib would raise.
    if os.path.exists(folder / "pyvenv.cfg") or os.path.isdir(folder / "conda-meta"):  # noqa: PTH110, PTH112
        return "a Python environment"
    return ""


def _first(files: tuple[IgnoreFile, ...], path: str) -> Verdict | None:
    return next((verdict for file in files if (verdict := file.verdict(path)) is not None), None)


def _read(folder: Path, name: str, prefix: str, above: str = "") -> tuple[IgnoreFile, ...]:
    file = folder / name
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    shown = str(file) if above else str(PurePosixPath(prefix, name))
    return (IgnoreFile(prefix, above, shown, GitIgnoreSpec.from_lines(lines)),)
