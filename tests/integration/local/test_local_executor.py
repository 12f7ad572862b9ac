"""The local executor with real processes: the suite, forked and afresh, and what only processes can do."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import headway
from headway.errors import HeadwayError, StoreUnavailableError
from headway.executors.base import Adoption, Broken, Ended, Started, Waiting
from headway.executors.local import executor as local
from headway.executors.local import process as local_process
from headway.executors.local.executor import LocalExecutor
from headway.executors.local.zygote import Zygote
from headway.store import layout
from headway.store.artifacts import ArtifactStore
from headway.store.base import Buffer
from headway.store.batch import Batch, Code, Secrets
from headway.store.folder import FolderStore
from headway.store.logs import parse_lines
from headway.store.records import INFRASTRUCTURE, RESOURCES, SUCCEEDED, USER, AttemptRef, Failure, Record
from headway.testing.executor_suite import (
    FLOW,
    LIMIT,
    RUN,
    STOPPED,
    ExecutorSuite,
    Heard,
    refs_of,
    stored_record,
    write_suite_flow,
)

SOURCE = str(Path(headway.__file__).parents[1])


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Children find Headway as this process does."""
    monkeypatch.setenv("PYTHONPATH", SOURCE)


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(str(tmp_path / "store"))


@pytest.fixture
def code(tmp_path: Path) -> Code:
    return write_suite_flow(tmp_path)


@pytest.fixture
def zygote(code: Code, store: FolderStore) -> Iterator[Zygote]:
    zygote = Zygote(code, store.url)
    yield zygote
    zygote.close()


def is_there(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def gone(pid: int) -> bool:
    """Whether a process is gone once a busy machine has had its time to end it."""
    for _ in range(600):
        if not is_there(pid):
            return True
        await asyncio.sleep(0.05)
    return False


class LocalSuite(ExecutorSuite):
    """The suite, with a look at the processes that are left."""

    async def opened(self, executor: Any, store: Any) -> Heard:
        self.heard = await super().opened(executor, store)
        return self.heard

    @pytest.fixture
    def left_behind(self) -> Callable[[], list[str]]:
        return lambda: [event.where for event in self.heard.of(Started) if is_there(int(event.facts["pid"]))]


class TestForked(LocalSuite):
    """Attempts forked from the warm parent."""

    @pytest.fixture
    def executor(self, store: FolderStore, zygote: Zygote) -> LocalExecutor:
        return LocalExecutor(store, zygote, LIMIT)


class TestAfresh(LocalSuite):
    """Attempts in processes started afresh, as where forking is not safe."""

    @pytest.fixture
    def executor(self, store: FolderStore) -> LocalExecutor:
        return LocalExecutor(store, None, LIMIT)


# What only processes can do


class Run:
    """A run's executor over a flow with one step, of this body."""

    def __init__(self, folder: Path, store: FolderStore) -> None:
        self.folder = folder
        self.store = store
        self.heard = Heard()
        self.executor: LocalExecutor
        self.zygote: Zygote
        self._suite = ExecutorSuite()

    async def begin(self, body: str, head: str = "", limit: int = LIMIT) -> None:
        lines = "\n".join(f"        {line}" for line in body.splitlines())
        (self.folder / "flow.py").write_text(
            f"import os, signal, subprocess, sys, threading, time\nfrom headway import FlowSpec, step\n{head}\n"
            f"class {FLOW}(FlowSpec):\n    @step\n    def start(self):\n{lines}\n"
        )
        self.code = Code("path", "flow.py", ("__main__", FLOW), root=str(self.folder))
        self.zygote = Zygote(self.code, self.store.url)
        self.executor = LocalExecutor(self.store, self.zygote, limit)
        self.heard = await self._suite.opened(self.executor, self.store)

    def batch(self, tasks: int = 1, **changes: Any) -> Batch:
        return self._suite.batch(self.code, "start", tasks)._replace(**changes)

    async def start(self, batch: Batch | None = None) -> AttemptRef:
        batch = batch or self.batch()
        await self.executor.start(batch)
        return refs_of(batch)[0]

    async def end(self, ref: AttemptRef) -> Record:
        (record,) = await self.heard.end_of(ref)
        return record

    async def line(self, ref: AttemptRef) -> str:
        await self.heard.until(lambda: self.heard.lines(ref, "stdout"), "a line")
        return self.heard.lines(ref, "stdout")[0]

    def value(self, record: Record, name: str) -> Any:
        return ArtifactStore(self.store, FLOW).load(name, record.artifacts[name])


@pytest.fixture
def run(tmp_path: Path, store: FolderStore) -> Iterator[Run]:
    run = Run(tmp_path, store)
    yield run
    run.zygote.close()


async def test_an_attempt_is_forked_and_its_facts_are_kept(run: Run) -> None:
    await run.begin("self.parent = os.getppid()\nprint('hello')")
    record = await run.end(await run.start())
    await run.executor.close()
    assert run.value(record, "parent") == run.zygote._process.pid
    assert int(record.metadata["peak-memory"]) > 1_000_000
    assert record.metadata["python-version"].startswith("3.")
    assert "not-forked" not in record.metadata
    key = layout.log(FLOW, RUN, *record.ref, "stdout")
    assert [line.text for line in parse_lines(run.store.get(key))] == ["hello"]


async def test_readers_know_of_attempts_before_these_end(run: Run) -> None:
    await run.begin("time.sleep(600)")
    secrets = Secrets(({"type": "inline", "options": {"env_vars": {"TOKEN": "hush"}}},))
    batch = run.batch(tasks=3, env={"PASSWORD": "hush"}, secrets=secrets, parameters={"key": "hush"})
    await run.executor.start(batch)
    await run.heard.until(lambda: run.heard.of(Started), "a start")
    told = run.store.get(layout.batch(FLOW, RUN, batch.name))
    await run.executor.close(now=True)
    known = Batch.decode(told)
    assert (known.step, known.tasks, known.frames) == (batch.step, batch.tasks, batch.frames)
    assert known.inputs == batch.inputs
    assert b"hush" not in told


async def test_what_ran_beside_a_launcher_that_is_gone_is_given_up(run: Run) -> None:
    await run.begin("pass")
    batch = run.batch()
    (ref,) = refs_of(batch)
    await run.executor.adopt([Adoption(batch, frozenset({ref}), frozenset())])
    failure = (await run.end(ref)).failure
    await run.executor.close()
    assert failure is not None
    assert (failure.kind, failure.reason) == (INFRASTRUCTURE, "LauncherGone")
    assert "on its own machine is gone" in failure.message


async def test_the_environment_is_there_when_the_flow_is_imported(run: Run) -> None:
    await run.begin("self.seen = SEEN", "SEEN = os.environ.get('COLOUR')")
    with_colour = run.batch(env={"COLOUR": "blue"})
    record = await run.end(await run.start(with_colour))
    without = await run.end(await run.start())
    await run.executor.close()
    assert run.value(record, "seen") == "blue"
    assert run.value(without, "seen") is None


async def test_the_environment_is_there_when_the_interpreter_starts(run: Run) -> None:
    await run.begin("self.seen = (time.tzname[0], sys.flags.hash_randomization, '/libraries' in sys.path)")
    variables = {"TZ": "XYZ-3", "PYTHONHASHSEED": "0", "PYTHONPATH": "/libraries"}
    record = await run.end(await run.start(run.batch(env=variables)))
    await run.executor.close()
    assert run.value(record, "seen") == ("XYZ", 0, True)


async def test_a_thread_at_import_means_processes_of_their_own(run: Run) -> None:
    head = "threading.Thread(target=time.sleep, args=(600,), daemon=True).start()"
    await run.begin("self.parent = os.getppid()", head)
    record = await run.end(await run.start())
    await run.executor.close()
    assert run.value(record, "parent") == os.getpid()
    assert record.metadata["not-forked"].startswith("importing the flow started the Python thread Thread-1")


@pytest.mark.parametrize("env", [{}, {"A": "1"}], ids=["forked", "afresh"])
@pytest.mark.parametrize(
    ("body", "kind", "reason", "words"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", RESOURCES, "Killed", "SIGKILL"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", USER, "Signal", "SIGSEGV (segmentation fault)"),
        ("os._exit(3)", USER, "Exit", "exit code 3"),
        ("sys.exit('enough')", USER, "Exit", "sys.exit(1)"),
        ("os._exit(202)", USER, "ExitForGood", "exit code 202"),
    ],
)
async def test_how_a_process_ends(
    run: Run, env: dict[str, str], body: str, kind: str, reason: str, words: str
) -> None:
    await run.begin(body)
    record = await run.end(await run.start(run.batch(env=env)))
    await run.executor.close()
    failure = record.failure
    assert failure is not None
    assert (failure.kind, failure.reason) == (kind, reason)
    assert words in failure.message
    kept = parse_lines(run.store.get(layout.log(FLOW, RUN, *record.ref, "stderr")))
    assert kept[-1].text == f"Task failed: {failure.message}"


@pytest.mark.parametrize("env", [{}, {"A": "1"}], ids=["forked", "afresh"])
async def test_what_a_step_leaves_running_ends_with_it(
    run: Run, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Who waited for its pipes would not come back.
    monkeypatch.setattr(local_process, "_DRAIN", 600.0)
    await run.begin("print(subprocess.Popen(['sleep', '600']).pid)")
    ref = await run.start(run.batch(env=env))
    record = await run.end(ref)
    await run.executor.close()
    assert record.outcome == SUCCEEDED
    assert await gone(int(await run.line(ref)))


async def test_a_step_over_its_time(run: Run) -> None:
    await run.begin("time.sleep(600)")
    failure = (await run.end(await run.start(run.batch(timeout=0.2)))).failure
    await run.executor.close()
    assert failure is not None
    assert (failure.reason, failure.message) == ("Timeout", "Step start timed out after 0.2 seconds.")


async def test_a_step_that_does_not_let_itself_be_stopped_is_killed(run: Run) -> None:
    await run.begin("signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})\ntime.sleep(600)")
    failure = (await run.end(await run.start(run.batch(timeout=0.2, grace=0.3)))).failure
    await run.executor.close()
    assert failure is not None
    assert failure.reason == "Timeout"
    assert "was killed: it went on after its @timeout" in failure.message


async def test_the_log_is_cut_where_the_batch_says(run: Run) -> None:
    await run.begin("for n in range(5000): print(n)")
    ref = await run.start(run.batch(log_limit=20_000))
    record = await run.end(ref)
    await run.executor.close()
    assert record.outcome == SUCCEEDED
    assert run.heard.lines(ref, "stdout")[-1].startswith("[The log is cut here")


async def test_a_flood_of_lines_keeps_its_order(run: Run) -> None:
    await run.begin("for n in range(50_000): print(n)")
    ref = await run.start()
    await run.end(ref)
    await run.executor.close()
    assert run.heard.lines(ref, "stdout") == [str(number) for number in range(50_000)]


async def test_many_at_once(run: Run) -> None:
    await run.begin("pass", limit=40)
    batch = run.batch(tasks=60)
    await run.executor.start(batch)
    records = await run.heard.end_of(*refs_of(batch))
    await run.executor.close()
    assert {record.outcome for record in records} == {SUCCEEDED}


async def test_a_zygote_that_is_killed_breaks_the_run_and_takes_its_children_along(run: Run) -> None:
    await run.begin("signal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint(os.getpid())\ntime.sleep(600)")
    ref = await run.start()
    child = int(await run.line(ref))
    os.kill(run.zygote._process.pid, signal.SIGKILL)
    await run.heard.until(lambda: run.heard.of(Ended, ref), "its end")
    assert await gone(child)
    await run.start()
    await run.heard.until(lambda: run.heard.of(Broken), "that it is broken")
    await run.executor.close(now=True)
    error = run.heard.of(Broken)[0].error
    assert isinstance(error, HeadwayError)
    assert "forked from ended unexpectedly (signal 9)" in error.message


async def test_a_flow_that_ends_the_process_at_import_is_told(run: Run) -> None:
    await run.begin("pass", "os._exit(7)")
    await run.start()
    await run.heard.until(lambda: run.heard.of(Broken), "that it is broken")
    await run.executor.close(now=True)
    assert "exit code 7" in str(run.heard.of(Broken)[0].error)


async def test_closing_while_the_flow_is_still_imported(run: Run) -> None:
    await run.begin("pass", "time.sleep(600)")
    await run.start()
    zygote = run.zygote._process
    await asyncio.sleep(0.2)
    run.zygote.close()
    assert zygote.returncode is not None


class FlakyStore(FolderStore):
    """A folder whose conditional writes fail a few times."""

    failures = 3

    def put_if_absent(self, key: str, data: Buffer) -> None:
        if "/task/start/" in key and self.failures:
            self.failures -= 1
            raise StoreUnavailableError("no answer")
        super().put_if_absent(key, data)


async def test_an_end_is_settled_once_the_datastore_answers(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "_STORE_PAUSE", 0.01)
    run.store = FlakyStore(run.store.url)
    await run.begin("pass")
    ref = await run.start()
    record = await run.end(ref)
    await run.executor.close()
    assert record.outcome == SUCCEEDED
    assert stored_record(run.store, ref) == record
    assert [event.message for event in run.heard.of(Waiting, ref)] == ["no answer"] * 3


async def test_a_step_that_saves_itself_in_its_grace_succeeds(run: Run) -> None:
    body = (
        "told = []\nsignal.signal(signal.SIGTERM, lambda *_: told.append(1))\nprint('ready')\n"
        "while not told: time.sleep(0.01)\nself.saved = True"
    )
    await run.begin(body)
    ref = await run.start()
    assert await run.line(ref) == "ready"
    await run.executor.cancel((ref,), STOPPED)
    record = await run.end(ref)
    await run.executor.close()
    assert record.outcome == SUCCEEDED
    assert run.value(record, "saved") is True


async def test_a_step_that_is_stopped_has_the_reason_of_whoever_stopped_it(run: Run) -> None:
    await run.begin("print('ready')\ntime.sleep(600)")
    ref = await run.start()
    assert await run.line(ref) == "ready"
    why = Failure(USER, "Cancelled", "Stopped: another step failed")
    await run.executor.cancel((ref,), why)
    assert (await run.end(ref)).failure == why
    await run.executor.close()
