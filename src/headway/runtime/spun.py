"""What a task reads that is done again alone: the earlier run's artifacts, and what is given in their place."""

import runpy
from functools import partial
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Sequence

from headway.errors import UsageError
from headway.runtime.state import AttemptArtifacts, RecordReader, sources
from headway.store.artifacts import ArtifactStore
from headway.store.base import ObjectStore
from headway.store.batch import Batch, Spun
from headway.store.open import open_store
from headway.store.records import ArtifactRef, AttemptRef

#: The name that a file of replacements gives a value to.
ARTIFACTS = "ARTIFACTS"

Read = Callable[[Sequence[AttemptRef]], Sequence[AttemptArtifacts]]


def sources_elsewhere(batch: Batch, spun: Spun, store: ObjectStore) -> Read:
    """What gives the artifacts of attempts of the earlier run.

    Values by name take the place of those that the task inherits. A join's inputs have theirs each, by
    ``"<run>/<step>/<task>"`` or ``"<step>/<task>"``.

    Args:
        batch: The task's batch.
        spun: Where the earlier run is.
        store: The datastore of what is made now.

    Raises:
        UsageError: The file with values is not what it should be.
    """
    origin = open_store(spun.root)
    read: Read = partial(sources, origin, batch.flow, spun.run)
    given = replacements(spun.artifacts) if spun.artifacts else {}
    if not given:
        return read
    mine = ArtifactStore(store, batch.flow)
    theirs = ArtifactStore(origin, batch.flow)
    records = RecordReader(origin, batch.flow, spun.run)

    def replaced(refs: Sequence[AttemptRef]) -> List[AttemptArtifacts]:
        return [
            _Replaced(records, theirs, ref, refs, _given_to(ref, refs, spun.run, given, batch), mine)
            for ref in refs
        ]

    return replaced


def replacements(file: str) -> Mapping[str, Any]:
    """The values that a Python file gives.

    Raises:
        UsageError: It fails, or has no dict of that name.
    """
    try:
        found = runpy.run_path(file).get(ARTIFACTS)
    except Exception as error:
        raise UsageError(f"--artifacts-module={file} fails: {type(error).__name__}: {error}") from error
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
        raise UsageError(
            f"--artifacts-module={file} has no dict {ARTIFACTS} from names to values.",
            f'Write {ARTIFACTS} = {{"alpha": 0.1}} there.',
        )
    return found


def _given_to(
    ref: AttemptRef, refs: Sequence[AttemptRef], run: str, given: Mapping[str, Any], batch: Batch
) -> Mapping[str, Any]:
    """The values for one of the attempts that the task reads."""
    if (not batch.join and batch.call is None) or list(refs) != list(batch.inputs):
        return {name: value for name, value in given.items() if "/" not in name}
    name = f"{ref.step}/{ref.task}"
    found: Dict[str, Any] = {**given.get(name, {}), **given.get(f"{run}/{name}", {})}
    return found


class _Replaced(AttemptArtifacts):
    """Artifacts of which some are others; those are stored once somebody asks where they are."""

    def __init__(
        self,
        records: RecordReader,
        artifacts: ArtifactStore,
        ref: AttemptRef,
        siblings: Sequence[AttemptRef],
        given: Mapping[str, Any],
        mine: ArtifactStore,
    ) -> None:
        super().__init__(records, artifacts, ref, siblings)
        self._given = given
        self._mine = mine

    def names(self) -> Iterable[str]:
        return {**self.refs, **self._given}.keys()

    def ref(self, name: str) -> Optional[ArtifactRef]:
        if name in self._given:
            return self._mine.save_many({name: self._given[name]})[name]
        return super().ref(name)

    def load(self, name: str) -> object:
        return self._given[name] if name in self._given else super().load(name)
