"""What this machine gives the containers: its interpreter, addresses, the usual environment."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

HOST_ADDRESS = "127.0.0.1"
_STANDARD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NAMES = ("python", "python3")
#: A pod's annotation: the interpreter of whoever started it, whose packages the pod's code needs.
PYTHON = "headway.dev/python"


@dataclass(frozen=True)
class Interpreter:
    """The Python that stands in for every image.

    Attributes:
        path: Its absolute path.
        folder: A folder with `python` and `python3`, first in every container's `PATH`.
        yields: A place for such folders if a pod may name another interpreter, None if none may.
    """

    path: str
    folder: str
    yields: Path | None = None

    @classmethod
    def prepare(cls, path: str, folder: Path) -> Interpreter:
        """Use an interpreter; a folder with both of its names is made where its own lacks one."""
        beside = Path(path).parent
        if all(os.access(beside / name, os.X_OK) for name in _NAMES):
            return cls(path, str(beside))
        folder.mkdir(parents=True, exist_ok=True)
        for name in _NAMES:
            script = folder / name
            # A script and not a link: through a link the interpreter would not find its virtual environment.
            script.write_text(f'#!/bin/sh\nexec "{path}" "$@"\n')
            script.chmod(0o755)
        return cls(path, str(folder))

    def for_pod(self, annotations: Mapping[str, str]) -> Interpreter:
        """The one that a pod names, where it may and that is there; else this one."""
        wanted = annotations.get(PYTHON, "")
        if self.yields is None or wanted in ("", self.path) or not os.access(wanted, os.X_OK):
            return self
        return Interpreter.prepare(wanted, self.yields / sha256(wanted.encode()).hexdigest()[:12])

    def command(self, argv: list[str]) -> list[str]:
        """The command with `python` and `python3` resolved, also at places where only images have them."""
        program = argv[0]
        if Path(program).name in _NAMES and ("/" not in program or not Path(program).exists()):
            return [self.path, *argv[1:]]
        return argv

    def describe(self) -> str:
        """Words for events."""
        version = f" {platform.python_version()}" if self.path == sys.executable else ""
        return f"the host's Python{version} ({self.path})"


def base_environment(interpreter: Interpreter, home: str, hostname: str, api_port: int) -> dict[str, str]:
    """The variables that images and the node give every container."""
    port = str(api_port)
    return {
        "PATH": f"{interpreter.folder}:{_STANDARD_PATH}",
        "HOME": home,
        "HOSTNAME": hostname,
        "LANG": "C.UTF-8",
        "KUBERNETES_SERVICE_HOST": HOST_ADDRESS,
        "KUBERNETES_SERVICE_PORT": port,
        "KUBERNETES_SERVICE_PORT_HTTPS": port,
        "KUBERNETES_PORT": f"tcp://{HOST_ADDRESS}:{port}",
    }
