"""``Runner``: runs a flow file from Python."""

import asyncio
import json
import os
import shutil
import sys
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headway.client.lookup import read_run
from headway.client.run import Run
from headway.errors import NotFoundError
from headway.runner.blocking import finished
from headway.runner.checks import checked_cwd, checked_env, checked_file, checked_profile, checked_timeout
from headway.runner.errors import RunNotStartedError, SpinFailedError
from headway.runner.executing import Executing, ExecutingRun, ExecutingTask
from headway.runner.options import Surface
from headway.runner.process import STREAMS, RunningProcess

#: What tells a process that it is a task: a run that a task starts is none.
_OF_A_TASK = (
    "HEADWAY_ATTEMPT",
    "HEADWAY_IN_TASK",
    "HEADWAY_PATHSPEC",
    "HEADWAY_TASK_DATASTORE",
    "METAFLOW_RUN_ID",
)
#: Options that can change what options there are.
_CONFIGS = frozenset({"config", "config_value", "configs", "config_values"})
#: Seconds between two looks for the file in which a run says that it exists.
_PAUSE = 0.02


class Runner:
    """Runs a flow file from Python, as a process of its own.

    ::

        with Runner("flow.py").run(alpha=0.1, max_workers=4) as executing:
            print(executing.status, executing.run.data.score)

    The options of the command line are keyword arguments, with ``_`` for ``-``: the program's own are
    given here, a command's where it is called. A run that fails raises nothing: ask for its ``status``. A
    task that ``spin`` does again and that fails is an error, as it is in tests, which this is for.

    Args:
        flow_file: The flow's file; relative to ``cwd`` where it is found there, else to the working directory.
        show_output: Whether the blocking calls print what the run prints.
        profile: The named configuration to use (``METAFLOW_PROFILE``).
        env: Variables for the process, beside those of this one.
        cwd: Its working directory; by default this process's.
        file_read_timeout: Seconds within which a run has to begin.
        **kwargs: The program's own options: ``datastore="s3"``, ``quiet=True``, ``decospecs=["kubernetes"]``.

    Raises:
        FlowFileMissingError: There is no such file.
        WorkingFolderMissingError: There is no such folder.
        ArgumentTypeError: One of these is of another type, such as a number where a variable's text belongs.
    """

    def __init__(
        self,
        flow_file: str,
        show_output: bool = True,
        profile: str | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        file_read_timeout: int = 3600,
        **kwargs: Any,
    ) -> None:
        folder = checked_cwd(cwd)
        self.cwd = str(folder)
        self.flow_file = checked_file(flow_file, folder)
        self.show_output = show_output
        self.file_read_timeout = checked_timeout(file_read_timeout)
        self.top_level_kwargs = kwargs
        self.env_vars = {name: value for name, value in os.environ.items() if name not in _OF_A_TASK}
        # As Metaflow's: all that tasks print stands in one place, in order.
        self.env_vars.setdefault("HEADWAY_TASK_STDERR", "stdout")
        self.env_vars.update(checked_env(env))
        named = checked_profile(profile)
        if named is not None:
            self.env_vars.pop("HEADWAY_PROFILE", None)
            self.env_vars["METAFLOW_PROFILE"] = named
        self._surface: Surface | None = None
        self._removals: list[weakref.finalize[..., Runner]] = []

    def run(self, **kwargs: Any) -> ExecutingRun:
        """Run the flow and wait for its end.

        Args:
            **kwargs: Parameters of the flow, and options of ``run``: ``tags=["x"]``, ``max_workers=4``.

        Returns:
            What became of it.

        Raises:
            ValueError: There is no such option.
            TypeError: A value is of another type than its option.
            RuntimeError: It ended before there was a run.
        """
        ended: ExecutingRun = finished(self._to_end("run", kwargs))
        return ended

    def resume(self, **kwargs: Any) -> ExecutingRun:
        """Resume a run and wait for its end.

        Args:
            **kwargs: Options of ``resume``; ``step_to_rerun`` names the step to begin with.

        Raises:
            ValueError: There is no such option.
            TypeError: A value is of another type than its option.
            RuntimeError: It ended before there was a run.
        """
        ended: ExecutingRun = finished(self._to_end("resume", kwargs))
        return ended

    def spin(self, pathspec: str, **kwargs: Any) -> Any:
        """Run one step again, alone, and wait for its end.

        Args:
            pathspec: The step, or the task whose inputs it gets.
            **kwargs: Options of ``spin``.

        Raises:
            ValueError: There is no such option.
            TypeError: A value is of another type than its option.
            RuntimeError: It ended before there was a task, or the task failed. Of a task that failed the error
                has ``executing``, which is otherwise returned.
        """
        executing = finished(self._to_end("spin", {**kwargs, "pathspec": pathspec}))
        if executing.status != "successful":
            process = executing.command_obj
            raise SpinFailedError(f"`spin` of {self.flow_file} failed {_last_words(process)}", executing)
        return executing

    async def async_run(self, **kwargs: Any) -> ExecutingRun:
        """Start a run and return once it has an id; see :meth:`run`."""
        started: ExecutingRun = await self._started("run", kwargs)
        return started

    async def async_resume(self, **kwargs: Any) -> ExecutingRun:
        """Start to resume a run and return once the new one has an id; see :meth:`resume`."""
        started: ExecutingRun = await self._started("resume", kwargs)
        return started

    async def async_spin(self, pathspec: str, **kwargs: Any) -> Any:
        """Start one step and return once its task has an id; see :meth:`spin`."""
        return await self._started("spin", {**kwargs, "pathspec": pathspec})

    def cleanup(self) -> None:
        """Remove the files that hold the output of what was run; what still runs goes on."""
        while self._removals:
            self._removals.pop()()

    def __enter__(self) -> "Runner":
        return self

    def __exit__(self, *_: object) -> None:
        self.cleanup()

    async def __aenter__(self) -> "Runner":
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cleanup()

    async def _to_end(self, command: str, given: Mapping[str, object]) -> Any:
        process, attributes = await self._start(command, given)
        # What it prints is shown from the first moment, not only once there is a run.
        ending = asyncio.ensure_future(process.wait(show=STREAMS if self.show_output else ()))
        try:
            executing = await self._known(command, process, attributes)
            await asyncio.shield(ending)
        except BaseException:
            await process.stop()
            await ending
            raise
        return executing

    async def _started(self, command: str, given: Mapping[str, object]) -> Any:
        process, attributes = await self._start(command, given)
        try:
            return await self._known(command, process, attributes)
        except BaseException:
            await process.stop()
            raise

    async def _start(self, command: str, given: Mapping[str, object]) -> tuple[RunningProcess, Path]:
        """Start a command; the file is where it tells what it runs."""
        surface = await self._described()
        folder = self._new_folder()
        attributes = folder / "attributes.json"
        words = surface.command(command, {**given, "runner_attribute_file": str(attributes)})
        return self._process(folder, [*surface.top(self.top_level_kwargs), *words]), attributes

    async def _known(self, command: str, process: RunningProcess, attributes: Path) -> Executing:
        """What is run, once it exists."""
        told = await asyncio.wait_for(_told(attributes, process), self.file_read_timeout)
        if told is None:
            raise RunNotStartedError(
                f"`{command}` of {self.flow_file} ended before there was a run {_last_words(process)}"
            )
        return _executing(self, process, told)

    async def _described(self) -> Surface:
        """What can be said on the flow's command line; asked of the flow itself, once."""
        if self._surface is None:
            self._surface = await self._ask([])
            if not _CONFIGS.isdisjoint(self.top_level_kwargs):
                # What parameters there are may depend on configurations.
                self._surface = await self._ask(self._surface.top(self.top_level_kwargs))
        return self._surface

    async def _ask(self, top: list[str]) -> Surface:
        with tempfile.TemporaryDirectory(prefix="headway-runner-") as folder:
            process = self._process(Path(folder), [*top, "describe"])
            if await process.wait():
                raise RunNotStartedError(f"{self.flow_file} cannot be run {_last_words(process)}")
            # The last line: what the file itself prints when it is imported stands before it.
            return Surface(json.loads(process.output("stdout").splitlines()[-1]))

    def _process(self, folder: Path, words: list[str]) -> RunningProcess:
        return RunningProcess([sys.executable, self.flow_file, *words], folder, self.cwd, self.env_vars)

    def _new_folder(self) -> Path:
        folder = tempfile.mkdtemp(prefix="headway-runner-")
        # Whoever never cleans up leaves nothing behind either.
        self._removals.append(weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True))
        return Path(folder)


async def _told(attributes: Path, process: RunningProcess) -> dict[str, str] | None:
    """What a run says of itself once it exists, None where it ended before that."""
    while True:
        # Asked first: what is not there after the end will never be.
        over = process.returncode is not None
        if (told := _read(attributes)) is not None:
            return told
        if over:
            return None
        await asyncio.sleep(_PAUSE)


def _read(attributes: Path) -> dict[str, str] | None:
    if not attributes.exists():
        return None
    told: dict[str, str] = json.loads(attributes.read_text(encoding="utf-8"))
    return told


def _last_words(process: RunningProcess) -> str:
    printed = process.output("stdout") + process.output("stderr")
    return f"(exit code {process.returncode}).\n{printed}".rstrip()


def _executing(runner: Runner, process: RunningProcess, told: Mapping[str, str]) -> Executing:
    root = told["metadata"].partition("@")[2]
    found = read_run(root, told["flow_name"], told["run_id"])
    if found is None:
        raise NotFoundError(f"Run {told['flow_name']}/{told['run_id']} is not in {root}, where it was begun.")
    run: Run = Run._bound(found, (found.flow, found.run))
    if "task_id" in told:
        return ExecutingTask(runner, process, run[told["step_name"]][told["task_id"]])
    return ExecutingRun(runner, process, run)
