"""``NBRunner``: runs a flow that is written in a cell of a notebook."""

import linecache
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headway.client import Run
from headway.errors import UsageError
from headway.runner.executing import ExecutingRun
from headway.runner.runner import Runner


class NBRunner:
    """Runs the flow of a notebook's cell, as a process of its own.

    The cell must hold all that the flow needs, imports included; it is written to a file.

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
    """The source of the cell that defines a class, without the notebook's own commands.

    Raises:
        UsageError: The class stands in no cell.
    """
    functions = [value for value in vars(flow).values() if hasattr(value, "__code__")]
    file = functions[0].__code__.co_filename if functions else ""
    # Notebooks keep their cells where tracebacks look for lines.
    lines = linecache.getlines(file)
    if not lines or (Path(file).is_file() and flow.__module__ != "__main__"):
        raise UsageError(
            f"{flow.__name__} stands in no cell of a notebook.",
            "In a file, run it with Runner('that_file.py').",
        )
    return "".join(line for line in lines if not line.startswith(("%", "!", "get_ipython()")))
