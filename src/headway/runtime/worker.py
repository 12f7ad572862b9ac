"""A warm pod: takes orders from its inbox, runs their tasks one after the other, and leaves once it is idle."""

import os
import signal
import sys
import time
from typing import Dict, List, Optional, Tuple

from headway.errors import UsageError
from headway.runtime import usage
from headway.runtime.commit import STREAMS, note_end, record_of
from headway.runtime.committer import Committer
from headway.runtime.heart import NOTICE, Heart, notice_path, spot_watcher
from headway.runtime.logbook import Logbook, StampedLine
from headway.runtime.notes import Notes
from headway.runtime.supervisor import Supervisor
from headway.runtime.template import Pipes, Template
from headway.runtime.unpack import unpack_bundle, with_packages
from headway.runtime.usage import Meter
from headway.runtime.verdict import echo, failure_of, last_words, metadata_of, refusal_of, running_words
from headway.store import layout
from headway.store.base import ObjectStore
from headway.store.batch import Batch, TaskSpec
from headway.store.inbox import Inbox
from headway.store.records import NOT_BEGUN, AttemptRef

#: Exit codes: the worker left as agreed, or it was told to stop or had been given up.
DONE, REFUSED = 0, 75

#: Seconds between two looks into the inbox: often at first, as the next step is usually a moment away.
_FIRST_LOOK, _LONGEST_LOOK = 0.03, 1.0
#: Seconds after which an idle worker asks whether the run still goes on.
_ASK = 5.0


def work(store: ObjectStore, folder: str) -> int:
    """Run what the inbox in this folder says until its farewell.

    Returns:
        The pod's exit code.

    Raises:
        UsageError: There is no order: the launcher puts the first one there before the pod exists.
        StoreError: The datastore refused something.
    """
    index = os.environ.get("JOB_COMPLETION_INDEX", "0")
    inbox = Inbox(store, f"{folder}{index}/")
    letter = inbox.look()
    if letter is None or not letter.order:
        raise UsageError("This pod has no order in its inbox.")
    first = letter.order[0]
    refusal = refusal_of(store, first, first.tasks[0], time.time())
    if refusal:
        last_words("Refused", refusal, "")
        sys.stderr.write(refusal + "\n")
        return REFUSED
    own_name = f"{folder.rstrip('/').rpartition('/')[2]}-{index}"
    return Worker(store, inbox, first, own_name).run(letter.order)


class Worker:
    """The pod's work on one run.

    Args:
        store: The datastore.
        inbox: Where orders come from.
        first: A batch of the first of them: it says how the code is started, as all do that come here.
        own_name: What the launcher calls this pod.
    """

    def __init__(self, store: ObjectStore, inbox: Inbox, first: Batch, own_name: str) -> None:
        self._store = store
        self._inbox = inbox
        work_folder = os.environ.get("HEADWAY_WORK", "/headway/work")
        root = unpack_bundle(store, first, work_folder)
        code = with_packages(store, first, work_folder)
        os.chdir(root)
        os.environ["HEADWAY_IN_TASK"] = "1"
        os.environ[NOTICE] = notice_path()
        environ = {**first.env, "METAFLOW_RUN_ID": first.run, "METAFLOW_USER": first.user}
        # Before there are threads.
        self._template = Template.start(code._replace(root=root), environ, store.url)
        self._idle_limit = float(os.environ.get("HEADWAY_IDLE_TIMEOUT", "60"))
        #: Seconds after which it begins no other task, so that the pod's deadline finds none that has just begun.
        self._limit = float(os.environ.get("HEADWAY_POD_LIMIT", "inf"))
        self._born = time.monotonic()
        name = os.environ.get("HEADWAY_POD_NAME", "pod").replace(".", "-")
        self._notes = Notes(store, first.flow, first.run, name)
        self._committer = Committer(store, first, self._notes)
        self._meter = Meter()
        # The whole pod's: under its own name, so that it counts whatever task runs.
        self._heart = Heart(
            store,
            first._replace(step="_pod"),
            TaskSpec(own_name, 0),
            os.environ[NOTICE],
            spot_watcher(),
            self._meter,
        )
        self._heart.start()
        self._stopped = False
        #: Who watches over the task that runs.
        self._supervisor: Optional[Supervisor] = None
        signal.signal(signal.SIGTERM, self._told)

    def run(self, order: Tuple[Batch, ...]) -> int:
        """This order and those that come, until the farewell or until it is told to stop."""
        while order and not self._leaves():
            self._carry_out(order)
            running_words(None)
            order = () if self._leaves() else self._next(order[0])
        self._heart.stop()
        self._committer.drain()
        self._notes.close()
        self._template.close()
        if self._must_leave():
            return REFUSED
        if self._leaves():
            # What it has in hand yet is for another pod; what is on its way finds that it has left.
            self._inbox.leave()
            words = f"The pod had begun tasks for {self._limit:g} seconds, which is as long as it may."
            last_words(NOT_BEGUN, words, "")
        return DONE

    def _told(self, *_: object) -> None:
        """SIGTERM, whenever it comes: between a task's start and its supervisor's handler as well."""
        if self._supervisor is not None:
            self._supervisor.stop()
        else:
            self._stop()

    def _stop(self) -> None:
        self._stopped = True
        self._heart.told_to_stop()

    def _must_leave(self) -> bool:
        """Whether it was told to stop, given up by the launcher, or is unable to write."""
        return self._stopped or self._committer.given_up or self._committer.error is not None

    def _leaves(self) -> bool:
        """Whether nothing more is begun here: it must leave, or has run for so long that the next should be new."""
        return self._must_leave() or time.monotonic() - self._born >= self._limit

    def _carry_out(self, order: Tuple[Batch, ...]) -> None:
        refusal = refusal_of(self._store, order[0], order[0].tasks[0], time.time())
        if refusal:
            sys.stderr.write(refusal + "\n")
            self._stopped = True
            return
        for batch in order:
            self._run_batch(batch, last=batch is order[-1])

    def _run_batch(self, batch: Batch, *, last: bool) -> None:
        """Its tasks; ``last`` says whether the order ends with them."""
        content = os.memfd_create("headway-batch")
        os.write(content, batch.encode())
        try:
            for index, task in enumerate(batch.tasks):
                if self._leaves():
                    return
                self._run_task(batch, index, content, last=last and task is batch.tasks[-1])
        finally:
            os.close(content)

    def _run_task(self, batch: Batch, index: int, content: int, *, last: bool) -> None:
        task = batch.tasks[index]
        ref = AttemptRef(batch.step, task.task, task.attempt)
        running_words(ref)
        self._notes.began(ref)
        begun = time.time()
        book = Logbook(batch.log_limit)

        def show(lines: List[StampedLine]) -> None:
            for line in lines:
                echo(line)
            self._notes.lines(ref, lines)

        reads: Dict[str, int] = {}
        writes: Dict[str, int] = {}
        for name in Pipes._fields:
            reads[name], writes[name] = os.pipe()
        child = self._template.fork(content, index, Pipes(**writes))
        for fd in writes.values():
            os.close(fd)
        limit = None if batch.timeout is None else batch.timeout + batch.grace
        kills_before = usage.oom_kills()
        supervisor = Supervisor(child, reads, book, show, batch.grace, limit, self._stop, self._meter)
        self._supervisor = supervisor
        if self._stopped:
            supervisor.stop()
        ended = supervisor.run()
        signal.signal(signal.SIGTERM, self._told)
        self._supervisor = None
        failure = failure_of(batch, ended, usage.oom_kills() > kills_before, self._heart.taken)
        note_end(book, failure)
        facts = {**metadata_of(ended), **self._heart.facts}
        record = record_of(batch, task, ended.report, failure, facts, begun, time.time(), book.lines)
        logs = {stream: text for stream in STREAMS if (text := book.content(stream))}
        self._committer.add(record, logs, last=last)

    def _next(self, before: Batch) -> Tuple[Batch, ...]:
        """The next order, () once the worker has said farewell."""
        pause, since, asked = _FIRST_LOOK, time.monotonic(), time.monotonic()
        while not self._leaves():
            letter = self._inbox.look()
            if letter is not None:
                return letter.order
            now = time.monotonic()
            if now - since > self._idle_limit and self._inbox.leave():
                return ()
            if now - asked > _ASK:
                asked = now
                if self._store.size(layout.run_end(before.flow, before.run)) is not None:
                    return ()
            time.sleep(pause)
            pause = min(pause * 1.1, _LONGEST_LOOK)
        return ()
