"""``NBRunner``: runs a flow that is written in a cell of a notebook."""

import ast
import linecache
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from headway.client import Run
from headway.errors import UsageError
from headway.flow.spec import FlowSpec
from headway.runner.checks import checked_cwd, checked_env
from headway.runner.errors import ArgumentTypeError
from headway.runner.executing import ExecutingRun
from headway.runner.runner import Runner

#: What steps may use although it stands behind their class.
_DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

#: The magics of a whole cell stand at its top.
_MAGICS_ABOVE = re.compile(r"\A(?:\s*%%[^\n]*\n)+")


class NBRunner:
    """Runs the flow of a notebook's cell, as a process of its own.

    The cell must hold all that the flow needs, imports included; it is written to a file. It may be the
    cell that runs the flow, too: what is no definition and stands behind the class is left out.

    ::

        run = NBRunner(MyFlow).nbrun(alpha=0.1)

    Args:
        flow: The flow's class.
        show_output: Whether the blocking calls print what the run prints.
        profile: The named configuration to use.
        env: Variables for the process, beside those of this one.
        base_dir: Where the file is written, and the working directory of runs; by default the present one.
        file_read_timeout: Seconds within which a run has to begin.
        **kwargs: The program's own options, as for :class:`Runner`.

    Raises:
        UsageError: The class stands in no cell.
        ArgumentTypeError: It is no flow's class, or an argument is of another type.
        WorkingFolderMissingError: There is no such folder.
    """

    def __init__(
        self,
        flow: type,
        show_output: bool = True,
        profile: str | None = None,
        env: Mapping[str, str] | None = None,
        base_dir: str | None = None,
        file_read_timeout: int = 3600,
        **kwargs: Any,
    ) -> None:
        given: object = flow
        if not (isinstance(given, type) and issubclass(given, FlowSpec)):
            raise ArgumentTypeError(
                f"NBRunner is given {given!r}, which is no flow.", "Give it the flow's class."
            )
        self.flow_name = flow.__name__
        self.base_dir = str(checked_cwd(base_dir, "base_dir"))
        source = f"{cell_of(flow)}\n\nif __name__ == '__main__':\n    {self.flow_name}()\n"
        with tempfile.NamedTemporaryFile(
            "w", prefix=f"{self.flow_name}_", suffix=".py", dir=self.base_dir, delete=False, encoding="utf-8"
        ) as file:
            file.write(source)
        self._file: str | None = file.name
        try:
            self.runner = Runner(
                file.name,
                show_output=show_output,
                profile=profile,
                # As Metaflow's: by this the notebook's server knows the processes that it may end.
                env={**checked_env(env), "JPY_PARENT_PID": ""},
                cwd=self.base_dir,
                file_read_timeout=file_read_timeout,
                **kwargs,
            )
        except UsageError:
            Path(file.name).unlink()
            raise

    def nbrun(self, **kwargs: Any) -> Run:
        """Run the flow, wait for its end, clean up, and give the run; see :meth:`Runner.run`."""
        try:
            return self.run(**kwargs).run
        finally:
            self.cleanup()

    def nbresume(self, **kwargs: Any) -> Run:
        """Resume a run, wait for its end, clean up, and give the new run; see :meth:`Runner.resume`."""
        try:
            return self.resume(**kwargs).run
        finally:
            self.cleanup()

    def nbspin(self, pathspec: str, **kwargs: Any) -> Any:
        """Run one step again, clean up, and give its task; see :meth:`Runner.spin`."""
        try:
            return self.spin(pathspec, **kwargs).task
        finally:
            self.cleanup()

    def run(self, **kwargs: Any) -> ExecutingRun:
        """As :meth:`Runner.run`."""
        return self.runner.run(**kwargs)

    def resume(self, **kwargs: Any) -> ExecutingRun:
        """As :meth:`Runner.resume`."""
        return self.runner.resume(**kwargs)

    def spin(self, pathspec: str, **kwargs: Any) -> Any:
        """As :meth:`Runner.spin`."""
        return self.runner.spin(pathspec, **kwargs)

    async def async_run(self, **kwargs: Any) -> ExecutingRun:
        """As :meth:`Runner.async_run`."""
        return await self.runner.async_run(**kwargs)

    async def async_resume(self, **kwargs: Any) -> ExecutingRun:
        """As :meth:`Runner.async_resume`."""
        return await self.runner.async_resume(**kwargs)

    async def async_spin(self, pathspec: str, **kwargs: Any) -> Any:
        """As :meth:`Runner.async_spin`."""
        return await self.runner.async_spin(pathspec, **kwargs)

    def cleanup(self) -> None:
        """Remove the flow's file and what the runner keeps."""
        self.runner.cleanup()
        if self._file is not None:
            Path(self._file).unlink(missing_ok=True)
            self._file = None


def cell_of(flow: type) -> str:
    """What a flow's file needs of its cell: all up to the end of the class, and what is defined behind it.

    Other statements behind the class are left out, for one of them may be what runs the flow.

    Raises:
        UsageError: The class stands in no cell.
    """
    for source in _sources(flow):
        try:
            statements = ast.parse(source).body
        except SyntaxError:
            continue
        found = [at for at, each in enumerate(statements) if _is_class(each, flow.__name__)]
        if found:
            return _needed(source.splitlines(keepends=True), statements, found[-1])
    raise UsageError(
        f"{flow.__name__} stands in no cell of a notebook.",
        "In a file, run it with Runner('that_file.py').",
    )


def _sources(flow: type) -> Iterator[str]:
    """Cells in which a class may stand, as Python, the likeliest first."""
    functions = [value for value in vars(flow).values() if hasattr(value, "__code__")]
    file = functions[0].__code__.co_filename if functions else ""
    if Path(file).is_file() and flow.__module__ != "__main__":
        return
    # Notebooks keep their cells where tracebacks look for lines, their own commands turned into Python.
    yield "".join(linecache.getlines(file))
    # Not those that a magic runs (%%time), and a class without functions names no cell at all.
    shell: Any = getattr(sys.modules["__main__"], "get_ipython", lambda: None)()
    for cell in reversed(shell.history_manager.input_hist_raw if shell else ()):
        yield shell.transform_cell(_MAGICS_ABOVE.sub("", cell))


def _is_class(statement: ast.stmt, name: str) -> bool:
    return isinstance(statement, ast.ClassDef) and statement.name == name


def _needed(lines: Sequence[str], statements: Sequence[ast.stmt], flow: int) -> str:
    above = list(lines[: statements[flow].end_lineno])
    for each in statements[:flow]:
        if _is_command(each):
            # Empty lines in its place: tracebacks tell the lines of the cell.
            above[each.lineno - 1 : each.end_lineno] = ["\n"] * (
                (each.end_lineno or each.lineno) - each.lineno + 1
            )
    behind = [ast.unparse(each) for each in statements[flow + 1 :] if isinstance(each, _DEFINITIONS)]
    return "\n".join(["".join(above), *behind])


def _is_command(statement: ast.stmt) -> bool:
    """Whether it is one of the notebook's own commands (``%matplotlib inline``, ``!pip list``), which no program has."""
    return not isinstance(statement, _DEFINITIONS) and any(
        isinstance(part, ast.Name) and part.id == "get_ipython" for part in ast.walk(statement)
    )
