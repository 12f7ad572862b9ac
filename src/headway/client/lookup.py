"""Finding flows and runs in the places where runs are looked for."""

from functools import partial
from typing import Dict, Iterator, List, Optional, Tuple

from headway.client.pathspec import age_order
from headway.client.places import roots
from headway.client.run_data import THREADS, RunData
from headway.client.stores import is_near, store_at
from headway.client.unread import Unread
from headway.errors import KeyNotFoundError
from headway.store import layout
from headway.store.parallel import run_parallel
from headway.store.run_records import RunRecord

#: Run records read at a time, once more than a few are wanted.
_MOST = 128


def flow_names() -> List[str]:
    """Every flow that ever ran, sorted."""
    prefix = layout.flow_marker("")
    return sorted({info.key[len(prefix) :] for root in roots() for info in store_at(root).list(prefix)})


def flow_exists(flow: str) -> bool:
    """Whether the flow ever ran."""
    return any(store_at(root).size(layout.flow_marker(flow)) is not None for root in roots())


def find_run(flow: str, run: str) -> Optional[RunData]:
    """A run, None where it is in none of the places."""
    return next((found for root in roots() if (found := read_run(root, flow, run)) is not None), None)


def runs_of(flow: str, with_tags: bool = False, unread: Optional[Unread] = None) -> Iterator[RunData]:
    """The flow's runs, the newest first; records are read as far as one goes on asking.

    Args:
        flow: The flow.
        with_tags: Whether the tags that people gave are wanted too: they are read along.
        unread: The datastores that could not be read while the runs of other flows were listed.
    """
    unread = unread or Unread()
    waiting = _newest_first(flow)
    span = 1
    while waiting:
        now, waiting = waiting[:span], waiting[span:]
        found = _read_all(flow, now)
        for data in found:
            data.listed_with = unread
        if with_tags:
            run_parallel([partial(getattr, data, "tags") for data in found], _threads(now))
        yield from found
        span = min(span * 4, _MOST)


def _newest_first(flow: str) -> List[Tuple[str, str]]:
    """(run, root) of each run."""
    found: Dict[str, str] = {}
    for root in roots():
        prefix = layout.runs(flow)
        for info in store_at(root).list(prefix):
            found.setdefault(info.key[len(prefix) :].rpartition(".")[0], root)
    if all(run.isdigit() for run in found):
        # These ids are the time at which the run began.
        return sorted(found.items(), key=lambda item: age_order(item[0]), reverse=True)
    created = {data.run: data.summary.created for data in _read_all(flow, list(found.items()))}
    return sorted(found.items(), key=lambda item: created.get(item[0], 0.0), reverse=True)


def _read_all(flow: str, wanted: List[Tuple[str, str]]) -> List[RunData]:
    calls = [partial(read_run, root, flow, run) for run, root in wanted]
    return [data for data in run_parallel(calls, _threads(wanted)) if data is not None]


def _threads(wanted: List[Tuple[str, str]]) -> int:
    return THREADS if any(not is_near(store_at(root)) for _, root in wanted) else 1


def read_run(root: str, flow: str, run: str) -> Optional[RunData]:
    """A run in one datastore, None where it is not there."""
    try:
        return RunData(root, RunRecord.decode(store_at(root).get(layout.run_record(flow, run))))
    except KeyNotFoundError:
        return None
