"""How a run comes to its end: as it was decided, broken off, or because somebody asks it to stop."""

import asyncio
import contextlib
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager

from headway.errors import HeadwayError, KeyExistsError, RunInterruptedError, StoreError
from headway.launch.driver import Driver
from headway.launch.lease import LeaseLostError
from headway.launch.reporter import Reporter
from headway.launch.standing import NotTakenOverError
from headway.schedule.instructions import INTERRUPTED, RunEnded
from headway.store import layout
from headway.store.base import ObjectStore
from headway.store.records import FAILED
from headway.store.run_records import RunEnd, RunRecord


@contextlib.asynccontextmanager
async def ended(store: ObjectStore, record: RunRecord) -> AsyncIterator[None]:
    """Whatever breaks the block off ends the run, unless that is another launcher, which drives it now."""
    try:
        yield
    except (LeaseLostError, NotTakenOverError):
        raise
    except BaseException as error:
        interrupted = isinstance(error, (RunInterruptedError, asyncio.CancelledError))
        message = error.message if isinstance(error, HeadwayError) else f"{type(error).__name__}: {error}"
        hint = (error.hint if isinstance(error, HeadwayError) else None) or ""
        ended = RunEnded(INTERRUPTED if interrupted else FAILED, message=message, hint=hint)
        await asyncio.to_thread(record_end, store, record, ended, {})
        raise


def record_end(
    store: ObjectStore,
    record: RunRecord,
    ended: RunEnded,
    winners: Mapping[str, int],
    note: Callable[[str], None] = lambda _: None,
) -> RunEnd:
    """Write down how a run ended; what is there already stays.

    Args:
        store: The run's datastore.
        record: The run.
        ended: How it ended.
        winners: The attempts that count, by task.
        note: Told where the datastore does not take it; that changes nothing of what happened.
    """
    end = RunEnd(ended.outcome, time.time(), ended.end_ref, ended.message, dict(winners), ended.hint)
    try:
        store.put_if_absent(layout.run_end(record.flow, record.run), end.encode())
    except StoreError as error:
        if not isinstance(error, KeyExistsError):  # then another launcher ended the run
            note(
                f"How the run ended could not be written to {store.url}: {error.message} To readers it seems to go "
                "on until attach has written that down."
            )
    return end


@contextmanager
def interruptible(driver: Driver, reporter: Reporter) -> Iterator[None]:
    """Ctrl-C, SIGTERM and SIGHUP ask the run to stop; a second one asks it to hurry.

    SIGHUP stays ignored where it is: under ``nohup`` a run outlives its terminal. SIGINT is heard all the same,
    which scripts ignore for what they start in the background: who sends it there means it. A program that calls
    its pipeline has its own handlers back afterwards; in a thread of it other than the main one none can be set.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()

    def stop(name: str) -> None:
        if driver.stop(f"interrupted by {name}"):
            reporter.note(
                "Stopping: running tasks are asked to end; what is done is kept. Ctrl-C again ends them at once."
            )
        else:
            reporter.note("Ending what still runs at once.")

    names = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM", signal.SIGHUP: "SIGHUP"}
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        del names[signal.SIGHUP]
    before = {number: signal.getsignal(number) for number in names}
    for number, name in names.items():
        loop.add_signal_handler(number, stop, name)
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            # None is one that was not set from Python.
            if handler is not None:
                signal.signal(number, handler)
