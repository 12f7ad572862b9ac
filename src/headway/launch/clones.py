"""What an earlier run has done already is not done again: its records are taken over into the run that resumes it.

A task is known by its place: the step, the attempts that led to it, its index among its siblings. Where
all that led to it was taken over, and the earlier run has a result for that place, the result is taken
over too. So whatever follows from something that is run anew is run anew, in every shape of graph.
"""

import time
from collections.abc import Callable, Container, Iterable, Sequence
from functools import partial
from itertools import islice

from msgspec.structs import replace

from headway.flow.graph import CALL, FOREACH, PARALLEL, Graph, Node
from headway.launch.call_arguments import CallArguments
from headway.launch.past import PastRun, Place
from headway.runtime.commit import ORIGIN_ATTEMPT, ORIGIN_RUN, ORIGIN_TASK, commit, origin_facts
from headway.runtime.state import PARAMETERS
from headway.schedule.instructions import StartBatch
from headway.schedule.transitions import at_index
from headway.store import layout
from headway.store.artifacts import ArtifactStore
from headway.store.base import ObjectStore
from headway.store.batch import TaskSpec
from headway.store.parallel import run_parallel
from headway.store.records import ArtifactRef, AttemptRef, Record, Transition

_WRITERS = 16


class Clones:
    """Takes tasks of an earlier run over into a new one; blocking calls, one at a time.

    Args:
        past: The earlier run.
        store: The new run's datastore.
        run: Its id.
        graph: Its graph, which may have changed since.
        again: Steps to run again whatever the earlier run has of them.
        max_splits: A foreach that yields more tasks than this is run again, to be told so.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        past: PastRun,
        store: ObjectStore,
        run: str,
        graph: Graph,
        again: Container[str] = (),
        max_splits: int | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._past = past
        self._store = store
        self._run = run
        self._graph = graph
        self._again = again
        self._max_splits = max_splits
        self._clock = clock
        self._known = past.succeeded()
        self._then = past.graph
        #: New attempt to the one that it was taken over from.
        self._origins: dict[AttemptRef, AttemptRef] = {PARAMETERS: PARAMETERS}
        self._recalled: dict[AttemptRef, Record] = {}
        self._copy = BlobCopier(past, store)
        self._arguments = CallArguments(past, store, run)

    @property
    def origin(self) -> str:
        """The id of the earlier run."""
        return self._past.run

    def recall(self, records: Iterable[Record]) -> None:
        """Take note of what an earlier launcher of the new run has taken over."""
        for record in records:
            facts = record.metadata
            if facts.get(ORIGIN_RUN) == self._past.run and ORIGIN_TASK in facts:
                attempt = int(facts.get(ORIGIN_ATTEMPT, "0"))
                self._origins[record.ref] = AttemptRef(record.ref.step, facts[ORIGIN_TASK], attempt)
                self._recalled[record.ref] = record

    def recalled(self, refs: Iterable[AttemptRef]) -> list[Record]:
        """The records of those of these attempts that an earlier launcher has taken over."""
        return [self._recalled[ref] for ref in refs if ref in self._recalled]

    def left(self, start: StartBatch) -> StartBatch:
        """A batch without the tasks that were taken over."""
        taken = self._origins.keys()
        rest = tuple(
            task for task in start.tasks if AttemptRef(start.step, task.task, task.attempt) not in taken
        )
        return start if len(rest) == len(start.tasks) else replace(start, tasks=rest)

    def take(self, starts: Sequence[StartBatch]) -> list[list[Record]]:
        """Take over what the earlier run has of batches that start together: many small ones cost as one large one.

        Returns:
            For each batch the records of the tasks taken over.

        Raises:
            StoreError: The datastore failed; the call may be repeated.
        """
        found = [self._gang(start) if start.gang else self._tasks(start) for start in starts]
        clones = [
            self._clone(start, task, record)
            for start, records in zip(starts, found, strict=True)
            for task, record in records.items()
        ]
        if not clones:
            return [[] for _ in starts]
        self._copy(ref for record in clones for ref in record.artifacts.values())
        writes = [partial(commit, self._store, self._past.flow, self._run, record) for record in clones]
        taken = iter(run_parallel(writes, _WRITERS))
        for start, records in zip(starts, found, strict=True):
            for task, record in records.items():
                self._origins[AttemptRef(start.step, task.task, task.attempt)] = record.ref
        return [list(islice(taken, len(records))) for records in found]

    def _tasks(self, start: StartBatch) -> dict[TaskSpec, Record]:
        """What the earlier run has of a batch's tasks."""
        known = {task: self._find(start, task.index) for task in start.tasks if not task.attempt}
        return {task: records[0] for task, records in known.items() if len(records) == 1}

    def _gang(self, start: StartBatch) -> dict[TaskSpec, Record]:
        """Likewise of a gang, whose ranks need each other: all of them, from one attempt, or none."""
        if start.tasks[0].attempt:
            return {}
        indices = dict.fromkeys(task.index for task in start.tasks)
        records = [record for index in indices for record in self._find(start, index)]
        if len(records) != len(start.tasks) or len({record.ref.attempt for record in records}) > 1:
            return {}
        return dict(zip(start.tasks, records, strict=True))

    def _find(self, start: StartBatch, index: int) -> tuple[Record, ...]:
        """The earlier run's results for this place in the batch, () where it is to be run."""
        if start.step in self._again:
            return ()
        inputs = tuple(self._origins[ref] for ref in start.inputs if ref in self._origins)
        if len(inputs) < len(start.inputs):
            return ()
        records = self._known.get(Place(start.step, inputs, index), ())
        node = self._graph[start.step]
        return records if all(self._leads_on(node, record.transition) for record in records) else ()

    def _leads_on(self, node: Node, transition: Transition | None) -> bool:
        """Whether the step, as it stands now, could still say so."""
        if node.kind == CALL:
            # Another function under the same name, one with other outputs or that is given other values, is
            # another call: those of one step are told apart by their number, and a body may have more of them now.
            then = self._then.nodes.get(node.name)
            return then is not None and then.call == node.call and self._arguments.same(node.name)
        if transition is None:
            return not node.targets
        if not set(transition.targets) <= set(node.targets):
            return False
        if (transition.splits is not None) is not (node.kind in (FOREACH, PARALLEL)):
            return False
        if transition.splits is None:
            return node.condition is not None or set(transition.targets) == set(node.targets)
        if node.kind == FOREACH and node.foreach != transition.foreach:
            # A step may leave early by another foreach than the graph's; one that was rewritten is run again.
            then = self._then.nodes.get(node.name)
            if then is None or then.foreach != node.foreach:
                return False
        return self._max_splits is None or transition.splits <= self._max_splits

    def _clone(self, start: StartBatch, task: TaskSpec, origin: Record) -> Record:
        now = self._clock()
        return origin._replace(
            ref=AttemptRef(start.step, task.task, task.attempt),
            frames=at_index(start.frames, task.index),
            inputs=start.inputs,
            metadata={**origin.metadata, **origin_facts(self._past.run, origin.ref.task, origin.ref.attempt)},
            started=now,
            ended=now,
        )


class BlobCopier:
    """Brings the content of artifacts along where the new run has another datastore.

    Args:
        past: The earlier run.
        store: The new run's datastore.
    """

    def __init__(self, past: PastRun, store: ObjectStore) -> None:
        self._past = past
        self._store = store
        self._there: set[str] = set()

    def __call__(self, refs: Iterable[ArtifactRef]) -> None:
        """Copy what is not there yet.

        Raises:
            StoreError: Either datastore failed.
        """
        if self._past.store.url == self._store.url:
            return
        artifacts = ArtifactStore(self._past.store, self._past.flow)
        wanted = {address for ref in set(refs) for address in artifacts.objects_of(ref)} - self._there
        run_parallel([partial(self._bring, digest) for digest in sorted(wanted)], _WRITERS)
        self._there |= wanted

    def _bring(self, digest: str) -> None:
        key = layout.blob(self._past.flow, digest)
        if self._store.size(key) is None:
            self._store.put(key, self._past.store.get(key))


def steps_again(graph: Graph, steps: Sequence[str]) -> frozenset[str]:
    """These steps and all that follow from them."""
    found: set[str] = set()
    ahead = list(steps)
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += graph[name].targets
    return frozenset(found)
