"""The zygote as a process: what it forks, what its children share and do not, and how it all ends."""

import json
import os
import signal
import socket
import subprocess
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from runtime_cases import FLOW, RUN, make_batch, store_task

import headway
from headway.executors.local.command import python_command
from headway.runtime.channel import Report, decode_parts
from headway.runtime.state import PARAMETERS
from headway.runtime.zygote import Zygote
from headway.store.batch import Batch, Code
from headway.store.folder import FolderStore
from headway.testing.memory_store import MemoryStore

HEAD = """
import os, random, signal, sys, time
from headway import FlowSpec, step
"""


class Child:
    """A child of the zygote: its number, and the read ends of its pipes."""

    def __init__(self, number: int, reads: dict[str, int]) -> None:
        self.number = number
        self.reads = reads
        self.pid = 0

    def read(self, name: str) -> str:
        """All it wrote, once it has closed this pipe."""
        with os.fdopen(self.reads.pop(name), "rb") as pipe:
            return pipe.read().decode()

    def line(self) -> str:
        """Its next line on stdout."""
        text = b""
        while not text.endswith(b"\n"):
            text += os.read(self.reads["stdout"], 1) or b"(end)\n"
        return text.decode().rstrip("\n")

    def report(self) -> Report | None:
        return decode_parts([self.read("report").encode()])

    def close(self) -> None:
        for fd in self.reads.values():
            os.close(fd)


class ZygoteProcess:
    """The launcher's side, as plainly as can be."""

    def __init__(self, folder: Path, head: str, body: str) -> None:
        text = (
            HEAD + textwrap.dedent(head) + f"\n\nclass {FLOW}(FlowSpec):\n    @step\n    def start(self):\n"
        )
        (folder / "flow.py").write_text(text + textwrap.indent(textwrap.dedent(body) or "pass", " " * 8))
        store = FolderStore(str(folder / "store"))
        store_task(store, PARAMETERS, {"alpha": 0.5})
        self.code = Code("path", "flow.py", ("__main__", FLOW), root=str(folder))
        self.children: list[Child] = []
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket = ours
        ours.settimeout(30)
        environ = {**os.environ, "PYTHONPATH": str(Path(headway.__file__).parents[1])}
        with theirs:
            self.process = subprocess.Popen(
                python_command("headway.runtime.zygote", str(theirs.fileno())),
                pass_fds=(theirs.fileno(),), cwd=folder, env=environ, start_new_session=True,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
        told = {"store": store.url, "code": self.code, "environ": {"MOOD": "late", "LARGE": "x" * 100_000}}
        ours.send(json.dumps(told).encode())

    def hear(self) -> dict[str, Any]:
        """The zygote's next message, {} where it is gone."""
        data = self.socket.recv(65536)
        message: dict[str, Any] = json.loads(data) if data else {}
        return message

    def fork(self, index: int = 0, batch: Batch | None = None) -> Child:
        batch = batch or make_batch(code=self.code, tasks=8)
        file = os.memfd_create("batch")
        os.write(file, batch.encode())
        pipes = {name: os.pipe() for name in ("stdout", "stderr", "report")}
        child = Child(len(self.children) + 1, {name: pipe[0] for name, pipe in pipes.items()})
        message = json.dumps({"fork": child.number, "index": index}).encode()
        fds = [file, *(pipe[1] for pipe in pipes.values())]
        socket.send_fds(self.socket, [message], fds)
        for fd in fds:
            os.close(fd)
        self.children.append(child)
        started = self.hear()
        assert started["started"] == child.number
        child.pid = started["pid"]
        return child

    def signal(self, child: Child, number: int) -> None:
        self.socket.send(json.dumps({"child": child.number, "signal": number}).encode())

    def close(self) -> tuple[str, str]:
        """Let it go; what it printed itself."""
        self.socket.close()
        for child in self.children:
            child.close()
        self.children.clear()
        if self.process.returncode is not None:
            return "", ""
        try:
            return self.process.communicate(timeout=20)
        finally:
            self.process.kill()
            self.process.wait()


Start = Callable[..., ZygoteProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    made: list[ZygoteProcess] = []

    def make(body: str = "", head: str = "") -> ZygoteProcess:
        made.append(ZygoteProcess(tmp_path, head, body))
        return made[-1]

    yield make
    for each in made:
        each.close()


def is_there(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pid: int) -> bool:
    """Whether a process is gone within a moment."""
    return any(not is_there(pid) for _ in range(200_000))


def test_it_forks_once_the_flow_is_imported(start: Start) -> None:
    parent = start("self.made = self.alpha * 2\nprint('hello')")
    assert parent.hear() == {"ready": True, "forkable": True, "why": ""}
    child = parent.fork()
    report = child.report()
    assert report is not None
    assert report.failure is None
    assert set(report.artifacts) == {"alpha", "made"}
    assert (child.read("stdout"), child.read("stderr")) == ("hello\n", "")
    ended = parent.hear()
    assert (ended["ended"], ended["status"]) == (1, 0)
    assert ended["peak"] > 1_000_000


def test_variables_that_the_launcher_set_meanwhile_are_the_steps(start: Start) -> None:
    parent = start("print(os.environ['MOOD'])", "assert os.environ['MOOD'] == 'late'")
    parent.hear()
    assert parent.fork().line() == "late"


def test_what_a_step_starts_gives_its_lines_away_at_once(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    parent = start("print(os.environ.get('PYTHONUNBUFFERED'))")
    parent.hear()
    assert parent.fork().line() == "1"


def test_each_child_is_one_task_of_the_batch_in_a_group_of_its_own(start: Start) -> None:
    parent = start("print(os.getpid() == os.getpgid(0), os.environ['MF_PATHSPEC'])")
    parent.hear()
    assert parent.fork(0).line() == f"True {FLOW}/{RUN}/start/1"
    while parent.hear().get("ended") is None:
        continue
    assert parent.fork(2).line() == f"True {FLOW}/{RUN}/start/3"


@pytest.mark.parametrize("end", ["pass", "sys.exit(3)", "raise ValueError(3)"])
def test_a_process_that_the_step_forked_speaks_for_nobody_else(start: Start, end: str) -> None:
    """It comes back to where the attempt began, as code after a fork does that forgets to leave."""
    parent = start(
        f"""
        pid = os.fork()
        if pid == 0:
            {end}
        else:
            print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            self.made = 1
        """
    )
    parent.hear()
    child = parent.fork()
    report = child.report()
    assert report is not None
    assert report.failure is None
    assert "made" in report.artifacts
    assert child.read("stdout") == {"pass": "0\n", "sys.exit(3)": "3\n"}.get(end, "1\n")


def test_siblings_draw_different_random_numbers(start: Start) -> None:
    parent = start("print(random.random())", "random.random()")
    parent.hear()
    drawn = []
    for index in range(4):
        drawn.append(parent.fork(index).line())
        parent.hear()
    assert len(set(drawn)) == 4


def drawn_by(parent: ZygoteProcess) -> int:
    """How many different lines three children print."""
    parent.hear()
    lines = []
    for index in range(3):
        lines.append(parent.fork(index).line())
        parent.hear()
    return len(set(lines))


@pytest.mark.parametrize(
    "head",
    [
        "random.seed(11)",
        "def fix():\n    random.seed(11)\nfix()",
        "from random import seed\nseed(11)",
        "import seeds",
    ],
)
def test_a_fixed_seed_is_kept(start: Start, tmp_path: Path, head: str) -> None:
    (tmp_path / "seeds.py").write_text("import random\nif True:\n    random.seed(11)\n")
    assert drawn_by(start("print(random.random())", head)) == 1


@pytest.mark.parametrize("head", ["random.seed(11)\nrandom.seed()", "import dice\nrandom = dice.DICE"])
def test_without_one_each_child_has_numbers_of_its_own(start: Start, tmp_path: Path, head: str) -> None:
    (tmp_path / "dice.py").write_text("import random\nDICE = random.Random()\n")
    assert drawn_by(start("print(random.random())", head)) == 3


#: Threads that Python knows nothing of, as native libraries start them; the second gives itself a name.
NATIVE = """
import _thread
for _ in range({count}):
    _thread.start_new_thread(time.sleep, (60,))
"""
NAMED = """
import _thread
named = _thread.allocate_lock()
named.acquire()
def compute():
    with open(f"/proc/self/task/{_thread.get_native_id()}/comm", "w") as file:
        file.write("polars-0")
    named.release()
    time.sleep(60)
_thread.start_new_thread(compute, ())
named.acquire()
"""
#: As where one of the threads is that of a library that starts it again after a fork.
RETURNING = "from headway.runtime import forking\nforking.returning_threads = lambda: 1\n"


@pytest.mark.parametrize(
    ("head", "why"),
    [
        ("import threading\nthreading.Thread(target=time.sleep, args=(60,), name='helper', daemon=True).start()",
         "importing the flow started the Python thread helper"),
        (NATIVE.format(count=1), "importing the flow started threads in a native library"),
        (RETURNING + NATIVE.format(count=2), "importing the flow started threads in a native library"),
        (RETURNING + NAMED, "importing the flow started threads in a native library"),
        ("import socket\nPAIR = socket.socketpair()",
         "importing the flow opened a connection, which its tasks would share"),
        ("import sqlite3\nDATABASE = sqlite3.connect('cases.db')\nDATABASE.execute('create table cases (id)')",
         "importing the flow opened the file {folder}/cases.db, which its tasks would share"),
    ],
    ids=["thread", "native", "another", "named", "socket", "database"],
)  # fmt: skip
def test_it_says_why_it_must_not_be_forked(start: Start, tmp_path: Path, head: str, why: str) -> None:
    expected = why.format(folder=tmp_path.resolve())
    assert start("", head).hear() == {"ready": True, "forkable": False, "why": expected}


@pytest.mark.parametrize(
    "head",
    [
        RETURNING + NATIVE.format(count=1),
        "import logging\nlogging.basicConfig(filename='flow.log')\nlogging.error('begun')",
        "import socket\nsocket.socketpair()[0].close()",
        "NOTHING = open(os.devnull)",
    ],
    ids=["returning", "log", "closed", "null"],
)
def test_what_can_be_shared_is_no_hindrance(start: Start, head: str) -> None:
    assert start("", head).hear() == {"ready": True, "forkable": True, "why": ""}


def test_an_import_that_fails_is_each_attempts_failure(start: Start) -> None:
    parent = start("", "raise OSError('no such thing')")
    assert parent.hear()["forkable"]
    for _ in range(2):
        child = parent.fork()
        report = child.report()
        assert report is not None
        assert report.failure is not None
        assert report.failure.message == "OSError: no such thing"
        assert report.failure.traceback.count("  File ") == 1
        assert child.read("stderr") == report.failure.traceback
        parent.hear()


def test_what_the_import_printed_is_not_printed_again_by_every_child(start: Start) -> None:
    parent = start("print('step')", "print('import')\nsys.stderr.write('import, too')")
    parent.hear()
    child = parent.fork()
    assert (child.read("stdout"), child.read("stderr")) == ("step\n", "")
    assert parent.close() == ("import\n", "import, too")


def test_a_handler_that_the_file_sets_is_the_steps(start: Start) -> None:
    head = "signal.signal(signal.SIGTERM, lambda *_: (os.write(1, b'saved\\n'), sys.exit(3)))"
    # A signal that comes on the very way into a sleep is handled after it.
    parent = start("print('ready')\nwhile True:\n    time.sleep(0.05)", head)
    parent.hear()
    child = parent.fork()
    assert child.line() == "ready"
    parent.signal(child, signal.SIGTERM)
    assert child.line() == "saved"
    assert os.waitstatus_to_exitcode(parent.hear()["status"]) == 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_a_signal_ends_the_step_and_its_end_the_group(start: Start, number: int) -> None:
    # Where the tests run in the background of a shell, SIGINT is ignored from the start.
    body = """
        import signal
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if os.fork() == 0:
            time.sleep(60)
        print("ready")
        # A signal that comes on the very way into a sleep is handled after it.
        while True:
            time.sleep(0.05)
    """
    parent = start(body)
    parent.hear()
    child = parent.fork()
    assert child.line() == "ready"
    parent.signal(child, number)
    ended = parent.hear()
    assert ended["ended"] == child.number
    assert ("KeyboardInterrupt" in child.read("stderr")) == (number == signal.SIGINT)


def test_what_a_step_leaves_running_ends_with_it(start: Start) -> None:
    parent = start("helper = os.fork()\nif helper == 0:\n    time.sleep(60)\nprint(helper)\nos._exit(0)")
    parent.hear()
    child = parent.fork()
    helper = int(child.line())
    parent.hear()
    assert child.read("stdout") == "", "nobody holds the pipe any more"
    assert gone(helper)


def test_an_unknown_child_is_nobody_to_signal(start: Start) -> None:
    parent = start("print('fine')")
    parent.hear()
    parent.signal(Child(77, {}), signal.SIGKILL)
    assert parent.fork().line() == "fine"


def test_everything_ends_when_the_launcher_is_gone(start: Start) -> None:
    body = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('ready')\ntime.sleep(60)"
    parent = start(body)
    parent.hear()
    children = [parent.fork(index) for index in range(3)]
    assert [child.line() for child in children] == ["ready"] * 3
    parent.close()
    assert parent.process.returncode == 0
    assert all(gone(child.pid) for child in children)


def test_ctrl_c_and_sigterm_do_not_end_it(start: Start) -> None:
    parent = start("print('fine')")
    parent.hear()
    parent.process.send_signal(signal.SIGINT)
    parent.process.send_signal(signal.SIGTERM)
    assert parent.fork().line() == "fine"


def test_a_batch_that_cannot_be_read_ends_the_child_alone(start: Start) -> None:
    parent = start("print('fine')")
    parent.hear()
    child = parent.fork(index=99)
    assert os.waitstatus_to_exitcode(parent.hear()["status"]) == 70
    assert child.report() is None
    assert parent.fork().line() == "fine"


def test_a_fork_that_is_refused_for_a_moment_ends_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [OSError("too many processes"), OSError("too many processes"), 4321]

    def fork() -> int:
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    monkeypatch.setattr("headway.runtime.zygote._FORK_PAUSE", 0.0)
    monkeypatch.setattr("headway.runtime.zygote.os.fork", fork)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert Zygote(theirs, lambda: None, MemoryStore)._try_to_fork() == 4321
