"""``NBRunner``: runs a flow that is written in a cell of a notebook."""

import ast
import linecache
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from headway.client import Run
from headway.errors import UsageError
from headway.runner.executing import ExecutingRun
from headway.runner.runner import Runner

#: What steps may use although it stands behind their class.
_DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


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
        self.flow_name = flow.__name__
        self.base_dir = str(Path(base_dir or ".").absolute())
        source = f"{cell_of(flow)}\n\nif __name__ == '__main__':\n    {self.flow_name}()\n"
        with tempfile.NamedTemporaryFile(
            "w", prefix=f"{self.flow_name}_", suffix=".py", dir=self.base_dir, delete=False, encoding="utf-8"
        ) as file:
            file.write(source)
        self._file: str | None = file.name
        self.runner = Runner(
            file.name,
            show_output=show_output,
            profile=profile,
            env=env,
            cwd=self.base_dir,
            file_read_timeout=file_read_timeout,
            **kwargs,
        )

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
        plain = "".join(line for line in source if not line.startswith(("%", "!", "get_ipython()")))
        try:
            statements = ast.parse(plain).body
        except SyntaxError:
            continue
        found = [at for at, each in enumerate(statements) if _is_class(each, flow.__name__)]
        if found:
            return _needed(plain.splitlines(keepends=True), statements, found[-1])
    raise UsageError(
        f"{flow.__name__} stands in no cell of a notebook.",
        "In a file, run it with Runner('that_file.py').",
    )


def _sources(flow: type) -> Iterator[list[str]]:
    """The lines of cells in which a class may stand, the likeliest first."""
    functions = [value for value in vars(flow).values() if hasattr(value, "__code__")]
    file = functions[0].__code__.co_filename if functions else ""
    if Path(file).is_file() and flow.__module__ != "__main__":
        return
    # Notebooks keep their cells where tracebacks look for lines.
    yield linecache.getlines(file)
    # Not those that a magic runs (%%time), and a class without functions names no cell at all.
    shell: Any = getattr(sys.modules["__main__"], "get_ipython", lambda: None)()
    for cell in reversed(shell.history_manager.input_hist_raw if shell else ()):
        yield cell.splitlines(keepends=True)


def _is_class(statement: ast.stmt, name: str) -> bool:
    return isinstance(statement, ast.ClassDef) and statement.name == name


def _needed(lines: Sequence[str], statements: Sequence[ast.stmt], flow: int) -> str:
    behind = [ast.unparse(each) for each in statements[flow + 1 :] if isinstance(each, _DEFINITIONS)]
    return "\n".join(["".join(lines[: statements[flow].end_lineno]), *behind])
