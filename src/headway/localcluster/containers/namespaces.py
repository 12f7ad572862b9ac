"""Linux namespaces without root: the few system calls, through libc."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

NEW_MOUNTS = 0x00020000
NEW_HOSTNAME = 0x04000000
NEW_USERS = 0x10000000
NEW_PROCESSES = 0x20000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_NOATIME = 1024
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
_MNT_DETACH = 2
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_ALL_IDS = 4294967295


@lru_cache(maxsize=1)
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _text(value: str | None) -> bytes | None:
    return None if value is None else os.fsencode(value)


def unshare(flags: int) -> None:
    """Leave the namespaces named by the flags for new ones."""
    _checked(_libc().unshare(flags), "unshare")


def join(descriptor: int, kind: int) -> None:
    """Enter the namespace that a descriptor of `/proc/PID/ns/*` stands for."""
    _checked(_libc().setns(descriptor, kind), "setns")


def mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    """Mount."""
    arguments = (_text(source), _text(target), _text(kind), ctypes.c_ulong(flags), _text(data))
    _checked(_libc().mount(*arguments), f"mount {target}")


def detach(target: str) -> None:
    """Unmount, at once for new users and for good when the last one leaves."""
    _checked(_libc().umount2(_text(target), _MNT_DETACH), f"umount {target}")


def pivot(new_root: str, put_old: str) -> None:
    """Make `new_root` the root and move the old one to `put_old` below it."""
    libc = _libc()
    number = {"x86_64": 155, "aarch64": 41}.get(os.uname().machine)
    if number is None:
        raise OSError(0, f"pivot_root is not known for {os.uname().machine}")
    _checked(libc.syscall(ctypes.c_long(number), _text(new_root), _text(put_old)), "pivot_root")


def set_hostname(name: str) -> None:
    """Name the machine, as this hostname namespace sees it."""
    encoded = name.encode()
    _checked(_libc().sethostname(encoded, ctypes.c_size_t(len(encoded))), "sethostname")


def die_with_parent() -> None:
    """Be killed by the kernel when the parent dies; does nothing outside Linux."""
    if sys.platform == "linux":
        _libc().prctl(_PR_SET_PDEATHSIG, 9, 0, 0, 0)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent died; does nothing outside Linux."""
    if sys.platform == "linux":
        _libc().prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def map_users_of(pid: int) -> None:
    """Write the user and group maps of a process that just left for a new user namespace.

    A plain user becomes that namespace's root and nobody else exists there; root keeps all ids.
    """
    base = Path(f"/proc/{pid}")
    if os.geteuid() == 0:
        (base / "uid_map").write_text(f"0 0 {_ALL_IDS}")
        (base / "gid_map").write_text(f"0 0 {_ALL_IDS}")
        return
    uid, gid = os.geteuid(), os.getegid()
    (base / "setgroups").write_text("deny")
    (base / "uid_map").write_text(f"0 {uid} 1")
    (base / "gid_map").write_text(f"0 {gid} 1")


def become(uid: int, gid: int) -> None:
    """Appear as this user in a user namespace of one's own; capabilities of the outer one are lost."""
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    unshare(NEW_USERS)
    base = Path("/proc/self")
    (base / "setgroups").write_text("deny")
    (base / "uid_map").write_text(f"{uid} {outer_uid} 1")
    (base / "gid_map").write_text(f"{gid} {outer_gid} 1")


def in_new_processes(fork: Callable[[], int], own: int) -> int:
    """Fork a child that is the first process of a new process namespace.

    Args:
        fork: `os.fork`.
        own: A descriptor of this process's own process namespace, to come back to.

    Returns:
        What `fork` returned.
    """
    unshare(NEW_PROCESSES)
    pid = fork()
    if pid != 0:
        join(own, NEW_PROCESSES)
    return pid
