"""What a pod's container uses, all of its processes, and what its kernel says of it, for cgroup versions 1 and 2."""

import os
from typing import Dict, Optional

_ROOT = "/sys/fs/cgroup"
_OOM_FILES = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")
#: Version 1 writes the largest number of pages where there is no limit.
_ENDLESS = 1 << 60
_PEAK_FILES = ("/sys/fs/cgroup/memory.peak", "/sys/fs/cgroup/memory/memory.max_usage_in_bytes")


def oom_kills() -> int:
    """How often the kernel killed a process of this container for want of memory; 0 where it does not say."""
    for path in _OOM_FILES:
        said = _numbers(_read(path))
        if b"oom_kill" in said:
            return said[b"oom_kill"]
    return 0


def peak_memory() -> Optional[int]:
    """The most memory this container held, in bytes, page cache included; None where it is not known."""
    return next((held for path in _PEAK_FILES if (held := _number(_read(path)))), None)


def free_memory(root: str = _ROOT) -> Optional[int]:
    """How much more this container may hold, in bytes; None where it has no limit, or none that is known.

    Args:
        root: Where control groups are mounted.
    """
    for files in (_Files(root, second) for second in (True, False)):
        limit, held = _number(_read(files.limit)), _number(_read(files.current))
        if limit and held:
            said = _numbers(_read(files.stat))
            return max(0, limit - held + sum(said.get(name, 0) for name in files.cache))
    return None


def unlimited(root: str = _ROOT) -> bool:
    """Whether nothing limits what this container may hold but its node; False where that is not known.

    Args:
        root: Where control groups are mounted.
    """
    for files in (_Files(root, second) for second in (True, False)):
        said = _read(files.limit).strip()
        if said:
            return said == b"max" or _number(said) >= _ENDLESS
    return False


def after_kill(megabytes: float) -> int:
    """What to ask for after a container was killed at so many MB: half as much again at least.

    What it would have held nobody knows: its peak is where it was stopped.
    """
    return rounded_up(megabytes * 1.5)


def rounded_up(megabytes: float) -> int:
    """An amount of memory as a person would write it: in steps of 50 MB, from 1,000 MB on of 250."""
    step = 50 if megabytes < 1000 else 250
    return max(step, -int(-megabytes // step) * step)


class _Files:
    """Where one version of control groups says what, under its root.

    Attributes:
        current: Bytes charged now, page cache included.
        limit: The most bytes that may be charged.
        peak: The most bytes ever charged; kernels before 5.19 lack it for version 2.
        stat: What they are made of.
        cache: Those parts of it that the kernel takes back before it kills anybody.
        cpu: Processor time.
        unit: Of it, in seconds.
        members: The processes.
    """

    def __init__(self, root: str, second: bool) -> None:
        base = root if second else f"{root}/memory"
        self.current = f"{base}/memory.{'current' if second else 'usage_in_bytes'}"
        self.limit = f"{base}/memory.{'max' if second else 'limit_in_bytes'}"
        self.peak = f"{base}/memory.{'peak' if second else 'max_usage_in_bytes'}"
        self.stat = f"{base}/memory.stat"
        # Shared memory and tmpfs are no such part: they are counted among what is anonymous.
        self.cache = (
            (b"active_file", b"inactive_file", b"slab_reclaimable")
            if second
            else (b"total_active_file", b"total_inactive_file")
        )
        self.cpu = f"{root}/cpu.stat" if second else f"{root}/cpuacct/cpuacct.usage"
        self.unit = 1e-6 if second else 1e-9
        self.members = f"{base}/cgroup.procs"


class Meter:
    """Looks now and then at what this process's container holds; a look costs some 20 µs.

    Page cache does not count: a step that reads a large file holds none of it. Where the control group
    cannot be read, or is not this container's alone, nothing is measured.

    Args:
        root: Where control groups are mounted.

    Attributes:
        most: The most that was held since :meth:`begin`, in bytes; 0 where it is not known.
    """

    def __init__(self, root: str = _ROOT) -> None:
        found: Optional[_Files] = None
        for second in (True, False):
            files = _Files(root, second)
            if found is None and _number(_read(files.current)) and _is_ours(files.members):
                found = files
        self._files = found
        self.most = 0
        self._cache = self._peak_before = 0
        self._cpu_before = 0.0
        self.begin()

    @property
    def works(self) -> bool:
        """Whether there is something to look at."""
        return self._files is not None

    def begin(self) -> None:
        """A task begins: what was before counts no more, but for what is still held."""
        files = self._files
        if files is not None:
            self.most = self._cache = 0
            self._peak_before = _number(_read(files.peak))
            self._cpu_before = self._computed(files)
            self.look()

    def look(self) -> None:
        """See whether more is held than ever before in this task."""
        files = self._files
        if files is None:
            return
        now = _number(_read(files.current))
        # What is held without its cache cannot be more than with it: most looks end here.
        if now > self.most:
            said = _numbers(_read(files.stat))
            cache = sum(said.get(name, 0) for name in files.cache)
            self._cache = max(self._cache, cache)
            self.most = max(self.most, now - cache)

    def end(self) -> None:
        """The task is over: a last look, and what the kernel alone may have seen between two looks."""
        files = self._files
        if files is None:
            return
        self.look()
        peak = _number(_read(files.peak))
        # The kernel's figure holds the cache of that moment; where that was little, it is right but for that.
        if peak > self._peak_before and self._cache * 4 < peak:
            self.most = max(self.most, peak - self._cache)

    def cpu(self) -> float:
        """Seconds of processor time since the task began; 0 where it is not known."""
        return max(0.0, self._computed(self._files) - self._cpu_before) if self._files else 0.0

    def _computed(self, files: _Files) -> float:
        said = _read(files.cpu)
        return (_number(said) or _numbers(said).get(b"usage_usec", 0)) * files.unit


def _is_ours(members: str) -> bool:
    """Whether the group is this container's and not its whole machine's.

    A container's first process is this one, or the shell or init that started it.
    """
    pids = [int(pid) for pid in _read(members).split() if pid.isdigit()]
    return os.getpid() in pids and min(pids) in (os.getpid(), os.getppid())


def _numbers(text: bytes) -> Dict[bytes, int]:
    """The lines of a file of names and numbers."""
    parts = text.split()
    return {name: _number(value) for name, value in zip(parts[::2], parts[1::2])}


def _number(text: bytes) -> int:
    text = text.strip()
    return int(text) if text.isdigit() else 0


def _read(path: str) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(fd, 65536)
    except OSError:
        return b""
    finally:
        os.close(fd)
