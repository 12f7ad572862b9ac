"""A run in plain lines: what tasks print on stdout, behind ``[step/task]``; how the run goes, likewise.

Data, and that is a task's own lines and what becomes of the task, goes to stdout; what Headway has to
say about the run itself goes to stderr.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from headway.executors.base import Output, Started, Waiting
from headway.runtime.commit import WORLD_SIZE
from headway.runtime.limits import duration
from headway.schedule.tasks import StepCounts
from headway.store.records import INFRASTRUCTURE, LOST, SUCCEEDED, AttemptRef, Failure, Record
from headway.store.run_records import RunEnd, RunRecord
from headway.ui.prompt import ask

#: Reasons why something stands still that a person is told again after so many seconds.
_REPEAT = 60.0
#: Of so many tasks of a step each one is told that was taken over.
_MOST_CLONES = 5


class Writer(Protocol):
    """Writes one line to a stream, and nothing else between its pieces."""

    def __call__(self, line: str, *, error: bool = False, style: str = "") -> None:
        """Write a line.

        Args:
            line: Without its end.
            error: To stderr.
            style: good, bad, dim or "".
        """
        ...


class PlainReporter:
    """Tells of a run line by line.

    Args:
        write: Writes lines.
        quiet: Only what tasks print, and why something failed.
        together: What tasks print to stderr goes to stdout as well, among what they print there.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        write: Writer,
        *,
        quiet: bool = False,
        together: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write = write
        self._quiet = quiet
        self._together = together
        self._clock = clock
        self._attempts: dict[AttemptRef, float] = {}
        #: Why something stands still: a word for it, the words, and when they were told.
        self._standing: dict[tuple[str, AttemptRef | None], tuple[str, str, float]] = {}
        self._hints: set[str] = set()
        self._waits: set[str] = set()
        self._run = ""
        self._begun = 0.0
        #: When the run started, by the clock on the wall, where another launcher drove it before.
        self._created: float | None = None

    def run_started(self, record: RunRecord, *, attached: bool = False) -> None:
        self._run, self._begun = record.run, self._clock()
        if attached:
            self._created = record.created
            self._say(f"Run {record.run} of {record.flow} goes on here.")
            return
        what = f"starts from what run {record.origin} has done" if record.origin else "starts"
        self._say(f"Run {record.run} of {record.flow} {what}, for user {record.user}.")

    def note(self, message: str) -> None:
        self._say(message)

    def agree(self, question: str) -> bool:
        return ask(question)

    def fan_out(self, step: str, splits: int) -> None:
        self._task_line(step, f"Foreach yields {splits} tasks.")

    def cloned(self, origin: str, records: Sequence[Record], of: int) -> None:
        for record in records[:_MOST_CLONES]:
            then = f"{origin}/{record.ref.step}/{record.metadata.get('origin-task-id', '')}"
            self._task_line(_name(record.ref), f"Taken over from {then}.", "dim")
        if len(records) > _MOST_CLONES or len(records) < of:
            step = records[0].ref.step
            self._task_line(step, f"{len(records)} of {of} tasks are taken over from run {origin}.", "dim")

    def attempt_started(self, event: Started) -> None:
        ref = event.ref
        self._attempts[ref] = self._clock()
        self._standing.pop((ref.step, ref), None)
        if "fallback" in event.facts:
            self._task_line(_name(ref), "Task fallback is starting to handle the failure.")
            return
        again = f" (attempt {ref.attempt + 1})" if ref.attempt else ""
        self._task_line(_name(ref), f"Task is starting{again}.")
        pod = event.facts.get("kubernetes-pod-name")
        if pod:
            self._task_line(_name(ref), f"Running on Kubernetes pod: {pod}")

    def output(self, event: Output) -> None:
        prefix = f"[{_name(event.ref)}] "
        for stream, _, text in event.lines:
            self._write(prefix + text, error=stream == "stderr" and not self._together)

    def waiting(self, event: Waiting) -> None:
        """Told when the reason changes, and again from time to time while it stands."""
        if self._quiet:
            return
        key = (event.step, event.ref)
        known, _, since = self._standing.get(key, ("", "", 0.0))
        if not event.reason:
            self._standing.pop(key, None)
            return
        if event.reason == known and self._clock() - since < _REPEAT:
            return
        self._standing[key] = (event.reason, event.message, self._clock())
        where = _name(event.ref) if event.ref else event.step
        message = event.message[:1].upper() + event.message[1:]
        if where:
            self._write(f"[{where}] Waiting: {event.message}", error=True, style="dim")
        else:
            self._write(f"Waiting: {message}", error=True, style="dim")
        if event.hint and event.hint not in self._waits:
            self._waits.add(event.hint)
            prefix = f"[{where}] " if where else ""
            self._write(f"{prefix}{event.hint} What waits for it then goes on by itself.", error=True)

    def attempt_ended(self, record: Record, retry_in: float | None) -> None:
        begun = self._attempts.pop(record.ref, None)
        self._standing.pop((record.ref.step, record.ref), None)
        if record.outcome == SUCCEEDED:
            self._task_line(_name(record.ref), "Task finished successfully.", "good")
            return
        failure = record.failure or Failure("user", "", "The task failed.")
        if failure.reason == "Cancelled":
            if begun is not None:
                self._task_line(_name(record.ref), "Task was stopped.", "dim")
            return
        name = _name(record.ref)
        # That nothing more was heard is worth a word of its own only where it is all there is to say.
        lost = record.outcome == LOST and failure.kind == INFRASTRUCTURE
        verb = "Task was lost" if lost else "Task failed"
        for line in f"{verb}: {failure.message}".splitlines():
            self._write(f"[{name}] {line}", error=True, style="bad")
        if failure.hint:
            self._hints.add(failure.hint)
            for line in failure.hint.splitlines():
                self._write(f"[{name}] {line}", error=True)
        if retry_in is not None:
            when = f"in {duration(retry_in)}" if retry_in else "now"
            ranks = record.metadata.get(WORLD_SIZE)
            again = f"The first of {ranks} ranks to fail; all are" if ranks else "It is"
            self._write(f"[{name}] {again} tried again {when} ({_class(failure)}).", error=True)

    def attempt_caught(self, record: Record) -> None:
        self.attempt_ended(record, None)
        self._write(f"[{_name(record.ref)}] @catch takes over: the run goes on.", error=True)

    def progress(self, counts: Mapping[str, StepCounts]) -> None:
        """Plain lines tell of tasks as they come; this says where all of them stand."""
        if self._quiet:
            return
        from headway.ui.summary import summary  # only long runs get here

        now = self._clock()
        longest: dict[str, float] = {}
        for ref, since in self._attempts.items():
            longest[ref.step] = max(longest.get(ref.step, 0.0), now - since)
        reasons: dict[str, list[str]] = {}
        for (step, _), (_, message, _) in self._standing.items():
            reasons.setdefault(step, []).append(message)
        for line in summary(counts, now - self._begun, longest, reasons):
            self._write(line, error=True, style="dim")

    def run_ended(self, end: RunEnd) -> None:
        if end.outcome == SUCCEEDED:
            took = _took(self._clock() - self._begun)
            if self._created is None:
                told = f"in {took}"
            else:
                told = f"{_took(end.ended - self._created)} after its start, {took} after it went on here"
            self._say(f"Run {self._run} succeeded {told}.", "good")
            return
        # The whole of a long reason stands at the task's own line.
        message = end.message.split("\n", 1)[0]
        # "interrupted by Ctrl-C" says the outcome itself.
        told = message if message.startswith(end.outcome) else f"{end.outcome}: {message}"
        self._write(f"Run {self._run} {told}", error=True, style="bad")
        if end.hint and end.hint not in self._hints:
            self._write(end.hint, error=True)

    def _task_line(self, name: str, message: str, style: str = "") -> None:
        if not self._quiet:
            self._write(f"[{name}] {message}", style=style)

    def _say(self, message: str, style: str = "") -> None:
        if not self._quiet:
            self._write(message, error=True, style=style)


def _took(seconds: float) -> str:
    return duration(round(max(0.0, seconds), 1))


def _name(ref: AttemptRef) -> str:
    return f"{ref.step}/{ref.task}"


def _class(failure: Failure) -> str:
    return {
        "user": "counted as one of the step's @retry times",
        "resources": "as its @retry says",
        "infrastructure": "not counted against @retry: the infrastructure failed, not the code",
        "configuration": "a configuration failure",
    }.get(failure.kind, failure.kind)
