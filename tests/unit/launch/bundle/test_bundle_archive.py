"""A bundle is the same bytes for the same code, and runs where it is unpacked."""

import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any, cast

import pytest
from bundle_trees import loaded, plan_of, plant

from headway.errors import UsageError
from headway.launch.bundle.archive import pack
from headway.launch.bundle.plan import BundleFile, Plan
from headway.runtime.unpack import unpack_bundle
from headway.store.base import ObjectStore
from headway.store.batch import Batch, Code


def entries(data: bytes) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
        return tar.getmembers()


def test_the_same_code_has_the_same_address(tmp_path: Path) -> None:
    names = ("flow.py", "pkg/__init__.py", "a.py")
    one, two = plant(tmp_path / "one", *names), plant(tmp_path / "two/deeper", *reversed(names))
    for file in two.rglob("*.py"):
        os.utime(file, (1, 1))
        file.chmod(0o600)
    first, second = pack(plan_of(one)), pack(plan_of(two))
    assert first == second
    (two / "a.py").write_text("changed = 1")
    assert pack(plan_of(two)).sha256 != first.sha256


def test_of_files_nothing_ships_but_name_content_and_whether_they_are_executable(tmp_path: Path) -> None:
    root = plant(tmp_path, "flow.py", "tool.py")
    (root / "tool.py").chmod(0o700)
    (root / "flow.py").write_text("print(1)")
    found = [(e.name, e.size, e.mode, e.mtime, e.uid, e.uname) for e in entries(pack(plan_of(root)).data)]
    assert found == [("flow.py", 8, 0o644, 0, 0, ""), ("tool.py", 0, 0o755, 0, 0, "")]


def test_long_and_unusual_names_survive(tmp_path: Path) -> None:
    names = ["flow.py", f"{'d' * 90}/{'e' * 90}/f.py", "größe/naïve ☃.py", "with space.py"]
    root = plant(tmp_path, *names)
    assert [entry.name for entry in entries(pack(plan_of(root)).data)] == sorted(names)


def test_generated_files_are_packed(tmp_path: Path) -> None:
    data = pack(Plan((BundleFile("typed.py", 3, content=b"x=1"),))).data
    assert [(entry.name, entry.size) for entry in entries(data)] == [("typed.py", 3)]


def test_a_file_that_went_away_is_one_clear_error(tmp_path: Path) -> None:
    root = plant(tmp_path, "flow.py", "gone.py")
    plan = plan_of(root)
    (root / "gone.py").unlink()
    with pytest.raises(
        UsageError, match=r"gone\.py belongs to the flow's code but cannot be read: No such file"
    ):
        pack(plan)


def test_what_is_unpacked_imports_what_it_imported_here(tmp_path: Path) -> None:
    root = plant(tmp_path / "flows", "flow.py", "src/inner/__init__.py")
    lib = plant(tmp_path / "lib", "corp/tools/__init__.py", "corp/tools/deep.py", "single.py")
    (root / "flow.py").write_text("import inner, single, corp.tools.deep; print(single.__file__)")
    plan = plan_of(
        root,
        modules=loaded(
            inner=root / "src/inner/__init__.py",
            corp=lib / "corp",
            corp__tools=lib / "corp/tools/__init__.py",
            single=lib / "single.py",
        ),
    )
    archive = pack(plan)
    code = Code("path", "flow.py", ("__main__", "F"), archive.sha256, paths=plan.paths)
    batch = Batch("F", "1", "start", "b", code, ())
    there = Path(unpack_bundle(cast("ObjectStore", OneObject(archive.data)), batch, str(tmp_path / "pod")))
    path = os.pathsep.join(str(there / extra) for extra in code.paths)
    done = subprocess.run(
        [sys.executable, "-S", str(there / "flow.py")],
        env={"PYTHONPATH": path}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.strip() == str(there / ".headway/imports/single.py"), done.stderr


class OneObject:
    """A store in which everything is the same object."""

    url = "memory"

    def __init__(self, data: bytes) -> None:
        self._data = data

    def get(self, key: str) -> Any:
        return self._data
