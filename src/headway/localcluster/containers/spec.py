"""What the daemon and the supervisor say to each other."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

MAX_PACKET = 60_000
"""Packets are small: a container's spec travels as a file descriptor beside them."""


@dataclass(frozen=True)
class Isolation:
    """What the kernel allows the containers.

    Attributes:
        mounts: Volumes can appear at their absolute paths.
        processes: Each container has a process namespace of its own.
        reason: Why something is missing; empty if nothing is.
    """

    mounts: bool
    processes: bool
    reason: str = ""


@dataclass(frozen=True)
class Mount:
    """One path of a container's file system.

    Attributes:
        source: A file or folder of the host; empty for memory.
        target: The absolute path inside.
        read_only: Whether writes are refused.
        size: The limit of an in-memory folder, bytes; 0 for none.
    """

    source: str
    target: str
    read_only: bool = False
    size: int = 0


@dataclass(frozen=True)
class ContainerSpec:
    """What to run.

    Attributes:
        argv: The command; its first word is looked up in the `PATH` of `env`.
        env: The whole environment.
        workdir: The folder to start in; created if missing.
        hostname: The machine's name as the container sees it.
        staging: An empty folder for building the file system.
        mounts: The volumes, parents before children.
        uid: The user to appear as; -1 for the namespace's own.
        gid: The group to appear as; -1 likewise.
        memory: The memory limit, bytes; 0 for none.
    """

    argv: list[str]
    env: dict[str, str]
    workdir: str
    hostname: str
    staging: str
    mounts: list[Mount] = field(default_factory=list)
    uid: int = -1
    gid: int = -1
    memory: int = 0

    def dump(self) -> bytes:
        """The spec as JSON."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def load(cls, raw: bytes) -> ContainerSpec:
        """The spec that `dump` wrote."""
        values: dict[str, Any] = json.loads(raw)
        values["mounts"] = [Mount(**entry) for entry in values["mounts"]]
        return cls(**values)


@dataclass(frozen=True)
class Exit:
    """How a container ended.

    Attributes:
        code: The exit code as a shell counts it: 128 + signal for a death by signal.
        signal: The signal, or 0.
        out_of_memory: Whether it was killed for passing its memory limit.
    """

    code: int
    signal: int = 0
    out_of_memory: bool = False
