"""How processes of our own are started beside a flow."""

import sys

#: ``python -m`` looks for modules in the current folder first, where files of a flow may be called like those of
#: the standard library.
_START = "import sys; sys.path[0] or sys.path.pop(0); from {module} import main; main()"


def python_command(module: str, *arguments: str) -> list[str]:
    """The command that calls a module's ``main`` in a process of this Python, with these as ``sys.argv[1:]``."""
    return [sys.executable, "-c", _START.format(module=module), *arguments]
