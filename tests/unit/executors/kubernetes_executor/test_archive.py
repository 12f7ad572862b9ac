"""The in-pod runtime as one archive."""

import io
import json
import subprocess
import sys
import zipfile
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from types import ModuleType

import pytest

from headway.executors.kubernetes.archive import LAUNCHER_ONLY, imported_aliases, runtime_archive

SOURCE = Path(__file__).parents[4] / "src"

#: Makes the modules of an archive importable as a pod does.
BOOT = (
    "import sys; file = open(sys.argv[1], 'rb'); "
    "exec(file.read(int(file.readline())), {'__name__': 'boot', 'file': file})\n"
)
NAMED_TUPLES = """
import copy, importlib, pickle
for module in map(importlib.import_module, sys.argv[2:]):
    for name, made in sorted(vars(module).items()):
        if not (isinstance(made, type) and issubclass(made, tuple) and made.__module__ == module.__name__):
            continue
        if not hasattr(made, "_field_defaults"):
            continue
        fields = made._fields
        one = made(*range(len(fields)))
        assert type(one) is made and isinstance(one, tuple) and not hasattr(one, "__dict__")
        assert made(**dict(zip(fields, one))) == one == made._make(one) == tuple(one)
        assert pickle.loads(pickle.dumps(one)) == one == copy.copy(one) == copy.deepcopy(one)
        assert type(pickle.loads(pickle.dumps(one))) is made and hash(one) == hash(tuple(one))
        assert [tuple.__getitem__(one, index) for index in range(len(one))] == list(range(len(fields)))
        print(name, fields, made._field_defaults, repr(one), str(one), one._asdict())
        print([getattr(one, field) for field in fields], one._replace(**{fields[0]: "new"}))
        needed = [field for field in fields if field not in made._field_defaults]
        print(made(*needed)._asdict(), sorted(n for n in vars(made) if not n.startswith("_") or n == "__call__"))
        wrong = [
            lambda: made(*range(len(fields) + 1)),
            lambda: made(*needed[:-1]) if needed else made(nothing=1),
            lambda: made(*one, nothing=1),
            lambda: made._make([]),
            lambda: one._replace(nothing=1),
            lambda: setattr(one, fields[0], 1),
            lambda: setattr(one, "nothing", 1),
        ]
        for each in wrong:
            try:
                each()
            except (TypeError, ValueError, AttributeError) as error:
                print(type(error).__name__)
"""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "runtime.pyz"
    path.write_bytes(runtime_archive().data)
    return path


def modules_in(archive: Path) -> list[str]:
    return [
        name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for name in zipfile.ZipFile(archive).namelist()
        if name.endswith(".py") and name != "__main__.py"
    ]


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
    assert packages == {"flow", "runtime", "store", "client", "datatools", "lean"}
    assert not [name for name in LAUNCHER_ONLY if f"headway/{name}" in names]
    assert not [name for name in names if "__pycache__" in name]


def test_it_fits_into_a_config_map() -> None:
    # Of the 1,048,576 bytes that Kubernetes takes, names and what else stands beside it need some; it counts the
    # bytes themselves, not the base64 that they travel in.
    assert len(runtime_archive().data) < 1_000_000


def test_every_module_can_be_imported_from_its_table_and_says_where_it_stands(archive: Path) -> None:
    program = (
        BOOT + "import importlib, json, zipimport\n"
        "for name in sys.argv[2:]: importlib.import_module(name)\n"
        "from headway.runtime.pod import main\n"
        "loader = sys.modules['headway.runtime'].__spec__.loader\n"
        "assert not isinstance(loader, zipimport.zipimporter), 'the compiled form was taken'\n"
        "source = loader.get_source('headway.runtime.pod').lstrip()\n"
        "package = sys.modules['headway']\n"
        "print(json.dumps([main.__code__.co_filename, package.__file__, package.__path__, source[:20]]))"
    )
    done = run("-I", "-S", "-W", "error", "-c", program, str(archive), *modules_in(archive))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [
        "headway/runtime/pod.py",
        f"{archive}/headway/__init__.py",
        [f"{archive}/headway"],
        "import gc\nimport os\n",
    ]


def test_the_compiled_form_does_without_typing(archive: Path) -> None:
    program = (
        BOOT + "import importlib, json\n"
        "for name in sys.argv[2:]: importlib.import_module(name)\n"
        "print(json.dumps([n for n, m in sys.modules.items() if n.startswith('headway') and 'typing' in vars(m)]))"
    )
    done = run("-I", "-S", "-c", program, str(archive), *modules_in(archive))
    assert json.loads(done.stdout) == []


def test_named_tuples_of_the_compiled_form_are_those_of_the_source(archive: Path) -> None:
    """Fields, defaults, text, copies, pickles, hashes and errors: whatever can be asked of them all."""
    seen = [
        run("-I", "-S", "-c", start + NAMED_TUPLES, where, *modules_in(archive))
        for start, where in (
            (BOOT, str(archive)),
            ("import sys; sys.path.insert(0, sys.argv[1])\n", str(SOURCE)),
        )
    ]
    assert seen[0].stdout.count("\n") > 50, seen[0].stderr
    assert seen[0].stdout.splitlines() == seen[1].stdout.splitlines()


@pytest.mark.parametrize("by", ["path", "head"])
def test_started_by_hand_it_says_what_it_is(by: str, archive: Path) -> None:
    start = [str(archive)]
    if by == "head":
        start = ["-c", f"file = open({str(archive)!r}, 'rb'); exec(file.read(int(file.readline())))"]
    done = subprocess.run([sys.executable, *start], env={}, capture_output=True, text=True, timeout=30)
    assert done.returncode == 78
    assert "this archive is what the pods of a run start" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_source_is_taken_where_the_compiled_form_is_another_versions(
    archive: Path, tmp_path: Path
) -> None:
    """A pod's Python of another version reads what stands there as source."""
    other = tmp_path / "other.pyz"
    other.write_bytes(archive.read_bytes().replace(MAGIC_NUMBER, b"\x00\x00\r\n", 1))
    done = subprocess.run([sys.executable, str(other)], env={}, capture_output=True, text=True, timeout=30)
    assert done.returncode == 78, done.stderr
    assert "this archive is what the pods of a run start" in done.stderr


def test_a_package_of_aliases_goes_along_where_the_flow_imported_it(tmp_path: Path) -> None:
    folder = tmp_path / "metaflow"
    (folder / "inner").mkdir(parents=True)
    (folder / "__init__.py").write_text("__headway__ = True\n")
    (folder / "inner" / "module.py").write_text("x = 1\n")
    module = ModuleType("metaflow")
    module.__file__ = str(folder / "__init__.py")
    assert imported_aliases({"metaflow": module}) == (), "another package of this name"
    module.__dict__["__headway__"] = True
    assert imported_aliases({"metaflow": module}) == (folder,)
    assert imported_aliases({}) == ()
    names = zipfile.ZipFile(io.BytesIO(runtime_archive((folder,)).data)).namelist()
    assert {"metaflow/__init__.py", "metaflow/inner/module.py"} <= set(names)
    assert runtime_archive((folder,)).sha256 != runtime_archive().sha256
