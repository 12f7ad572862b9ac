"""What a pod runs: fetch, check, fork the step, supervise it, commit what came of it.

Started as ``python headway.pyz``: the archive's ``__main__`` calls :func:`main`. Everything a pod
needs to know stands in its environment (HEADWAY_DATASTORE, HEADWAY_BATCH, JOB_COMPLETION_INDEX)
and in the batch that HEADWAY_BATCH names in the datastore, or in the part of it that holds its index.
"""

import gc
import os
import signal
import sys
import time
from typing import Dict, List, NoReturn, Tuple

from headway.errors import HeadwayError, UsageError
from headway.runtime import child, usage
from headway.runtime.commit import commit, note_end, patiently, record_of, store_logs
from headway.runtime.entry import load_flow
from headway.runtime.heart import NOTICE, Heart, notice_path, spot_watcher
from headway.runtime.home import give_home
from headway.runtime.logbook import Logbook, StampedLine
from headway.runtime.shipper import LogShipper
from headway.runtime.supervisor import OwnChild, Supervisor
from headway.runtime.unpack import unpack_bundle, with_packages
from headway.runtime.usage import Meter
from headway.runtime.verdict import echo, failure_of, last_words, metadata_of, refusal_of
from headway.store.base import ObjectStore
from headway.store.batch import Batch, TaskSpec
from headway.store.layout import task_place
from headway.store.open import open_store

#: Exit codes of the pod: the attempt succeeded, it failed and its record says why, it must not start, it cannot start.
DONE, FAILED, REFUSED, BROKEN = 0, 1, 75, 78


def main() -> NoReturn:
    """Run this pod's attempt and exit; never returns, never shows a traceback of ours for a known trouble."""
    begun = time.time()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(REFUSED))
    try:
        code = _run(begun)
    except HeadwayError as error:
        last_words(type(error).__name__, error.message, error.hint or "")
        sys.stderr.write(f"{error}\n")
        code = BROKEN
    except OSError as error:
        words = f"The pod could not unpack or start its code: {error}"
        last_words("PodError", words, "Is its disk full (disk=…), or its work folder not writable?")
        sys.stderr.write(f"{words}\n")
        code = BROKEN
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _run(begun: float) -> int:
    give_home(os.environ)
    store = open_store(_told("HEADWAY_DATASTORE"))
    # What is loaded by now stays for good: no collection need look at it, nor write to pages that a fork shares.
    gc.freeze()
    gc.enable()
    inbox = os.environ.get("HEADWAY_INBOX")
    if inbox:
        from headway.runtime import worker  # for warm pods only

        return worker.work(store, inbox)
    key, place = task_place(_told("HEADWAY_BATCH"), int(os.environ.get("JOB_COMPLETION_INDEX", "0")))
    batch = Batch.decode(store.get(key))
    task = batch.tasks[place]
    refusal = refusal_of(store, batch, task, time.time())
    if refusal:
        last_words("Refused", refusal, "")
        sys.stderr.write(refusal + "\n")
        return REFUSED
    work = os.environ.get("HEADWAY_WORK", "/headway/work")
    root = unpack_bundle(store, batch, work)
    batch = batch._replace(code=with_packages(store, batch, work))
    os.chdir(root)
    os.environ["HEADWAY_IN_TASK"] = "1"
    os.environ[NOTICE] = notice_path()
    if batch.gang is not None:
        from headway.runtime.barrier import gather  # most pods stand alone

        batch = gather(store, batch, batch.gang, batch.tasks.index(task))
    pid, pipes = _fork(batch, task, root)
    return _supervise(store, batch, task, pid, pipes, begun)


def _told(variable: str) -> str:
    """What the launcher wrote into the pod's environment."""
    value = os.environ.get(variable)
    if not value:
        raise UsageError(
            f"{variable} is not set: this archive is what the pods of a run start, with what the launcher tells them.",
            "Run a flow instead: python flow.py run --with kubernetes",
        )
    return value


def _fork(batch: Batch, task: TaskSpec, root: str) -> Tuple[int, Dict[str, int]]:
    reads: Dict[str, int] = {}
    writes: Dict[str, int] = {}
    for name in ("stdout", "stderr", "report"):
        reads[name], writes[name] = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    # A SIGTERM that comes after the fork and before the handlers of either side would be lost: it waits.
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM,))
    pid = os.fork()
    if pid == 0:
        for fd in reads.values():
            os.close(fd)
        child.become_child(writes["stdout"], writes["stderr"])
        url = os.environ["HEADWAY_DATASTORE"]
        child.run(lambda: load_flow(batch.code, root), batch, task, lambda: open_store(url), writes["report"])
    for fd in writes.values():
        os.close(fd)
    return pid, reads


def _supervise(
    store: ObjectStore, batch: Batch, task: TaskSpec, pid: int, pipes: Dict[str, int], begun: float
) -> int:
    book = Logbook(batch.log_limit)
    shipper = LogShipper(store, batch, task)

    def show(lines: List[StampedLine]) -> None:
        for line in lines:
            echo(line)
        shipper.add(lines)

    limit = None if batch.timeout is None else batch.timeout + batch.grace
    kills_before = usage.oom_kills()
    meter = Meter()
    heart = Heart(store, batch, task, os.environ[NOTICE], spot_watcher(), meter)
    heart.start()
    child = OwnChild(pid)
    ended = Supervisor(child, pipes, book, show, batch.grace, limit, heart.told_to_stop, meter).run()
    heart.stop()
    out_of_memory = usage.oom_kills() > kills_before
    failure = failure_of(batch, ended, out_of_memory, heart.taken)
    shipper.close()
    note_end(book, failure)
    patiently(lambda: store_logs(store, batch, task, book))
    facts = {**metadata_of(ended), **heart.facts}
    record = record_of(batch, task, ended.report, failure, facts, begun, time.time(), book.lines)
    truth = patiently(lambda: commit(store, batch.flow, batch.run, record))
    shipper.end()
    if truth.outcome != record.outcome:
        sys.stderr.write(
            "The launcher had given this attempt up before it ended; its result does not count.\n"
        )
        return REFUSED
    if failure is None:
        return DONE
    # For `kubectl logs` alone: a run tells it by itself.
    sys.stderr.write(f"Task failed: {failure.message}\n")
    return FAILED
