"""Walks a folder and tells which of its files ship, and what does not and why."""

import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from headway.errors import UsageError
from headway.launch.bundle.ignore import IgnoreRules
from headway.launch.bundle.plan import BundleFile, LeftOut

#: Entries of a folder that are looked at before the person is told that it is the wrong folder.
MAX_ENTRIES = 100_000

#: Left out in every folder of every project; a list of them helps nobody.
_NOT_WORTH_A_LINE = ("__pycache__/", ".git/")


class Imports:
    """What was imported from a tree.

    Attributes:
        files: The files.
        holders: The folders that directly hold them.
        leading: Those folders and all above them.
    """

    def __init__(self, files: Iterable[Path] = ()) -> None:
        self.files = frozenset(files)
        self.holders = frozenset(file.parent for file in self.files)
        self.leading = frozenset(folder for file in self.files for folder in file.parents)


@dataclass
class Walk:
    """One walk of a tree; :meth:`run` fills in what it found.

    Attributes:
        root: The folder to walk.
        suffixes: Which files ship, by the end of their name; ``""`` is every file.
        imports: What was imported from it.
        into: Where the files go in the bundle: ``""`` or a folder with a slash at its end.
        package: The package they belong to, if it is outside the flow's folder.
        limit: How many entries are looked at.
        seen: How many were.
        files: What ships.
        left_out: What does not, and why.
        other_suffixes: How many files have another suffix, by suffix.
    """

    root: Path
    suffixes: tuple[str, ...]
    imports: Imports = field(default_factory=Imports)
    into: str = ""
    package: str = ""
    limit: int = MAX_ENTRIES
    seen: int = 0
    files: list[BundleFile] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    other_suffixes: Counter[str] = field(default_factory=Counter)

    def run(self) -> "Walk":
        """Walk the tree.

        Raises:
            UsageError: It is so large that it cannot be meant.
        """
        self._folder(self.root, "", IgnoreRules.above(self.root), True, (os.path.realpath(self.root),))
        return self

    def _folder(
        self, folder: Path, prefix: str, rules: IgnoreRules, ships: bool, chain: tuple[str, ...]
    ) -> None:
        """Look at everything in a folder; ``chain`` holds the real folders that led here."""
        rules = rules.entering(folder, prefix)
        for entry in self._entries(folder):
            place = folder / entry.name
            if entry.is_dir():
                self._subfolder(place, f"{prefix}{entry.name}/", rules, ships, chain)
            elif ships:
                self._file(place, prefix + entry.name, rules)

    def _subfolder(
        self, folder: Path, path: str, rules: IgnoreRules, ships: bool, chain: tuple[str, ...]
    ) -> None:
        needed = folder in self.imports.leading
        verdict = rules.on_folder(path, folder)
        ignored = verdict is not None and verdict.ignored
        if verdict is not None and ignored and not (verdict.by_git and needed):
            self._leave_out(path, verdict.rule, needed)
            return
        if folder.is_symlink():
            wanted = needed or verdict is not None or (folder / "__init__.py").is_file()
            if trouble := self._link_trouble(folder, chain, wanted):
                self._leave_out(path, trouble, needed)
                return
        if ignored or not ships:
            # Inside what git ignores only the packages ship that something was imported from.
            ships = folder in self.imports.holders
            if ships and folder / "__init__.py" in self.imports.files:
                rules = rules.without_git()
        if ships or needed:
            self._folder(folder, path, rules, ships, (*chain, os.path.realpath(folder)))

    def _link_trouble(self, folder: Path, chain: tuple[str, ...], wanted: bool) -> str:
        """Why a link to a folder is not followed; "" where it is.

        One that leads out of the tree may lead anywhere, so it needs an import or a rule of ours, or a package at its
        end, which is code that somebody put there.
        """
        target, top = os.path.realpath(folder), chain[0]
        if target in chain or _is_inside(top, target):
            return f"a link in a circle, to {target}"
        if not wanted and not _is_inside(target, top):
            return f"a link out of the flow's folder, to {target}"
        return ""

    def _file(self, file: Path, path: str, rules: IgnoreRules) -> None:
        if not file.name.endswith(self.suffixes):
            if file in self.imports.files:
                self._leave_out(path, "compiled for this machine", imported=True)
            else:
                self.other_suffixes[file.suffix] += 1
            return
        verdict = rules.on_file(path)
        if verdict is not None and verdict.ignored:
            self._leave_out(path, verdict.rule, file in self.imports.files)
        elif verdict is None and file.name.startswith("."):
            self._leave_out(path, "hidden")
        else:
            self._plain_file(file, path)

    def _plain_file(self, file: Path, path: str) -> None:
        try:
            status = file.stat()
        except OSError as error:
            trouble = "a link to nothing" if file.is_symlink() else f"cannot be read: {error.strerror}"
            self._leave_out(path, trouble, file in self.imports.files)
            return
        if stat.S_ISREG(status.st_mode):
            self.files.append(BundleFile(self.into + path, status.st_size, file, package=self.package))
        else:
            self._leave_out(path, "not a plain file")

    def _leave_out(self, path: str, rule: str, imported: bool = False) -> None:
        if path.endswith(_NOT_WORTH_A_LINE):
            return
        shown = path if not self.package else f"{self.root}/{path}"
        self.left_out.append(LeftOut(shown, rule, imported))

    def _entries(self, folder: Path) -> Iterator["os.DirEntry[str]"]:
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self._leave_out(
                f"{folder.relative_to(self.root).as_posix()}/", f"cannot be read: {error.strerror}"
            )
            return
        self.seen += len(found)
        if self.seen > self.limit:
            raise UsageError(
                f"The folder {self.root}, from which code is shipped, holds more than {self.limit:,} files.",
                "Move the flow into a folder of its own, or name the folders it does not need in "
                f"{self.root / '.headwayignore'}, one a line.",
            )
        yield from found


def _is_inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
