"""Whether a process that imported the flow may be forked for its tasks: what must not be there twice.

A thread is not in the child, and the locks that it held stay held there; children with one socket, one place in
a file or one GPU between them disturb each other. Who finds such a thing gives every task a process of its own.
"""

import fcntl
import gc
import os
import stat
import sys
import threading
from typing import Any, Dict, List, Set

#: Devices that any number of processes may have open at once, and a terminal is theirs in any case.
_COMMON = (
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/tty",
    "/dev/pts/",
    "/dev/console",
)

#: How the names of the functions of an OpenBLAS begin and end, which depends on who built it.
_PREFIXES, _SUFFIXES = ("openblas_", "scipy_openblas_"), ("", "64_", "_64_", "_64")
#: What OpenBLAS answers where its threads are its own, and not those of OpenMP.
_OWN_THREADS = 1


def descriptors() -> Dict[str, str]:
    """What this process has open now: number to what the system calls it; nothing where that cannot be asked."""
    found: Dict[str, str] = {}
    try:
        numbers = os.listdir("/proc/self/fd")
    except OSError:
        return found
    for number in numbers:
        try:
            found[number] = os.readlink(f"/proc/self/fd/{number}")
        except OSError:
            # The one that this listing was read through.
            continue
    return found


def unforkable(before: Dict[str, str]) -> str:
    """Why this process must not be forked after what it imported, "" where it may.

    Args:
        before: What it had open before, as :func:`descriptors` says it.
    """
    return _threads() or _opened(before)


def _threads() -> str:
    others = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    if others:
        return f"importing the flow started the Python thread {others[0]}"
    try:
        threads = os.listdir("/proc/self/task")
    except OSError:
        return "" if sys.platform.startswith("linux") else "forking is not safe on this system"
    # Those that come back after a fork have no name of their own; what is left over is somebody else's.
    if len(threads) > 1 and (len(_names(threads)) > 1 or len(threads) - 1 > returning_threads()):
        return "importing the flow started threads in a native library"
    return ""


def _names(threads: List[str]) -> Set[str]:
    names = set()
    for thread in threads:
        try:
            with open(f"/proc/self/task/{thread}/comm", encoding="utf-8", errors="replace") as file:
                names.add(file.read())
        except OSError:
            # It has just ended.
            continue
    return names


def returning_threads() -> int:
    """How many threads of native libraries are here at most that end before a fork and come back when needed.

    Those of OpenBLAS (numpy and scipy bring one each) and of Intel's OpenMP do; those of GNU's OpenMP do not:
    a child that needs them waits for ever.
    """
    try:
        # Only where there are threads that are not Python's: numpy has loaded it.
        import ctypes
    except ImportError:
        return 0
    found = 0
    for path in _libraries():
        name = os.path.basename(path)
        if "openblas" not in name and not name.startswith("libiomp5"):
            continue
        try:
            library = ctypes.CDLL(path)
        except OSError:
            # A file that was replaced since.
            continue
        if name.startswith("libiomp5"):
            found += max(0, int(library.omp_get_max_threads()) - 1)
        else:
            found += _openblas_threads(library)
    return found


def _openblas_threads(library: Any) -> int:
    for prefix in _PREFIXES:
        for suffix in _SUFFIXES:
            threads = getattr(library, f"{prefix}get_num_threads{suffix}", None)
            kind = getattr(library, f"{prefix}get_parallel{suffix}", None)
            if threads is not None and kind is not None:
                return max(0, int(threads()) - 1) if kind() == _OWN_THREADS else 0
    return 0


def _libraries() -> Set[str]:
    """The files of the native libraries that are loaded."""
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
        return {line.split(None, 5)[5].rstrip("\n") for line in maps if ".so" in line}


def _opened(before: Dict[str, str]) -> str:
    if _first_shared(before):
        # Some of it may only wait to be collected.
        gc.collect()
        return _first_shared(before)
    return ""


def _first_shared(before: Dict[str, str]) -> str:
    for number, name in descriptors().items():
        if before.get(number) != name:
            what = _shared(int(number), name)
            if what:
                return f"importing the flow opened {what}, which its tasks would share"
    return ""


def _shared(number: int, name: str) -> str:
    """What an open descriptor is, "" where any number of processes may have it at once."""
    try:
        mode = os.fstat(number).st_mode
    except OSError:
        return ""
    if stat.S_ISREG(mode):
        # Lines that are only ever added to a log find its end by themselves.
        flags = fcntl.fcntl(number, fcntl.F_GETFL)
        only_adds = flags & os.O_APPEND and flags & os.O_ACCMODE == os.O_WRONLY
        return "" if only_adds else f"the file {name}"
    if stat.S_ISCHR(mode):
        # A GPU among them: once it is in use here, a child cannot use it.
        return "" if name.startswith(_COMMON) else f"the device {name}"
    if stat.S_ISDIR(mode):
        return ""
    return "a connection" if stat.S_ISSOCK(mode) else "a pipe" if stat.S_ISFIFO(mode) else name
