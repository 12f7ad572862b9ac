"""What the datastore says of one run; what is written once is read once.

While a run goes on its objects are asked for anew with each question; once its end is written
nothing changes any more, and nothing is read twice.
"""

import os
from functools import partial
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple, TypeVar

from headway.client.attempts import Attempts, Seen
from headway.client.stores import is_near, store_at
from headway.client.unread import Unread, read_of
from headway.errors import KeyNotFoundError, NotFoundError
from headway.flow.graph import Graph
from headway.store import layout
from headway.store.artifacts import ArtifactStore
from headway.store.base import ObjectStore
from headway.store.batch import Batch
from headway.store.parallel import run_parallel
from headway.store.records import SUCCEEDED, AttemptRef, Record
from headway.store.run_records import RunEnd, RunRecord
from headway.store.tags import Tags, change_tags, read_tags

#: Reads at a time.
THREADS = 16

#: The step that holds a run's parameters and constants.
PARAMETERS = "_parameters"

T = TypeVar("T")


class RunData:
    """One run, wherever its data is.

    Args:
        root: The datastore in which the record was found.
        found: The run's record, or one that points to another datastore.
    """

    def __init__(self, root: str, found: RunRecord) -> None:
        self.root = found.root or root
        self.flow = found.flow
        self.run = found.run
        #: Who, when, the tags it began with: also in a record that only points to another datastore.
        self.summary = found
        #: Of a run in a list: what is shared with the others in it.
        self.listed_with: Optional[Unread] = None
        self._index = root
        self._record: Optional[RunRecord] = None if found.root else found
        self._graph: Optional[Graph] = None
        self._tags: Optional[Tags] = None
        self._end: Optional[RunEnd] = None
        #: Of a run that has ended: its tasks by step, as far as they were listed.
        self._steps: Dict[str, Dict[str, Attempts]] = {}
        #: Whether these are all.
        self._complete = False
        self._records: Dict[AttemptRef, Record] = {}
        #: Keys of batches that were read, and what they say of each attempt.
        self._batches: Set[str] = set()
        self._planned: Dict[AttemptRef, Batch] = {}
        #: The texts of what foreachs went over, by its hash: read once for all tasks.
        self.items: Dict[str, Tuple[str, ...]] = {}

    def __getstate__(self) -> Dict[str, Any]:
        # Travels light: what was read along the way is read again where it is needed.
        return {"root": self._index, "found": self.summary, "end": self._end}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.__init__(state["root"], state["found"])  # type: ignore[misc]  # all else starts empty
        self._end = state["end"]

    @property
    def store(self) -> ObjectStore:
        """The datastore with the run's data."""
        return store_at(self.root)

    @property
    def artifacts(self) -> ArtifactStore:
        """The flow's artifacts there."""
        return ArtifactStore(self.store, self.flow)

    @property
    def record(self) -> RunRecord:
        """The run's own record.

        Raises:
            NotFoundError: The index still names the run, but its data is gone.
        """
        if self._record is None:
            try:
                data = self._read(layout.run_record)
            except KeyNotFoundError as error:
                raise NotFoundError(
                    f"Run {self._path} is no longer in {self.root}.",
                    f"{self._index} still lists it; its data was deleted there.",
                ) from error
            self._record = RunRecord.decode(data)
        return self._record

    @property
    def graph(self) -> Graph:
        """The flow's graph, as it was for this run."""
        if self._graph is None:
            self._graph = Graph.from_json(self.record.graph)
        return self._graph

    @property
    def tags(self) -> Tags:
        """The tags that people gave it, as they were when first asked for or last changed here."""
        if self._tags is None:
            unread, run = self.listed_with, self._path
            read = partial(read_of, run, self.root, self._read_tags)
            begun_with = frozenset(self.summary.tags)
            self._tags = read() if unread is None else unread.tags_of(run, self.root, read, begun_with)
        return self._tags

    def _read_tags(self) -> Tags:
        return read_tags(self.store, self.flow, self.run, self.summary.tags)

    def change_tags(self, change: Callable[[Tags], Tags]) -> None:
        """Change the tags that people gave it; ``change`` makes the new ones of those that are there.

        Raises:
            TaggingError: It may not have these.
        """
        _ = self.record  # no tags for a run whose data is gone
        self._tags = change_tags(self.store, self.flow, self.run, self.summary.tags, change)

    def end(self) -> Optional[RunEnd]:
        """How the run ended, None while it has not."""
        if self._end is None:
            try:
                self._end = RunEnd.decode(self._read(layout.run_end))
            except KeyNotFoundError:
                # Not ended, or not there any more: then this says so.
                _ = self.record
        return self._end

    @property
    def _path(self) -> str:
        return f"{self.flow}/{self.run}"

    def _read(self, key: Callable[[str, str], str]) -> bytes:
        """One of the run's own objects."""
        return read_of(self._path, self.root, lambda: self.store.get(key(self.flow, self.run)))

    @property
    def has_ended(self) -> bool:
        """Whether its end is written."""
        return self.end() is not None

    def steps(self) -> Dict[str, Dict[str, Attempts]]:
        """Every task that is known of, by step, from old to new."""
        if self._complete:
            return self._steps
        # Asked first: what is listed after the end is all there will ever be.
        end = self.end()
        if end is not None and self._told_by(end):
            return self._steps
        steps = self._listed("", end)
        if end is not None:
            self._steps, self._complete = steps, True
        return steps

    def tasks(self, step: str) -> Dict[str, Attempts]:
        """The tasks of a step that are known of, from old to new."""
        if self._complete or step in self._steps:
            return self._steps.get(step, {})
        end = self.end()
        if end is not None and self._told_by(end):
            return self._steps.get(step, {})
        tasks = self._listed(f"{step}/", end).get(step, {})
        if end is not None:
            self._steps[step] = tasks
        return tasks

    def attempts(self, step: str, task: str) -> Optional[Attempts]:
        """The attempts of a task, None where there is no such task."""
        if self._complete or step in self._steps:
            return self._steps.get(step, {}).get(task)
        end = self.end()
        if end is not None and self._told_by(end):
            return self._steps.get(step, {}).get(task)
        return self._listed(f"{step}/{task}/", end).get(step, {}).get(task)

    def record_of(self, ref: AttemptRef) -> Optional[Record]:
        """An attempt's record, None where it left none yet."""
        if ref not in self._records:
            try:
                data = self.store.get(layout.record(self.flow, self.run, *ref))
            except KeyNotFoundError:
                return None
            self._records[ref] = Record.decode(data)
        return self._records[ref]

    def records_of(self, refs: Iterable[AttemptRef]) -> List[Optional[Record]]:
        """Many records at once, several at a time where that is quicker."""
        return self.together([partial(self.record_of, ref) for ref in refs])

    def together(self, calls: Sequence[Callable[[], T]]) -> List[T]:
        """Make calls that read, several at a time where that is quicker."""
        return run_parallel(calls, 1 if is_near(self.store) else THREADS)

    def batch_of(self, ref: AttemptRef) -> Optional[Batch]:
        """What an attempt was to do, where that was written down; of a local one only where it stands."""
        if ref not in self._planned:
            self._read_batches(ref.step)
        return self._planned.get(ref)

    def _told_by(self, end: RunEnd) -> bool:
        """Whether the run's end names every task there is; then they are known, and nothing is listed.

        A run that succeeded had no other tasks than those that did: none but the ranks of a gang, which
        are tasks to a reader and not to the scheduler.
        """
        if end.outcome != SUCCEEDED or not end.winners or any(node.is_parallel for node in self.graph):
            return False
        seen = Seen()
        for name, number in {f"{PARAMETERS}/0": 0, **end.winners}.items():
            step, _, task = name.partition("/")
            for attempt in range(number + 1):
                seen.add(step, task, attempt, recorded=True)
        self._steps, self._complete = seen.steps(end), True
        return True

    def _listed(self, below: str, end: Optional[RunEnd]) -> Dict[str, Dict[str, Attempts]]:
        """The tasks whose key goes on so: all, one step's or one."""
        seen = Seen()
        folder = layout.tasks(self.flow, self.run)
        seen.add_keys((info.key for info in self.store.list(folder + below)), folder)
        if end is None:
            step, _, task = below.rstrip("/").partition("/")
            self._read_batches(step)
            for ref in (*self._planned, *self._here()):
                if step in ("", ref.step) and task in ("", ref.task):
                    seen.add(*ref)
        return seen.steps(end)

    def _here(self) -> List[AttemptRef]:
        """The attempt that this process is, if it is one of this run: a step may look at itself."""
        flow, _, rest = os.environ.get("HEADWAY_PATHSPEC", "").partition("/")
        run, _, rest = rest.partition("/")
        step, _, task = rest.partition("/")
        if (flow, run) != (self.flow, self.run):
            return []
        return [AttemptRef(step, task, int(os.environ.get("HEADWAY_ATTEMPT", "0")))]

    def _read_batches(self, step: str) -> None:
        """Read what was started since the last look, of one step or ("") of all."""
        folder = layout.run_folder(self.flow, self.run) + "batch/"
        listed = [info.key for info in self.store.list(folder + (f"{step}-" if step else ""))]
        fresh = [key for key in listed if key not in self._batches]
        for read in self.together([partial(self._read_batch, key) for key in fresh]):
            for batch in read:
                refs = [AttemptRef(batch.step, spec.task, spec.attempt) for spec in batch.tasks]
                self._planned.update(dict.fromkeys(refs, batch))
        self._batches.update(fresh)

    def _read_batch(self, key: str) -> List[Batch]:
        try:
            return [Batch.decode(self.store.get(key))]
        except KeyNotFoundError:  # cleaned up meanwhile
            return []
