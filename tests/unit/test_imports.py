"""Start-up is a feature: what ``import headway`` and the in-pod runtime may load."""

import subprocess
import sys
from pathlib import Path

import pytest

from headway.executors.kubernetes.archive import runtime_archive

SOURCE = Path(__file__).parents[2] / "src"

#: Of Headway itself, what `import headway` may load: what a flow file needs before its command line starts.
PACKAGE_MAY_LOAD = ("headway", "headway.errors", "headway.flow", "headway.plain", "headway.version")
#: And what the in-pod runtime may load on top, before it knows which step it runs.
RUNTIME_MAY_LOAD = (*PACKAGE_MAY_LOAD, "headway.runtime", "headway.store")

#: Milliseconds each, paid by every pod and every `--help`; loaded where they are used, if at all.
HEAVY = {
    "_asyncio", "ast", "asyncio", "concurrent", "ctypes", "dataclasses", "decimal", "difflib", "dis", "email",
    "http", "importlib.metadata", "inspect", "logging", "multiprocessing", "pydoc", "shutil", "sqlite3",
    "ssl", "subprocess", "tempfile", "unittest", "urllib.request", "uuid", "xml", "zipfile",
}  # fmt: skip


#: What a pod whose datastore is an S3 bucket does without as well, once its modules are compiled.
POD_HEAVY = HEAVY | {
    "_hashlib", "base64", "calendar", "collections", "contextlib", "datetime", "encodings.idna", "enum", "functools",
    "hashlib", "heapq", "importlib", "ipaddress", "json", "locale", "operator", "pathlib", "pickle", "re", "reprlib",
    "runpy", "selectors", "signal", "socket", "string", "struct", "tarfile", "threading", "traceback", "types",
    "typing", "urllib", "warnings", "zipimport",
}  # fmt: skip
#: Modules beyond those of a bare interpreter, ours and Python's: raise it for a reason only.
POD_MODULES = 107


@pytest.mark.parametrize(
    ("root", "kind", "others"),
    [
        ("s3://bucket/prefix", "s3", ("azure", "gs")),
        ("wasbs://runs@account.blob.core.windows.net/prefix", "azure", ("s3", "gs")),
        ("gs://bucket/prefix", "gs", ("s3", "azure")),
    ],
)
def test_a_pod_with_a_bucket_loads_little(
    tmp_path: Path, root: str, kind: str, others: tuple[str, ...]
) -> None:
    """The whole of it, out of the archive, up to its first request; nothing of other kinds of store."""
    archive = tmp_path / "runtime.pyz"
    archive.write_bytes(runtime_archive().data)
    loaded = loaded_by(
        f"headway.runtime.pod\nfrom headway.store.open import open_store\nopen_store({root!r})",
        f"file = open({str(archive)!r}, 'rb')\n"
        "exec(file.read(int(file.readline())), {'__name__': 'boot', 'file': file})\n",
    )
    assert {"headway.runtime.pod", f"headway.store.{kind}.client"} <= loaded
    assert not {name for name in loaded if belongs(name, tuple(f"headway.store.{other}" for other in others))}
    assert not {name for name in loaded if belongs(name, tuple(POD_HEAVY))}
    assert len(loaded) <= POD_MODULES, sorted(loaded)


@pytest.mark.parametrize(
    ("module", "may_load", "pays_for"),
    [
        ("headway", PACKAGE_MAY_LOAD, set()),
        ("headway.runtime.pod", RUNTIME_MAY_LOAD, {"shutil"}),  # through tarfile: every pod unpacks a bundle
    ],
)
def test_start_up_loads_little(module: str, may_load: tuple[str, ...], pays_for: set[str]) -> None:
    loaded = loaded_by(module)
    own = {name for name in loaded if name.partition(".")[0] == "headway"}
    assert not {name for name in own if not belongs(name, may_load)}
    foreign = {name for name in loaded - own if name.partition(".")[0] not in sys.stdlib_module_names}
    assert not foreign, "only the standard library is there"
    assert not {name for name in loaded if belongs(name, tuple(HEAVY - pays_for))}


def loaded_by(module: str, start: str = f"sys.path.insert(0, {str(SOURCE)!r})\n") -> set[str]:
    """What importing a module adds to a bare interpreter that has no site-packages, as in a pod."""
    program = (
        f"import sys\nbefore = set(sys.modules)\n{start}import {module}\nprint(*(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def belongs(name: str, packages: tuple[str, ...]) -> bool:
    return any(
        name == package or (package != "headway" and name.startswith(package + ".")) for package in packages
    )


def test_modules_of_public_names_are_there_once_the_package_is() -> None:
    program = (
        "import sys, headway; assert 'headway.client' not in sys.modules; "
        "print(headway.client.Flow is headway.Flow, headway.errors.HeadwayError.__name__, "
        "headway.runner.Runner is headway.Runner, 'client' in dir(headway))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "True HeadwayError True True\n", done.stderr
