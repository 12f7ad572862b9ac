"""The supervisor and real small processes: how they end, what they print, what is passed on to them."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from headway.runtime import supervisor
from headway.runtime.channel import Report
from headway.runtime.logbook import Logbook, StampedLine
from headway.runtime.supervisor import Ended, OwnChild, Supervisor
from headway.runtime.usage import Meter
from headway.store.records import Transition

REPORT = Report(transition=Transition(("end",)))


@pytest.fixture(autouse=True)
def _own_signals() -> Iterator[None]:
    """The supervisor takes the process's signals; they are given back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGCHLD)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@dataclass
class Outcome:
    """How a child ended, and what it printed."""

    ended: Ended
    book: Logbook
    lines: list[str]


def supervise(
    program: str,
    *,
    grace: float = 30.0,
    limit: float | None = None,
    on_line: Callable[[str], None] = lambda text: None,
    meter: Meter | None = None,
) -> Outcome:
    """Run a Python program as an attempt's process; its report goes to the descriptor ``report``."""
    reads, writes = {}, {}
    for name in ("stdout", "stderr", "report"):
        reads[name], writes[name] = os.pipe()
    child = subprocess.Popen(
        [
            sys.executable,
            "-S",
            "-I",
            "-c",
            f"import os, signal, sys, time\nreport = {writes['report']}\n{program}",
        ],
        stdout=writes["stdout"],
        stderr=writes["stderr"],
        pass_fds=(writes["report"],),
        start_new_session=True,
    )
    for fd in writes.values():
        os.close(fd)
    book, lines = Logbook(), []

    def show(stamped: list[StampedLine]) -> None:
        for line in stamped:
            lines.append(line.text.decode())
            on_line(lines[-1])

    ended = Supervisor(OwnChild(child.pid), reads, book, show, grace, limit, meter=meter).run()
    child.returncode = 0  # it has been waited for
    return Outcome(ended, book, lines)


def stop_at_ready(text: str) -> None:
    """The pod is asked to stop once the step says that it is ready."""
    if text == "ready":
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_success() -> None:
    outcome = supervise(f"os.write(report, {REPORT.encode()!r}); print('done')")
    ended = outcome.ended
    assert (ended.report, ended.code, ended.signal) == (REPORT, 0, None)
    assert (ended.terminated, ended.expired) == (False, "")
    assert ended.peak > 1_000_000
    assert ended.cpu > 0
    assert outcome.lines == ["done"]


class SignallingMeter(Meter):
    """Tells by a file that it has looked.

    Args:
        looked: The file.
    """

    def __init__(self, looked: Path) -> None:
        super().__init__()
        self._looked = looked

    @property
    def works(self) -> bool:
        return True

    def begin(self) -> None:
        self.most = 1_000_000_000

    def look(self) -> None:
        self._looked.touch()
        self.most = 2_000_000_000

    def end(self) -> None:
        self.most += 1

    def cpu(self) -> float:
        return 77.0


def test_the_container_is_measured_while_the_step_runs_and_once_it_has_ended(tmp_path: Path) -> None:
    looked = tmp_path / "looked"
    program = f"while not os.path.exists({str(looked)!r}): time.sleep(0.01)"
    ended = supervise(program, meter=SignallingMeter(looked)).ended
    assert (ended.code, ended.peak, ended.cpu) == (0, 2_000_000_001, 77.0)


@pytest.mark.parametrize(
    ("program", "code", "number"),
    [
        ("sys.exit(3)", 3, None),
        ("os._exit(0)", 0, None),
        ("raise ValueError", 1, None),
        ("os.kill(os.getpid(), signal.SIGKILL)", None, 9),
        ("os.kill(os.getpid(), signal.SIGSEGV)", None, 11),
    ],
)
def test_an_end_without_a_report(program: str, code: int | None, number: int | None) -> None:
    ended = supervise(program).ended
    assert (ended.report, ended.code, ended.signal) == (None, code, number)


def test_a_torn_report_is_none() -> None:
    program = f"os.write(report, {REPORT.encode()[:-4]!r}); os.kill(os.getpid(), signal.SIGKILL)"
    assert supervise(program).ended.report is None


def test_both_streams_to_their_last_byte() -> None:
    outcome = supervise("print('one'); print('two', file=sys.stderr); print('three', end='')")
    assert sorted(outcome.lines) == ["one", "three", "two"]
    assert outcome.book.lines == {"stdout": 2, "stderr": 1}


def test_a_flood_of_lines_arrives_whole() -> None:
    outcome = supervise("for n in range(30_000): print(n, 'x' * 90)\nsys.stdout.flush(); os._exit(5)")
    assert outcome.ended.code == 5
    assert [line.partition(" ")[0] for line in outcome.lines] == [str(n) for n in range(30_000)]


def test_a_step_that_closes_its_streams_is_waited_for() -> None:
    program = "os.close(1); os.close(2); os.close(report); time.sleep(0.05); os._exit(4)"
    outcome = supervise(program)
    assert (outcome.ended.code, outcome.lines) == (4, [])


#: A minute in naps: a signal that comes on the very way into a sleep is handled after it.
DOZE = "for _ in range(1200):\n    time.sleep(0.05)\n"


def test_sigterm_is_passed_on_and_the_step_may_end_by_itself() -> None:
    program = (
        "signal.signal(signal.SIGTERM, lambda *_: (os.write(1, b'saved\\n'), sys.exit(0)))\n"
        f"print('ready', flush=True)\n{DOZE}"
    )
    outcome = supervise(program, on_line=stop_at_ready)
    assert (outcome.ended.code, outcome.ended.terminated, outcome.ended.expired) == (0, True, "")
    assert outcome.lines == ["ready", "saved"]


def test_a_step_without_a_handler_ends_at_sigterm() -> None:
    ended = supervise("print('ready', flush=True); time.sleep(60)", on_line=stop_at_ready).ended
    assert (ended.signal, ended.terminated, ended.expired) == (signal.SIGTERM, True, "")


def test_a_step_that_does_not_heed_sigterm_is_killed_before_the_pod_is() -> None:
    program = "signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
    ended = supervise(program, grace=3.1, on_line=stop_at_ready).ended
    assert (ended.signal, ended.terminated, ended.expired) == (signal.SIGKILL, True, "grace")


def test_a_step_that_finishes_in_its_grace_has_its_result() -> None:
    program = (
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True)\n"
        f"time.sleep(0.05); os.write(report, {REPORT.encode()!r})"
    )
    ended = supervise(program, on_line=stop_at_ready).ended
    assert (ended.report, ended.code, ended.terminated) == (REPORT, 0, True)


#: A helper that needs a moment to save what it has, and says when it may be told to.
HELPER = (
    "import os, signal, time\n"
    "signal.signal(signal.SIGTERM, lambda *_: (time.sleep(0.2), os.write(1, b'helper saved\\n'), os._exit(0)))\n"
    f"print('ready', flush=True)\n{DOZE}"
)


def test_what_a_step_without_a_handler_has_started_has_the_grace() -> None:
    """As with ``subprocess.run(["torchrun", …])``: the step's own Python ends at once."""
    program = f"import subprocess; subprocess.run([sys.executable, '-S', '-c', {HELPER!r}])"
    outcome = supervise(program, on_line=stop_at_ready)
    assert outcome.lines == ["ready", "helper saved"]
    assert (outcome.ended.signal, outcome.ended.expired) == (signal.SIGTERM, "")


def test_one_that_writes_elsewhere_is_waited_for_as_well(tmp_path: Path) -> None:
    told = tmp_path / "told"
    helper = HELPER.replace("os.write(1, b'helper saved\\n')", f"os.mkdir({str(told)!r})").replace(
        "print('ready', flush=True)", "os.write(1, b'ready\\n'); os.close(1); os.close(2)"
    )
    program = f"import subprocess; subprocess.run([sys.executable, '-S', '-c', {helper!r}])"
    assert supervise(program, on_line=stop_at_ready).lines == ["ready"]
    assert told.exists()


def test_a_step_that_handles_the_signal_is_told_alone() -> None:
    """Its workers inherited its handler; which of them are to hear of it is the step's to say."""
    program = (
        "me = os.getpid()\n"
        "def heard(*_):\n    os.write(1, b'early\\n' if os.getppid() == me else b'heard\\n')\n"
        "    time.sleep(0.2); os._exit(0)\n"
        "signal.signal(signal.SIGTERM, heard)\n"
        "if os.fork() == 0:\n    time.sleep(0.05); print('ready', flush=True)\n"
        f"{DOZE}"
    )
    outcome = supervise(program, on_line=stop_at_ready)
    # The worker hears of it once the step has ended.
    assert outcome.lines == ["ready", "heard", "heard"]
    assert outcome.ended.code == 0


def test_what_does_not_heed_the_signal_is_killed_when_the_grace_is_over() -> None:
    program = (
        "if os.fork() == 0:\n    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "    print(os.getpid(), 'ready', sep='\\n', flush=True); time.sleep(60)\n"
        "time.sleep(60)"
    )
    outcome = supervise(program, grace=3.2, on_line=stop_at_ready)
    assert (outcome.ended.signal, outcome.ended.expired) == (signal.SIGTERM, "")
    with pytest.raises(ProcessLookupError):
        wait_until_gone(int(outcome.lines[0]))


def test_a_second_sigterm_does_not_give_more_time() -> None:
    program = (
        "signal.signal(signal.SIGTERM, lambda *_: os.write(1, b'again\\n'))\n"
        "print('ready', flush=True)\nwhile True: time.sleep(60)"
    )

    def stop(text: str) -> None:
        if text in ("ready", "again"):
            os.kill(os.getpid(), signal.SIGTERM)

    ended = supervise(program, grace=3.1, on_line=stop).ended
    assert (ended.signal, ended.expired) == (signal.SIGKILL, "grace")


def test_the_time_limit_ends_what_does_not_end_itself() -> None:
    ended = supervise("os.write(report, b'+'); time.sleep(60)", limit=0.05).ended
    assert (ended.signal, ended.terminated, ended.expired) == (signal.SIGKILL, False, "timeout")


def test_only_the_step_s_own_time_counts() -> None:
    marks = "time.sleep(0.15); os.write(report, b'+'); os.write(report, b'-'); time.sleep(0.15)"
    program = f"{marks}; os.write(report, {REPORT.encode()!r})"
    ended = supervise(program, limit=0.1).ended
    assert (ended.report, ended.code, ended.expired) == (REPORT, 0, "")


def test_what_the_step_left_running_goes_with_it() -> None:
    program = "pid = os.fork()\nif pid == 0: time.sleep(60)\nprint(pid, flush=True); os._exit(0)"
    outcome = supervise(program)
    assert outcome.ended.code == 0
    with pytest.raises(ProcessLookupError):
        wait_until_gone(int(outcome.lines[0]))


def wait_until_gone(pid: int) -> None:
    """Raises ProcessLookupError once the process is gone or only waits to be reaped."""
    for _ in range(100_000):
        os.kill(pid, 0)
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            raise ProcessLookupError


def test_one_that_left_the_group_with_the_pipes_is_not_waited_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervisor, "_DRAIN", 0.05)
    program = (
        "if os.fork() == 0:\n    os.setsid(); time.sleep(0.5); os._exit(0)\n"
        "print('gone', flush=True); os._exit(6)"
    )
    outcome = supervise(program)
    assert (outcome.ended.code, outcome.lines) == (6, ["gone"])


def open_descriptors() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


def test_it_leaves_no_descriptor_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "_DRAIN", 0.05)
    before = open_descriptors()
    supervise("if os.fork() == 0:\n    os.setsid(); time.sleep(0.3)\nos._exit(0)")
    assert open_descriptors() == before
    assert signal.set_wakeup_fd(-1) == -1
