"""Decides what a flow's bundle holds: the flow's folder, and what it imported from elsewhere."""

from collections import Counter
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path

from headway.errors import UsageError
from headway.flow.packaged import ContentType, Packaged
from headway.launch.bundle.ignore import builtin_rule
from headway.launch.bundle.loaded import (
    LoadedModule,
    Unit,
    installed_folders,
    is_install_folder,
    own_units,
    snapshot,
)
from headway.launch.bundle.plan import BundleFile, LeftOut, Plan
from headway.launch.bundle.walk import Imports, Walk
from headway.store.batch import Code

DEFAULT_SUFFIXES = (".py", ".R", ".RDS")

#: Where packages from outside the flow's folder stand in the bundle: one import folder for all, since
#: the names that a process imports are unique. Hidden, so that no file of the flow can stand there.
IMPORTS = ".headway/imports"


def collect(
    code: Code,
    suffixes: Iterable[str] = DEFAULT_SUFFIXES,
    modules: Iterable[LoadedModule] | None = None,
    extra: Mapping[str, bytes] | None = None,
    installed: Iterable[Path] | None = None,
    asked: Iterable[Packaged] = (),
) -> Plan:
    """Plan a bundle; reads folders, but no file's content.

    Args:
        code: How the flow was started here; its root is the folder that ships.
        suffixes: Which files ship, by the end of their name, besides the flow's own.
        modules: What the flow's process has loaded; this process's modules by default.
        extra: Further files by their place in the bundle (a flow given with ``python -c``).
        installed: Folders whose modules come with the image; this interpreter's by default.
        asked: What the flow's mutators ask to be shipped.

    Returns:
        The plan; its ``paths`` belong into the code's.

    Raises:
        UsageError: A folder holds so many files that it cannot be meant, or what is asked for cannot be shipped.
    """
    root, ends = Path(code.root), tuple(suffixes)
    folders = tuple(installed_folders() if installed is None else installed)
    units = own_units(snapshot() if modules is None else modules, folders, root)
    # Nobody chose the folder that `python -c` was typed in: of it ships what was imported, and no more.
    inside = [unit for unit in units if code.kind != "source" and _ships_with(root, unit)]
    outside = [unit for unit in units if unit not in inside]
    draft = _Draft(ends)
    if code.kind != "source":
        imports = Imports(file for unit in inside for file in unit.files)
        top = code.main.partition(".")[0] if code.kind == "module" else ""
        if top and is_install_folder(root, folders):
            # A flow that was itself installed: its package, not all that stands beside it.
            draft.add_walk(Walk(root / top, ends, imports, f"{top}/"))
        else:
            draft.add_walk(Walk(root, ends, imports))
    for unit in outside:
        draft.add_unit(unit)
    if code.kind == "path":
        draft.add_file(code.main, root / code.main)  # the flow ships whatever its name and the rules say
    for path, content in (extra or {}).items():
        draft.files[path] = BundleFile(path, len(content), content=content)
    for each in asked:
        draft.add_asked(each)
    return draft.plan({base for unit in inside if (base := unit.base) is not None} - {root}, root)


def parse_suffixes(text: str) -> tuple[str, ...]:
    """The suffixes of ``.csv,yaml``, those that ship anyway always among them; ``*`` stands for every file."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    found = ["" if name == "*" else name if name.startswith(".") else f".{name}" for name in names]
    return tuple(dict.fromkeys((*DEFAULT_SUFFIXES, *found)))


def _ships_with(root: Path, unit: Unit) -> bool:
    """Whether walking the flow's folder finds the unit, in a place from which it can be imported."""
    if unit.base is None or not unit.base.is_relative_to(root):
        return False
    folders = (unit.place, *unit.place.parents) if unit.is_package else unit.place.parents
    return not any(
        builtin_rule(folder) for folder in folders if folder != root and folder.is_relative_to(root)
    )


def _importable(name: str) -> Unit:
    """A module or package that can be imported here, whole.

    Raises:
        UsageError: There is none of this name.
    """
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        spec = None
    if spec is None or not (spec.submodule_search_locations or spec.has_location):
        raise UsageError(
            f"The module {name} is to ship with the flow's code, and cannot be imported here.",
            "Name one that can, or ship its folder.",
        )
    folders = list(spec.submodule_search_locations or ())
    return Unit(name, Path(folders[0] if folders else str(spec.origin)), (), bool(folders))


def _is_same(one: BundleFile, other: BundleFile) -> bool:
    return one.source is not None and other.source is not None and one.source.samefile(other.source)


class _Draft:
    """A plan in the making; of two files for one place the first stays."""

    def __init__(self, ends: tuple[str, ...]) -> None:
        self.ends = ends
        self.files: dict[str, BundleFile] = {}
        self.left_out: list[LeftOut] = []
        self.other_suffixes: Counter[str] = Counter()

    def add_walk(self, walk: Walk) -> None:
        walk.run()
        for file in walk.files:
            self.files.setdefault(file.path, file)
        self.left_out += walk.left_out
        self.other_suffixes += walk.other_suffixes

    def add_unit(self, unit: Unit) -> None:
        path = f"{IMPORTS}/{unit.name.replace('.', '/')}"
        if not unit.place.exists():
            self.left_out.append(LeftOut(str(unit.place), "inside an archive", imported=True))
        elif unit.is_package:
            self.add_walk(Walk(unit.place, self.ends, Imports(unit.files), f"{path}/", unit.name))
        elif unit.place.name.endswith((*self.ends, ".py")):
            # All after the first dot, as in name.cpython-311-x86_64-linux-gnu.so.
            ending = unit.place.name.partition(".")[2]
            self.add_file(f"{path}.{ending}", unit.place, unit.name)
        else:
            self.left_out.append(LeftOut(str(unit.place), "compiled for this machine", imported=True))

    def add_asked(self, asked: Packaged) -> None:
        if asked.kind == ContentType.MODULE_CONTENT:
            self.add_unit(_importable(asked.source))
            return
        source, user = Path(asked.source), asked.kind == ContentType.USER_CONTENT
        place = asked.place if user else f"{IMPORTS}/{asked.place}"
        package = "" if user else asked.place.partition("/")[0]
        if source.is_dir():
            ends = self.ends if asked.suffixes is None else asked.suffixes
            found = Walk(source, ends, Imports(), f"{place}/", package).run().files
        elif source.is_file():
            found = [BundleFile(place, source.stat().st_size, source, package=package)]
        else:
            raise UsageError(
                f"{source} is to ship with the flow's code, and is not there.",
                "Paths are relative to the folder of the flow's file.",
            )
        for file in found:
            there = self.files.setdefault(file.path, file)
            if there is not file and not _is_same(there, file):
                raise UsageError(
                    f"{file.source} is to ship as {file.path}, where {there.source or 'another file'} stands already.",
                    "Give it a place of its own: @package_sources([(path, place)]).",
                )

    def add_file(self, path: str, source: Path, package: str = "") -> None:
        self.files.setdefault(path, BundleFile(path, source.stat().st_size, source, package=package))

    def plan(self, bases: Iterable[Path], root: Path) -> Plan:
        packages = tuple(sorted({file.package for file in self.files.values()} - {""}))
        paths = sorted(base.relative_to(root).as_posix() for base in bases)
        return Plan(
            files=tuple(self.files[path] for path in sorted(self.files)),
            left_out=tuple(sorted(self.left_out, key=lambda one: one.path)),
            other_suffixes=dict(sorted(self.other_suffixes.items())),
            packages=packages,
            paths=(*paths, IMPORTS) if packages else tuple(paths),
        )
