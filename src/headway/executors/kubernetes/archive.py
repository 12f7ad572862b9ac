"""The in-pod runtime as one file that ``python`` starts directly: built once per launcher, content-addressed.

It holds the modules that run in a pod twice. First, for pods of the launcher's own Python version, as a table
of compiled code that ``boot.py`` reads, so that a pod neither compiles anything nor loads more than it uses.
Then as a zip of their sources, without what is there for readers only, which Python finds by itself, for pods of
another version: all of it has to fit into a config map, which holds 1 MiB. For a flow that says
``import metaflow`` or ``import zenml`` it also holds the package of that name that is made of ours.
"""

import hashlib
import importlib.util
import io
import marshal
import sys
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from headway.executors.kubernetes.kept import keep, read_kept
from headway.executors.kubernetes.slim import STAND_INS, compile_plain, compile_slim, without_words

#: Packages and modules of ours that a pod needs.
PACKAGES = ("flow", "lean", "runtime", "store", "client", "datatools")
MODULES = ("__init__.py", "call.py", "errors.py", "plain.py", "version.py")
#: Modules within them that only a launcher uses.
LAUNCHER_ONLY = frozenset(
    {f"flow/{name}.py" for name in (
        "assemble", "attributes", "branches", "catalogue", "check", "configure", "declare", "declared", "docstrings",
        "evaluate", "find_decorator", "flow_catalogue", "late", "misuse", "mutate", "named_decorator", "next_call",
        "option_words", "output", "outputs", "parameter_checks", "parse", "pod_attributes", "source", "step_options",
        "syntax", "trace", "user_check", "usual_attributes",
    )}
    | {f"store/{name}.py" for name in (
        "remote", "remote_faults", "stored_batch", "forward", "s3/forward", "gs/forward", "azure/forward",
    )}
    | {"runtime/fresh.py"}
)  # fmt: skip

#: The packages of aliases, and the mark by which each is told from another one of its name.
_ALIASES, _MARK = ("metaflow", "zenml"), "__headway__"

_PACKAGE = Path(__file__).parents[2]
_STAND_INS = STAND_INS.replace(".", "/") + ".py"
#: How a pod starts; it stands at the head of the file, so that it runs without a search for it.
_BOOT, _SLIM = Path(__file__).with_name("boot.py"), Path(__file__).with_name("slim.py")
#: And for ``python headway.pyz``, where Python takes the file for a zip.
_MAIN = """file = open(__loader__.archive, "rb")
exec(file.read(int(file.readline())))
"""
_EPOCH = (1980, 1, 1, 0, 0, 0)


class RuntimeArchive(NamedTuple):
    """The archive's bytes, and the sha256 of what it was made of.

    Of the sources and not of the bytes: compiled code differs between processes in marks that mean
    nothing (whether an object was shared), and the same runtime must have one name everywhere.
    """

    data: bytes
    sha256: str


@lru_cache(maxsize=2)
def runtime_archive(aliases: tuple[Path, ...] = ()) -> RuntimeArchive:
    """Build the archive from this installation's own files; the same files give the same address.

    Args:
        aliases: The folders of the packages of aliases that the flow imports, see :func:`imported_aliases`.
    """
    members = _package("headway", _PACKAGE, _sources(_PACKAGE))
    for folder in aliases:
        members.update(_package(folder.name, folder, sorted(folder.rglob("*.py"))))
    makers = {path.name: path.read_bytes() for path in (_BOOT, _SLIM, Path(__file__))}
    digest = hashlib.sha256(importlib.util.MAGIC_NUMBER)
    for name, source in (*makers.items(), *members.items()):
        digest.update(f"{name} {len(source)}\n".encode() + source)
    sha256 = digest.hexdigest()
    place = _kept_at("".join(f"-{folder.name}" for folder in aliases))
    data = read_kept(place, sha256)
    if data is None:
        data = _built(makers[_BOOT.name], members)
        keep(place, sha256, data)
    return RuntimeArchive(data, sha256)


def _kept_at(aliases: str) -> Path:
    """Where Python keeps what it compiled of this module: the archive is a compiled form like any other."""
    own = Path(importlib.util.cache_from_source(__file__))
    return own.with_name(f"runtime{aliases}.{sys.implementation.cache_tag}.bin")


def _built(boot: bytes, members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    buffer.write(_head(boot, {name: _compiled(source, name) for name, source in members.items()}))
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        _write(archive, "__main__.py", _MAIN.encode())
        for name, source in members.items():
            _write(archive, name, without_words(source))
    return buffer.getvalue()


def imported_aliases(modules: Mapping[str, ModuleType]) -> tuple[Path, ...]:
    """The folders of our packages of aliases that the flow imported, without those that they imitate.

    Args:
        modules: What the flow's process has loaded: ``sys.modules``.
    """
    # Not getattr: a module answers to other names as it likes.
    return tuple(
        Path(module.__file__).parent
        for name in _ALIASES
        if (module := modules.get(name)) is not None and _MARK in vars(module) and module.__file__ is not None
    )


def _sources(package: Path) -> list[Path]:
    found = [package / name for name in MODULES]
    for name in PACKAGES:
        found += sorted((package / name).rglob("*.py"))
    return [path for path in found if path.relative_to(package).as_posix() not in LAUNCHER_ONLY]


def _package(name: str, folder: Path, sources: Iterable[Path]) -> dict[str, bytes]:
    return {f"{name}/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in sources}


def _head(boot: bytes, compiled: Mapping[str, bytes]) -> bytes:
    """What stands before the zip: how to start, which Python can read the table, and the table."""
    places: dict[str, tuple[bool, str, int, int]] = {}
    at = 0
    for path, code in compiled.items():
        name = path.removesuffix(".py").replace("/", ".")
        module = name.removesuffix(".__init__")
        places[module] = (module != name, path, at, len(code))
        at += len(code)
    table = marshal.dumps(places)
    return b"".join(
        (
            b"%d\n" % len(boot),
            boot,
            importlib.util.MAGIC_NUMBER,
            b"%d\n" % len(table),
            table,
            *compiled.values(),
        )
    )


def _compiled(source: bytes, name: str) -> bytes:
    code = compile_plain(source, name) if name == _STAND_INS else compile_slim(source, name)
    return zlib.compress(marshal.dumps(code), 9)


def _write(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    archive.writestr(info, data)
