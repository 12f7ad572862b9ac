"""Which loaded modules are a person's own code, and which were installed."""

import os
import site
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

#: Headway travels in an archive of its own; debuggers and start-up hooks are not the flow's.
_NOT_CODE = frozenset(
    {
        "__main__",
        "__mp_main__",
        "headway",
        "metaflow",
        "zenml",
        "debugpy",
        "pydevd",
        "pydev_ipython",
        "sitecustomize",
    }
    | {"usercustomize", "_pydev_bundle", "_pydevd_bundle", "_pydevd_frame_eval", "_pydevd_sys_monitoring"}
)

_INSTALLED_FOLDERS = frozenset({"site-packages", "dist-packages"})


@dataclass(frozen=True, slots=True)
class LoadedModule:
    """A module that the flow's process has loaded.

    Attributes:
        name: Its dotted name.
        file: Where its code stands; None for a namespace package and for what is built in.
        folders: Where its submodules stand; empty unless it is a package.
    """

    name: str
    file: Path | None
    folders: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Unit:
    """What ships whole: a package of which something was imported, or a single module.

    Inside a namespace package the units are its members: their folders can stand in many places.

    Attributes:
        name: Its dotted name.
        place: The package's folder, or the module's file.
        files: The files of it that are loaded.
        is_package: Whether ``place`` is a folder.
    """

    name: str
    place: Path
    files: tuple[Path, ...]
    is_package: bool

    @property
    def base(self) -> Path | None:
        """The import folder it was found in; None where its place is not what its name says."""
        parts = self.name.split(".")
        place = self.place if self.is_package else self.place.with_name(self.place.name.partition(".")[0])
        return place.parents[len(parts) - 1] if place.parts[-len(parts) :] == tuple(parts) else None


def snapshot(modules: Mapping[str, ModuleType | None] | None = None) -> tuple[LoadedModule, ...]:
    """The modules of this process (or the given ones), as values."""
    found = []
    for name, module in list((sys.modules if modules is None else modules).items()):
        file = getattr(module, "__file__", None)
        try:
            folders = tuple(Path(folder).absolute() for folder in getattr(module, "__path__", ()))
        except Exception:  # noqa: S112 - lazy stand-ins of other libraries raise what they like
            continue
        if isinstance(file, str) or folders:
            found.append(
                LoadedModule(name, Path(file).absolute() if isinstance(file, str) else None, folders)
            )
    return tuple(found)


def installed_folders() -> tuple[Path, ...]:
    """Where the standard library and installed packages stand; what is there comes with the image."""
    names = {"stdlib", "platstdlib", "purelib", "platlib"}
    found = {path for name, path in sysconfig.get_paths().items() if name in names}
    found.update([*site.getsitepackages(), site.getusersitepackages()])
    return tuple(sorted({Path(form) for path in found for form in (path, os.path.realpath(path))}))


def own_units(modules: Iterable[LoadedModule], installed: Iterable[Path], root: Path) -> tuple[Unit, ...]:
    """The packages and modules that were neither installed nor part of Python.

    Args:
        modules: Everything loaded.
        installed: See :func:`installed_folders`.
        root: The flow's folder; what was imported from it under another spelling of its path counts as in it.

    Returns:
        One unit for each, sorted by name.
    """
    installed = tuple(installed)
    own = {
        module.name: _seen_from(root, module)
        for module in modules
        if module.name.partition(".")[0] not in _NOT_CODE and not _is_installed(module, installed)
    }
    members: dict[str, list[LoadedModule]] = {}
    for module in own.values():
        if module.file is not None:
            members.setdefault(_unit_name(module, own), []).append(module)
    return tuple(_unit(own[name], members[name]) for name in sorted(members))


def is_install_folder(folder: Path, installed: Iterable[Path]) -> bool:
    """Whether packages are installed in this folder."""
    return folder.name in _INSTALLED_FOLDERS or folder in installed


def _is_installed(module: LoadedModule, installed: Iterable[Path]) -> bool:
    if module.file is None:
        return False
    if not _INSTALLED_FOLDERS.isdisjoint(module.file.parts):
        return True
    if any(module.file.is_relative_to(folder) for folder in installed):
        return True
    # A standard library that is itself an archive.
    return module.name.partition(".")[0] in sys.stdlib_module_names and not module.file.exists()


def _seen_from(root: Path, module: LoadedModule) -> LoadedModule:
    if module.file is None or module.file.is_relative_to(root):
        return module
    file, real = Path(os.path.realpath(module.file)), Path(os.path.realpath(root))
    return replace(module, file=root / file.relative_to(real)) if file.is_relative_to(real) else module


def _unit_name(module: LoadedModule, own: Mapping[str, LoadedModule]) -> str:
    """The outermost package with code of its own that holds this module, or the module itself."""
    parts = module.name.split(".")
    for length in range(1, len(parts)):
        outer = own.get(".".join(parts[:length]))
        if outer is not None and outer.file is not None and outer.folders:
            return outer.name
    return module.name


def _unit(module: LoadedModule, members: Iterable[LoadedModule]) -> Unit:
    assert module.file is not None
    place = module.file.parent if module.folders else module.file
    return Unit(module.name, place, tuple(one.file for one in members if one.file), bool(module.folders))
