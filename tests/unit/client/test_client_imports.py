"""What importing the client costs: it is used in steps and in pods, too."""

import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).parents[3] / "src"
HEAVY = {"asyncio", "concurrent", "dataclasses", "inspect", "logging", "pathlib", "obstore", "msgspec", "ssl"}


def test_it_loads_neither_configuration_nor_what_takes_long() -> None:
    program = (
        "import sys\n"
        f"sys.path.insert(0, {str(SOURCE)!r})\n"
        "import headway.client\n"
        "print(*sorted(sys.modules), sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert not loaded & HEAVY
    assert not {name for name in loaded if name.startswith(("headway.config", "headway.runtime"))}
