"""A batch in the datastore: one object, or parts where a pod would read much that is other pods' to do."""

from functools import partial
from typing import Optional

from headway.errors import KeyNotFoundError
from headway.store import layout
from headway.store.base import ObjectStore
from headway.store.batch import Batch
from headway.store.parallel import run_parallel

#: Parts read or written at a time.
_AT_ONCE = 16


def address_of(batch: Batch) -> str:
    """Where a batch is stored: the key of one object, or the folder of its parts, with a slash at its end.

    A gang is never in parts: each rank is told of all the others.
    """
    if batch.gang is not None or len(batch.tasks) <= layout.BATCH_PART:
        return layout.batch(batch.flow, batch.run, batch.name)
    return layout.batch_parts(batch.flow, batch.run, batch.name)


def store_batch(store: ObjectStore, batch: Batch) -> None:
    """Store a batch for its pods.

    Raises:
        StoreError: The datastore failed; the call may be repeated.
    """
    address = address_of(batch)
    if not address.endswith("/"):
        store.put(address, batch.encode())
        return
    size = layout.BATCH_PART
    first, *others = [
        partial(
            store.put,
            layout.batch_part(address, number),
            batch._replace(tasks=batch.tasks[start : start + size]).encode(),
        )
        for number, start in enumerate(range(0, len(batch.tasks), size))
    ]
    run_parallel(others, _AT_ONCE)
    # The last to be written, so that who finds it finds the others: see :func:`read_batch`.
    first()


def read_batch(store: ObjectStore, flow: str, run: str, name: str) -> Optional[Batch]:
    """The whole of a batch that was stored for its pods, None where it was not, or not to the end.

    Raises:
        StoreError: The datastore failed.
    """
    try:
        return Batch.decode(store.get(layout.batch(flow, run, name)))
    except KeyNotFoundError:
        pass
    folder = layout.batch_parts(flow, run, name)
    keys = [info.key for info in store.list(folder)]
    if not keys or keys != [layout.batch_part(folder, number) for number in range(len(keys))]:
        return None
    parts = [Batch.decode(data) for data in run_parallel([partial(store.get, key) for key in keys], _AT_ONCE)]
    return parts[0]._replace(tasks=tuple(task for part in parts for task in part.tasks))
