"""Whether a call of a pipeline is given the same as in an earlier run: what stands in its body, not outputs of others."""

import pickle
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from headway.call import CONSTANTS
from headway.launch.past import PastRun
from headway.runtime.state import PARAMETERS
from headway.store import layout
from headway.store.artifacts import ArtifactStore
from headway.store.base import ObjectStore
from headway.store.records import ArtifactRef, Record
from headway.store.unpicklable import ArtifactLoadError


class CallArguments:
    """Compares the arguments of calls in two runs.

    Args:
        past: The earlier run.
        store: The new run's datastore.
        run: Its id.
    """

    def __init__(self, past: PastRun, store: ObjectStore, run: str) -> None:
        self._past = past
        self._store = store
        self._run = run

    def same(self, call: str) -> bool:
        """Whether both runs give this call the same.

        Raises:
            StoreError: The datastore failed; the call may be repeated.
        """
        name = CONSTANTS + call
        then, now = self._then.get(name), self._now.get(name)
        if then is None or now is None or then.sha256 == now.sha256:
            return (then is None) is (now is None)
        try:
            old = ArtifactStore(self._past.store, self._past.flow).load(name, then)
            new = ArtifactStore(self._store, self._past.flow).load(name, now)
        except ArtifactLoadError:
            return False
        # The same values need not be the same bytes: text that two places share is written once, or twice.
        return _equal(old, new)

    @cached_property
    def _then(self) -> Mapping[str, ArtifactRef]:
        return self._past.parameters().artifacts

    @cached_property
    def _now(self) -> Mapping[str, ArtifactRef]:
        return Record.decode(
            self._store.get(layout.record(self._past.flow, self._run, *PARAMETERS))
        ).artifacts


def _equal(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_equal(value, other[key]) for key, value in one.items())
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_equal, one, other))
    try:
        if bool(one == other):
            return True
    except Exception:  # noqa: S110 - arrays and tables have no one answer
        pass
    return pickle.dumps(one) == pickle.dumps(other)
