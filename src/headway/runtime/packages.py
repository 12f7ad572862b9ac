"""Packages for a step's code (``@pypi``): fetched and unpacked in a pod, and put on the import path.

They come as parts, each some megabytes of files under the hash of its content, and a list that names the
parts. So threads fetch and unpack them side by side, memory holds a few parts at a time however large the
packages are, and sets of packages that have parts in common share them.
"""

import json
import os
import sys
import zlib
from functools import partial
from typing import Any, Dict, List, Tuple

from headway.errors import SettingsError, StoreError
from headway.store import layout
from headway.store.base import ObjectStore
from headway.store.batch import Packages
from headway.store.digest import sha256_of
from headway.store.parallel import run_parallel

#: Parts that are fetched and unpacked at a time.
_AT_ONCE = 6
#: Folders of the interpreter's own packages: ours come before, and behind the standard library.
_INSTALLED = ("site-packages", "dist-packages")


def fetch_packages(store: ObjectStore, flow: str, packages: Packages, folder: str) -> str:
    """Fetch packages and unpack them into a folder.

    Args:
        store: The datastore.
        flow: The flow's name.
        packages: Which ones.
        folder: Where to; it is made.

    Returns:
        The folder.

    Raises:
        SettingsError: They are not for this pod's Python or machine.
        StoreError: They are not what their name says.
    """
    _check_fit(packages)
    index: Dict[str, Any] = json.loads(_fetch(store, flow, packages.sha256))
    os.makedirs(folder, exist_ok=True)

    def unpack(sha256: str) -> None:
        unpack_part(_fetch(store, flow, sha256), folder)

    run_parallel([partial(unpack, sha256) for sha256 in index["parts"]], _AT_ONCE)
    return folder


def use_packages(packages: Packages) -> None:
    """Let this process, and the Python processes that it starts, import them."""
    folder = packages.folder
    names = os.listdir(folder)
    added = [folder]
    if any(name.endswith(".pth") for name in names):
        import site  # for packages that bring .pth files only

        before = list(sys.path)
        site.addsitedir(folder)
        added += [path for path in sys.path if path not in before and path != folder]
        sys.path[:] = before
    where = next(
        (place for place, path in enumerate(sys.path) if os.path.basename(path) in _INSTALLED), len(sys.path)
    )
    sys.path[where:where] = added
    _prepend("PYTHONPATH", folder)
    if "bin" in names:
        _prepend("PATH", os.path.join(folder, "bin"))


def unpack_part(data: bytes, folder: str) -> None:
    """Write one part's files, or pieces of files.

    Args:
        data: The part: a zlib stream of a line of JSON, which lists (path, executable, offset, size) of each
            piece, and the pieces.
        folder: Where to.

    Raises:
        StoreError: A path leads out of the folder.
    """
    content = zlib.decompress(data)
    head = content.index(b"\n")
    pieces: List[Tuple[str, bool, int, int]] = json.loads(content[:head])
    folder = os.path.normpath(folder)
    view, position = memoryview(content), head + 1
    made = set()
    for path, executable, offset, size in pieces:
        target = os.path.normpath(os.path.join(folder, path))
        if not target.startswith(folder + os.sep):
            raise StoreError(f"The packages hold a file that they must not hold: {path}.")
        parent = os.path.dirname(target)
        if parent not in made:
            os.makedirs(parent, exist_ok=True)
            made.add(parent)
        fd = os.open(target, os.O_WRONLY | os.O_CREAT, 0o755 if executable else 0o644)
        try:
            _write(fd, view[position : position + size], offset)
        finally:
            os.close(fd)
        position += size


def _write(fd: int, data: memoryview, offset: int) -> None:
    while data:
        written = os.pwrite(fd, data, offset)
        data, offset = data[written:], offset + written


def _fetch(store: ObjectStore, flow: str, sha256: str) -> bytes:
    data = store.get(layout.packages(flow, sha256))
    if sha256_of(data) != sha256:
        raise StoreError(
            f"The packages {sha256[:12]} in {store.url} are damaged: their content does not match their name.",
            f"Delete {layout.packages(flow, sha256)} there and run the flow again: they are uploaded anew.",
        )
    return data


def _check_fit(packages: Packages) -> None:
    here = "{}.{}".format(*sys.version_info[:2])
    image = os.environ.get("HEADWAY_IMAGE")
    who = f"the image {image}" if image else "this pod"
    if packages.python != here:
        raise SettingsError(
            "@pypi(python=…)",
            packages.python,
            f"{who} has Python {here}",
            hint=f"Write @pypi(python='{here}', …), or name an image with Python {packages.python}.",
        )
    if not packages.machine:
        return
    machine, libc = os.uname().machine, _libc()
    if packages.machine != machine or packages.libc != libc:
        platform = f"linux/{machine}" + ("/musl" if libc == "musl" else "")
        raise SettingsError(
            "PACKAGES_PLATFORM",
            f"linux/{packages.machine}" + ("/musl" if packages.libc == "musl" else ""),
            f"the pod is {platform}",
            hint=f"Choose other nodes with @kubernetes(node_selector=…), or: export HEADWAY_PACKAGES_PLATFORM={platform}",
        )


def _libc() -> str:
    """The C library: only glibc tells its version."""
    try:
        return "glibc" if os.confstr("CS_GNU_LIBC_VERSION") else "musl"
    except (ValueError, OSError):
        return "musl"


def _prepend(variable: str, folder: str) -> None:
    before = os.environ.get(variable)
    os.environ[variable] = folder + (os.pathsep + before if before else "")
