"""A container's file system: the host's folders with the pod's volumes in place.

The new root is a small writable file system that shows every folder of the host's root. Where a volume's
path does not exist, its nearest existing parent is covered by another small file system that shows the
parent's entries, so nothing is ever created on the host.
"""

from __future__ import annotations

import os
from pathlib import Path

from headway.localcluster.containers import namespaces as ns

_OLD = "/.host"
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "fuse", "dri", "kfd")
_DEVICE_PREFIXES = ("nvidia",)
_DEVICE_LINKS = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
    "ptmx": "pts/ptmx",
}
_SHARED_MEMORY = 64 * 1024 * 1024


class FileSystem:
    """Builds the file system of the calling process, which must have mount and process namespaces.

    Args:
        staging: An empty folder of the host to build the root in.
        fresh_proc: Whether `/proc` is to be mounted anew for this process namespace.
    """

    def __init__(self, staging: str, *, fresh_proc: bool) -> None:
        self._staging = staging
        self._fresh_proc = fresh_proc
        self._ours: set[int] = set()
        self._volumes: list[str] = []

    def enter(self) -> None:
        """Build the root and move into it; the host stays reachable for `bind` until `leave_host`."""
        ns.mount(None, "/", None, ns.MS_REC | ns.MS_PRIVATE)
        root = self._staging
        ns.mount("tmpfs", root, "tmpfs", 0, "mode=755")
        self._show("/", root)
        self._devices(root)
        if self._fresh_proc:
            ns.mount("proc", f"{root}/proc", "proc", ns.MS_NOSUID | ns.MS_NODEV | ns.MS_NOEXEC)
        groups = f"{root}/sys/fs/cgroup"
        if Path(groups).is_dir():
            # Those of the machine say nothing of the container: better none than somebody else's figures.
            ns.mount("tmpfs", groups, "tmpfs", ns.MS_RDONLY)
        Path(root + _OLD).mkdir()
        ns.pivot(root, root + _OLD)
        os.chdir("/")
        self._ours.add(Path("/").stat().st_dev)

    def bind(self, source: str, target: str, *, read_only: bool) -> None:
        """Show a file or folder of the host at an absolute path.

        Args:
            source: Its path on the host.
            target: Where the container sees it.
            read_only: Whether the container may only read it.
        """
        origin = _OLD + source
        place = self._mount_point(target, folder=Path(origin).is_dir())
        ns.mount(origin, place, None, ns.MS_BIND | ns.MS_REC)
        self._volumes.append(place)
        if read_only:
            ns.mount(None, place, None, ns.MS_REMOUNT | ns.MS_BIND | ns.MS_RDONLY | _locked_flags(place))

    def memory(self, target: str, size: int | None) -> None:
        """Mount an in-memory folder.

        Args:
            target: Where the container sees it.
            size: Its limit in bytes, if any.
        """
        place = self._mount_point(target, folder=True)
        ns.mount(
            "tmpfs", place, "tmpfs", ns.MS_NOSUID | ns.MS_NODEV, f"mode=1777{f',size={size}' if size else ''}"
        )
        self._volumes.append(place)

    def folder(self, target: str) -> None:
        """Make sure that a folder exists, as container runtimes do for the working directory."""
        if not Path(target).is_dir():
            self._mount_point(target, folder=True)

    def leave_host(self) -> None:
        """Drop the way back to the host's root."""
        ns.detach(_OLD)
        Path(_OLD).rmdir()

    def _mount_point(self, target: str, *, folder: bool) -> str:
        place = os.path.realpath(target)
        path = Path(place)
        if path.exists():
            if path.is_dir() != folder:
                raise OSError(0, f"mount {target}: a {'file' if folder else 'folder'} is in the way")
            return place
        parent = path.parent
        while not parent.exists():
            parent = parent.parent
        if not self._may_create_in(str(parent)):
            self._cover(str(parent))
        if folder:
            path.mkdir(parents=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return place

    def _may_create_in(self, parent: str) -> bool:
        if any(parent == volume or parent.startswith(volume + "/") for volume in self._volumes):
            return True
        return Path(parent).stat().st_dev in self._ours

    def _cover(self, folder: str) -> None:
        """Put a writable file system over a folder of the host, with the folder's entries in it."""
        mode = Path(folder).stat().st_mode & 0o7777
        ns.mount("tmpfs", folder, "tmpfs", 0, f"mode={mode:o}")
        self._ours.add(Path(folder).stat().st_dev)
        self._show(_OLD + folder, folder)

    def _show(self, source: str, target: str) -> None:
        """Make every entry of one folder visible in another."""
        with os.scandir(source) as entries:
            for entry in entries:
                if "/" + entry.name == _OLD:
                    continue
                place = f"{target}/{entry.name}"
                if entry.is_symlink():
                    Path(place).symlink_to(Path(entry.path).readlink())
                    continue
                is_folder = entry.is_dir()
                if is_folder:
                    Path(place).mkdir()
                else:
                    Path(place).touch()
                built = entry.name == "dev" or (entry.name == "proc" and self._fresh_proc)
                if source == "/" and built:
                    continue
                self._bind_entry(entry.path, place)

    def _devices(self, root: str) -> None:
        """The few devices a container has, with shared memory of its own at the usual 64 MiB."""
        shared = f"{root}/dev/shm"  # noqa: S108 - a mount point
        Path(shared).mkdir(parents=True)
        for name in os.listdir("/dev"):  # noqa: PTH208 - names are wanted
            if name in _DEVICES or name.startswith(_DEVICE_PREFIXES):
                place = Path(f"{root}/dev/{name}")
                if Path(f"/dev/{name}").is_dir():
                    place.mkdir()
                else:
                    place.touch()
                self._bind_entry(f"/dev/{name}", str(place))
        if Path("/dev/pts").is_dir():
            Path(f"{root}/dev/pts").mkdir()
            self._bind_entry("/dev/pts", f"{root}/dev/pts")
        for name, target in _DEVICE_LINKS.items():
            Path(f"{root}/dev/{name}").symlink_to(target)
        ns.mount(
            "tmpfs",
            shared,
            "tmpfs",
            ns.MS_NOSUID | ns.MS_NODEV,
            f"mode=1777,size={_SHARED_MEMORY}",
        )

    @staticmethod
    def _bind_entry(source: str, place: str) -> None:
        try:
            ns.mount(source, place, None, ns.MS_BIND | ns.MS_REC)
        except OSError:
            # Sockets and the like that cannot be shown; an empty entry stands in their place.
            return


def _locked_flags(place: str) -> int:
    """The flags that a remount inside a user namespace has to repeat."""
    flags = os.statvfs(place).f_flag
    kept = 0
    for bit in (ns.MS_NOSUID, ns.MS_NODEV, ns.MS_NOEXEC, ns.MS_NOATIME):
        kept |= flags & bit
    return kept
