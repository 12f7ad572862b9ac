"""The folder of a cluster: its files, who may read them, and whether it is in use."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from headway.errors import UsageError

READY = b"ok"
"""What a daemon says to its starter when its API answers."""
OCCUPIED = b"another cluster runs in this folder"
"""What it says where it has to give way to another."""


def default_folder() -> Path:
    """`$XDG_STATE_HOME/headway/cluster`.

    Raises:
        UsageError: Nothing names a folder that could be meant from anywhere.
    """
    base = os.environ.get("XDG_STATE_HOME")
    # Of a user without a home, which Path.home() would raise for, "~" is left.
    place = Path(base) if base else Path(os.path.expanduser("~"), ".local", "state")  # noqa: PTH111
    if not place.is_absolute():
        wrong = f"XDG_STATE_HOME={base!r} is no absolute path." if base else "This user has no home folder."
        raise UsageError(
            f"The embedded cluster has no place for its files. {wrong}",
            "Name a folder of your own: export XDG_STATE_HOME=/path",
        )
    return place / "headway" / "cluster"


@dataclass(frozen=True)
class State:
    """The files of one cluster.

    Attributes:
        folder: Where they are; only its owner may look inside.
    """

    folder: Path

    @property
    def kubeconfig(self) -> Path:
        """What clients read."""
        return self.folder / "kubeconfig"

    @property
    def log(self) -> Path:
        """What the daemon says."""
        return self.folder / "cluster.log"

    @property
    def certificates(self) -> Path:
        """The authority and the server's certificate."""
        return self.folder / "certificates"

    @property
    def scratch(self) -> Path:
        """Pods' folders and logs: they end with the cluster."""
        return self.folder / "run"

    @property
    def claims(self) -> Path:
        """The folders of persistent volume claims."""
        return self.folder / "claims"

    @property
    def objects(self) -> Path:
        """The cluster's objects, where they are kept."""
        return self.folder / "objects.json"

    @property
    def stays(self) -> Path:
        """There once somebody has asked for this cluster by name: it does not end by itself."""
        return self.folder / "stays"

    @property
    def _record(self) -> Path:
        return self.folder / "cluster.json"

    @property
    def _lock(self) -> Path:
        return self.folder / "lock"

    def prepare(self) -> None:
        """Make the folder, for its owner only."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)

    def clear(self, *, keep: bool) -> None:
        """Remove what an earlier cluster left behind.

        Args:
            keep: Leave its objects and the folders of its claims.
        """
        shutil.rmtree(self.scratch, ignore_errors=True)
        if not keep:
            shutil.rmtree(self.claims, ignore_errors=True)
            self.objects.unlink(missing_ok=True)
        self.scratch.mkdir(parents=True, exist_ok=True)

    def acquire(self) -> IO[str] | None:
        """Claim the folder until the returned file is closed; None if another cluster has it."""
        file = self._lock.open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return None
        return file

    def in_use(self) -> bool:
        """Whether a cluster runs here; its lock ends with its process, however that dies."""
        try:
            if not self._lock.exists():
                return False
            held = self.acquire()
        except OSError:
            # Somebody else's: whatever runs there is out of reach, and whoever wants to start one is told.
            return False
        if held is None:
            return True
        held.close()
        return False

    def record(self) -> dict[str, Any]:
        """What the last cluster said of itself: `pid`, `port`, `options`."""
        try:
            found: dict[str, Any] = json.loads(self._record.read_text())
        except (OSError, ValueError):
            return {}
        return found

    def write_record(self, values: dict[str, Any]) -> None:
        """Say something of this cluster."""
        self.write_private(self._record, json.dumps(values))

    @staticmethod
    def write_private(path: Path, text: str) -> None:
        """Write a file that only its owner can read, in one step."""
        draft = path.with_name(path.name + ".new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        draft.replace(path)
