"""A pod runs alike whatever its Python, and whatever the Python that built its runtime."""

import shutil
import subprocess
from pathlib import Path

import pytest
from pod_cases import Pod

import headway

SOURCE = Path(headway.__file__).parents[1]
BUILD = (
    "import sys; sys.path.insert(0, sys.argv[1])\n"
    "from headway.executors.kubernetes.archive import runtime_archive\n"
    "open(sys.argv[2], 'wb').write(runtime_archive().data)\n"
)
BODY = """
    from headway.store.records import Failure
    from headway.runtime.supervisor import Ended
    self.version, self.pair = sys.version_info[:2], Failure("user", "Exit", message="m")
    self.typing_loaded = "typing" in sys.modules
    print(self.alpha, self.pair, current.step_name)
"""


@pytest.mark.budget(10)
@pytest.mark.parametrize(
    ("version", "built_by"),
    [
        *((version, "this one") for version in ("3.9", "3.10", "3.11", "3.12", "3.13")),
        # A launcher needs Python 3.10.
        *((version, "itself") for version in ("3.10", "3.11", "3.12", "3.13")),
    ],
)
def test_a_pod_runs_with_every_python(version: str, built_by: str, tmp_path: Path) -> None:
    python = real_python(version)
    if python is None:
        pytest.skip(f"this machine has no Python {version}")
    pod = Pod(tmp_path)
    if built_by == "itself":
        build = [python, "-I", "-S", "-B", "-c", BUILD, str(SOURCE), str(pod.archive)]
        subprocess.run(build, check=True)
    batch = pod.step(BODY)
    life = pod.live(batch, pod.command(python))
    assert life.code == 0, life.stderr
    assert life.log() == [
        "0.5 Failure(kind='user', reason='Exit', message='m', hint='', traceback='', type='') start"
    ]
    assert {"version", "pair", "typing_loaded"} <= set(life.record().artifacts)


def real_python(version: str) -> "str | None":
    """The interpreter of this version, behind whatever shim stands for it."""
    shim = shutil.which(f"python{version}")
    if shim is None:
        return None
    for candidate in (
        Path(shim),
        *sorted(Path(shim).parents[1].glob(f"versions/{version}*/bin/python{version}")),
    ):
        asked = subprocess.run(
            [str(candidate), "-c", "import sys; print(sys.version)"], capture_output=True, text=True
        )
        if asked.stdout.startswith(f"{version}."):
            return str(candidate)
    return None
