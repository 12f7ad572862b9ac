"""Steps on this machine: Headway beside Metaflow from PyPI, whole processes, the same flow files.

    python3 dev.py bench local [--runs 5] [--quick]

Metaflow gets an environment of its own (uv, or venv and pip), made on first use.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from flows import FOREACH, LINEAR
from timing import BenchmarkError, interleave, process, ratio, save, table

PEER = "metaflow==2.19.*"
_ENVIRONMENT = Path(__file__).parents[1] / ".dev" / "metaflow"

#: (name, flow, file, what is typed, how many times faster than the peer it must be)
WORKS = (
    ("linear, 4 steps", LINEAR, "linear.py", ("run",), 5.0),
    ("show", LINEAR, "linear.py", ("show",), 2.5),
    ("foreach 100", FOREACH, "foreach.py", ("run", "--width", "100"), None),
)


def main() -> int:
    """Run, print, keep the raw figures; the exit code says whether the targets hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one round of Headway alone: does it still work")
    options = parser.parse_args()
    runs, warm_up = (1, 0) if options.quick else (options.runs, 1)
    interpreters = {"headway": sys.executable} | ({} if options.quick else {"metaflow": str(peer())})
    figures, missed = {}, []
    with tempfile.TemporaryDirectory() as folder:
        for name, text, file, words, target in WORKS:
            contenders = {}
            for module, python in interpreters.items():
                home = Path(folder) / module
                home.mkdir(exist_ok=True)
                (home / file).write_text(text.format(module=module))
                env = {"USER": "bench", "METAFLOW_HOME": str(home), "METAFLOW_USER": "bench"}
                contenders[module] = partial(process, [python, file, *words], home, env)
            series = interleave(contenders, runs, warm_up)
            figures[name] = series
            print(table(name, series, "headway"))
            if target is not None and "metaflow" in series and ratio(series, "metaflow", "headway") < target:
                missed.append(f"{name}: less than {target} times faster than Metaflow")
    print(f"raw figures: {save('local', figures)}")
    for line in missed:
        print(f"TARGET MISSED  {line}")
    return 1 if missed else 0


def peer() -> Path:
    """The interpreter of Metaflow's own environment."""
    python = _ENVIRONMENT / "bin" / "python"
    if python.exists():
        return python
    if shutil.which("uv"):
        commands = [
            ["uv", "venv", "-q", "--python", sys.executable, str(_ENVIRONMENT)],
            ["uv", "pip", "install", "-q", "--python", str(python), PEER],
        ]
    else:
        commands = [
            [sys.executable, "-m", "venv", str(_ENVIRONMENT)],
            [str(python), "-m", "pip", "install", "-q", PEER],
        ]
    for command in commands:
        if subprocess.run(command, env=os.environ, check=False).returncode:
            raise BenchmarkError(f"failed: {' '.join(command)}")
    return python


if __name__ == "__main__":
    sys.exit(main())
