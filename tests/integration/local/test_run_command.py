"""``python flow.py run`` as a person types it, with steps on this machine: output, exit codes, what stays behind."""

import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import headway
from headway.store import layout
from headway.store.artifacts import ArtifactStore
from headway.store.folder import FolderStore
from headway.store.records import AttemptRef, Record
from headway.store.run_records import RunEnd, RunRecord

SOURCE = str(Path(headway.__file__).parents[1])

FLOW = """
import os, random, signal, sys, threading, time
from headway import FlowSpec, Parameter, catch, current, environment, retry, step, timeout

{head}

class Sample(FlowSpec):
    alpha = Parameter("alpha", default=0.5)
    {constant}

    @step
    def start(self):
        self.items = [1, 2, 3]
        self.next(self.work, foreach="items")

    {decorators}
    @step
    def work(self):
        {body}
        self.result = self.input * self.alpha
        self.next(self.join)

    @step
    def join(self, inputs):
        self.total = sum(each.result for each in inputs)
        self.next(self.end)

    @step
    def end(self):
        print("total", self.total)


{tail}
"""


class Machine:
    """A folder with a flow in it, and a datastore of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = FolderStore(str(folder / "data"))
        self.environ = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("HEADWAY", "METAFLOW"))
            },
            "PYTHONPATH": SOURCE,
            "HEADWAY_USER": "ann",
            "HEADWAY_DATASTORE_SYSROOT_LOCAL": self.store.url,
        }

    def write(
        self, name: str = "flow.py", *, head: str = "", decorators: str = "", body: str = "pass",
        constant: str = "pass", tail: str = "if __name__ == '__main__':\n    Sample()",
    ) -> None:  # fmt: skip
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            FLOW.format(head=head, decorators=decorators, body=body, constant=constant, tail=tail)
        )

    def begin(self, *words: str, **options: object) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, *words],
            cwd=self.folder,
            env=self.environ,
            text=True,
            start_new_session=True,
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},  # type: ignore[call-overload]
        )

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        process = self.begin(*words)
        try:
            out, err = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            raise AssertionError(f"not over after a minute:\n{out}\n{err}") from None
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    @property
    def runs(self) -> list[str]:
        return [
            info.key.rpartition("/")[2].removesuffix(".json")
            for info in self.store.list(layout.runs("Sample"))
        ]

    def end(self) -> RunEnd:
        (run,) = self.runs
        return RunEnd.decode(self.store.get(layout.run_end("Sample", run)))

    def value(self, ref: AttemptRef, name: str) -> object:
        (run,) = self.runs
        record = Record.decode(self.store.get(layout.record("Sample", run, *ref)))
        return ArtifactStore(self.store, "Sample").load(name, record.artifacts[name])

    def processes(self) -> list[str]:
        """What still runs that was started here."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                environ = (entry / "environ").read_bytes()
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if self.store.url.encode() in environ and state != "Z":
                found.append(entry.name)
        return found

    def all_gone(self) -> bool:
        return any(not self.processes() for _ in range(100) if not time.sleep(0.02))


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    yield machine
    left = machine.processes()
    for pid in left:
        os.kill(int(pid), signal.SIGKILL)
    assert not left, "processes were left behind"


def test_a_run(machine: Machine) -> None:
    machine.write(body='print("item", self.input)')
    done = machine.run("flow.py", "run", "--alpha", "2", "--tag", "blue", "--run-id-file", "id.txt")
    assert done.returncode == 0, done.stderr
    (run,) = machine.runs
    assert (machine.folder / "id.txt").read_text() == run
    assert f"Run {run} of Sample starts, for user ann." in done.stderr
    assert re.search(rf"Run {run} succeeded in [\d.]+ seconds\.", done.stderr)
    lines = done.stdout.splitlines()
    assert lines[:2] == ["[start/1] Task is starting.", "[start/1] Task finished successfully."]
    assert sorted(line for line in lines if "item" in line) == [f"[work/{n + 1}] item {n}" for n in (1, 2, 3)]
    assert lines[-2:] == ["[end/6] total 12.0", "[end/6] Task finished successfully."]
    record = RunRecord.decode(machine.store.get(layout.run_record("Sample", run)))
    assert (record.user, record.tags, record.parameters) == ("ann", ("blue",), {"alpha": "2"})
    end = machine.end()
    assert (end.outcome, end.end) == ("succeeded", AttemptRef("end", "6", 0))
    assert machine.value(AttemptRef("join", "5", 0), "total") == 12.0


@pytest.mark.parametrize(
    "tail", ["Sample()", "if __name__ == '__main__':\n    Sample()"], ids=["bare", "guard"]
)
@pytest.mark.parametrize("how", ["file", "elsewhere", "module", "package", "text"])
def test_however_it_is_started(machine: Machine, how: str, tail: str) -> None:
    names = {
        "file": "flow.py",
        "elsewhere": "inner/flow.py",
        "module": "pkg/flow.py",
        "package": "pkg/__main__.py",
    }
    name = names.get(how, "flow.py")
    machine.write(name, tail=tail)
    if name.startswith("pkg/"):
        (machine.folder / "pkg" / "__init__.py").touch()
    text = (machine.folder / name).read_text()
    words = {"module": ["-m", "pkg.flow"], "package": ["-m", "pkg"], "text": ["-c", text]}.get(how, [name])
    if how == "text":
        (machine.folder / name).unlink()
    done = machine.run(*words, "run")
    assert done.returncode == 0, done.stderr
    assert machine.end().outcome == "succeeded"


def test_a_failure(machine: Machine) -> None:
    machine.write(body='if self.input == 2: raise ValueError("no good")')
    done = machine.run("flow.py", "run", "--max-workers", "1")
    assert done.returncode == 1
    assert "[work/3] Task failed: ValueError: no good" in done.stderr
    assert re.search(r"^Run \d+ failed: work/3 failed: ValueError: no good", done.stderr, re.MULTILINE)
    assert "[work/3] Traceback (most recent call last):" in done.stderr
    assert SOURCE not in done.stderr
    assert machine.end().outcome == "failed"


def test_retries(machine: Machine) -> None:
    machine.write(
        decorators="@retry(times=2)", body='if current.retry_count < 2: raise ValueError("not yet")'
    )
    done = machine.run("flow.py", "run")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("It is tried again now (counted as one of the step's @retry times).") == 6
    assert done.stdout.count("Foreach yields 3 tasks.") == 1
    assert machine.end().winners["work/2"] == 2


def test_caught_steps_go_on_whatever_became_of_them(machine: Machine) -> None:
    machine.write(
        decorators="@catch(var='failed')\n    @retry(times=1)",
        body="""
        if self.input == 1: raise ValueError("no good")
        if self.input == 2: os.kill(os.getpid(), signal.SIGKILL)
        """,
    )
    flow = machine.folder / "flow.py"
    flow.write_text(
        flow.read_text().replace(
            "sum(each.result for each in inputs)",
            "[each.failed and each.failed.exception for each in inputs]",
        )
    )
    done = machine.run("flow.py", "run")
    assert done.returncode == 0, done.stderr
    words = "Step work failed for good after 2 attempts: The process of step work was killed (SIGKILL)."
    assert f"total ['no good', {words!r}, None]" in done.stdout
    assert "[work/3] Task fallback is starting to handle the failure." in done.stdout
    assert "[work/2] Task fallback" not in done.stdout
    assert "[work/3] @catch takes over: the run goes on." in done.stderr
    assert "[work/2] @catch of step work goes on after:" in done.stderr
    assert machine.end().winners == {
        "start/1": 0, "work/2": 1, "work/3": 2, "work/4": 0, "join/5": 0, "end/6": 0,
    }  # fmt: skip


GANGS = """
import os, socket, time
from headway import FlowSpec, current, parallel, pytorch_parallel, retry, step

class Sample(FlowSpec):
    @step
    def start(self):
        self.next(self.train, num_parallel=3)

    @retry(times=1)
    @parallel
    @step
    def train(self):
        where = current.parallel
        rank, self.index_seen = where.node_index, self.input
        assert current.is_parallel and where.main_ip == os.environ["MASTER_ADDR"] == "127.0.0.1"
        assert (os.environ["RANK"], os.environ["WORLD_SIZE"]) == (str(rank), "3")
        if current.retry_count == 0 and rank == 1:
            raise ValueError("no good")
        if current.retry_count == 0:
            time.sleep(60)
        address = (where.main_ip, int(os.environ["MASTER_PORT"]))
        if rank == 0:
            with socket.create_server(address) as server:
                others = [server.accept()[0] for _ in range(where.num_nodes - 1)]
            self.total = sum(int.from_bytes(other.recv(4), "big") for other in others)
            for other in others:
                other.sendall(self.total.to_bytes(4, "big"))
        else:
            while True:
                try:
                    other = socket.create_connection(address, 1)
                    break
                except ConnectionRefusedError:
                    time.sleep(0.01)
            other.sendall((10 ** rank).to_bytes(4, "big"))
            self.total = int.from_bytes(other.recv(4), "big")
        self.next(self.join)

    @step
    def join(self, inputs):
        self.totals = [each.total for each in inputs]
        self.order = [each.index_seen for each in inputs]
        self.next(self.plain)

    @pytorch_parallel(num_nodes=2)
    @step
    def plain(self):
        self.told = (current.task_id, current.parallel.control_task_id, os.environ["NODE_RANK"])
        self.next(self.end)

    @step
    def end(self):
        pass

if __name__ == "__main__":
    Sample()
"""


def test_gangs(machine: Machine) -> None:
    (machine.folder / "flow.py").write_text(GANGS)
    done = machine.run("flow.py", "run", "--max-workers", "1")
    assert done.returncode == 0, done.stderr
    assert "[train/2_node_1] Task failed: ValueError: no good" in done.stderr
    assert "[train/2_node_1] The first of 3 ranks to fail; all are tried again now" in done.stderr
    assert "Foreach yields" not in done.stdout
    assert machine.value(AttemptRef("join", "3", 0), "totals") == [110] * 3
    assert machine.value(AttemptRef("join", "3", 0), "order") == [0, 1, 2]
    assert machine.value(AttemptRef("plain", "4_node_1", 0), "told") == ("4_node_1", "4", "1")
    assert machine.value(AttemptRef("end", "5", 0), "told") == ("4", "4", "0")
    (run,) = machine.runs
    code = (
        "from headway import Step, namespace; namespace(None)\n"
        f"train, start = Step('Sample/{run}/train'), Step('Sample/{run}/start')\n"
        "control = train.control_task\n"
        "print(control.id, [t.id for t in train.control_tasks()], start.control_task)\n"
        "print(control.metadata_dict['internal_task_type'], control.metadata_dict['parallel-world-size'])\n"
    )
    assert machine.run("-c", code).stdout.splitlines() == ["2 ['2'] None", "control_task 3"]


MUTATED = """
from headway import FlowMutator, FlowSpec, StepMutator, current, step

class Many(StepMutator):
    def mutate(self, step):
        step.add_decorator("parallel")

class InProject(FlowMutator):
    def pre_mutate(self, flow):
        flow.add_decorator("project:name=fraud")

@InProject
class Sample(FlowSpec):
    @step
    def start(self):
        self.next(self.train, num_parallel=2)

    @Many
    @step
    def train(self):
        self.rank = current.parallel.node_index
        self.next(self.join)

    @step
    def join(self, inputs):
        print("ranks", [each.rank for each in inputs], current.branch_name)
        self.next(self.end)

    @step
    def end(self):
        pass

if __name__ == "__main__":
    Sample()
"""


def test_a_gang_and_a_project_that_mutators_make(machine: Machine) -> None:
    (machine.folder / "flow.py").write_text(MUTATED)
    done = machine.run("flow.py", "run", "--branch", "b")
    assert done.returncode == 0, done.stderr
    assert "ranks [0, 1] test.b" in done.stdout


def test_timeout_and_environment(machine: Machine) -> None:
    machine.write(
        decorators='@environment(vars={"COLOUR": "blue"})\n    @timeout(seconds=1)',
        body="print(os.environ['COLOUR']); time.sleep(60 * (self.input == 3))",
    )
    done = machine.run("flow.py", "run")
    assert done.returncode == 1
    assert done.stdout.count("] blue") == 3
    assert "Step work timed out after 1 second." in done.stderr


def test_siblings_draw_different_numbers(machine: Machine) -> None:
    machine.write(head="random.random()", body="print('drew', random.random())")
    out = machine.run("flow.py", "run").stdout
    assert len(set(re.findall(r"drew (\S+)", out))) == 3


def test_what_the_import_prints_is_printed_once(machine: Machine) -> None:
    machine.write(head="print('imported')")
    done = machine.run("flow.py", "run")
    assert (done.stdout + done.stderr).count("imported") == 1


@pytest.mark.parametrize(
    ("constant", "said"),
    [("lock = threading.Lock()", "lock"), ("opened = open(os.devnull)", "opened")],
)
def test_a_constant_that_cannot_be_stored_leaves_no_run(machine: Machine, constant: str, said: str) -> None:
    machine.write(constant=constant)
    done = machine.run("flow.py", "run")
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert machine.runs == []


def test_an_id_file_that_cannot_be_written_is_told_and_the_run_is_ended(machine: Machine) -> None:
    machine.write()
    done = machine.run("flow.py", "run", "--run-id-file", "no/such/folder/id")
    assert done.returncode == 2
    assert "--run-id-file=no/such/folder/id cannot be written: No such file or directory." in done.stderr
    assert machine.end().outcome == "failed"


def test_a_folder_for_data_that_cannot_be_written(machine: Machine) -> None:
    machine.write()
    (machine.folder / "data").write_text("in the way")
    done = machine.run("flow.py", "run")
    assert done.returncode in (1, 2)
    assert done.stderr.count("\n") < 8
    assert "Traceback" not in done.stderr
    (machine.folder / "data").unlink()


def test_a_class_that_only_exists_under_the_guard(machine: Machine) -> None:
    machine.write()
    text = (machine.folder / "flow.py").read_text()
    head, _, body = text.partition("class Sample")
    body = body.partition("if __name__")[0]
    indented = ("class Sample" + body).replace("\n", "\n    ")
    (machine.folder / "flow.py").write_text(
        f"{head}\nif __name__ == '__main__':\n    {indented}\n    Sample()\n"
    )
    done = machine.run("flow.py", "run")
    assert done.returncode == 0, done.stderr


# Being stopped


def until(process: "subprocess.Popen[str]", text: str) -> None:
    """Read its lines up to one that holds this."""
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return
    raise AssertionError(f"it never said {text!r}")


WAITS = 'print("ready", flush=True); time.sleep(600)'
DEAF = 'signal.signal(signal.SIGTERM, signal.SIG_IGN); print("ready", flush=True); time.sleep(600)'


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_one_signal_stops_cleanly(machine: Machine, number: int) -> None:
    machine.write(body=WAITS)
    process = machine.begin("flow.py", "run")
    until(process, "ready")
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Stopping: running tasks are asked to end" in err
    assert "Task was stopped." in out
    name = {signal.SIGINT: "Ctrl-C"}.get(signal.Signals(number), signal.Signals(number).name)
    assert f" interrupted by {name}" in err
    assert machine.end().outcome == "interrupted"


def test_twice_means_now(machine: Machine) -> None:
    machine.write(body=DEAF)
    process = machine.begin("flow.py", "run")
    until(process, "ready")
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert time.monotonic() - begun < 5
    assert "Ending what still runs at once." in err


def test_ctrl_c_while_the_flow_is_imported_is_quick(machine: Machine) -> None:
    head = "if os.environ.get('HEADWAY_IN_TASK'): time.sleep(600)"
    machine.write(head=head)
    process = machine.begin("flow.py", "run")
    assert process.stderr is not None
    for line in process.stderr:
        if "starts, for user" in line:
            break
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert time.monotonic() - begun < 5


def test_nothing_lives_on_after_the_launcher_was_killed(machine: Machine) -> None:
    machine.write(body=DEAF)
    process = machine.begin("flow.py", "run")
    until(process, "ready")
    process.kill()
    process.communicate(timeout=30)
    assert machine.all_gone()


def test_a_pipe_that_nobody_reads_does_not_end_the_run(machine: Machine) -> None:
    machine.write(body="time.sleep(0.2)")
    process = machine.begin("flow.py", "run")
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    process.stdout = None
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert machine.end().outcome == "succeeded"


def test_a_terminal_that_is_closed_stops_the_run_cleanly(machine: Machine) -> None:
    machine.write(body=WAITS)
    ours, theirs = pty.openpty()
    seen: list[bytes] = []
    ready = threading.Event()

    def read() -> None:
        while not ready.is_set():
            seen.append(os.read(ours, 4096))
            if b"ready" in b"".join(seen):
                ready.set()

    reader = threading.Thread(target=read)
    reader.start()
    process = machine.begin("flow.py", "run", stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    assert ready.wait(30)
    reader.join()
    os.close(ours)
    process.send_signal(signal.SIGHUP)
    process.wait(30)
    assert process.returncode == 130
    assert machine.end().outcome == "interrupted"


def test_two_launchers_do_not_disturb_each_other(machine: Machine) -> None:
    machine.write(body="time.sleep(0.1)")
    both = [machine.begin("flow.py", "run", "--alpha", str(number)) for number in (1, 10)]
    outputs = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert len(machine.runs) == 2
    totals = [re.findall(r"total (\S+)", out) for out, _ in outputs]
    assert totals == [["6.0"], ["60.0"]]


@pytest.mark.parametrize(
    "tail", ["Sample()", "if __name__ == '__main__':\n    Sample()"], ids=["bare", "guard"]
)
@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_a_step_may_start_processes_of_its_own(machine: Machine, method: str, tail: str) -> None:
    body = (
        f"import multiprocessing; context = multiprocessing.get_context('{method}')\n"
        "        with context.Pool(1) as pool: print('got', pool.map(abs, [-7]))"
    )
    machine.write(body=body, tail=tail)
    done = machine.run("flow.py", "run")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("got [7]") == 3
    assert "is valid" not in done.stdout


HOOKED = """
from headway import FlowSpec, current, exit_hook, project, step

def done(run):
    print("hook of", run.pathspec, run.successful, run["end"].task.data.branch)

def sorry():
    raise SystemExit("the hook of a failure")

@exit_hook(on_success=[done, "nowhere.to.be.found"], on_error=["sorry"])
@project(name="fraud")
class Sample(FlowSpec):
    @step
    def start(self):
        self.branch = current.branch_name
        self.all = (current.project_name, current.is_user_branch, current.is_production)
        print(current.project_flow_name, self.all)
        assert not current.is_production
        self.next(self.end)

    @step
    def end(self):
        pass

if __name__ == "__main__":
    Sample()
"""


def test_a_project_and_hooks_at_the_exit(machine: Machine) -> None:
    (machine.folder / "flow.py").write_text(HOOKED)
    done = machine.run("flow.py", "run", "--branch=exp")
    assert done.returncode == 0, done.stderr
    assert "[start/1] fraud.test.exp.Sample ('fraud', False, False)" in done.stdout
    assert f"hook of Sample/{machine.runs[0]} True test.exp" in done.stdout
    assert "The exit hook done is done." in done.stderr
    assert "The exit hook nowhere.to.be.found failed with exit code 1." in done.stderr
    tags = RunRecord.decode(machine.store.get(layout.run_record("Sample", machine.runs[0]))).system_tags
    assert {"project:fraud", "project_branch:test.exp"} <= set(tags)


def test_production_by_a_variable_and_the_hook_of_a_failure(machine: Machine) -> None:
    (machine.folder / "flow.py").write_text(HOOKED)
    machine.environ["METAFLOW_FLOW_PRODUCTION"] = "1"
    done = machine.run("flow.py", "run")
    assert done.returncode == 1
    assert "Project: fraud, branch: prod" in done.stderr
    assert "the hook of a failure" in done.stderr
    assert "The exit hook sorry failed with exit code 1." in done.stderr
