"""How much memory the processes of a container use, from `/proc`."""

from __future__ import annotations

import os
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")


def children() -> dict[int, list[int]]:
    """Every visible process's children."""
    found: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):  # noqa: PTH208 - read often, names are enough
        if not entry.isdigit():
            continue
        try:
            stat = Path(f"/proc/{entry}/stat").read_text()
        except OSError:
            continue
        parent = int(stat.rpartition(")")[2].split()[1])
        found.setdefault(parent, []).append(int(entry))
    return found


def tree(root: int, of: dict[int, list[int]]) -> list[int]:
    """A process and all its descendants."""
    found, wanted = [], [root]
    while wanted:
        pid = wanted.pop()
        found.append(pid)
        wanted += of.get(pid, ())
    return found


def resident(pids: list[int]) -> tuple[int, int]:
    """The resident bytes of some processes, and how much of that are mapped files.

    Pages that processes share count more than once: this is the quick, high estimate.
    """
    total = mapped = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/statm").read_text().split()
        except OSError:
            continue
        total += int(fields[1]) * _PAGE
        mapped += int(fields[2]) * _PAGE
    return total, mapped


def charged(pids: list[int]) -> int:
    """The bytes that a memory cgroup would charge: anonymous and shared memory, each page once."""
    total = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        for line in text.splitlines():
            if line.startswith(("Pss_Anon:", "Pss_Shmem:")):
                total += int(line.split()[1]) * 1024
    return total
