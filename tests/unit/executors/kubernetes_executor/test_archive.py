"""The in-pod runtime as one archive."""

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from headway.executors.kubernetes.archive import LAUNCHER_ONLY, imported_aliases, runtime_archive

SOURCE = Path(__file__).parents[4] / "src"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "runtime.pyz"
    path.write_bytes(runtime_archive().data)
    return path


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=30)


@pytest.mark.budget(6)
def test_the_same_files_give_the_same_bytes_in_every_process() -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(SOURCE)!r})\n"
        "from headway.executors.kubernetes.archive import runtime_archive\nprint(runtime_archive().sha256)"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", f"{first}\n{program}"], stdout=subprocess.PIPE, text=True)
        for first in ("", "import asyncio, http.client, unittest.mock")
    ]
    first, second = [process.communicate(timeout=60)[0] for process in processes]
    assert len(first.strip()) == 64
    assert first == second


def test_it_holds_what_a_pod_needs_and_nothing_of_a_launchers(archive: Path) -> None:
    names = set(zipfile.ZipFile(archive).namelist())
    assert {
        "__main__.py",
        "headway/__init__.py",
        "headway/runtime/pod.py",
        "headway/store/s3/client.py",
    } <= names
    packages = {name.split("/")[1] for name in names if name.count("/") > 1}
    assert packages == {"flow", "runtime", "store", "client", "datatools"}
    assert not [name for name in LAUNCHER_ONLY if f"headway/{name}" in names]
    assert not [name for name in names if "__pycache__" in name]


def test_it_fits_into_a_config_map() -> None:
    assert len(runtime_archive().data) * 4 / 3 < 1 << 20


def test_each_module_is_there_compiled_for_this_python(archive: Path) -> None:
    names = set(zipfile.ZipFile(archive).namelist()) - {"__main__.py"}
    sources = {name for name in names if name.endswith(".py")}
    assert names - sources == {f"{name}c" for name in sources}


def test_every_module_can_be_imported_from_it_and_says_where_it_stands(archive: Path) -> None:
    names = [
        name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for name in zipfile.ZipFile(archive).namelist()
        if name.endswith(".py") and name != "__main__.py"
    ]
    program = (
        "import importlib, json, sys\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "for name in sys.argv[2:]: importlib.import_module(name)\n"
        "from headway.runtime.pod import main\n"
        "print(json.dumps([main.__code__.co_filename, sys.modules['headway'].__file__]))"
    )
    done = run("-I", "-S", "-W", "error", "-c", program, str(archive), *names)
    assert done.returncode == 0, done.stderr
    compiled_as, file = json.loads(done.stdout)
    assert compiled_as == "headway/runtime/pod.py", "the compiled form was taken"
    assert file.startswith(str(archive))


def test_started_by_hand_it_says_what_it_is(archive: Path) -> None:
    done = subprocess.run([sys.executable, str(archive)], env={}, capture_output=True, text=True, timeout=30)
    assert done.returncode == 78
    assert "this archive is what the pods of a run start" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_source_is_taken_where_the_compiled_form_is_another_versions(
    archive: Path, tmp_path: Path
) -> None:
    """A pod's Python of another version reads what stands there as source."""
    other = tmp_path / "other.pyz"
    with zipfile.ZipFile(archive) as whole, zipfile.ZipFile(other, "w") as made:
        for info in whole.infolist():
            data = whole.read(info)
            made.writestr(info, b"\x00\x00\r\n" + data[4:] if info.filename.endswith(".pyc") else data)
    done = subprocess.run([sys.executable, str(other)], env={}, capture_output=True, text=True, timeout=30)
    assert done.returncode == 78, done.stderr


def test_a_package_of_aliases_goes_along_where_the_flow_imported_it(tmp_path: Path) -> None:
    folder = tmp_path / "metaflow"
    (folder / "inner").mkdir(parents=True)
    (folder / "__init__.py").write_text("__headway__ = True\n")
    (folder / "inner" / "module.py").write_text("x = 1\n")
    module = ModuleType("metaflow")
    module.__file__ = str(folder / "__init__.py")
    assert imported_aliases({"metaflow": module}) is None, "another package of this name"
    module.__dict__["__headway__"] = True
    assert imported_aliases({"metaflow": module}) == folder
    assert imported_aliases({}) is None
    names = zipfile.ZipFile(io.BytesIO(runtime_archive(folder).data)).namelist()
    assert {"metaflow/__init__.py", "metaflow/inner/module.py", "metaflow/inner/module.pyc"} <= set(names)
    assert runtime_archive(folder).sha256 != runtime_archive().sha256
