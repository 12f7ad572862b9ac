"""Metaflow from PyPI, in an environment of its own that is made on first use with uv."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from timing import BenchmarkError

PACKAGES = ("metaflow==2.19.*", "kubernetes", "boto3>=1.34", "numpy")
_ENVIRONMENT = Path(__file__).parents[1] / ".dev" / "metaflow"


def peer() -> Path:
    """The interpreter of Metaflow's environment."""
    python = _ENVIRONMENT / "bin" / "python"
    stamp = _ENVIRONMENT / "packages"
    if stamp.exists() and stamp.read_text().split() == list(PACKAGES):
        return python
    if shutil.which("uv"):
        commands = [
            ["uv", "venv", "-q", "--clear", "--python", sys.executable, str(_ENVIRONMENT)],
            ["uv", "pip", "install", "-q", "--python", str(python), *PACKAGES],
        ]
    else:
        # The resolver of pip 23 does not come to an end over these; uv's does, and pip can install uv.
        commands = [
            [sys.executable, "-m", "venv", "--clear", str(_ENVIRONMENT)],
            [str(python), "-m", "pip", "install", "-q", "uv"],
            [str(python), "-m", "uv", "pip", "install", "-q", "--python", str(python), *PACKAGES],
        ]
    for command in commands:
        if subprocess.run(command, env=os.environ, check=False).returncode:
            raise BenchmarkError(f"failed: {' '.join(command)}")
    stamp.write_text("\n".join(PACKAGES))
    return python


def peer_version() -> str:
    """The exact version of Metaflow there."""
    code = "import importlib.metadata as found; print(found.version('metaflow'))"
    command = [str(peer()), "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    print(peer())
