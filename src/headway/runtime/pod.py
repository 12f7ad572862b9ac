"""What a pod runs: fetch, check, fork the step, supervise it, commit what came of it.

Started as ``python headway.pyz``: the archive's ``__main__`` calls :func:`main`. Everything a pod
needs to know stands in its environment (HEADWAY_DATASTORE, HEADWAY_BATCH, JOB_COMPLETION_INDEX)
and in the batch that HEADWAY_BATCH names in the datastore.
"""

import json
import os
import signal
import sys
import time
from typing import Dict, List, NoReturn, Optional, Tuple

from headway.errors import HeadwayError, KeyNotFoundError, UsageError
from headway.runtime import child, usage
from headway.runtime.attempt import unreported
from headway.runtime.commit import commit, record_of, store_logs
from headway.runtime.entry import load_flow
from headway.runtime.logbook import Logbook, StampedLine
from headway.runtime.shipper import LogShipper
from headway.runtime.supervisor import Ended, Supervisor
from headway.runtime.unpack import unpack_bundle
from headway.store import layout
from headway.store.base import ObjectStore
from headway.store.open import open_store
from headway.store.records import INFRASTRUCTURE, RESOURCES, USER, Batch, Failure, TaskSpec

#: Exit codes of the pod: the attempt succeeded, it failed and its record says why, it must not start, it cannot start.
DONE, FAILED, REFUSED, BROKEN = 0, 1, 75, 78

#: Where Kubernetes reads the last words of a container.
_LAST_WORDS = "/dev/termination-log"

_METADATA = {
    "kubernetes-pod-name": "HEADWAY_POD_NAME",
    "kubernetes-pod-namespace": "HEADWAY_POD_NAMESPACE",
    "kubernetes-pod-id": "HEADWAY_POD_UID",
    "kubernetes-pod-service-account-name": "HEADWAY_SERVICE_ACCOUNT",
    "kubernetes-node-name": "HEADWAY_NODE_NAME",
    "kubernetes-node-ip": "HEADWAY_NODE_IP",
}


def main() -> NoReturn:
    """Run this pod's attempt and exit; never returns, never shows a traceback of ours for a known trouble."""
    begun = time.time()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(REFUSED))
    try:
        code = _run(begun)
    except HeadwayError as error:
        _last_words(type(error).__name__, error.message, error.hint or "")
        sys.stderr.write(f"{error}\n")
        code = BROKEN
    except OSError as error:
        words = f"The pod could not unpack or start its code: {error}"
        _last_words("PodError", words, "Is its disk full (disk=…), or its work folder not writable?")
        sys.stderr.write(f"{words}\n")
        code = BROKEN
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _run(begun: float) -> int:
    store = open_store(_told("HEADWAY_DATASTORE"))
    batch = Batch.decode(store.get(_told("HEADWAY_BATCH")))
    task = batch.tasks[int(os.environ.get("JOB_COMPLETION_INDEX", "0"))]
    refusal = _refusal(store, batch, task, time.time())
    if refusal:
        _last_words("Refused", refusal, "")
        sys.stderr.write(refusal + "\n")
        return REFUSED
    work = os.environ.get("HEADWAY_WORK", "/headway/work")
    root = unpack_bundle(store, batch, work)
    os.chdir(root)
    os.environ["HEADWAY_IN_TASK"] = "1"
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


def _refusal(store: ObjectStore, batch: Batch, task: TaskSpec, now: float) -> str:
    """Why this attempt must not start, "" where it may: it is over already, or nobody waits for it any more."""
    if store.size(layout.record(batch.flow, batch.run, batch.step, task.task, task.attempt)) is not None:
        return "This attempt has a result already; nothing is run twice."
    if store.size(layout.run_end(batch.flow, batch.run)) is not None:
        return "The run has ended; this attempt is no longer wanted."
    try:
        lease = json.loads(store.get(layout.lease(batch.flow, batch.run)))
    except (KeyNotFoundError, ValueError):
        return ""
    orphaned = now - float(lease.get("expires", now))
    if orphaned > batch.orphan_limit:
        return f"No launcher has held this run for {orphaned / 60:.0f} minutes; this attempt is no longer wanted."
    return ""


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
            _echo(line)
        shipper.add(lines)

    limit = None if batch.timeout is None else batch.timeout + batch.grace
    kills_before = usage.oom_kills()
    ended = Supervisor(pid, pipes, book, show, batch.grace, limit).run()
    out_of_memory = usage.oom_kills() > kills_before
    failure = _failure(batch, ended, out_of_memory)
    shipper.close()
    store_logs(store, batch, task, book)
    record = record_of(batch, task, ended.report, failure, _metadata(ended), begun, time.time(), book.lines)
    truth = commit(store, batch.flow, batch.run, record)
    shipper.end()
    if truth.outcome != record.outcome:
        sys.stderr.write(
            "The launcher had given this attempt up before it ended; its result does not count.\n"
        )
        return REFUSED
    return DONE if failure is None else FAILED


def _echo(line: StampedLine) -> None:
    """Show a line in the container's own log, for `kubectl logs`; the datastore's log does not depend on it."""
    try:
        os.write(2 if line.stream == "stderr" else 1, line.text + b"\n")
    except OSError:
        return


def _failure(batch: Batch, ended: Ended, out_of_memory: bool) -> Optional[Failure]:
    """Why the attempt failed, from what the process said and how it ended."""
    said = ended.report.failure if ended.report else None
    if ended.report is not None and said is None:
        return None
    if ended.expired == "timeout":
        return Failure(
            USER,
            "Timeout",
            f"Step {batch.step} was killed: it went on for {batch.grace:g} seconds after its @timeout.",
            "Something in the step catches every exception or blocks in native code.",
        )
    if out_of_memory and (said is None or said.reason != "Timeout"):
        return _out_of_memory(batch, ended, said)
    if ended.terminated:
        return _terminated(batch, ended, said)
    return said or unreported(batch.step, ended.code, ended.signal)


def _out_of_memory(batch: Batch, ended: Ended, said: Optional[Failure]) -> Failure:
    limit = os.environ.get("HEADWAY_MEMORY_LIMIT", "")
    allowed = f" of {int(limit) // 1_000_000} MB" if limit.isdigit() else ""
    peak = usage.peak_memory() or ended.peak
    return Failure(
        RESOURCES,
        "OutOfMemory",
        f"Step {batch.step} ran out of memory: the kernel killed it at the container's limit{allowed} "
        f"(it had held up to {peak // 1_000_000} MB).",
        "Ask for more with @kubernetes(memory=…) or @resources(memory=…), or hold less at a time.",
        said.traceback if said else "",
        said.type if said else "",
    )


def _terminated(batch: Batch, ended: Ended, said: Optional[Failure]) -> Failure:
    if ended.expired == "grace":
        how = f"was killed when its grace of {batch.grace:g} seconds was over"
    elif ended.signal is not None:
        how = "ended at that signal"
    else:
        how = f"then exited with code {ended.code}"
    return Failure(
        INFRASTRUCTURE,
        "Terminated",
        f"The pod was asked to stop (SIGTERM) while step {batch.step} ran; the step {how}.",
        "",
        said.traceback if said else "",
        said.type if said else "",
    )


def _metadata(ended: Ended) -> Dict[str, str]:
    facts = {name: os.environ[variable] for name, variable in _METADATA.items() if os.environ.get(variable)}
    facts["python-version"] = "{}.{}.{}".format(*sys.version_info[:3])
    facts["peak-memory"] = str(ended.peak)
    facts["cpu-seconds"] = f"{ended.cpu:.3f}"
    return facts


def _last_words(reason: str, message: str, hint: str) -> None:
    """What the launcher reads from the container's state where there is no record."""
    # Kubernetes keeps 4,096 bytes, and what is cut is no JSON any more; a character takes up to four.
    said = {"headway": 1, "reason": reason, "message": message[:600], "hint": hint[:350]}
    words = json.dumps(said, ensure_ascii=False).encode("utf-8", "replace")
    try:
        with open(os.environ.get("HEADWAY_TERMINATION_LOG", _LAST_WORDS), "wb") as file:
            file.write(words)
    except OSError:
        return
