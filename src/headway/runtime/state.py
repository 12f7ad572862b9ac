"""What a task can read: the artifacts of the attempts that lead to it, fetched when touched."""

from typing import Dict, Iterable, List, Optional, Sequence, Tuple

from headway.errors import StoreError
from headway.store import layout
from headway.store.artifacts import ArtifactStore
from headway.store.base import ObjectStore
from headway.store.records import ArtifactRef, AttemptRef, FrameTuple, Record

#: The step and task under which a run's parameters and constants are kept.
PARAMETERS = AttemptRef("_parameters", "0", 0)

_PARALLEL = 16


class RecordReader:
    """Reads the records of finished attempts of one run, each at most once."""

    def __init__(self, store: ObjectStore, flow: str, run: str) -> None:
        self._store = store
        self._flow = flow
        self._run = run
        self._known: Dict[AttemptRef, Record] = {}

    def read(self, ref: AttemptRef) -> Record:
        record = self._known.get(ref)
        if record is None:
            key = layout.record(self._flow, self._run, *ref)
            record = self._known[ref] = Record.decode(self._store.get(key))
        return record

    def prefetch(self, refs: Sequence[AttemptRef]) -> None:
        """Read many records at once, several at a time."""
        missing = [ref for ref in refs if ref not in self._known]
        if len(missing) < 4:
            return
        from concurrent.futures import ThreadPoolExecutor  # kept off the path of a task with one input

        with ThreadPoolExecutor(_PARALLEL) as pool:
            list(pool.map(self.read, missing))


class AttemptArtifacts:
    """The artifacts of one attempt, as the flow layer's ``ArtifactSource``."""

    def __init__(
        self, records: RecordReader, artifacts: ArtifactStore, ref: AttemptRef, siblings: Sequence[AttemptRef]
    ) -> None:
        self._records = records
        self._artifacts = artifacts
        self._ref = ref
        self._siblings = siblings

    def frames(self) -> Tuple[FrameTuple, ...]:
        """The fan-out the attempt stood in."""
        return self._record().frames

    @property
    def refs(self) -> Dict[str, ArtifactRef]:
        return self._record().artifacts

    def _record(self) -> Record:
        if len(self._siblings) > 1:
            self._records.prefetch(self._siblings)
        return self._records.read(self._ref)

    def names(self) -> Iterable[str]:
        return self.refs.keys()

    def ref(self, name: str) -> Optional[ArtifactRef]:
        return self.refs.get(name)

    def load(self, name: str) -> object:
        ref = self.refs.get(name)
        if ref is None:
            raise KeyError(name)
        try:
            return self._artifacts.load(name, ref)
        except StoreError as error:
            # The type tells whether trying again may help, so it stays.
            raise type(error)(f"{error.message} (wanted from {self._ref})", error.hint) from error


def sources(store: ObjectStore, flow: str, run: str, refs: Sequence[AttemptRef]) -> List[AttemptArtifacts]:
    """One source for each of these attempts; a join's inputs are read together once one is touched."""
    records = RecordReader(store, flow, run)
    artifacts = ArtifactStore(store, flow)
    return [AttemptArtifacts(records, artifacts, ref, refs) for ref in refs]
