"""A run, or one task, that was started from Python: its process, its output, and what the client knows of it."""

from collections.abc import AsyncIterator
from typing import Any, Literal

from headway.client import Run, Task
from headway.runner.process import STREAMS, RunningProcess, Stream

Status = Literal["timeout", "running", "failed", "successful"]


class Executing:
    """A process that was started, whether it still runs or not.

    Attributes:
        runner: What started it.
        command_obj: Its process: ``pid``, ``command`` and more.
    """

    def __init__(self, runner: Any, process: RunningProcess) -> None:
        self.runner = runner
        self.command_obj = process

    @property
    def returncode(self) -> int | None:
        """The exit code of its process, None while it runs: 0 where it succeeded."""
        return self.command_obj.returncode

    @property
    def status(self) -> Status:
        """What became of it: "running", "successful", "failed", or "timeout" where ``wait`` ended it."""
        if self.command_obj.timed_out:
            return "timeout"
        if self.returncode is None:
            return "running"
        return "failed" if self.returncode else "successful"

    @property
    def stdout(self) -> str:
        """What its process printed so far: all that its tasks print, stderr included, and what became of them."""
        return self.command_obj.output("stdout")

    @property
    def stderr(self) -> str:
        """What its process printed on stderr so far: what is said of the run, and what failed."""
        return self.command_obj.output("stderr")

    async def stream_log(self, stream: str, position: int | None = None) -> AsyncIterator[tuple[int, str]]:
        """The lines of one stream as they come, until the process has ended.

        Args:
            stream: "stdout" or "stderr".
            position: Where to begin: what came with the last line that was read; None or 0 for the beginning.

        Yields:
            Where to begin the next time, and the line.
        """
        async for position_and_line in self.command_obj.lines(_checked(stream), position or 0):
            yield position_and_line

    async def _wait(self, timeout: float | None, stream: str | None) -> None:
        await self.command_obj.wait(timeout, () if stream is None else (_checked(stream),))

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self.runner.cleanup()

    async def __aenter__(self) -> Any:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.runner.cleanup()


class ExecutingRun(Executing):
    """A run that was started from Python.

    Attributes:
        runner: The Runner.
        command_obj: Its launcher's process.
        run: The run, as the client shows it.
    """

    def __init__(self, runner: Any, process: RunningProcess, run: Run) -> None:
        super().__init__(runner, process)
        self.run = run

    async def wait(self, timeout: float | None = None, stream: str | None = None) -> "ExecutingRun":
        """Wait for the end of the run.

        Args:
            timeout: Seconds after which it is stopped; its status is then "timeout".
            stream: "stdout" or "stderr", to print that stream meanwhile.
        """
        await self._wait(timeout, stream)
        return self

    def __repr__(self) -> str:
        return f"<{self.run.pathspec}: {self.status}>"


class ExecutingTask(Executing):
    """One task that was started from Python, by ``spin``.

    Attributes:
        runner: The Runner.
        command_obj: Its launcher's process.
        task: The task, as the client shows it.
    """

    def __init__(self, runner: Any, process: RunningProcess, task: Task) -> None:
        super().__init__(runner, process)
        self.task = task

    async def wait(self, timeout: float | None = None, stream: str | None = None) -> "ExecutingTask":
        """Wait for the end of the task; as :meth:`ExecutingRun.wait`."""
        await self._wait(timeout, stream)
        return self

    def __repr__(self) -> str:
        return f"<{self.task.pathspec}: {self.status}>"


def _checked(stream: str) -> Stream:
    found = next((each for each in STREAMS if each == stream), None)
    if found is None:
        raise ValueError(f"There is no stream {stream!r}: it is stdout or stderr.")
    return found
