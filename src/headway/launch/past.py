"""A run of the past, found where runs are looked for, and what of it succeeded."""

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from headway.client.metaflows_own import of_metaflow
from headway.errors import KeyNotFoundError, NotFoundError, UsageError
from headway.flow.graph import Graph
from headway.flow.names import did_you_mean
from headway.launch.index import LATEST_RUN
from headway.runtime.state import PARAMETERS
from headway.store import layout
from headway.store.artifacts import ArtifactStore
from headway.store.base import ObjectStore
from headway.store.open import open_store
from headway.store.parallel import run_parallel
from headway.store.records import SUCCEEDED, AttemptRef, Record
from headway.store.run_records import RunEnd, RunRecord

#: Records read at a time.
_READERS = 16
_RECORD = "record.json"
#: So many runs are named to somebody who asked for one that is not there.
_MOST_NAMED = 10


class Place(NamedTuple):
    """Which task of a run this is, whatever its id: step, the attempts that led to it, number among siblings."""

    step: str
    inputs: tuple[AttemptRef, ...]
    number: int


class PastRun(Struct, frozen=True, eq=False):
    """A run that was started some time ago, and where it is.

    Attributes:
        store: Its datastore.
        record: Its record there.
    """

    store: ObjectStore
    record: RunRecord

    @property
    def flow(self) -> str:
        """The flow's name."""
        return self.record.flow

    @property
    def run(self) -> str:
        """Its id."""
        return self.record.run

    @property
    def pathspec(self) -> str:
        """For people: ``Flow/run``."""
        return f"{self.flow}/{self.run}"

    @property
    def graph(self) -> Graph:
        """The graph that it was started with."""
        return Graph.from_json(self.record.graph)

    def end(self) -> RunEnd | None:
        """How it ended, None where nobody wrote that down."""
        try:
            return RunEnd.decode(self.store.get(layout.run_end(self.flow, self.run)))
        except KeyNotFoundError:
            return None

    def parameters(self) -> Record:
        """The record with its parameters and constants.

        Raises:
            NotFoundError: It was killed before it could store them.
        """
        try:
            return Record.decode(self.store.get(layout.record(self.flow, self.run, *PARAMETERS)))
        except KeyNotFoundError as error:
            raise NotFoundError(
                f"Run {self.pathspec} has no parameters in {self.store.url}: it never came to its first step.",
                "Start anew: run",
            ) from error

    def values(self, names: Iterable[str]) -> dict[str, object]:
        """Those of these values that it was started with, loaded.

        Raises:
            StoreError: One cannot be read.
        """
        wanted = list(names)
        if not wanted:
            return {}
        known = self.parameters().artifacts
        return ArtifactStore(self.store, self.flow).load_many({n: known[n] for n in wanted if n in known})

    def attempts(self) -> list[AttemptRef]:
        """Every attempt that left a record."""
        folder = layout.tasks(self.flow, self.run)
        found: list[AttemptRef] = []
        for info in self.store.list(folder):
            parts = info.key[len(folder) :].split("/")
            if len(parts) == 4 and parts[2].isdigit() and parts[3] == _RECORD:
                found.append(AttemptRef(parts[0], parts[1], int(parts[2])))
        return found

    def records(self, refs: Iterable[AttemptRef]) -> list[Record]:
        """The records of these attempts, read several at a time."""
        return run_parallel([partial(self._read, ref) for ref in refs], _READERS)

    def succeeded(self) -> dict[Place, tuple[Record, ...]]:
        """The records of the tasks that succeeded, by their place; several where these are a gang's ranks, in order."""
        newest: dict[tuple[str, str], Record] = {}
        for record in self.records(ref for ref in self.attempts() if ref.step != PARAMETERS.step):
            known = newest.get(record.ref[:2])
            if record.outcome == SUCCEEDED and (known is None or known.ref.attempt < record.ref.attempt):
                newest[record.ref[:2]] = record
        places: dict[Place, list[Record]] = {}
        # The ids of a gang's further ranks are longer than that of the first, and numbered.
        for record in sorted(newest.values(), key=lambda each: (len(each.ref.task), each.ref.task)):
            places.setdefault(place_of(record), []).append(record)
        return {place: tuple(records) for place, records in places.items()}

    def _read(self, ref: AttemptRef) -> Record:
        return Record.decode(self.store.get(layout.record(self.flow, self.run, *ref)))


def place_of(record: Record) -> Place:
    """Where a recorded task stands in its run."""
    return Place(record.ref.step, record.inputs, record.frames[-1][2] if record.frames else 0)


def find_past_run(flow: str, run: str, roots: Iterable[str]) -> PastRun:
    """The run of this id.

    Args:
        flow: The flow's name.
        run: The run's id; ``Flow/run`` is understood too.
        roots: The datastores to look in, in this order; records there may point to others.

    Raises:
        NotFoundError: It is in none of them.
        UsageError: It is a run of another flow.
    """
    named, _, run = run.rpartition("/")
    if named and named != flow:
        raise UsageError(f"{named}/{run} is a run of another flow than {flow}.", f"Name a run of {flow}.")
    places = list(dict.fromkeys(roots))
    for root in places:
        found = _look(root, flow, run)
        if found is not None:
            return found
    known = sorted({name for root in places for name in known_runs(root, flow)})
    near = did_you_mean(run, known[-_MOST_NAMED:])
    raise NotFoundError(
        f"There is no run {flow}/{run} in {', '.join(places)}.",
        of_metaflow(flow, run)
        or near
        or "Look in another datastore with --datastore-root=s3://bucket/prefix.",
    )


def latest_run(flow: str, local_root: str, named: str = "--origin-run-id ID") -> str:
    """The id of the flow's newest run that was started from this folder.

    Args:
        flow: The flow's name.
        local_root: The local datastore's folder.
        named: How the command at hand takes the id of another run, for words.

    Raises:
        UsageError: None was.
    """
    try:
        return (Path(local_root) / flow / LATEST_RUN).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        hint = f"Name the run: {named}, and its datastore if it is not the configured one."
        raise UsageError(
            f"No run of {flow} was started from here (nothing in {local_root} tells of one).",
            of_metaflow(flow) or hint,
        ) from error


def differing_steps(then: Graph, now: Graph) -> list[str]:
    """The steps that lead elsewhere now, or that only one of the graphs has."""
    ways: list[Mapping[str, object]] = [
        {
            node.name: (
                node.kind,
                node.targets,
                node.foreach,
                node.condition,
                node.takes_inputs,
                node.needs,
                node.call,
            )
            for node in graph
        }
        for graph in (then, now)
    ]
    return [name for name in {**ways[0], **ways[1]} if ways[0].get(name) != ways[1].get(name)]


def _look(root: str, flow: str, run: str) -> PastRun | None:
    store = open_store(root, prefer_native=True)
    try:
        record = RunRecord.decode(store.get(layout.run_record(flow, run)))
    except KeyNotFoundError:
        return None
    return _look(record.root, flow, run) if record.root else PastRun(store, record)


def known_runs(root: str, flow: str) -> list[str]:
    """The ids of the flow's runs that one datastore knows of."""
    prefix = layout.runs(flow)
    listed = open_store(root, prefer_native=True).list(prefix)
    return [info.key[len(prefix) :].rpartition(".")[0] for info in listed]
