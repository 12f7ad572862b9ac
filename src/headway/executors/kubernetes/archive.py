"""The in-pod runtime as one zip that ``python`` starts directly: built once per launcher, content-addressed.

It holds the modules that run in a pod as source and, for pods of the launcher's own Python
version, compiled as well, so that nothing is compiled at each start. Python takes the source
where the compiled form is another version's. For a flow that says ``import metaflow`` it also holds
the package of that name that is made of ours.
"""

import hashlib
import importlib.util
import io
import marshal
import zipfile
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

#: Packages and modules of ours that a pod needs.
PACKAGES = ("flow", "runtime", "store", "client", "datatools")
MODULES = ("__init__.py", "errors.py", "version.py")
#: Modules within them that only a launcher uses.
LAUNCHER_ONLY = frozenset(
    {f"flow/{name}.py" for name in (
        "assemble", "attributes", "branches", "catalogue", "check", "configure", "declared", "evaluate",
        "flow_catalogue", "late", "mutate", "named_decorator", "next_call", "parameter_checks", "parse",
        "pod_attributes", "source", "user_check",
    )}
    | {"store/remote.py", "store/remote_faults.py", "store/forward.py", "runtime/fresh.py"}
)  # fmt: skip

#: The package of aliases, and the mark by which it is told from another one of this name.
_ALIASES, _MARK = "metaflow", "__headway__"

#: The first process of a container is deaf to SIGTERM until it has a handler: that comes before all else.
_MAIN = """import os
import signal

signal.signal(signal.SIGTERM, lambda *_: os._exit(75))

from headway.runtime.pod import main

main()
"""
_PACKAGE = Path(__file__).parents[2]
_EPOCH = (1980, 1, 1, 0, 0, 0)


class RuntimeArchive(NamedTuple):
    """The archive's bytes, and the sha256 of what it was made of.

    Of the sources and not of the bytes: compiled code differs between processes in marks that mean
    nothing (whether an object was shared), and the same runtime must have one name everywhere.
    """

    data: bytes
    sha256: str


@lru_cache(maxsize=2)
def runtime_archive(aliases: Path | None = None) -> RuntimeArchive:
    """Build the archive from this installation's own files; the same files give the same address.

    Args:
        aliases: The folder of the package of aliases that the flow imports, see :func:`imported_aliases`.
    """
    members = {"__main__.py": _MAIN.encode()}
    members.update(_package("headway", _PACKAGE, _sources(_PACKAGE)))
    if aliases is not None:
        members.update(_package(_ALIASES, aliases, sorted(aliases.rglob("*.py"))))
    buffer = io.BytesIO()
    digest = hashlib.sha256(importlib.util.MAGIC_NUMBER)
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, source in members.items():
            _add(archive, name, source)
            digest.update(f"{name} {len(source)}\n".encode() + source)
    return RuntimeArchive(buffer.getvalue(), digest.hexdigest())


def imported_aliases(modules: Mapping[str, ModuleType]) -> Path | None:
    """The folder of our package of aliases, None where the flow imported none, or the package that it imitates.

    Args:
        modules: What the flow's process has loaded: ``sys.modules``.
    """
    module = modules.get(_ALIASES)
    # Not getattr: a module answers to other names as it likes.
    if module is None or _MARK not in vars(module) or module.__file__ is None:
        return None
    return Path(module.__file__).parent


def _sources(package: Path) -> list[Path]:
    found = [package / name for name in MODULES]
    for name in PACKAGES:
        found += sorted((package / name).rglob("*.py"))
    return [path for path in found if path.relative_to(package).as_posix() not in LAUNCHER_ONLY]


def _package(name: str, folder: Path, sources: Iterable[Path]) -> dict[str, bytes]:
    return {f"{name}/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in sources}


def _add(archive: zipfile.ZipFile, name: str, source: bytes) -> None:
    _write(archive, name, source)
    if name != "__main__.py":
        _write(archive, name + "c", _compiled(source, name))


def _compiled(source: bytes, name: str) -> bytes:
    """A hash-based .pyc whose source is not checked again (PEP 552), without docstrings: a pod reads none."""
    code = compile(source, name, "exec", dont_inherit=True, optimize=2)
    flags = (0b01).to_bytes(4, "little")
    return importlib.util.MAGIC_NUMBER + flags + importlib.util.source_hash(source) + marshal.dumps(code)


def _write(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    archive.writestr(info, data)
