"""What every test shares: which servers there are, and what a unit test must not do or leave behind."""

import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter

# Under nohup and behind an &, we and what the tests start would be deaf to what some of it is to hear.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

UNIT = Path(__file__).parent / "unit"
#: Tests of whole machines: processes, servers, clusters. Each has a second go, but few of them in one session;
#: docs/decisions/2026-11-22-second-go.md says why.
MACHINES = (Path(__file__).parent / "integration", Path(__file__).parent / "e2e")
MOST_SECOND_GOES = 3
#: CPU seconds of a unit test, those of the processes it waited for included.
BUDGET = 2.0
#: A busy machine spends up to so many times the CPU on the same work.
SLACK = 2.0
#: Wall time is capped loosely: it is there to find a sleep, not a busy machine.
PATIENCE = 20.0
#: A unit test that still runs after this many seconds hangs, and is stopped where it stands.
LAST_CALL = 60.0
#: And any other test after these: a hang should fail the gate, not use up its time.
LAST_CALL_ELSEWHERE = 900.0

#: Where the cache of pytest has the tests that passed.
PASSED = "headway/passed"

SERVERS = {
    "cluster": (("HEADWAY_TEST_CLUSTER",), "no Kubernetes cluster for tests"),
    "s3": (("AWS_ENDPOINT_URL_S3", "HEADWAY_TEST_BUCKET"), "no S3 server for tests"),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--no-skips", action="store_true", help="a skipped test, or no test at all, is a failure"
    )
    parser.addoption(
        "--not-again", action="store_true", help="leave out what passed in the session before this one"
    )
    parser.addoption(
        "--update-golden", action="store_true", help="write golden files and generated tables anew"
    )
    parser.addoption(
        "--matrix", action="store_true", help="run every case of the matrix of shapes and features"
    )
    parser.addoption(
        "--show-flow", action="store_true", help="print the flow of each case of the matrix (with -s or -rP)"
    )
    parser.addoption(
        "--target",
        action="append",
        choices=("embedded", "real"),
        help="run the end-to-end tests on this cluster (default: on both)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Flows look for their datastore upwards: tests run where none stands above them, as one may in /tmp."""
    if config.option.basetemp is not None or "PYTEST_DEBUG_TEMPROOT" in os.environ:
        return
    usual, *others = (Path(place) for place in (tempfile.gettempdir(), "/var/tmp", "/dev/shm"))
    if found := _datastore_above(usual):
        place = next(
            (each for each in others if os.access(each, os.W_OK) and not _datastore_above(each)), None
        )
        if place is None:
            raise pytest.UsageError(
                f"{found} would be found by tests: take it away, or name a folder with --basetemp"
            )
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(place)


def _datastore_above(place: Path) -> Path | None:
    stores = (folder / name for folder in (place, *place.parents) for name in (".headway", ".metaflow"))
    return next((store for store in stores if store.exists()), None)


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--not-again"):
        again = passed_before(config)
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid in again])
        items[:] = [item for item in items if item.nodeid not in again]
    for item in items:
        if any(item.path.is_relative_to(folder) for folder in MACHINES):
            item.add_marker(pytest.mark.flaky(reruns=1, reruns_delay=2))
    for marker, (variables, reason) in SERVERS.items():
        missing = [name for name in variables if not os.environ.get(name)]
        if not missing:
            continue
        skip = pytest.mark.skip(reason=f"{reason} (not set: {', '.join(missing)})")
        for item in items:
            if item.get_closest_marker(marker):
                item.add_marker(skip)


def passed_before(config: pytest.Config) -> set[str]:
    """The tests that passed in the last session with the same cache folder."""
    return set(config.cache.get(PASSED, [])) if config.cache else set()


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    again = terminalreporter.stats.get("rerun", [])
    if not again:
        return
    terminalreporter.section("failed at the first go, and were run again")
    for report in again:
        terminalreporter.write_line(report.nodeid)
        terminalreporter.write_line(report.longreprtext)
    if len(again) > MOST_SECOND_GOES:
        terminalreporter.write_line(
            f"More than {MOST_SECOND_GOES} tests needed a second go: that fails the session."
        )


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    assert reporter is not None
    if session.config.cache and not session.config.getoption("collectonly"):
        passed = {report.nodeid for report in reporter.stats.get("passed", [])}
        if session.config.getoption("--not-again"):
            passed |= passed_before(session.config)
        session.config.cache.set(PASSED, sorted(passed))
    if not exitstatus and len(reporter.stats.get("rerun", [])) > MOST_SECOND_GOES:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    if not session.config.getoption("--no-skips") or exitstatus:
        return
    if reporter.stats.get("skipped") or not reporter.stats.get("passed"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(autouse=True)
def _unit_rules(request: pytest.FixtureRequest) -> Iterator[None]:
    """A unit test stays in its budget and leaves no thread and no process behind."""
    if not request.path.is_relative_to(UNIT):
        with last_call(LAST_CALL_ELSEWHERE):
            yield
        return
    marker = request.node.get_closest_marker("budget")
    budget = marker.args[0] if marker else BUDGET
    threads, children = set(threading.enumerate()), child_processes()
    cpu, started = cpu_seconds(), time.monotonic()
    with last_call(LAST_CALL * budget / BUDGET):
        yield
    used, took = cpu_seconds() - cpu, time.monotonic() - started
    left = [*leaked_threads(threads), *(f"process {pid}" for pid in sorted(child_processes() - children))]
    assert not left, f"left behind: {', '.join(left)}"
    assert used <= budget * SLACK, f"took {used:.1f} s of CPU; a unit test has {budget:g} s"
    assert took <= PATIENCE * budget / BUDGET, f"took {took:.1f} s; does it sleep?"


@contextmanager
def last_call(seconds: float) -> Iterator[None]:
    """Fail what hangs inside, wherever the main thread waits."""

    def stop(*_: object) -> None:
        pytest.fail(f"still running after {seconds:g} s: it hangs")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def leaked_threads(before: set[threading.Thread]) -> list[str]:
    leaked = []
    for thread in set(threading.enumerate()) - before:
        thread.join(1.0)  # one that is just ending is no leak
        if thread.is_alive():
            leaked.append(f"thread {thread.name}")
    return leaked


def cpu_seconds() -> float:
    return sum(os.times()[:4])


def child_processes() -> set[int]:
    """The running children of this process, where the system can tell (Linux)."""
    found: set[int] = set()
    for listing in Path("/proc/self/task").glob("*/children"):
        try:
            found.update(map(int, listing.read_text().split()))
        except OSError:  # a thread that ended meanwhile
            continue
    return {pid for pid in found if not _finished_or_helper(pid)}


def _finished_or_helper(pid: int) -> bool:
    """Whether it only waits to be reaped, or is multiprocessing's tracker, which lives as long as we do."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state == "Z" or b"resource_tracker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return True
