"""What a container uses and what its kernel says of it, for cgroup versions 1 and 2."""

from typing import Optional

_OOM_FILES = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")
_PEAK_FILES = ("/sys/fs/cgroup/memory.peak", "/sys/fs/cgroup/memory/memory.max_usage_in_bytes")


def oom_kills() -> int:
    """How often the kernel killed a process of this container for want of memory; 0 where it does not say."""
    for path in _OOM_FILES:
        text = _read(path)
        for line in (text or "").splitlines():
            name, _, value = line.partition(" ")
            if name == "oom_kill" and value.strip().isdigit():
                return int(value)
    return 0


def peak_memory() -> Optional[int]:
    """The most memory this container held, in bytes, page cache included; None where it is not known."""
    for path in _PEAK_FILES:
        text = (_read(path) or "").strip()
        if text.isdigit():
            return int(text)
    return None


def after_kill(megabytes: float) -> int:
    """What to ask for after a container was killed at so many MB: half as much again at least.

    What it would have held nobody knows: its peak is where it was stopped.
    """
    return rounded_up(megabytes * 1.5)


def rounded_up(megabytes: float) -> int:
    """An amount of memory as a person would write it: in steps of 50 MB, from 1,000 MB on of 250."""
    step = 50 if megabytes < 1000 else 250
    return max(step, -int(-megabytes // step) * step)


def _read(path: str) -> Optional[str]:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, ValueError):
        return None
