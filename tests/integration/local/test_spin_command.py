"""``python flow.py spin`` as a person types it, and as ``Runner.spin``."""

import asyncio
import os
from pathlib import Path

import pytest

from headway import Run, Runner, Task, default_metadata, inspect_spin
from headway.runner import ExecutingTask, SpinFailedError

FLOW = """
import os
from headway import Config, FlowSpec, Parameter, current, environment, kubernetes, parallel, retry, step

class Parts(FlowSpec):
    scale = Parameter("scale", default=10)
    config = Config("config", default_value={"word": "plain", "mode": "set"})

    @step
    def start(self):
        self.items = [1, 2, 3]
        self.word = self.config.word
        self.big = "x" * 1000
        self.next(self.work, foreach="items")

    @retry(times=2)
    @environment(vars={"MODE": config.mode})
    @step
    def work(self):
        print("work", self.index, self.input, self.scale, self.word, os.environ.get("MODE"))
        if os.environ.get("BREAK") == str(self.input):
            raise ValueError(f"no {self.input}")
        self.made = self.input * self.scale
        self.next(self.join)

    @step
    def join(self, inputs):
        self.total = sum(each.made for each in inputs)
        print("total", self.total, inputs.work.word, current.run_id)
        self.merge_artifacts(inputs, include=["word"])
        self.next(self.gang, num_parallel=2)

    @parallel
    @step
    def gang(self):
        self.next(self.gather)

    @step
    def gather(self, inputs):
        self.merge_artifacts(inputs, include=["word"])
        if os.environ.get("ODD"):
            self.unpicklable = iter(lambda: 0, 1)
        self.next(self.end)

    @step
    def end(self):
        print("the end", self.word)

if __name__ == "__main__":
    Parts()
"""


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    for name in [name for name in os.environ if name.startswith(("HEADWAY_", "METAFLOW_"))]:
        monkeypatch.delenv(name)
    (tmp_path / "parts.py").write_text(FLOW)
    monkeypatch.setenv("HEADWAY_USER", "ann")
    return {"HEADWAY_USER": "ann", "HOME": str(tmp_path)}


def test_one_task_again(environ: dict[str, str], tmp_path: Path) -> None:
    known: dict[str, Runner] = {}

    def runner(**env: str) -> Runner:
        env = {**environ, **env}
        # Each Runner asks the flow once what can be said to it.
        return known.setdefault(
            repr(env),
            Runner("parts.py", show_output=False, cwd=str(tmp_path), env=env, file_read_timeout=150),
        )

    with runner().run(scale=100) as executing:
        assert executing.status == "successful"
        origin = executing.run.id
    index = tmp_path / ".headway"
    before = sorted(index.rglob("*"))
    try:
        _each_kind_of_task(runner, origin, tmp_path)
        _values_in_place(runner, origin, tmp_path)
        _other_configurations(tmp_path, environ)
        _failures(runner, origin)
        _while_it_runs(runner, origin)
        assert sorted(index.rglob("*")) == before, "nothing of what was there is touched"
    finally:
        default_metadata()


def _each_kind_of_task(runner, origin: str, folder: Path) -> None:  # type: ignore[no-untyped-def]
    for step, printed in (
        ("start", ""),
        (f"{origin}/work/3", "work 1 2 100 plain set\n"),
        (f"Parts/{origin}/join", "total 600 plain"),
        ("end", "the end plain\n"),
    ):
        with runner().spin(step, run_id_file=str(folder / "id")) as executing:
            assert isinstance(executing, ExecutingTask)
            task = executing.task
            assert executing.status == "successful", executing.stderr
            assert printed in task.stdout
            assert task.successful
            assert list(task) == [], "nothing is kept unless it is asked for"
            assert task.origin_pathspec is not None
            assert task.origin_pathspec.startswith(f"Parts/{origin}/")
            assert (folder / "id").read_text() == task.path_components[1] != origin
    assert "@retry" in runner().spin("work").stderr
    assert "None\n" in runner().spin("work", skip_decorators=True).task.stdout
    inspect_spin(str(folder))
    assert [each.id for each in Run(f"Parts/{task.path_components[1]}")] == ["end"]


def _values_in_place(runner, origin: str, folder: Path) -> None:  # type: ignore[no-untyped-def]
    (folder / "values.py").write_text("ARTIFACTS = {'word': 'other', 'scale': 7}")
    with runner().spin(f"{origin}/work/4", artifacts_module="values.py", persist=True) as executing:
        task: Task = executing.task
        assert task.stdout == "work 2 3 7 other set\n"
        assert (task.data.made, task.data.word, task.data.big) == (21, "other", "x" * 1000)
    (folder / "values.py").write_text(
        f"ARTIFACTS = {{'{origin}/work/2': {{'made': 0}}, 'work/3': {{'made': 1}}}}"
    )
    with runner().spin("join", artifacts_module="values.py", persist=True) as executing:
        assert "total 301 plain" in executing.stdout
        assert executing.task.data.total == 301
    with pytest.raises(RuntimeError, match="there is no such file"):
        runner().spin("end", artifacts_module="other.py")


def _other_configurations(folder: Path, environ: dict[str, str]) -> None:
    other = [("config", {"word": "new", "mode": "other"})]
    runner = Runner("parts.py", show_output=False, cwd=str(folder), env=environ, config_value=other)
    with runner.spin("work") as executing:
        assert executing.task.stdout.endswith(" plain other\n"), (
            "of the step its run's, of decorators the new"
        )
        assert "Decorators go by the configurations" in executing.stderr


def _failures(runner, origin: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(RuntimeError, match="ValueError: no 3") as caught:
        runner(BREAK="3").spin(f"{origin}/work/4")
    assert isinstance(caught.value, SpinFailedError)
    executing: ExecutingTask = caught.value.executing
    assert (executing.status, executing.returncode) == ("failed", 1)
    assert executing.task.exception is not None
    assert "attempt 2" not in executing.stdout, "once is enough"
    assert runner(ODD="1").spin("gather").status == "successful", "what is not kept need not be picklable"
    with pytest.raises(SpinFailedError):
        runner(ODD="1").spin("gather", persist=True)
    usual = runner(HEADWAY_DEFAULT_DECOSPECS="nosuch")
    assert usual.spin(f"{origin}/work/4").status == "successful", "what runs are given is not for one task"
    with pytest.raises(RuntimeError, match="resume gang"):
        runner().spin("gang")
    with pytest.raises(RuntimeError, match=f"Known: {origin}"):
        runner().spin("7/work")


def _while_it_runs(runner, origin: str) -> None:  # type: ignore[no-untyped-def]
    async def wait() -> ExecutingTask:
        executing: ExecutingTask = await runner().async_spin(f"{origin}/end")
        assert executing.task.pathspec.endswith("/end/1")
        return await executing.wait()

    executing = asyncio.run(wait())
    assert executing.task.finished
    assert executing.task.successful
