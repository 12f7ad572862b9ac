"""How the person started the flow here, so that it can be started again in a child or a pod."""

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from msgspec import Struct

from headway.errors import UsageError
from headway.store.batch import Code

#: ``-c`` among letters of the interpreter that take no value, and what stands right behind it.
_COMMAND = re.compile(r"-[bBdEiIOPqRsSuvx]*c(.*)", re.DOTALL)

#: The file that ``python -c`` becomes where a file is needed.
SOURCE_FILE = "flow_from_command_line.py"


class Origin(Struct, frozen=True):
    """The flow's code as it was started.

    Attributes:
        code: How to start it from this machine's files.
        source: Its text where it stands in no file (``python -c``), else None.
    """

    code: Code
    source: str | None = None


def find_origin(
    flow_class: type, main: ModuleType | None = None, arguments: Sequence[str] | None = None
) -> Origin:
    """Tell how the running process was started.

    Args:
        flow_class: The flow.
        main: The main module; the process's own by default.
        arguments: What the interpreter was started with; ``sys.orig_argv`` by default.

    Raises:
        UsageError: The flow was defined where it cannot be started again: in an interactive session, and not in a
            module that it imported.
    """
    module: Any = main or sys.modules["__main__"]
    name = (flow_class.__module__, flow_class.__qualname__)
    spec = getattr(module, "__spec__", None)
    file = getattr(module, "__file__", None)
    if spec is not None and spec.name:
        dotted = spec.name.removesuffix(".__main__")
        levels = spec.name.count(".")
        root = Path(file or spec.origin).resolve().parents[levels]
        return Origin(Code("module", dotted, name, root=str(root)))
    # What comes from standard input is called <stdin>.
    if file is not None and not file.startswith("<"):
        path = Path(file).absolute()
        return Origin(Code("path", path.name, name, root=str(path.parent)))
    source = _source_of(sys.orig_argv if arguments is None else arguments)
    if source is None and (imported := _imported(name)) is not None:
        return imported
    if source is None:
        raise UsageError(
            f"The flow {flow_class.__name__} stands in no file, so its steps cannot be started elsewhere.",
            "Save it as a file and type: python that_file.py run",
        )
    return Origin(Code("source", SOURCE_FILE, name, root=str(Path.cwd())), source)


def _imported(name: tuple[str, str]) -> Origin | None:
    """The origin of what a notebook or an interactive session has imported: its module, None where it made it itself."""
    holder = sys.modules.get(name[0])
    file = getattr(holder, "__file__", None)
    if name[0] == "__main__" or file is None:
        return None
    dotted = f"{name[0]}.__init__" if hasattr(holder, "__path__") else name[0]
    root = Path(file).resolve().parents[dotted.count(".")]
    return Origin(Code("module", dotted, name, root=str(root)))


@contextmanager
def local_code(origin: Origin) -> Iterator[Code]:
    """The code as local steps start it; ``python -c`` text becomes a file for as long as it is needed."""
    if origin.source is None:
        yield origin.code
        return
    import tempfile  # for flows in no file

    with tempfile.TemporaryDirectory(prefix="headway-") as folder:
        (Path(folder) / origin.code.main).write_text(origin.source, encoding="utf-8")
        yield origin.code._replace(root=folder)


def _source_of(arguments: Sequence[str]) -> str | None:
    """The text after ``-c``, which may stand behind other options of the interpreter, and close to its own."""
    takes_value = {"-W", "-X", "--check-hash-based-pycs"}
    rest = list(arguments[1:])
    while rest:
        option = rest.pop(0)
        if option in takes_value:
            rest = rest[1:]
        elif command := _COMMAND.fullmatch(option):
            return command[1] or (rest[0] if rest else None)
        elif not option.startswith("-"):
            return None
    return None
