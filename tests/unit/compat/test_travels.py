"""The package of aliases travels to pods with our runtime, where the flow imports it; any Python 3.9 takes it."""

import ast
import io
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from headway.executors.kubernetes.archive import imported_aliases, runtime_archive

#: Reaches every name of every module, as a pod would: with nothing installed and no site-packages.
PROGRAM = """
import importlib, pkgutil, sys
sys.path.insert(0, sys.argv[1])
from metaflow import FlowSpec, step, kubernetes, current, Flow
from metaflow.exception import MetaflowException
import metaflow
found = [item.name for item in pkgutil.walk_packages(metaflow.__path__, "metaflow.")]
for name in ["metaflow", *found]:
    module = importlib.import_module(name)
    assert module.__file__.startswith(sys.argv[1]), module.__file__
    for alias in dir(module):
        getattr(module, alias)
print(len(found))
"""


def names_in(data: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.namelist()


def test_only_a_flow_that_imports_it_takes_it_along(metaflow: ModuleType, source: Path) -> None:
    assert imported_aliases({"metaflow": metaflow}) == (source / "metaflow",)
    assert imported_aliases({}) == ()
    assert not [name for name in names_in(runtime_archive().data) if name.startswith("metaflow")]


def test_another_package_of_this_name_is_left_alone() -> None:
    class Real(ModuleType):
        def __getattr__(self, name: str) -> object:
            return "whatever is asked for"

    module = Real("metaflow")
    module.__file__ = "/site-packages/metaflow/__init__.py"
    assert imported_aliases({"metaflow": module}) == ()


@pytest.mark.budget(6)
def test_the_same_files_give_the_same_bytes(source: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(source / "metaflow", tmp_path / "elsewhere" / "metaflow"))
    first, second = runtime_archive((source / "metaflow",)), runtime_archive((copy,))
    assert first == second
    assert first.sha256 != runtime_archive().sha256
    assert "metaflow/plugins/timeout_decorator.py" in names_in(first.data)


@pytest.mark.budget(6)
@pytest.mark.parametrize("version", ["this one", "3.9"])
def test_every_alias_is_there_in_a_pod(version: str, source: Path, tmp_path: Path) -> None:
    python = sys.executable if version == "this one" else real_python_3_9()
    if python is None:
        pytest.skip("no Python 3.9 on this machine; its syntax is checked statically")
    archive = tmp_path / "runtime.pyz"
    archive.write_bytes(runtime_archive((source / "metaflow",)).data)
    command = [python, "-I", "-S", "-W", "error", "-c", PROGRAM, str(archive)]
    done = subprocess.run(command, capture_output=True, text=True, env={"HEADWAY_IN_TASK": "1"}, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 15


def test_syntax_is_that_of_python_3_9(source: Path) -> None:
    for path in source.rglob("*.py"):
        ast.parse(path.read_text(), str(path), feature_version=(3, 9))


def real_python_3_9() -> str | None:
    found = shutil.which("python3.9")
    if found is None:
        return None
    # A version manager's shim may stand for a version that is not chosen here; the real one lies beside it.
    for candidate in (Path(found), *sorted(Path(found).parents[1].glob("versions/3.9*/bin/python3.9"))):
        asked = subprocess.run(
            [str(candidate), "-c", "import sys; print(sys.version_info[:2])"], capture_output=True
        )
        if asked.stdout.strip() == b"(3, 9)":
            return str(candidate)
    return None


@pytest.mark.budget(6)
def test_zenmls_names_travel_too(source: Path, tmp_path: Path) -> None:
    folders = (source / "metaflow", source.parents[1] / "zenml" / "src" / "zenml")
    archive = tmp_path / "runtime.pyz"
    archive.write_bytes(runtime_archive(folders).data)
    # A config map holds no more.
    assert archive.stat().st_size < 1_040_000
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from zenml import ArtifactConfig, pipeline, step\n"
        "from zenml.integrations.kubernetes.flavors import KubernetesStepOperatorSettings\n"
        "@step(step_operator=True, settings={'step_operator': KubernetesStepOperatorSettings(privileged=True)})\n"
        "def twice(x): return 2 * x\n"
        "@pipeline\ndef p(): twice(1)\n"
        "print(twice(3), p)"
    )
    command = [sys.executable, "-I", "-S", "-W", "error", "-c", program, str(archive)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "6 <pipeline p>\n", done.stderr
