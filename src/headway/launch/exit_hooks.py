"""``@exit_hook``: functions of the flow's file that are called once its run is over, each in a process of its own.

``main()`` with ``CODE FUNCTION FLOW/RUN`` as arguments is that process.
"""

import importlib
import inspect
import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from typing import Any

from headway.client import Run
from headway.errors import HeadwayError, NotFoundError
from headway.executors.local.command import python_command
from headway.flow.decorators import DecoratorSpec
from headway.launch.reporter import Reporter
from headway.runtime.entry import load_flow
from headway.store.batch import Code
from headway.store.records import SUCCEEDED
from headway.store.run_records import RunEnd


def run_exit_hooks(
    hooks: Iterable[DecoratorSpec], end: RunEnd, code: Code, pathspec: str, reporter: Reporter
) -> None:
    """Call what the flow wants called; one that fails stops no other and changes nothing of the run.

    Args:
        hooks: The flow's ``@exit_hook`` decorators.
        end: How the run ended.
        code: How the flow's code is started here.
        pathspec: ``Flow/run``.
        reporter: Hears what became of each.
    """
    which = "on_success" if end.outcome == SUCCEEDED else "on_error"
    for hook in (each for spec in hooks for each in spec.attributes.get(which) or ()):
        name = _name(hook)
        command = python_command("headway.launch.exit_hooks", json.dumps(code), name, pathspec)
        done = subprocess.run(command, check=False)
        if done.returncode:
            reporter.note(f"The exit hook {name} failed with exit code {done.returncode}.")
        else:
            reporter.note(f"The exit hook {name} is done.")


def main() -> None:
    """Find the function and call it, with the run if it takes one."""
    raw, name, pathspec = sys.argv[1:4]
    code = Code.from_json(json.loads(raw))
    load_flow(code, code.root)
    try:
        hook = _find(name)
        hook(run=Run(pathspec, _namespace_check=False)) if _takes_run(hook) else hook()
    except HeadwayError as error:
        sys.exit(str(error))


def _name(hook: str | Callable[..., object]) -> str:
    """A function's name for the process that is to find it again."""
    if isinstance(hook, str):
        return hook
    own = hook.__module__ in ("__main__", "__mp_main__")
    return hook.__qualname__ if own else f"{hook.__module__}.{hook.__qualname__}"


def _find(name: str) -> Callable[..., object]:
    module, _, last = name.rpartition(".")
    places: list[Callable[[], object]] = [lambda: getattr(sys.modules["__main__"], name)]
    if module:
        places.insert(0, lambda: getattr(importlib.import_module(module), last))
    for place in places:
        try:
            found: Any = place()
        except (ImportError, AttributeError):
            continue
        if callable(found):
            function: Callable[..., object] = found
            return function
    raise NotFoundError(
        f"The exit hook {name} is neither a function of the flow's file nor the path of one.",
        "Define it at the top level of the file, or name it as package.module.function.",
    )


def _takes_run(hook: Callable[..., object]) -> bool:
    kinds = {name: parameter.kind for name, parameter in inspect.signature(hook).parameters.items()}
    return "run" in kinds or inspect.Parameter.VAR_KEYWORD in kinds.values()
