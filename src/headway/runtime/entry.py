"""Starts the person's flow code again, the way they started it, without its command line.

The main file becomes ``__main__`` here as well, so that classes defined in it pickle under
the same name everywhere; it is run as far as ``MyFlow()``, with or without a main guard.
"""

import os
import sys
from types import CodeType, ModuleType
from typing import Any, Callable, Optional, Tuple

from headway.errors import FlowDefinitionError
from headway.flow import entry
from headway.store.batch import Code


def load_flow(code: Code, root: str) -> Any:
    """Run the flow's main code and return the flow class.

    Args:
        code: How the code is started.
        root: The folder that holds it here: the unpacked bundle, or the person's own folder.

    Raises:
        FlowDefinitionError: The class is not there after the code ran.
    """
    entry.disable()
    if code.packages is not None:
        from headway.runtime.packages import use_packages  # for steps with @pypi only

        use_packages(code.packages)
    for extra in reversed(code.paths):
        sys.path.insert(0, os.path.join(root, extra))
    models = _Models(root)
    sys.meta_path.append(models)
    try:
        return _load(code, root)
    finally:
        sys.meta_path.remove(models)
        models.forget()


class _Models:
    """The last of all finders while the code is imported: settings may be said with models that only the launcher has."""

    def __init__(self, root: str) -> None:
        self._root = root
        self.forget: Callable[[], None] = lambda: None

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name.partition(".")[0] != "kubernetes":
            return None
        from headway.runtime import kubernetes_models  # for such flows only

        self.forget = kubernetes_models.forget
        return kubernetes_models.find(name, self._root, sys._getframe(1))


def _load(code: Code, root: str) -> Any:
    name, qualname = code.cls
    # A pipeline's tasks are known by their functions, which the batch names.
    module = _run_main(code, root, needed=bool(qualname) or name == "__main__", guarded=not qualname)
    holder: Any = module
    if name != "__main__":
        from importlib import import_module  # most flows are in the main file

        holder = import_module(name)
    try:
        for part in qualname.split(".") if qualname else ():
            holder = getattr(holder, part)
    except AttributeError as error:
        raise FlowDefinitionError(
            f"The flow class {qualname} is not in {code.main} once it has been imported.",
            "Define it at the top level of the file, not inside a function or a main guard.",
        ) from error
    return holder


def _run_main(code: Code, root: str, needed: bool, guarded: bool) -> ModuleType:
    """Run the main file as ``__main__``.

    Args:
        code: How it is started.
        root: The folder that holds it.
        needed: Whether what is to be run stands in it. The program around a pipeline of other modules may ask for
            what is on the launcher's machine alone, such as libraries for its command line: it may fail then.
        guarded: Whether its main guard is left out. What calls a pipeline is a program, which reads arguments and
            files before; behind a flow's guard stands the flow alone.
    """
    module = ModuleType("__main__")
    path: Optional[str]
    if code.kind == "module":
        sys.path.insert(0, root)
        compiled, path, package = _find_module(code.main)
        module.__package__ = package
        if guarded and path is not None:
            with open(path, "rb") as file:
                compiled = _without_guard(file.read(), path)
    else:
        path = os.path.join(root, code.main)
        entry.keep_standard_module(path)
        sys.path.insert(0, os.path.dirname(path) if code.kind == "path" else os.getcwd())
        with open(path, "rb") as file:
            text, shown = file.read(), path if code.kind == "path" else "<string>"
        compiled = _without_guard(text, shown) if guarded else compile(text, shown, "exec", dont_inherit=True)
    if code.kind != "source":
        module.__file__ = path
    module.__dict__["__builtins__"] = __builtins__
    sys.argv = [path or "-c"]
    sys.modules["__main__"] = module
    try:
        # The person's own flow file is what we are here to run.
        entry.until_constructed(lambda: exec(compiled, module.__dict__))  # noqa: S102
    except (Exception, SystemExit) as error:
        if needed and guarded and isinstance(error, SystemExit):
            raise FlowDefinitionError(
                f"{code.main} ended (sys.exit) before it came to its pipeline, where a task imported it.",
                'Put what is not for tasks, such as reading arguments, behind `if __name__ == "__main__":`.',
            ) from error
        if needed:
            raise
        module.__class__ = _Unfinished
        module.__dict__["_headway_error"] = error
    return module


def _without_guard(text: bytes, path: str) -> CodeType:
    """A program without what stands behind ``if __name__ == "__main__":``."""
    from _ast import PyCF_ONLY_AST  # for pipelines only

    tree: Any = compile(text, path, "exec", PyCF_ONLY_AST, dont_inherit=True)
    kept = (each.orelse if _is_guard(each) else [each] for each in tree.body)
    tree.body = [each for statements in kept for each in statements]
    compiled: CodeType = compile(tree, path, "exec", dont_inherit=True)
    return compiled


def _is_guard(statement: Any) -> bool:
    test: Any = getattr(statement, "test", None) if type(statement).__name__ == "If" else None
    if type(test).__name__ != "Compare" or [type(each).__name__ for each in test.ops] != ["Eq"]:
        return False
    sides = [test.left, *test.comparators]
    return {getattr(side, "id", getattr(side, "value", None)) for side in sides} == {"__name__", "__main__"}


class _Unfinished(ModuleType):
    """A main file that failed, which is told to whoever asks for what it has not come to, such as a stored value."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise self.__dict__["_headway_error"]


def _find_module(name: str) -> Tuple[CodeType, Optional[str], str]:
    import importlib.util  # for flows that are modules only

    spec = importlib.util.find_spec(name)
    if spec is not None and spec.submodule_search_locations is not None:
        name += ".__main__"
        spec = importlib.util.find_spec(name)
    loader: Any = spec.loader if spec else None
    compiled = loader.get_code(name) if loader is not None else None
    if spec is None or compiled is None:
        raise FlowDefinitionError(
            f"There is no module {name} to run.", "Start the flow with python -m from its folder."
        )
    return compiled, spec.origin, name.rpartition(".")[0]
