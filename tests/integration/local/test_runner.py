"""Runs started from Python, as real processes."""

import asyncio
import linecache
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headway import NBRunner, Runner
from headway.runner import ExecutingRun, RunNotStartedError

FLOW = """
import os, sys, time
from headway import Config, FlowSpec, JSONType, Parameter, step

class Talking(FlowSpec):
    alpha = Parameter("alpha", default=0.5)
    table = Parameter("table", type=JSONType, default="{}")
    mood = Parameter("mood", default="good")
    config = Config("config", default_value={"word": "plain", "level": 1})
    level = Parameter("level", default=config.level)

    @step
    def start(self):
        print("alpha is", self.alpha)
        print("a warning", file=sys.stderr)
        if self.mood == "bad":
            raise ValueError("no")
        if self.mood == "slow":
            time.sleep(600)
        self.next(self.end)

    @step
    def end(self):
        self.seen = self.table
        if os.environ.get("BREAK"):
            raise ValueError("broken")
        self.word, self.height = self.config.word, self.level

if __name__ == "__main__":
    print("imported")
    Talking()
"""


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runner:
    for name in [name for name in os.environ if name.startswith(("HEADWAY_", "METAFLOW_"))]:
        monkeypatch.delenv(name)
    (tmp_path / "talking.py").write_text(FLOW)
    environment = {"HEADWAY_USER": "ann", "HOME": str(tmp_path)}
    return Runner("talking.py", cwd=str(tmp_path), env=environment, file_read_timeout=150)


def test_a_run_to_its_end_and_back(runner: Runner, capfd: pytest.CaptureFixture[str]) -> None:
    with runner.run(alpha=2, table={"a": [1]}, tags=["x"], max_workers=1) as executing:
        assert (executing.status, executing.returncode) == ("successful", 0)
        assert executing.run.successful
        assert executing.run.user_tags == {"x"}
        assert executing.run["start"].task.stdout == "alpha is 2.0\n"
        assert executing.run.data.seen == {"a": [1]}
        assert "alpha is 2.0" in executing.stdout
        assert "[start/1] alpha is 2.0\n[start/1] a warning\n" in executing.stdout
        assert "Talking" in executing.stderr
        assert "a warning" not in executing.stderr
        assert executing.run["start"].task.stderr == "a warning\n"
    assert executing.stdout == "", "cleaned up"
    assert "alpha is 2.0" in capfd.readouterr().out, "shown while it ran"


def test_a_run_that_fails_raises_nothing(runner: Runner) -> None:
    runner.show_output = False
    with runner.run(mood="bad") as executing:
        assert (executing.status, executing.returncode) == ("failed", 1)
        assert not executing.run.successful
        assert "ValueError: no" in executing.stderr


def test_what_ends_before_there_is_a_run_raises(runner: Runner, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"before there was a run \(exit code 2\)") as caught:
        runner.run(max_workers=0)
    assert isinstance(caught.value, RunNotStartedError)
    (tmp_path / "broken.py").write_text("raise SystemExit('not today')")
    with pytest.raises(RuntimeError, match="not today"):
        Runner(str(tmp_path / "broken.py")).run()


def test_several_at_a_time_one_watched_one_stopped(runner: Runner) -> None:
    async def both() -> tuple[ExecutingRun, ExecutingRun, list[str]]:
        async with runner:
            slow, quick = await asyncio.gather(runner.async_run(mood="slow"), runner.async_run(alpha=7))
            assert slow.status == "running"
            lines = [line async for _, line in quick.stream_log("stdout", None)]
            await slow.wait(timeout=0.1)
            await quick.wait()
            statuses = (slow.status, quick.status)
        assert statuses == ("timeout", "successful")
        return slow, quick, lines

    slow, quick, lines = asyncio.run(both())
    assert any("alpha is 7.0" in line for line in lines)
    assert slow.run.id != quick.run.id
    assert slow.returncode == 130
    assert slow.run.has_ended, "stopped as by Ctrl-C: its end is written"


def test_a_task_is_there_while_it_runs(runner: Runner) -> None:
    async def look() -> None:
        async with runner:
            executing = await runner.async_run(mood="slow")
            async for _, line in executing.stream_log("stdout"):
                if "alpha is" in line:
                    break
            task = executing.run["start"].task
            assert [step.id for step in executing.run] == ["start"]
            assert (task.id, task.finished, task.successful) == ("1", False, False)
            assert list(task.parent_task_pathspecs) == []
            await executing.wait(timeout=0.1)
            assert (task.has_ended, task.finished, task.successful) == (True, False, False)

    asyncio.run(look())


def test_a_run_with_configurations_that_fails_and_is_resumed(runner: Runner) -> None:
    values = [("config", {"word": "other", "level": 7})]
    configured = Runner(
        "talking.py",
        show_output=False,
        cwd=runner.cwd,
        env={"HEADWAY_USER": "ann", "HOME": runner.cwd, "BREAK": "1"},
        config_value=values,
    )
    with configured.run(tags=["x"]) as executing:
        assert executing.status == "failed"
        failed = executing.run.id
    runner.show_output = False
    with runner.resume() as executing:
        assert executing.status == "successful", executing.stderr
        assert (executing.run.data.word, executing.run.data.height) == ("other", 7)
        assert executing.run["start"].task.origin_pathspec == f"Talking/{failed}/start/1"
    with runner.resume(step_to_rerun="start", origin_run_id=failed, tags=["y"]) as executing:
        assert executing.status == "successful", executing.stderr
        assert executing.run["start"].task.origin_pathspec is None
        assert executing.run.user_tags == {"y"}
    with pytest.raises(ValueError, match="'alpha'"):
        runner.resume(alpha=1)


def test_it_can_be_called_where_an_event_loop_runs(runner: Runner) -> None:
    async def in_a_notebook() -> str:
        return runner.run().status

    assert asyncio.run(in_a_notebook()) == "successful"


CELL = """
class Noted(FlowSpec):
    alpha = Parameter("alpha", default=1)

    @step
    def start(self):
        self.twice = 2 * self.alpha
        self.next(self.end)

    @step
    def end(self):
        if os.environ.get("BREAK"):
            raise ValueError("broken")
        print("alpha was", self.alpha)

for_nobody = NBRunner(Noted)
for_nobody.nbrun()
"""


@pytest.fixture
def noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., NBRunner]:
    """Runners of a flow in a notebook's cell, which runs the flow itself."""
    name = str(tmp_path / "ipykernel_7" / "8.py")
    cell = "import os\nfrom headway import FlowSpec, NBRunner, Parameter, step\n" + CELL
    linecache.cache[name] = (len(cell), None, cell.splitlines(keepends=True), name)
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(cell.partition("for_nobody")[0], name, "exec"), names)
    for variable in [variable for variable in os.environ if variable.startswith(("HEADWAY_", "METAFLOW_"))]:
        monkeypatch.delenv(variable)

    def make(**env: str) -> NBRunner:
        env = {"HEADWAY_USER": "ann", "HOME": str(tmp_path), **env}
        return NBRunner(names["Noted"], show_output=False, env=env, base_dir=str(tmp_path))

    return make


def files_of_cells(folder: Path) -> int:
    return len(list(folder.glob("Noted_*")))


@pytest.mark.budget(60)
def test_a_notebook_runs_its_cell(noted: Callable[..., NBRunner], tmp_path: Path) -> None:
    """What a notebook has is an event loop that runs already: all is called within one."""

    async def in_a_notebook() -> None:
        run = noted().nbrun(alpha=4, tags=["x"])
        assert (run.successful, run.user_tags, run["start"].task.data.twice) == (True, {"x"}, 8)
        task = noted().nbspin(f"Noted/{run.id}/start", persist=True)
        assert (task.successful, task.data.twice) == (True, 8)

        failed = noted(BREAK="1").nbrun(alpha=5)
        assert (failed.successful, failed.finished, failed.has_ended) == (False, False, True)
        again = noted().nbresume(origin_run_id=failed.id)
        assert (again.successful, again["start"].task.data.twice) == (True, 10)
        assert again["start"].task.origin_pathspec == f"Noted/{failed.id}/start/1"
        assert files_of_cells(tmp_path) == 0, "each cleaned up after itself"

        runner = noted()
        several = await asyncio.gather(*(runner.async_run(alpha=number) for number in (1, 2)))
        resumed = await runner.async_resume(origin_run_id=failed.id, step_to_rerun="start")
        spun = await runner.async_spin("start")
        for each in (*several, resumed, spun):
            await each.wait()
            assert each.status == "successful", each.stderr
        assert [each.run["start"].task.data.twice for each in several] == [2, 4]
        assert resumed.run["start"].task.origin_pathspec is None
        assert runner.run().status == "successful"
        assert runner.resume().status == "successful"
        assert runner.spin("start").status == "successful"
        with pytest.raises(ValueError, match="'beta'"):
            await runner.async_run(beta=1)
        assert files_of_cells(tmp_path) == 1
        runner.cleanup()
        assert several[0].stdout == ""
        assert files_of_cells(tmp_path) == 0

    asyncio.run(in_a_notebook())
