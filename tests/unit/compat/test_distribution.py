"""The distribution that installs the package of aliases: all of it, for this very Headway."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from headway import __version__


@pytest.mark.budget(6)
def test_the_wheel_holds_the_package_and_needs_this_headway(source: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(source.parent, tmp_path / "project"))
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = (tmp_path / "dist").iterdir()
    assert wheel.name == f"headway_metaflow-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if name.startswith("metaflow/")}
        about = archive.read(f"headway_metaflow-{__version__}.dist-info/METADATA").decode()
    ours = [path for path in source.rglob("*") if path.suffix in (".py", ".typed")]
    assert held == {path.relative_to(source).as_posix() for path in ours}
    assert f"Requires-Dist: headway=={__version__}\n" in about
