"""Runs that are stopped, killed, cut off from their terminal, or driven beside another."""

import os
import pty
import re
import signal
import subprocess
import threading

import pytest
from flow_machine import Machine


def until(process: "subprocess.Popen[str]", text: str) -> None:
    """Read its lines up to one that holds this."""
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return
    raise AssertionError(f"it never said {text!r}")


def stderr_until(process: "subprocess.Popen[str]", text: str) -> str:
    """What it says on stderr up to a line that holds this; read without a buffer that would keep what follows."""
    assert process.stderr is not None
    told = b""
    while text.encode() not in told or not told.endswith(b"\n"):
        data = os.read(process.stderr.fileno(), 1)
        assert data, f"it never said {text!r}: {told.decode()}"
        told += data
    return told.decode()


WAITS = 'print("ready", flush=True); time.sleep(600)'
DEAF = 'signal.signal(signal.SIGTERM, signal.SIG_IGN); print("ready", flush=True); time.sleep(600)'


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_one_signal_stops_cleanly(machine: Machine, number: int) -> None:
    machine.write(body=WAITS)
    process = machine.begin("flow.py", "run")
    until(process, "ready")
    process.send_signal(number)
    out, err = process.communicate(timeout=150)
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
    # Two that come before the first was looked at would be one.
    told = stderr_until(process, "Stopping: ")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=150)
    assert process.returncode == 130
    assert "Ending what still runs at once." in told + err


def test_ctrl_c_while_the_flow_is_imported_is_quick(machine: Machine) -> None:
    head = "if os.environ.get('HEADWAY_IN_TASK'): time.sleep(600)"
    machine.write(head=head)
    process = machine.begin("flow.py", "run")
    stderr_until(process, "starts, for user")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=150)
    assert process.returncode == 130


def test_nothing_lives_on_after_the_launcher_was_killed(machine: Machine) -> None:
    machine.write(body=DEAF)
    process = machine.begin("flow.py", "run")
    until(process, "ready")
    process.kill()
    process.communicate(timeout=150)
    assert machine.all_gone()


def test_a_pipe_that_nobody_reads_does_not_end_the_run(machine: Machine) -> None:
    machine.write(body="time.sleep(0.2)")
    process = machine.begin("flow.py", "run")
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    process.stdout = None
    process.communicate(timeout=150)
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
    assert ready.wait(150)
    reader.join()
    os.close(ours)
    process.send_signal(signal.SIGHUP)
    process.wait(150)
    assert process.returncode == 130
    assert machine.end().outcome == "interrupted"


def test_two_launchers_do_not_disturb_each_other(machine: Machine) -> None:
    machine.write(body="time.sleep(0.1)")
    both = [machine.begin("flow.py", "run", "--alpha", str(number)) for number in (1, 10)]
    outputs = [process.communicate(timeout=150) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert len(machine.runs) == 2
    totals = [re.findall(r"total (\S+)", out) for out, _ in outputs]
    assert totals == [["6.0"], ["60.0"]]
