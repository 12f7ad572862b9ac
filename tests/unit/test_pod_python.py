"""What runs in a pod keeps to Python 3.9 and its standard library: any image with a Python will do."""

import ast
import io
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import headway
from headway.executors.kubernetes.archive import runtime_archive

SOURCE = Path(headway.__file__).parents[1]
with zipfile.ZipFile(io.BytesIO(runtime_archive().data)) as _archive:
    POD_MODULES = sorted(
        SOURCE / name for name in _archive.namelist() if name.startswith("headway/") and name.endswith(".py")
    )
#: Imports that only a launcher reaches, each inside a function.
LAUNCHERS = {
    ("headway/__init__.py", "headway.cli.first"),
    ("headway/flow/draft.py", "headway.flow.usual_attributes"),
    ("headway/flow/mutable_flow.py", "headway.flow.named_decorator"),
    ("headway/flow/mutable_step.py", "headway.flow.named_decorator"),
    ("headway/store/open.py", "headway.store.remote"),
}
#: Modules newer than Python 3.9, which the running interpreter would not miss.
TOO_NEW = {"tomllib", "compression", "annotationlib"}
#: Syntax that the parser takes whatever version it is asked for.
NEWER_NODES = tuple(getattr(ast, name) for name in ("Match", "TryStar", "TypeAlias") if hasattr(ast, name))

each_module = pytest.mark.parametrize("path", POD_MODULES, ids=lambda path: str(path.relative_to(SOURCE)))


@each_module
def test_syntax_is_that_of_python_3_9(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path), feature_version=(3, 9))
    assert not [type(node).__name__ for node in ast.walk(tree) if isinstance(node, NEWER_NODES)]
    unions = [f"{path}:{line}" for line in evaluated_unions(tree)]
    assert not unions, "X | Y is evaluated here: write Optional or Union"


@each_module
def test_imports_only_what_every_pod_has(path: Path) -> None:
    for name, line, guarded in imports(path):
        if guarded or (path.relative_to(SOURCE).as_posix(), name) in LAUNCHERS:
            continue
        top = name.partition(".")[0]
        in_pod = is_in_pod(name) if top == "headway" else top in sys.stdlib_module_names - TOO_NEW
        assert in_pod, f"{path}:{line}: {name} is not in a pod"


def test_a_real_python_3_9_imports_all_of_it_from_the_archive(tmp_path: Path) -> None:
    python = real_python_3_9()
    if python is None:
        pytest.skip("no Python 3.9 on this machine; its syntax is checked statically")
    archive = tmp_path / "headway.pyz"
    archive.write_bytes(runtime_archive().data)
    names = [".".join(path.relative_to(SOURCE).with_suffix("").parts) for path in POD_MODULES]
    program = (
        "import importlib, sys\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "for name in sys.argv[2:]: importlib.import_module(name)"
    )
    # -I and -S: nothing of this machine's environment or site-packages helps.
    command = [python, "-I", "-S", "-W", "error", "-c", program, str(archive)]
    command += [name.removesuffix(".__init__") for name in names]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def is_in_pod(name: str) -> bool:
    path = SOURCE.joinpath(*name.split("."))
    return path.with_suffix(".py") in POD_MODULES or path / "__init__.py" in POD_MODULES


def evaluated_unions(tree: ast.Module) -> Iterator[int]:
    """Lines where a union of types written with ``|`` stands in an annotation that Python evaluates."""
    if any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree.body):
        return
    for node in ast.walk(tree):
        for note in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            for part in ast.walk(note) if note is not None else ():
                if isinstance(part, ast.BinOp) and isinstance(part.op, ast.BitOr):
                    yield part.lineno


def imports(path: Path) -> Iterator[tuple[str, int, bool]]:
    """What a module imports: the name, the line, and whether it does without it where it is missing."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    guarded = {child for node in ast.walk(tree) if is_guard(node) for child in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno, node in guarded) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None, f"{path}:{node.lineno}: imports are absolute"
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            yield node.module, node.lineno, node in guarded


def is_guard(node: ast.AST) -> bool:
    """Whether imports below it may fail: the failure is caught, or only type checkers see them."""
    if isinstance(node, ast.Try):
        caught = "".join(ast.dump(handler.type) for handler in node.handlers if handler.type)
        return bool(re.search(r"ImportError|ModuleNotFoundError", caught))
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def real_python_3_9() -> str | None:
    python = shutil.which("python3.9")
    if python is None:
        return None
    # A version manager's shim may stand for a version that is not chosen here; the real one lies beside it.
    root = Path(python).parent.parent
    for candidate in (Path(python), *sorted(root.glob("versions/3.9*/bin/python3.9"))):
        command = [str(candidate), "-c", "import sys; print(sys.version_info[:2])"]
        if subprocess.run(command, capture_output=True).stdout.strip() == b"(3, 9)":
            return str(candidate)
    return None
