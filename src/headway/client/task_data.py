"""What the datastore says of one task: which attempt counts, its record, its values, its log."""

from typing import Any, Dict, Iterable, List, Optional, Tuple

from headway.client.attempts import Attempts
from headway.client.logs import log_lines, scrub_log
from headway.client.run_data import RunData
from headway.client.siblings import Siblings
from headway.errors import HeadwayError
from headway.store.logs import LogLine
from headway.store.records import SUCCEEDED, ArtifactRef, AttemptRef, FrameTuple, Record


class TaskData:
    """One task of a run.

    Args:
        run: The run.
        step: The task's step.
        task: Its id.
        attempts: Its attempts, as just listed.
        pinned: The attempt to show, None for the one that counts.
        siblings: What it was listed together with.
        place: Its place among them.
    """

    def __init__(
        self,
        run: RunData,
        step: str,
        task: str,
        attempts: Attempts,
        pinned: Optional[int] = None,
        siblings: Optional[Siblings] = None,
        place: int = 0,
    ) -> None:
        self.run = run
        self.step = step
        self.task = task
        self.pinned = pinned
        self._attempts = attempts
        self._siblings = siblings
        self._place = place
        #: Whether the attempts were asked about since they were listed: then they may have changed.
        self._stale = False
        #: The record of the attempt that counts, once that can no longer be another one.
        self._settled: Optional[Record] = None
        self._values: Dict[str, Any] = {}
        self._logs: Dict[str, List[LogLine]] = {}

    @classmethod
    def find(cls, run: RunData, step: str, task: str, pinned: Optional[int] = None) -> "Optional[TaskData]":
        """The task, None where there is no such task."""
        attempts = run.attempts(step, task)
        return None if attempts is None else cls(run, step, task, attempts, pinned)

    def pin(self, attempt: int) -> "Optional[TaskData]":
        """The same task with another attempt shown, None where it has no such attempt."""
        if attempt not in self._attempts.numbers:
            return None
        return TaskData(self.run, self.step, self.task, self._attempts, attempt)

    def __getstate__(self) -> Dict[str, Any]:
        light: Dict[str, Any] = {"_siblings": None, "_place": 0, "_values": {}, "_logs": {}}
        return {**self.__dict__, **light}

    @property
    def pathspec(self) -> str:
        """``Flow/run/step/task``."""
        return f"{self.run.flow}/{self.run.run}/{self.step}/{self.task}"

    @property
    def attempts(self) -> Tuple[int, ...]:
        """Every attempt that was known of when they were last listed."""
        return self._attempts.numbers

    def ref(self) -> AttemptRef:
        """The attempt that is shown now."""
        record = self.record()
        return record.ref if record is not None else self._ref()

    def record(self) -> Optional[Record]:
        """The record of the attempt that is shown, None while it runs."""
        if self._settled is not None:
            return self._settled
        if self._stale:
            # A new attempt may have begun, and this one may have ended.
            self._attempts = self.run.attempts(self.step, self.task) or self._attempts
            self._siblings = None
        self._stale = True
        together = self._siblings
        record = together.record(self._place) if together is not None else self.run.record_of(self._ref())
        if record is not None and self._is_final(record):
            self._settled = record
        return record

    def all_records(self) -> List[Record]:
        """The records of all attempts from old to new; of the pinned one alone, where one is."""
        shown = self.record()
        if self.pinned is not None or self._attempts.numbers == (self._attempts.counting,):
            return [] if shown is None else [shown]
        refs = [AttemptRef(self.step, self.task, number) for number in self._attempts.recorded]
        return [record for record in self.run.records_of(refs) if record is not None]

    def artifact_refs(self) -> Dict[str, ArtifactRef]:
        """Where the values are, by name; none of an attempt that was killed outright."""
        record = self.record()
        return record.artifacts if record is not None else {}

    def value(self, name: str) -> Any:
        """The value of an artifact that is there; loaded once.

        Raises:
            ArtifactLoadError: It cannot be made here.
            StoreError: It is gone from the datastore, or damaged there.
        """
        if name not in self._values:
            try:
                self._values[name] = self._load(name)
            except HeadwayError as error:
                # The same error, so that its type and cause stay; now it also says whose value it is.
                error.message += f" (artifact of {self.pathspec})"
                raise
        return self._values[name]

    def log(self, stream: str) -> List[LogLine]:
        """The lines of one stream, as far as they are there."""
        if stream in self._logs:
            return self._logs[stream]
        lines = log_lines(self.run, self.ref(), stream)
        if self._settled is not None:
            self._logs[stream] = lines
        return lines

    def scrub_log(self, streams: Iterable[str], attempt: int) -> None:
        """Take the lines of an attempt out of the datastore."""
        scrub_log(self.run, AttemptRef(self.step, self.task, attempt), streams)
        self._logs.clear()

    def frames(self) -> Tuple[FrameTuple, ...]:
        """The fan-out it stands in; of an attempt that still runs, as far as that is written down."""
        record = self.record()
        if record is not None:
            return record.frames
        batch = self.run.batch_of(self._ref())
        if batch is None:
            return ()
        return next(batch.frames_of(spec) for spec in batch.tasks if spec.task == self.task)

    def inputs(self) -> Tuple[AttemptRef, ...]:
        """The attempts whose artifacts it reads; of one that still runs, as far as that is written down."""
        record = self.record()
        if record is not None:
            return record.inputs
        batch = self.run.batch_of(self._ref())
        return batch.inputs if batch is not None else ()

    def _ref(self) -> AttemptRef:
        number = self._attempts.counting if self.pinned is None else self.pinned
        return AttemptRef(self.step, self.task, number)

    def _is_final(self, record: Record) -> bool:
        """Whether no other attempt can come to count: none follows a success, or the end of the run."""
        return self.pinned is not None or record.outcome == SUCCEEDED or self.run.has_ended

    def _load(self, name: str) -> Any:
        if self._siblings is not None:
            return self._siblings.value(self._place, name)
        return self.run.artifacts.load(name, self.artifact_refs()[name])


def tasks_of(run: RunData, step: str, names: Optional[Iterable[str]] = None) -> List[TaskData]:
    """Tasks of a step, listed once and read ahead in this order.

    Args:
        run: Their run.
        step: Their step.
        names: Which, in which order; by default all of them, the newest first.
    """
    known = run.tasks(step)
    listed = list(reversed(known)) if names is None else [name for name in names if name in known]
    siblings = Siblings(run, [AttemptRef(step, name, known[name].counting) for name in listed])
    return [
        TaskData(run, step, name, known[name], siblings=siblings, place=place)
        for place, name in enumerate(listed)
    ]
