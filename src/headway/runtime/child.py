"""The process that runs one attempt: forked from a parent that waits for it, or started afresh."""

import atexit
import os
import signal
import sys
from typing import Any, Callable, Dict, Mapping, NoReturn

from headway.runtime import channel
from headway.runtime.attempt import failed_report, run_attempt
from headway.runtime.reseed import reseed
from headway.store.base import ObjectStore
from headway.store.batch import Batch, TaskSpec

#: What a parent that waits for children sets for itself, and a fresh Python process has.
SIGNALS: Dict[int, Any] = {
    signal.SIGTERM: signal.SIG_DFL,
    signal.SIGINT: signal.default_int_handler,
    signal.SIGHUP: signal.SIG_DFL,
    signal.SIGCHLD: signal.SIG_DFL,
}


def become_child(stdout: int, stderr: int, signals: Mapping[int, Any] = SIGNALS) -> None:
    """Make a just forked process the step's own: its streams, its process group, its signal handlers."""
    signal.set_wakeup_fd(-1)
    for number, handler in signals.items():
        signal.signal(number, handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM,))
    os.setpgid(0, 0)
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    for fd in {stdout, stderr} - {1, 2}:
        os.close(fd)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    open_streams()


def open_streams() -> None:
    """Text streams on descriptors 1 and 2 that give every line away at once, in UTF-8 whatever the locale."""
    for name, fd in (("stdout", 1), ("stderr", 2)):
        stream = open(fd, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115 - stays open for good
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def set_environment(batch: Batch, task: TaskSpec) -> None:
    """The variables that the step's code and what it starts can read."""
    os.environ.update(batch.env)
    # What the step starts (python train.py) gives its lines away at once, as the step does and as in pods.
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    pathspec = f"{batch.flow}/{batch.run}/{batch.step}/{task.task}"
    os.environ.update(
        MF_PATHSPEC=pathspec,
        MF_ATTEMPT=str(task.attempt),
        METAFLOW_RUN_ID=batch.run,
        METAFLOW_USER=batch.user,
        HEADWAY_PATHSPEC=pathspec,
        HEADWAY_ATTEMPT=str(task.attempt),
    )
    if batch.gang is not None:
        from headway.runtime.gang import environment  # most tasks are no gang's

        os.environ.update(environment(batch, task, batch.gang))


def run(
    load: Callable[[], Any],
    batch: Batch,
    task: TaskSpec,
    open_store: Callable[[], ObjectStore],
    report_fd: int,
) -> NoReturn:
    """Run the attempt, report, and leave without running the parent's exit handlers twice.

    Args:
        load: Gives the flow class; it may import the person's code, so it may fail like the step itself.
        batch: The batch.
        task: Which of its tasks.
        open_store: Opens the datastore; called here so that no connection crosses the fork.
        report_fd: Where the report goes.
    """
    set_environment(batch, task)
    reseed()
    code, attempt = 1, os.getpid()

    def mark(which: bytes) -> None:
        if os.getpid() == attempt:
            channel.mark(report_fd, which)

    try:
        report = run_attempt_of(load, batch, task, open_store, mark)
        # A process that the step forked and let come back here ends like any other, and has nothing to report.
        if os.getpid() == attempt:
            channel.send(report_fd, report)
        if report.failure is None:
            code = 0
        elif report.exited is not None:
            code = report.exited
    finally:
        _leave(code)


def run_attempt_of(
    load: Callable[[], Any],
    batch: Batch,
    task: TaskSpec,
    open_store: Callable[[], ObjectStore],
    mark: Callable[[bytes], None],
) -> channel.Report:
    """The attempt, importing the flow's code first; a failing import is the attempt's failure."""
    try:
        flow_class = load()
        store = open_store()
    except BaseException as error:
        return failed_report(batch, error)
    return run_attempt(flow_class, batch, task, store, mark)


def _leave(code: int) -> NoReturn:
    """Exit as an ordinary Python process would, as far as the step can notice.

    Handlers that the step registered with atexit run, and its threads are waited for,
    but nothing that the parent had set up is run a second time.
    """
    try:
        shutdown: Any = getattr(sys.modules.get("threading"), "_shutdown", None)
        if shutdown:
            shutdown()
        run_exitfuncs: Any = getattr(atexit, "_run_exitfuncs", None)
        if run_exitfuncs:
            run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except BaseException:
        code = code or 1
    finally:
        os._exit(code & 0xFF)
