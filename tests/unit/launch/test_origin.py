"""How the flow was started, told from the process that it was started in."""

import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from headway.errors import UsageError
from headway.launch.origin import SOURCE_FILE, find_origin
from headway.store.batch import Code


class Sample:
    """Stands for a flow class."""


Sample.__module__ = "__main__"


def main_module(file: Path | None = None, spec: str | None = None) -> Any:
    module: Any = ModuleType("__main__")
    module.__spec__ = ModuleSpec(spec, None) if spec else None
    if file is not None:
        module.__file__ = str(file)
    return module


def test_a_file(tmp_path: Path) -> None:
    origin = find_origin(Sample, main_module(tmp_path / "flows" / "flow.py"))
    assert origin.code == Code("path", "flow.py", ("__main__", "Sample"), root=str(tmp_path / "flows"))
    assert origin.source is None


def test_a_file_named_relatively(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_origin(Sample, main_module(Path("flow.py"))).code.root == str(tmp_path)


@pytest.mark.parametrize(
    ("spec", "file", "main", "root"),
    [
        ("flow", "flow.py", "flow", ""),
        ("pkg.flow", "pkg/flow.py", "pkg.flow", ""),
        ("pkg.inner.flow", "src/pkg/inner/flow.py", "pkg.inner.flow", "src"),
        ("pkg.__main__", "src/pkg/__main__.py", "pkg", "src"),
    ],
)
def test_a_module(tmp_path: Path, spec: str, file: str, main: str, root: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    code = find_origin(Sample, main_module(path, spec)).code
    assert (code.kind, code.main, Path(code.root)) == ("module", main, (tmp_path / root).resolve())


@pytest.mark.parametrize(
    "arguments",
    [
        ["python", "-c", "TEXT"],
        ["python", "-c", "TEXT", "run", "-c", "other"],
        ["python", "-cTEXT"],
        ["python", "-Ic", "TEXT"],
        ["python", "-u", "-W", "error", "-X", "dev", "-c", "TEXT"],
        ["python", "-Wignore", "-Xtracemalloc", "-c", "TEXT"],
        ["python", "--check-hash-based-pycs", "always", "-c", "TEXT"],
    ],
    ids=" ".join,
)
def test_text_on_the_command_line(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    origin = find_origin(Sample, main_module(), arguments)
    assert origin.source == "TEXT"
    assert origin.code == Code("source", SOURCE_FILE, ("__main__", "Sample"), root=str(tmp_path))


@pytest.mark.parametrize(
    "arguments", [["python"], ["python", "-i"], ["python", "-c"], ["ipython", "notebook", "-c"]]
)
def test_where_there_is_no_text_there_is_a_message(arguments: list[str]) -> None:
    with pytest.raises(UsageError, match="stands in no file") as caught:
        find_origin(Sample, main_module(), arguments)
    assert caught.value.hint == "Save it as a file and type: python that_file.py run"


def test_a_class_of_another_module_keeps_its_name(tmp_path: Path) -> None:
    class Inner:
        pass

    Inner.__module__, Inner.__qualname__ = "flows.shared", "Outer.Inner"
    assert find_origin(Inner, main_module(tmp_path / "start.py")).code.cls == ("flows.shared", "Outer.Inner")


def test_this_process_is_the_default() -> None:
    assert sys.modules["__main__"] is not None
    assert find_origin(Sample).code.kind in ("path", "module")


@pytest.mark.parametrize(
    ("module", "file", "main"),
    [
        ("training", "training.py", "training"),
        ("shop.pipelines.training", "shop/pipelines/training.py", "shop.pipelines.training"),
        ("shop", "shop/__init__.py", "shop.__init__"),
    ],
)
def test_what_a_notebook_has_imported_is_started_as_its_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, file: str, main: str
) -> None:
    holder: Any = ModuleType(module)
    holder.__file__ = str(tmp_path / file)
    if file.endswith("__init__.py"):
        holder.__path__ = [str(tmp_path / "shop")]
    monkeypatch.setitem(sys.modules, module, holder)
    imported = type("training", (), {"__module__": module, "__qualname__": ""})
    found = find_origin(imported, main_module(), ["python", "-m", "ipykernel_launcher", "-f", "kernel.json"])
    assert found.code == Code("module", main, (module, ""), root=str(tmp_path.resolve()))


def test_what_comes_from_standard_input_stands_in_no_file() -> None:
    with pytest.raises(UsageError, match="stands in no file"):
        find_origin(Sample, main_module(Path("<stdin>")), ["python", "-"])
